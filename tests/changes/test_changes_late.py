"""Changes that take effect long after a gateway gave up, through the command and a real gateway."""

import signal
from collections import Counter
from pathlib import Path

import pytest

from tests.support.command import PATIENCE, CommandRunner, serve_customers
from tests.support.late_gateway import serve_late_gateway

ALERTS = 30
LATENESS = 8.0
"""Seconds until a lost change is sent again, far more than the rest of a run takes."""


def comments(shell: CommandRunner, run_id: str, ids: list[str]) -> Counter[int]:
    """Return how many alerts have how many comments of a run."""
    alerts = {alert["composite_id"]: alert for alert in shell.alerts()}
    return Counter(sum(run_id in comment for comment in alerts[composite_id]["comments"]) for composite_id in ids)


@pytest.mark.slow
@pytest.mark.parametrize("reads", [1, 2])
def test_a_change_that_is_handed_on_late_leaves_one_comment(tmp_path: Path, reads: int) -> None:
    """It takes effect after the alerts were read at once, or were looked at once more; the next look finds it."""
    with (
        serve_customers(tmp_path) as shell,
        serve_late_gateway(shell.urls["acme"], reads) as (gateway, url),
    ):
        shell.max_lateness = PATIENCE
        shell.write_customer("acme", FALCON_BASE_URL=url)
        ids = shell.untouched_ids(ALERTS)
        done = shell(*shell.close_command(ids), "--batch-size", "10", env={"TEST_LOOK_INTERVAL": "1"})
        assert done.code == 0, done
        assert done.document["verified"] == ALERTS
        assert "The answer to a change of 10 items was lost. It may still take effect" in done.err
        assert len(gateway.changes) == 3, "nothing was sent again"
        assert comments(shell, done.document["run_id"], ids) == {1: ALERTS}


@pytest.mark.slow
def test_a_change_that_is_never_handed_on_is_sent_again_when_it_is_too_old(tmp_path: Path) -> None:
    with (
        serve_customers(tmp_path) as shell,
        serve_late_gateway(shell.urls["acme"], None) as (gateway, url),
    ):
        shell.max_lateness = LATENESS
        shell.write_customer("acme", FALCON_BASE_URL=url)
        ids = shell.untouched_ids(ALERTS)
        done = shell(*shell.close_command(ids), "--batch-size", "10")
        assert done.code == 0, done
        assert len(gateway.changes) == 4
        assert gateway.changes[3] - gateway.changes[0] >= LATENESS
        assert gateway.changes[2] - gateway.changes[0] < LATENESS, "the other batches went on"
        assert comments(shell, done.document["run_id"], ids) == {1: ALERTS}


@pytest.mark.slow
def test_a_signal_ends_the_wait_at_once_and_a_resume_waits_for_the_rest(tmp_path: Path) -> None:
    with (
        serve_customers(tmp_path) as shell,
        serve_late_gateway(shell.urls["acme"], None) as (gateway, url),
    ):
        shell.max_lateness = LATENESS
        shell.write_customer("acme", FALCON_BASE_URL=url)
        ids = shell.untouched_ids(ALERTS)
        with shell.running(*shell.close_command(ids), "--batch-size", "10") as running:
            shell.wait_for_recorded_changes(20, running)
            running.process.send_signal(signal.SIGTERM)
            stopped = running.finish(10)
        assert stopped.code == 143, stopped
        assert stopped.document["unknown"] == 10
        resumed = shell("resume", "--format", "json")
        assert resumed.code == 0, resumed
        assert resumed.document["changed"] == ALERTS
        assert gateway.changes[-1] - gateway.changes[0] >= LATENESS - 2
        assert comments(shell, resumed.document["run_id"], ids) == {1: ALERTS}
