"""Most tests fork their commands from a process that has imported them: they do what commands from scratch do."""

import re
import sys
from collections.abc import Sequence
from typing import Any

import pytest

from tests.support.command import CommandResult, CommandRunner
from tests.support.preloaded_command import can_fork
from tests.support.sampling import quick_first

COMMAND_LINES: dict[str, Sequence[str]] = {
    "a table": ("query", "--limit", "5"),
    "JSON": ("hash-summary", "--format", "json"),
    "counts": ("summary",),
    "a refusal": ("bulk-close", "--product", "epp"),
    "the journal": ("runs",),
    "a mistake": ("query", "--nonsense"),
    "help": ("summary", "--help"),
}
NUMBERS = re.compile(rb"[0-9a-f]{16,}|[\d,.:-]+")


def from_scratch(shell: CommandRunner, *argv: str, **more: Any) -> CommandResult:
    with shell.running(*argv, **more) as running:
        return running.finish()


@pytest.mark.parametrize("what", quick_first(*COMMAND_LINES, quick=2))
def test_they_end_and_say_the_same(acme: Any, what: str) -> None:
    argv = COMMAND_LINES[what]
    shell: CommandRunner = acme(alerts=60)
    forked, other = shell(*argv), from_scratch(shell, *argv)
    assert forked.code == other.code
    assert len(forked.requests) == len(other.requests)
    assert NUMBERS.sub(b"#", forked.out) == NUMBERS.sub(b"#", other.out)
    assert NUMBERS.sub(b"#", forked.err.encode()) == NUMBERS.sub(b"#", other.err.encode())


def test_each_has_an_input_an_environment_and_a_folder_of_its_own(acme: Any) -> None:
    shell: CommandRunner = acme(alerts=60)
    ids = "\n".join(shell.untouched_ids(3)).encode()
    argv = ("query", "--ids-file", "-", "--format", "json", "-o", "found.json")
    environment = {"FALCON_BULK_CUSTOMER": "acme"}
    assert shell.bare(*argv, given=ids, env=environment).code == 0
    assert (shell.folder / "found.json").is_file()
    assert shell.bare("query", given=b"").code == 4, "which customer was said in the environment of the other alone"


def test_what_decides_how_python_starts_is_not_forked(acme: Any) -> None:
    usual = acme().environment()
    assert can_fork(usual, usual | {"FALCON_BULK_CUSTOMER": "acme"}) == (sys.platform == "linux")
    for name in ("PYTHONPATH", "PYTHONUTF8", "LC_ALL", "LANG", "TZ", "COVERAGE_PROCESS_CONFIG"):
        assert not can_fork(usual, usual | {name: "another"})
