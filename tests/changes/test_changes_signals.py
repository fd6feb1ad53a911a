"""SIGINT, SIGTERM, closed pipes and other runs, met by a real process in the middle of a change."""

import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from falcon_bulk.cli.signals import REPEATED_WITHIN
from falcon_bulk.errors import Stopped
from falcon_bulk.model.clock import SystemClock
from tests.support.command import RunningCommand, serve_customers
from tests.support.dripping_server import serve_dripping
from tests.support.waiting import wait_until

STALL = 10.0
"""Seconds that a busy machine may hold a process up; what a signal cuts short would take much longer."""
LONG = 45.0
SIGNALS = [pytest.param(signal.SIGINT, 130, id="SIGINT"), pytest.param(signal.SIGTERM, 143, id="SIGTERM")]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_wait_ends_within_200_milliseconds_of_a_signal(number: signal.Signals) -> None:
    # A busy machine lengthens one or the other, a wait that looks up now and then all: the shortest counts.
    assert min(a_wait_ends_after(number) for _ in range(5)) < 0.2


def a_wait_ends_after(number: signal.Signals) -> float:
    """How many seconds a wait goes on after a signal."""
    timing = SystemClock()
    begun = threading.Event()
    ended: list[float] = []

    def wait() -> None:
        begun.set()
        with pytest.raises(Stopped) as stopped:
            timing.wait(60)
        ended.append(time.monotonic())
        assert stopped.value.exit_code == 128 + number

    waiter = threading.Thread(target=wait)
    waiter.start()
    begun.wait()
    signalled = time.monotonic()
    assert timing.stop(number)
    waiter.join()
    assert not timing.stop(number), "the second signal is told from the first"
    return ended[0] - signalled


