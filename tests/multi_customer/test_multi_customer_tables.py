"""The tables of several customers on a narrow terminal: whole columns, and errors as sentences below."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import CommandRunner, serve_customers, without_styling

pytestmark = pytest.mark.slow


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[CommandRunner]:
    with serve_customers(tmp_path, "acme", "globex", alerts=200) as shell:
        shell.write_customer("bad", "acme", FALCON_CLIENT_ID=None, FALCON_CID=None)
        yield shell


def shown(shell: CommandRunner, *argv: str, columns: int = 80) -> list[str]:
    with shell.terminal(*argv, "--all-customers", columns=columns, customer=None) as terminal:
        return without_styling(terminal.finish().out).splitlines()


@pytest.mark.parametrize("argv", ["hash-summary --top 2", "summary --by status", "runs list", "query --count"])
def test_an_error_is_a_sentence_below_the_table(shell: CommandRunner, argv: str) -> None:
    lines = shown(shell, *argv.split(), *(["--format", "table"] if "count" in argv else []))
    (row,) = (line for line in lines if line.split()[:1] == ["bad"])
    assert row.split() == ["bad", "error"]
    text = " ".join(lines[lines.index(row) :])
    assert "bad: " in text
    assert "FALCON_CLIENT_ID" in text


def test_runs_keeps_the_command_column(shell: CommandRunner) -> None:
    done = shell(*shell.close_command(shell.untouched_ids(3)))
    assert done.code == 0
    lines = shown(shell, "runs", "list")
    assert "command" in lines[0]
    assert done.document["run_id"] in lines[3]
    assert "bulk-close" in lines[3]


def test_csv_has_the_error_in_its_cell(shell: CommandRunner) -> None:
    text = shell("query", "--count", "--all-customers", "--format", "csv", customer=None).text
    (row,) = (line for line in text.splitlines() if line.startswith("bad,"))
    assert "FALCON_CLIENT_ID" in row
