"""Taking a run of `allow-hash` back: what it made is deleted, as long as it is as it was made."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.allow_list import EVERYWHERE, FIRST, SECOND, THIRD, YES, AllowList, the_run, writes
from tests.support.sampling import quick_first

Serve = Callable[..., AllowList]


def undo(shell: AllowList, run_id: str, *more: str) -> Any:
    return shell("undo", run_id, *(more or YES), "--format", "json")


def test_undo_deletes_what_the_run_made_and_nothing_else(acme: Serve) -> None:
    shell = acme()
    shell.plant(THIRD)
    run_id = the_run(shell.allow(FIRST, SECOND, THIRD))["run_id"]
    dry = undo(shell, run_id, "--dry-run")
    assert (the_run(dry)["not_sent"], writes(dry)) == (2, [])
    document = the_run(undo(shell, run_id))
    assert (document["command"], document["status"], document["deleted"]) == ("undo", "success", 2)
    assert set(shell.indicators()) == {THIRD}


@pytest.mark.slow
def test_the_journal_tells_both_runs(acme: Serve) -> None:
    shell = acme()
    made = the_run(shell.allow(FIRST))
    undone = the_run(undo(shell, made["run_id"]))
    listed = shell.json("runs")["runs"]
    assert [(row["command"], row["status"], row["changed"]) for row in listed] == [
        ("undo", "success", 1),
        ("allow-hash", "success", 1),
    ]
    for before in (made, undone):
        shown = shell.json("runs", "show", before["run_id"])
        assert shown["hashes"] == before["hashes"]
        assert (shown["created"], shown["deleted"]) == (before["created"], before["deleted"])
    table = shell("runs", "show", made["run_id"])
    assert FIRST in table.text
    assert "created" in table.text
    csv = shell("runs", "show", made["run_id"], "--format", "csv")
    assert csv.lines[0] == b"sha256,outcome,reason,indicator"
    again = undo(shell, undone["run_id"])
    assert (again.code, again.document["error"]["code"], writes(again)) == (7, "refused", [])


@pytest.mark.parametrize(
    "fields",
    quick_first(
        ({"action": "prevent", "severity": "high"},),
        ({"description": "kept on purpose"},),
        ({"platforms": ["windows", "mac"]},),
        ({"expiration": ""},),
        ({"tags": ["approved"]},),
    ),
)
def test_an_indicator_that_somebody_changed_is_left_alone_and_listed(acme: Serve, fields: dict[str, Any]) -> None:
    shell = acme()
    run_id = the_run(shell.allow(FIRST, SECOND))["run_id"]
    shell.edit_indicator(FIRST, **fields)
    edited = shell.indicators()[FIRST]
    document = the_run(undo(shell, run_id), 6)
    assert (document["deleted"], document["drifted"]) == (1, 1)
    assert document["hashes"][0]["outcome"] == "drifted"
    assert document["hashes"][0]["reason"]
    assert shell.indicators() == {FIRST: edited}


@pytest.mark.slow
def test_one_that_is_gone_is_skipped(acme: Serve) -> None:
    shell = acme()
    run_id = the_run(shell.allow(FIRST))["run_id"]
    identifier = shell.indicators()[FIRST]["id"]
    shell.server.call(lambda: shell.tenant.indicators.remove(identifier))
    document = the_run(undo(shell, run_id))
    assert (document["status"], document["skipped"]) == ("nothing_to_do", {"not_found": 1})


@pytest.mark.slow
def test_one_that_has_expired_is_still_ours_and_makes_room_for_a_new_one(acme: Serve) -> None:
    shell = acme(token_seconds=10**7)
    run_id = the_run(shell.allow(FIRST, more=(*EVERYWHERE, *YES, "--expires", "1d")))["run_id"]
    shell.server.call(lambda: shell.tenant.advance(86_400 * 2))
    assert shell.indicators()[FIRST]["action"] == "no_action"
    assert the_run(shell.allow(FIRST))["held"] == {"no-action": 1}
    assert the_run(undo(shell, run_id))["deleted"] == 1
    assert the_run(shell.allow(FIRST))["created"] == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "more", "sent"),
    [("drop", {"applied": True}, 1), ("status", {"status": 500}, 2), ("status", {"status": 404}, 2)],
)
def test_a_lost_answer_to_a_deletion_is_reconciled_by_reading(
    acme: Serve, kind: str, more: dict[str, Any], sent: int
) -> None:
    shell = acme()
    run_id = the_run(shell.allow(FIRST, SECOND))["run_id"]
    shell.order_indicator_fault(kind, skip=1, **more)
    done = undo(shell, run_id)
    document = the_run(done)
    assert document["deleted"] == 2
    assert writes(done)[:sent] == ["DELETE"] * sent
    assert shell.indicators() == {}


@pytest.mark.slow
def test_an_undo_that_breaks_off_is_resumed(acme: Serve) -> None:
    shell = acme()
    run_id = the_run(shell.allow(FIRST))["run_id"]
    shell.order_indicator_fault("status", skip=1, status=503, times=None)
    document = the_run(undo(shell, run_id), 6)
    assert document["unknown"] == 1
    shell.server.call(shell.tenant.faults.clear)
    assert the_run(shell("resume", "--format", "json"))["deleted"] == 1
    assert shell.indicators() == {}
