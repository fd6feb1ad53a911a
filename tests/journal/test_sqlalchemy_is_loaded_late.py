"""SQLAlchemy takes longer to load than all of `--help`: only a command that opens a journal loads it."""

import re
from collections.abc import Iterator

import pytest

from tests.support.command import CommandRunner, serve_customers


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandRunner]:
    with serve_customers(tmp_path_factory.mktemp("customers"), alerts=100) as runner:
        yield runner


def _loads_sqlalchemy(runner: CommandRunner, *argv: str, customer: str | None) -> bool:
    done = runner(*argv, customer=customer, env={"PYTHONPROFILEIMPORTTIME": "1"})
    assert done.code == 0, done
    assert "falcon_bulk.cli.main" in done.err
    return re.search(r"\| +sqlalchemy", done.err) is not None


@pytest.mark.parametrize("command", [[], ["close-hash"], ["undo"], ["runs", "list"], ["doctor"]])
def test_help_does_not_load_it(acme: CommandRunner, command: list[str]) -> None:
    assert not _loads_sqlalchemy(acme, *command, "--help", customer=None)


@pytest.mark.parametrize(
    "command",
    [["query"], ["hash-summary"], ["summary"], ["doctor"], ["bulk-close", "--severity", "low", "--dry-run"]],
    ids=lambda command: str(command[0]),
)
def test_a_command_that_changes_nothing_does_not_load_it(acme: CommandRunner, command: list[str]) -> None:
    assert not _loads_sqlalchemy(acme, *command, customer="acme")


def test_a_command_that_opens_a_journal_loads_it(acme: CommandRunner) -> None:
    change = ["bulk-close", "--severity", "low", "--comment", "Approved tool", "--yes", "--max", "100"]
    assert _loads_sqlalchemy(acme, *change, customer="acme")
    assert _loads_sqlalchemy(acme, "runs", "list", customer="acme")
