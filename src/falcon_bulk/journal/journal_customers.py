"""The customers that the journals of a state folder have runs of."""

import threading
from contextlib import closing
from pathlib import Path


class JournalCustomers:
    """Knows the customers of each journal that was asked about: it is opened once. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[Path, frozenset[str]] = {}

    def of(self, path: Path) -> frozenset[str]:
        """Return the customers under whose names a journal has runs.

        Raises JournalProblem the first time that it cannot be read; later it has none.
        """
        from falcon_bulk.journal.journal import Journal  # loads SQLAlchemy

        with self._lock:
            if path not in self._known:
                self._known[path] = frozenset()
                with closing(Journal(path)) as journal:
                    self._known[path] = frozenset(journal.customers())
            return self._known[path]
