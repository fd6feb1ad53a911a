"""The clock that operations use: passed in, so that tests can control it and a signal can end a wait."""

import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Protocol

from falcon_bulk.errors import Stopped

MAX_FINISHING_WAIT = 5.0
POLL_INTERVAL = 0.1
"""Polling interval in seconds: a waiting main thread must wake to handle signals."""


class Clock(Protocol):
    """A clock, a way to wait, and random numbers."""

    def now(self) -> datetime:
        """Return the current time in UTC."""

    def monotonic(self) -> float:
        """Return seconds since an arbitrary point; never decreases."""

    def wait(self, seconds: float) -> None:
        """Wait. Raises Stopped at once if a stop was requested."""

    def finishing(self) -> AbstractContextManager[None]:
        """Keep a stop from ending the thread's waits of up to 5 s in the block: it finishes what is in flight."""

    def check(self) -> None:
        """Raise Stopped if a stop was requested."""

    def chance(self) -> float:
        """Return a random number from 0 to 1."""


class Stopwatch:
    """The time since a moment, by two clocks: one stands still while a laptop sleeps, the other can be set.

    before: seconds that had passed already.
    """

    def __init__(self, clock: Clock, before: float = 0.0) -> None:
        self._clock = clock
        self._before = max(before, 0.0)
        self._monotonic, self._now = clock.monotonic(), clock.now()

    def _seconds(self) -> tuple[float, float]:
        by_wall = (self._clock.now() - self._now).total_seconds()
        return self._clock.monotonic() - self._monotonic, max(by_wall, 0.0)

    @property
    def longest(self) -> float:
        """Seconds by the clock that counted more: for what age makes stale."""
        return self._before + max(self._seconds())

    @property
    def shortest(self) -> float:
        """Seconds by the clock that counted less: for what age permits."""
        return self._before + min(self._seconds())


class SystemClock:
    """The real clock.

    `stop` may be called from a signal handler: unlike `Event.set` it acquires no lock, which the interrupted thread
    could hold.
    """

    def __init__(self) -> None:
        self._signal: signal.Signals | None = None
        self._working = threading.Lock()
        self._working.acquire()  # released by `stop`
        self._here = threading.local()

    def now(self) -> datetime:
        """Return the current time in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds since an arbitrary point; never decreases."""
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        """Wait. Raises Stopped at once if a stop was requested."""
        if getattr(self._here, "finishing", False) and seconds <= MAX_FINISHING_WAIT:
            time.sleep(max(0.0, seconds))
        else:
            if self._working.acquire(timeout=max(0.0, seconds)):
                self._working.release()  # for the next waiting thread
            self.check()

    @contextmanager
    def finishing(self) -> Iterator[None]:
        """Keep a stop from ending the thread's waits of up to 5 s in the block: it finishes what is in flight."""
        self._here.finishing = True
        try:
            yield
        finally:
            self._here.finishing = False

    def check(self) -> None:
        """Raise Stopped if a stop was requested."""
        if self._signal is not None:
            raise Stopped(terminated=self._signal != signal.SIGINT)

    def chance(self) -> float:
        """Return a random number from 0 to 1."""
        return random.random()  # noqa: S311 - only spreads retries

    def stop(self, signum: int) -> bool:
        """Request a stop, which ends all waits. Returns False if a stop was requested before."""
        first = self._signal is None
        self._signal = signal.Signals(signum)
        if first:
            self._working.release()
        return first


def rfc3339(moment: datetime) -> str:
    """Format a time as `2026-11-24T06:50:35Z`."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
