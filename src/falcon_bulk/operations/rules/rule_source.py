"""Where the rules of a command come from: read at its start, and again whenever a file changes."""

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from falcon_bulk.operations.rules.rule_book import RuleBook
from falcon_bulk.operations.rules.rule_files import CustomerTags, find_rule_files, read_rule_files


class RuleSource:
    """The rule files of a command.

    paths: files, and folders of `*.toml`. today: returns the day in UTC. customers: see `read_rule_files`. asks_git:
    whether policies that ask for committed files are held to.
    """

    def __init__(
        self, paths: Sequence[Path], today: Callable[[], date], customers: CustomerTags | None, *, asks_git: bool
    ) -> None:
        self.today = today
        self._paths = paths
        self._customers = customers
        self._asks_git = asks_git

    def load(self) -> RuleBook:
        """Read the files. Raises UsageProblem if there are none or one cannot be read, AccessProblem."""
        files = find_rule_files(self._paths)
        return RuleBook(read_rule_files(files, self.today(), self._customers, asks_git=self._asks_git))

    def signature(self) -> object:
        """Return what changes with any file, or with the day."""
        files = []
        for path in find_rule_files(self._paths):
            status = path.stat()
            files.append((path, status.st_ino, status.st_size, status.st_mtime_ns, status.st_mode))
        return self.today(), tuple(files)
