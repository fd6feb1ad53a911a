"""Undoing a run twice, undoing the latest, and finding runs by the beginning of their ids."""

from typing import Any

import pytest

from tests.support.command import CommandRunner

pytestmark = pytest.mark.slow

YES = ("--yes", "--max", "1000")


def closed(shell: CommandRunner, product: str = "epp") -> dict[str, Any]:
    """Close the alerts of a product and return the result."""
    return shell.json("bulk-close", "--product", product, "--override", "all", *YES)


def test_a_second_undo_says_by_which_run_it_was_undone_and_changes_nothing(acme: Any) -> None:
    shell = acme(alerts=120)
    run = closed(shell)["run_id"]
    first = shell.json("undo", run, *YES)
    sent = len(shell.changes())
    again = shell("undo", run, *YES, "--format", "json")
    assert again.code == 0, again
    assert f"{run} was undone already, by {first['run_id']}." in again.err
    assert again.document["status"] == "nothing_to_do"
    assert again.document["skipped"] == {"already": first["changed"]}
    assert len(shell.changes()) == sent


def test_an_undo_that_was_undone_itself_is_not_named(acme: Any) -> None:
    shell = acme(alerts=120)
    run = closed(shell)
    undo = shell.json("undo", run["run_id"], *YES)
    shell.json("undo", undo["run_id"], *YES)
    again = shell("undo", run["run_id"], *YES, "--format", "json")
    assert "was undone already" not in again.err


def test_the_latest_run_is_undone_after_the_question_and_never_with_yes(acme: Any) -> None:
    shell = acme(alerts=120)
    closed(shell, "idp")
    newest = closed(shell)
    refused = shell("undo", "latest", *YES)
    assert refused.code == 2
    assert "`falcon-bulk runs --customer acme` lists them." in refused.err
    with shell.terminal("undo", "latest") as terminal:
        terminal.answer(f'Type "acme {newest["changed"]}" to UNDO {newest["run_id"]}', f"acme {newest['changed']}")
        assert terminal.finish().code == 0
    assert {row["status"] for row in shell.json("runs")["runs"]} == {"success"}


def test_a_run_is_found_by_a_beginning_that_only_it_has(acme: Any) -> None:
    shell = acme(alerts=120)
    runs = [closed(shell, product)["run_id"] for product in ("epp", "idp")]
    for run in runs:
        other = next(run_id for run_id in runs if run_id != run)
        length = next(n for n in range(len(run)) if run[n] != other[n]) + 1
        assert shell.json("runs", "show", run[:length])["run_id"] == run
    several = shell("runs", "show", runs[0][:2])
    assert several.code == 7
    assert all(run in several.err for run in runs)
    assert shell.json("runs", "show", "latest")["run_id"] == runs[1]
    missing = shell("runs", "show", "zzz")
    assert missing.code == 7
    assert "`falcon-bulk runs --customer acme` lists them." in missing.err
