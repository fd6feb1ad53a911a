"""The question before a change, on a real terminal."""

import re
from typing import Any

import pytest

from tests.support.command import Terminal, without_styling
from tests.support.sampling import quick_first

CHANGE = ("bulk-close", "--product", "epp", "--batch-delay", "0")


def asked(terminal: Terminal) -> str:
    """Wait for the question; the answer that it wants."""
    terminal.wait_for(" alerts:")
    found = re.search(r'Type "(acme \d+)" to CLOSE', without_styling(terminal.shown))
    assert found
    return found[1]


def test_the_right_answer_changes_what_the_preview_said(acme: Any) -> None:
    shell = acme()
    with shell.terminal(*CHANGE) as terminal:
        answer = asked(terminal)
        terminal.type(answer + "\n")
        done = terminal.finish()
    assert done.code == 0, done
    assert len(shell.changes()) == int(answer.split()[1]) > 0
    shown = without_styling(done.out)
    for word in ("critical", "comment   ", "Set to closed (by ", "No undo reverses workflows", "falcon-bulk undo"):
        assert word in shown


@pytest.mark.parametrize("answer", quick_first("y", "globex {number}", "yes", "", "ACME {number}", "{number}", quick=2))
def test_any_other_answer_declines(acme: Any, answer: str) -> None:
    shell = acme(alerts=100)
    with shell.terminal(*CHANGE) as terminal:
        number = asked(terminal).split()[1]
        terminal.type(answer.format(number=number) + "\n")
        done = terminal.finish()
    assert done.code == 3, done
    assert not done.to("patch")
    assert "nothing was changed" in without_styling(done.out)


def test_a_wrong_number_is_asked_for_once_more(acme: Any) -> None:
    shell = acme(alerts=100)
    with shell.terminal(*CHANGE) as terminal:
        number = int(asked(terminal).split()[1])
        terminal.type("acme 9999\n")
        terminal.wait_for(f"That is not the number: {number}. You can type it once more.")
        terminal.type(f"acme {number}\n")
        done = terminal.finish()
    assert done.code == 0, done
    assert len(shell.changes()) == number


@pytest.mark.parametrize("second", quick_first("acme 9998", "acme", "globex {number}", "", quick=1))
def test_a_wrong_number_typed_twice_declines(acme: Any, second: str) -> None:
    shell = acme(alerts=100)
    with shell.terminal(*CHANGE) as terminal:
        number = asked(terminal).split()[1]
        terminal.type("acme 9999\n")
        terminal.wait_for("You can type it once more.")
        terminal.type(second.format(number=number) + "\n")
        done = terminal.finish()
    assert done.code == 3, done
    assert not done.to("patch")


@pytest.mark.slow
def test_a_declined_change_is_one_json_document_and_leaves_no_run(acme: Any) -> None:
    shell = acme(alerts=100)
    with shell.terminal(*CHANGE, "--format", "json", out_to_pipe=True) as terminal:
        asked(terminal)
        terminal.type("no\n")
        done = terminal.finish()
    assert done.code == 3
    assert done.document["status"] == "declined"
    assert done.document["exit_code"] == 3
    assert done.document["not_sent"] == done.document["planned"] > 0
    assert shell.json("runs", "list")["runs"] == []
    assert shell.json(*CHANGE, "--yes", "--max", "500")["status"] == "success"


def test_end_of_input_at_the_question_exits_with_two(acme: Any) -> None:
    shell = acme(alerts=100)
    with shell.terminal(*CHANGE) as terminal:
        asked(terminal)
        terminal.type("\x04")
        done = terminal.finish()
    assert done.code == 2, done
    assert not done.to("patch")
    assert "Stopped at the question; nothing was changed." in without_styling(done.out)


def test_ctrl_c_at_the_question_exits_with_130(acme: Any) -> None:
    shell = acme(alerts=100)
    with shell.terminal(*CHANGE) as terminal:
        asked(terminal)
        terminal.type("\x03")
        done = terminal.finish()
    assert done.code == 130, done
    assert not done.to("patch")
    assert "Stopped at the question; nothing was changed." in without_styling(done.out)
    assert "Traceback" not in without_styling(done.out)
    assert shell.json("runs", "list")["runs"] == []


def test_a_bound_is_checked_before_anything_is_asked(acme: Any) -> None:
    shell = acme(alerts=100)
    with shell.terminal(*CHANGE, "--max", "1") as terminal:
        done = terminal.finish()
    assert done.code == 7, done
    assert 'Type "acme' not in without_styling(done.out)
    assert not done.to("patch")
