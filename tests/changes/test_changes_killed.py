"""Processes killed with SIGKILL in the middle of a change, and what `resume` makes of it."""

import signal
from pathlib import Path

import pytest

from tests.support.waiting import wait_until
from tests.support.workspace import Workspace, serve_workspace

ALERTS, BATCH = 240, 30
BATCHES = ALERTS // BATCH
LONG = 600.0
PACE = ("--batch-size", str(BATCH), "--batch-delay", "0.08", "--workers", "3")


@pytest.mark.slow
def test_twenty_kills_leave_nothing_that_a_resume_does_not_settle(tmp_path: Path) -> None:
    """Fourteen die right after a change had its effect and before it is answered, six after an outcome is recorded."""
    amid = unrecorded = 0
    with serve_workspace(tmp_path, alerts=12_000) as desk:
        for number in range(20):
            ids = desk.ids(ALERTS)
            sent, settled = desk.patches(), desk.settled()
            batches = 1 + number % (BATCHES - 1)
            # No answer comes from there on: a machine that is slow to kill does not let the run come to its end.
            answered = batches - 1 if number < 14 else batches
            desk.order("delay", endpoint="patch", skip=answered, times=None, applied=True, seconds=LONG)
            with desk.running(*desk.close_these(ids, *PACE)) as running:
                if number < 14:
                    desk.wait_for_patches(sent + batches, running)
                else:
                    desk.wait_for_settled(settled + batches * BATCH, running)
                running.signal(signal.SIGKILL)
                assert running.process.wait() == -signal.SIGKILL
            desk.server.call(desk.tenant.faults.clear)
            amid += 0 < desk.patches() - sent < BATCHES
            unknown = desk.unknown()
            unrecorded += desk.closed(sorted(unknown)) > 0
            check_resumed(desk, ids)
    assert amid >= 15, f"{amid} kills fell between the first and the last change"
    assert unrecorded >= 3, f"{unrecorded} kills fell between an effect and its recorded outcome"


def check_resumed(desk: Workspace, ids: list[str]) -> None:
    """`resume` ends the newest run; each alert was changed once and carries one comment of it."""
    killed = desk.newest_run()
    assert killed.planned == ALERTS
    done = desk.run("resume", "--batch-delay", "0", "--format", "json")
    assert done.code == 0, done
    result = done.document
    assert (result["run_id"], result["status"]) == (killed.run_id, "success")
    assert (result["planned"], result["changed"], result["verified"]) == (ALERTS, ALERTS, ALERTS)
    assert (result["failed"], result["drifted"], result["unknown"], result["not_sent"]) == (0, 0, 0, 0)
    assert desk.comments(ids, f"falcon-bulk {killed.run_id}") == [1]
    assert desk.comments(ids, "") == [1], "and no other comment"
    asked = set(ids)
    changes = desk.server.call(lambda: [one for one in desk.tenant.ledger.changes if one.composite_id in asked])
    assert len(changes) == ALERTS


@pytest.mark.slow
def test_a_kill_leaves_no_lock_but_an_unfinished_run_that_blocks_until_it_is_resumed_or_abandoned(
    tmp_path: Path,
) -> None:
    with serve_workspace(tmp_path, latency_patch=0.3) as desk:
        ids, later = desk.ids(100)[:60], desk.ids(100)[60:]
        with desk.running(*desk.close_these(ids, "--batch-size", "20", "--batch-delay", "600")) as running:
            desk.wait_for_patches(1, running)
            running.signal(signal.SIGKILL)
            running.process.wait()
        killed = desk.newest_run().run_id
        sent = desk.patches()
        blocked = desk.run(*desk.close_these(later))
        assert (blocked.code, blocked.document["exit_code"]) == (8, 8)
        assert killed in blocked.err
        assert f"falcon-bulk resume {killed}" in blocked.err
        assert f"falcon-bulk runs abandon {killed}" in blocked.err
        assert desk.patches() == sent
        listed = desk.run("runs", "--format", "json").document["runs"]
        assert [(row["run_id"], row["status"]) for row in listed] == [(killed, "unfinished")]

        abandoned = desk.run("runs", "abandon", killed)
        assert abandoned.code == 0
        assert "resume" not in abandoned.out
        after = desk.run(*desk.close_these(later))
        assert (after.code, after.document["changed"]) == (0, 40)
        refused = desk.run("resume", killed)
        assert refused.code == 7, refused
        assert desk.patches() == sent + 1

        wait_until(lambda: desk.patches_answered() == sent + 1)
        closed = desk.closed(ids)
        assert closed == 20 * sent
        undone = desk.run("undo", killed, "--yes", "--max", "60", "--format", "json")
        assert (undone.code, undone.document["changed"]) == (0, closed), "also what nobody knew of"
        assert desk.closed(ids) == 0


@pytest.mark.slow
def test_a_kill_before_the_first_change_leaves_nothing_to_resume(tmp_path: Path) -> None:
    """It dies while it reads the alerts: the plan was not whole, so there is no run."""
    with serve_workspace(tmp_path, latency_entities=30.0) as desk:
        ids = desk.ids(50)
        with desk.running(*desk.close_these(ids)) as running:
            wait_until(lambda: any(request.endpoint == "entities" for request in desk.tenant.ledger.requests))
            running.signal(signal.SIGKILL)
            running.process.wait()
        desk.tenant.switches.latency_entities = 0.0
        assert desk.patches() == 0
        assert desk.run("resume").code == 0
        done = desk.run(*desk.close_these(ids))
        assert (done.code, done.document["changed"]) == (0, 50)
        assert desk.comments(ids, "Approved tool") == [1]