def test_what_finishes_is_not_cut_short_but_waits_no_longer_than_a_few_seconds() -> None:
    timing = SystemClock()
    timing.stop(signal.SIGINT)
    with timing.finishing():
        timing.wait(0.05)
        with pytest.raises(Stopped):
            timing.wait(60)
    with pytest.raises(Stopped):
        timing.wait(0.05)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_the_first_signal_lets_what_is_in_flight_finish_and_names_resume(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    with serve_customers(tmp_path, latency_patch=1.5) as shell:
        ids = shell.untouched_ids(200)
        with shell.running(*shell.close_command(ids, "--batch-size", "20", "--batch-delay", "1")) as running:
            shell.wait_for_patches(3, running)
            running.signal(number)
            sent = shell.patch_count()
            done = running.finish()
        assert done.code == code
        result = done.document
        assert (result["status"], result["exit_code"]) == ("interrupted", code)
        assert result["unknown"] == 0, "what was in flight is recorded"
        assert result["changed"] == result["verified"] == shell.closed_count(ids) == 20 * shell.patch_count()
        assert shell.patch_count() <= sent + 1, "no new batch"
        assert result["not_sent"] == 200 - result["changed"] > 0
        assert f"Hint: Resume it:  falcon-bulk resume {result['run_id']} --customer acme" in done.err
        assert "Traceback" not in done.err
        shell.tenant.switches.latency_patch = 0.0
        resumed = shell("resume", result["run_id"], "--format", "json")
        assert (resumed.code, resumed.document["changed"]) == (0, 200)
        assert shell.comment_counts(ids, result["run_id"]) == [1]


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_what_is_in_flight_is_recorded_also_where_the_quota_slows_reading_down(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """Other integrations use up most of the customer's limit, so that requests are spaced."""
    with serve_customers(tmp_path, latency_patch=0.2, rate_limit=6) as shell:
        ids = shell.untouched_ids(60)
        command = shell.close_command(ids, "--batch-size", "20", "--batch-delay", "0", "--workers", "1", "--quota", "1")
        with shell.running(*command) as running:
            shell.wait_for_patches(1, running)
            running.signal(number)
            done = running.finish()
        assert done.code == code
        assert done.document["unknown"] == 0
        assert done.document["changed"] == shell.closed_count(ids) > 0


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_the_second_signal_ends_the_process_at_once_and_the_journal_stays_valid(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    with serve_customers(tmp_path, latency_patch=LONG) as shell:
        ids = shell.untouched_ids(40)
        with shell.running(*shell.close_command(ids, "--batch-size", "20", "--batch-delay", "0.1")) as running:
            shell.wait_for_patches(1, running)
            assert ended_by_the_second(running, number) < STALL
            done = running.finish()
        assert done.code == code
        run = shell.newest_run()
        assert f"Resume it:  falcon-bulk resume {run.run_id} --customer acme\n" in done.err
        assert run.unknown == 20 * shell.patch_count()
        assert shell.unknown_outcomes() <= set(ids)
        shell.tenant.switches.latency_patch = 0.0
        resumed = shell("resume", "--format", "json")
        assert (resumed.code, resumed.document["changed"], resumed.document["unknown"]) == (0, 40, 0)
        assert shell.comment_counts(ids, run.run_id) == [1]


@pytest.mark.slow
def test_the_second_signal_names_each_run_of_a_multi_customer_run(tmp_path: Path) -> None:
    with serve_customers(tmp_path, "acme", "globex", latency_patch=LONG) as shell:
        planned = shell(
            "bulk-close", "--severity", "high", "--all-customers", "--dry-run", "--plan", "p", customer=None
        )
        assert planned.code == 0, planned
        with shell.running("apply", "p", "--yes", "--max", "9000", "--format", "json", customer=None) as running:
            wait_until(
                lambda: all(
                    any(request.endpoint == "patch" for request in tenant.request_log.requests)
                    for tenant in shell.server.tenants
                )
            )
            assert ended_by_the_second(running, signal.SIGINT) < STALL
            done = running.finish()
        assert (done.code, done.out) == (130, b"")
        for name in ("acme", "globex"):
            (unfinished,) = shell("runs", "--format", "json", customer=name).document["runs"]
            assert f"Resume it:  falcon-bulk resume {unfinished['run_id']} --customer {name}\n" in done.err


@pytest.mark.slow
def test_the_second_signal_while_the_alerts_are_read_tells_of_no_run(tmp_path: Path) -> None:
    with serve_customers(tmp_path, latency_aggregates=LONG) as shell:
        with shell.running("bulk-close", "--filter", "status:'new'", "--yes", "--max", "9000") as running:
            wait_until(lambda: any(request.endpoint == "aggregates" for request in shell.tenant.request_log.requests))
            assert ended_by_the_second(running, signal.SIGINT) < STALL
            done = running.finish()
        assert done.code == 130
        assert "Stopped at once: no change was under way." in done.err
        assert shell.patch_count() == 0


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_signal_between_two_batches_ends_the_run_without_waiting_for_the_next(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    with serve_customers(tmp_path) as shell:
        ids = shell.untouched_ids(40)
        with shell.running(*shell.close_command(ids, "--batch-size", "20", "--batch-delay", "600")) as running:
            shell.wait_for_recorded_changes(20, running)
            seconds = ended_within(running, number)
            done = running.finish()
        assert done.code == code
        assert (done.document["changed"], done.document["not_sent"], done.document["unknown"]) == (20, 20, 0)
        assert seconds < STALL


@pytest.mark.slow
def test_a_signal_that_comes_while_the_process_is_held_up_ends_the_wait_for_the_last_batch(tmp_path: Path) -> None:
    """Whichever thread the system hands it to: held up, none is preferred."""
    with serve_customers(tmp_path) as shell:
        for settled in range(20, 100, 20):
            ids = shell.untouched_ids(40)
            with shell.running(*shell.close_command(ids, "--batch-size", "20", "--batch-delay", "600")) as running:
                shell.wait_for_recorded_changes(settled, running)
                for number in (signal.SIGSTOP, signal.SIGINT, signal.SIGCONT):
                    running.signal(number)
                done = running.finish()
            assert (done.code, done.document["changed"]) == (130, 20)
            assert shell("runs", "abandon", done.document["run_id"]).code == 0


@pytest.mark.slow
def test_a_signal_while_falcon_tells_to_wait_ends_the_run_at_once(tmp_path: Path) -> None:
    with serve_customers(tmp_path) as shell:
        ids = shell.untouched_ids(40)
        shell.order("rate_limit", endpoint="patch", seconds=110, times=None)
        with shell.running(*shell.close_command(ids)) as running:
            shell.wait_for_patches(1, running)
            wait_until(lambda: shell.answered_patch_count() > 0)
            seconds = ended_within(running, signal.SIGTERM)
            done = running.finish()
        assert done.code == 143
        assert (done.document["not_sent"], done.document["unknown"]) == (40, 0)
        assert seconds < STALL


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_signal_while_the_alerts_are_read_leaves_no_run_behind(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    with serve_customers(tmp_path, latency_combined=4.0) as shell:
        command = ["bulk-close", "--filter", "status:'new'", "--yes", "--max", "9000", "--format", "json"]
        with shell.running(*command) as running:
            wait_until(lambda: any(request.endpoint == "combined" for request in shell.tenant.request_log.requests))
            running.signal(number)
            done = running.finish()
        assert done.code == code, done
        assert done.document["exit_code"] == code
        assert shell.patch_count() == 0
        assert shell("runs", "--format", "json").document["runs"] == []


def ended_within(running: RunningCommand, number: signal.Signals) -> float:
    """Send the signal; how many seconds it took the process to end."""
    begun = time.monotonic()
    running.signal(number)
    wait_until(lambda: running.is_over)
    return time.monotonic() - begun


def ended_by_the_second(running: RunningCommand, number: signal.Signals) -> float:
    """Send the signal twice; how many seconds it took the process to end after the second."""
    running.signal(number)
    wait_until(lambda: not is_pending(running.process.pid, number), why="two signals that are pending are one")
    with pytest.raises(subprocess.TimeoutExpired):
        running.process.wait(REPEATED_WITHIN + 1)  # it notes the first a little after the system handed it over
    return ended_within(running, number)


def is_pending(pid: int, number: signal.Signals) -> bool:
    """True if a process is known not to have got a signal yet; only Linux tells."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    return any(int(mask, 16) >> (number - 1) & 1 for mask in re.findall(r"^(?:Sig|Shd)Pnd:\s*(\w+)$", status, re.M))


@pytest.mark.slow
def test_a_second_changing_run_of_a_customer_exits_8_and_names_the_first_and_another_customer_is_not_blocked(
    tmp_path: Path,
) -> None:
    with serve_customers(tmp_path, "acme", "globex") as shell:
        ids = shell.untouched_ids(100)
        first, second = ids[:50], ids[50:]
        theirs = shell.untouched_ids(30, shell.server.tenants[1])
        with shell.running(*shell.close_command(first, "--batch-size", "25", "--batch-delay", "600")) as running:
            shell.wait_for_recorded_changes(25, running)
            name = shell.newest_run().run_id
            refused = shell(*shell.close_command(second))
            assert refused.code == 8
            assert f"The run {name} is changing alerts of this customer right now." in refused.err
            for command in (["resume"], ["runs", "abandon", name]):
                assert shell(*command).code == 8
            other = shell(*shell.close_command(theirs), customer="globex")
            assert (other.code, other.document["changed"]) == (0, 30)
            assert not running.is_over, "the first run was still at work"
            running.signal(signal.SIGINT)
            done = running.finish()
        assert (done.code, done.document["changed"], shell.closed_count(second)) == (130, 25, 0)
        resumed = shell("resume", name, "--format", "json")
        assert (resumed.code, resumed.document["changed"], shell.closed_count(second)) == (0, 50, 0)
        assert shell(*shell.close_command(second)).code == 0


@pytest.mark.slow
@pytest.mark.parametrize("both", [False, True], ids=["stdout", "stdout and stderr"])
def test_a_run_whose_output_nobody_reads_any_more_finishes_and_records(tmp_path: Path, both: bool) -> None:
    with serve_customers(tmp_path, latency_patch=0.2) as shell:
        ids = shell.untouched_ids(60)
        reading, writing = os.pipe()
        os.close(reading)
        more = {"stdout": writing} | ({"stderr": writing} if both else {})
        with shell.running(*shell.close_command(ids, "--batch-size", "20", "--batch-delay", "0"), **more) as running:
            os.close(writing)
            done = running.finish()
        assert done.code == 0, done
        assert "Traceback" not in done.err
        assert "BrokenPipe" not in done.err
        run = shell.newest_run()
        assert (run.changed, run.verified, shell.closed_count(ids)) == (60, 60, 60)
        assert shell.comment_counts(ids, run.run_id) == [1]


@pytest.mark.slow
def test_a_journal_that_cannot_be_written_lets_nothing_be_sent(tmp_path: Path) -> None:
    with serve_customers(tmp_path) as shell:
        ids = shell.untouched_ids(40)
        assert shell("runs").code == 0
        for name in ("sqlite3", "sqlite3-wal"):
            (shell.state / f"{shell.tenant.cid}.{name}").mkdir()
        done = shell(*shell.close_command(ids))
        assert done.code == 1, done
        assert "journal" in done.err
        assert "Nothing is sent without it" in done.err
        assert shell.patch_count() == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param((signal.SIGTERM, signal.SIGTERM), id="timeout sends it twice"),
        pytest.param((signal.SIGHUP, signal.SIGHUP), id="a terminal that closes"),
        pytest.param((signal.SIGTERM, signal.SIGHUP), id="a hang-up after a signal"),
        pytest.param((signal.SIGHUP, signal.SIGTERM), id="a hang-up that is handled first"),
    ],
)
def test_a_signal_that_is_sent_twice_at_once_is_not_the_second(
    tmp_path: Path, numbers: tuple[signal.Signals, signal.Signals]
) -> None:
    with serve_customers(tmp_path, latency_patch=2.0) as shell:
        ids = shell.untouched_ids(60)
        with shell.running(*shell.close_command(ids, "--batch-size", "20", "--batch-delay", "60")) as running:
            shell.wait_for_patches(1, running)
            for number in numbers:
                running.signal(number)
                wait_until(lambda number=number: not is_pending(running.process.pid, number))
            done = running.finish()
        assert done.code == 143, done
        assert done.document["status"] == "interrupted"
        assert (done.document["changed"], done.document["unknown"]) == (20, 0), "what was in flight is recorded"


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_at_the_question_a_signal_acts_at_once(tmp_path: Path, number: signal.Signals) -> None:
    with serve_customers(tmp_path, alerts=200) as shell:
        with shell.terminal("bulk-close", "--severity", "low") as terminal:
            terminal.wait_for('Type "acme')
            os.kill(terminal.process.pid, number)
            done = terminal.finish()
        assert done.code == 143
        assert shell.patch_count() == 0


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_signal_ends_an_answer_that_drips(tmp_path: Path, number: signal.Signals, code: int) -> None:
    with serve_customers(tmp_path, alerts=50) as shell, serve_dripping() as server:
        shell.write_customer("acme", FALCON_BASE_URL=server.url)
        with shell.running("bulk-close", "--severity", "low", "--yes", "--max", "9") as running:
            wait_until(server.asked.is_set)
            seconds = ended_within(running, number)
            done = running.finish()
        assert done.code == code, done
        assert seconds < STALL
