"""Processes killed with SIGKILL in the middle of a change, and what `resume` makes of it."""

import signal
from pathlib import Path

import pytest

from tests.support.command import CommandRunner, serve_customers
from tests.support.waiting import wait_until

ALERTS, BATCH = 240, 30
BATCHES = ALERTS // BATCH
LONG = 600.0
PACE = ("--batch-size", str(BATCH), "--batch-delay", "0.08", "--workers", "3")


@pytest.mark.slow
def test_twenty_kills_leave_nothing_that_a_resume_does_not_reconcile(tmp_path: Path) -> None:
    """Fourteen die right after a change had its effect and before it is answered, six after an outcome is recorded."""
    amid = unrecorded = 0
    with serve_customers(tmp_path, alerts=12_000) as shell:
        for number in range(20):
            ids = shell.untouched_ids(ALERTS)
            sent, settled = shell.patch_count(), shell.recorded_changes()
            batches = 1 + number % (BATCHES - 1)
            # No answer comes from there on: a machine that is slow to kill does not let the run come to its end.
            answered = batches - 1 if number < 14 else batches
            shell.order("delay", endpoint="patch", skip=answered, times=None, applied=True, seconds=LONG)
            with shell.running(*shell.close_command(ids, *PACE)) as running:
                if number < 14:
                    shell.wait_for_patches(sent + batches, running)
                else:
                    shell.wait_for_recorded_changes(settled + batches * BATCH, running)
                running.signal(signal.SIGKILL)
                assert running.process.wait() == -signal.SIGKILL
            shell.server.call(shell.tenant.faults.clear)
            amid += 0 < shell.patch_count() - sent < BATCHES
            unknown = shell.unknown_outcomes()
            unrecorded += shell.closed_count(sorted(unknown)) > 0
            check_resumed(shell, ids)
    assert amid >= 15, f"{amid} kills fell between the first and the last change"
    assert unrecorded >= 3, f"{unrecorded} kills fell between an effect and its recorded outcome"


def check_resumed(shell: CommandRunner, ids: list[str]) -> None:
    """`resume` ends the newest run; each alert was changed once and carries one comment of it."""
    killed = shell.newest_run()
    assert killed.planned == ALERTS
    done = shell("resume", "--batch-delay", "0", "--format", "json")
    assert done.code == 0, done
    result = done.document
    assert (result["run_id"], result["status"]) == (killed.run_id, "success")
    assert (result["planned"], result["changed"], result["verified"]) == (ALERTS, ALERTS, ALERTS)
    assert (result["failed"], result["drifted"], result["unknown"], result["not_sent"]) == (0, 0, 0, 0)
    assert shell.comment_counts(ids, f"falcon-bulk {killed.run_id}") == [1]
    assert shell.comment_counts(ids, "") == [1], "and no other comment"
    asked = set(ids)
    changes = shell.server.call(
        lambda: [change for change in shell.tenant.request_log.changes if change.composite_id in asked]
    )
    assert len(changes) == ALERTS


@pytest.mark.slow
def test_a_kill_leaves_no_lock_but_an_unfinished_run_that_blocks_until_it_is_resumed_or_abandoned(
    tmp_path: Path,
) -> None:
    with serve_customers(tmp_path, latency_patch=0.3) as shell:
        ids, later = shell.untouched_ids(100)[:60], shell.untouched_ids(100)[60:]
        with shell.running(*shell.close_command(ids, "--batch-size", "20", "--batch-delay", "600")) as running:
            shell.wait_for_patches(1, running)
            running.signal(signal.SIGKILL)
            running.process.wait()
        killed = shell.newest_run().run_id
        sent = shell.patch_count()
        blocked = shell(*shell.close_command(later))
        assert (blocked.code, blocked.document["exit_code"]) == (8, 8)
        assert killed in blocked.err
        assert f"falcon-bulk resume {killed}" in blocked.err
        assert f"falcon-bulk runs abandon {killed}" in blocked.err
        assert shell.patch_count() == sent
        listed = shell("runs", "--format", "json").document["runs"]
        assert [(row["run_id"], row["status"]) for row in listed] == [(killed, "unfinished")]

        abandoned = shell("runs", "abandon", killed)
        assert abandoned.code == 0
        assert "nothing to abandon" not in abandoned.err
        assert "resume" not in abandoned.text
        after = shell(*shell.close_command(later))
        assert (after.code, after.document["changed"]) == (0, 40)
        refused = shell("resume", killed)
        assert refused.code == 7, refused
        assert shell.patch_count() == sent + 1

        wait_until(lambda: shell.answered_patch_count() == sent + 1)
        closed = shell.closed_count(ids)
        assert closed == 20 * sent
        undone = shell("undo", killed, "--yes", "--max", "60", "--format", "json")
        assert (undone.code, undone.document["changed"]) == (0, closed), "also what nobody knew of"
        assert shell.closed_count(ids) == 0


@pytest.mark.slow
def test_a_kill_before_the_first_change_leaves_nothing_to_resume(tmp_path: Path) -> None:
    """It dies while it reads the alerts: the plan was not whole, so there is no run."""
    with serve_customers(tmp_path, latency_entities=30.0) as shell:
        ids = shell.untouched_ids(50)
        with shell.running(*shell.close_command(ids)) as running:
            wait_until(lambda: any(request.endpoint == "entities" for request in shell.tenant.request_log.requests))
            running.signal(signal.SIGKILL)
            running.process.wait()
        shell.tenant.switches.latency_entities = 0.0
        assert shell.patch_count() == 0
        assert shell("resume").code == 0
        done = shell(*shell.close_command(ids))
        assert (done.code, done.document["changed"]) == (0, 50)
        assert shell.comment_counts(ids, "Approved tool") == [1]
