"""Who changed what, why, and which guardrails were overridden: in every format of `runs`."""

import csv
import io
from typing import Any

import pytest

from tests.support.command import CommandRunner

pytestmark = pytest.mark.slow

COMMENT = "Known scanner of Initech"
CHANGE = (
    *("bulk-close", "--product", "epp", "--resolution", "false_positive", "--comment", COMMENT),
    *("--operator", "Ada Example", "--override", "assigned,case", "--yes", "--max", "1000"),
)
TOLD = ("Ada Example", "product epp", "status: closed", "resolution: false_positive", COMMENT, "case, assigned")


@pytest.fixture
def changed(acme: Any) -> CommandRunner:
    shell: CommandRunner = acme(alerts=200)
    shell.json(*CHANGE)
    return shell


@pytest.mark.parametrize("fmt", ["table", "markdown", "html"])
@pytest.mark.parametrize("argv", [("runs",), ("runs", "show", "latest")], ids=" ".join)
def test_runs_tell_who_did_what_and_why(changed: CommandRunner, argv: tuple[str, ...], fmt: str) -> None:
    done = changed(*argv, "--format", fmt)
    assert done.code == 0, done
    text = done.text.replace("\\", "")
    for told in TOLD:
        assert told in text, told


def test_csv_and_json_have_it_too(changed: CommandRunner) -> None:
    (row,) = csv.DictReader(io.StringIO(changed("runs", "--format", "csv").text))
    assert row["operator"] == "Ada Example"
    assert row["selection"] == "product epp"
    assert row["actions"] == "status: closed, resolution: false_positive"
    assert row["comment"].startswith(COMMENT)
    assert row["overridden"] == "case, assigned"
    (listed,) = changed.json("runs")["runs"]
    shown = changed.json("runs", "show", "latest")
    for document in (listed, shown):
        assert document["operator"] == "Ada Example"
        assert document["overridden"] == ["case", "assigned"]
        assert document["actions"][:2] == ["status: closed", "resolution: false_positive"]


def test_on_a_narrow_terminal_the_list_says_what_it_leaves_out(changed: CommandRunner) -> None:
    with changed.terminal("runs", columns=80) as terminal:
        shown = terminal.finish().text
    assert "Ada Example" in shown
    assert "Not shown at this width: " in shown


def test_a_hint_in_an_error_names_the_customer(changed: CommandRunner) -> None:
    done = changed("resume", "zzz")
    assert "Hint: `falcon-bulk runs --customer acme` lists them." in done.err
    by_file = changed.bare("resume", "zzz", "--env-file", "customers/acme.env")
    assert "Hint: `falcon-bulk runs --env-file customers/acme.env` lists them." in by_file.err
