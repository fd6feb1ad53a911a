"""The real clock, stopped by a signal."""

import signal
import subprocess
import sys
import threading
import time

import pytest

from falcon_bulk.errors import Stopped
from falcon_bulk.model.clock import SystemClock

STOPPED_AT_ANY_MOMENT = """
import random, signal
from falcon_bulk.errors import Stopped
from falcon_bulk.model.clock import SystemClock

chance = random.Random(1)
for number in range(3_000):
    timing = SystemClock()
    signal.signal(signal.SIGALRM, lambda *_: timing.stop(signal.SIGINT))
    signal.setitimer(signal.ITIMER_REAL, chance.uniform(1e-5, 3e-4))
    try:
        while True:
            timing.wait(0.0 if number % 2 else 1e-5)
    except Stopped:
        pass
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timer that sends a signal")
def test_a_signal_stops_the_work_at_any_moment() -> None:
    """A handler that waits for a lock which the thread it interrupts holds would wait for ever."""
    done = subprocess.run([sys.executable, "-c", STOPPED_AT_ANY_MOMENT], timeout=120, check=False)
    assert done.returncode == 0


def test_a_stop_ends_all_waits_and_later_ones() -> None:
    timing = SystemClock()
    ended: list[str] = []

    def wait(name: str) -> None:
        try:
            timing.wait(600.0)
        except Stopped:
            ended.append(name)

    threads = [threading.Thread(target=wait, args=(f"thread {number}",), daemon=True) for number in range(8)]
    for thread in threads:
        thread.start()
    assert timing.stop(signal.SIGTERM)
    assert not timing.stop(signal.SIGTERM)
    for thread in threads:
        thread.join(60.0)
    assert sorted(ended) == [f"thread {number}" for number in range(8)]
    for seconds in (0.0, 600.0):
        with pytest.raises(Stopped):
            timing.wait(seconds)


def test_requests_in_flight_are_awaited_after_a_stop() -> None:
    timing = SystemClock()
    timing.stop(signal.SIGINT)
    begun = time.monotonic()
    with timing.finishing():
        timing.wait(0.05)
        with pytest.raises(Stopped):
            timing.wait(600.0)
    assert time.monotonic() - begun >= 0.05
