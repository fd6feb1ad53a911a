"""Time as the operations see it: passed in, so that a test can own it and a signal can cut a wait short."""

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
"""Seconds after which who waits for others looks up: a signal may have come, and another thread have got it."""


class Clock(Protocol):
    """A clock, a wait and a source of chance."""

    def now(self) -> datetime:
        """The wall clock in UTC."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary point, never going back."""

    def wait(self, seconds: float) -> None:
        """Let that long pass. Raises Stopped at once when a stop was asked for."""

    def finishing(self) -> AbstractContextManager[None]:
        """In this block the thread's waits of up to 5 s are not cut short: it finishes what is in flight."""

    def check(self) -> None:
        """Raises Stopped when a stop was asked for."""

    def chance(self) -> float:
        """A number from 0 to 1."""


class SystemClock:
    """The real clock. `stop` may be called from a signal handler: it waits for no lock, as `Event.set` would, since the
    thread that the signal interrupts may hold it.
    """

    def __init__(self) -> None:
        self._signal: signal.Signals | None = None
        self._working = threading.Lock()
        self._working.acquire()  # released by the stop
        self._here = threading.local()

    def now(self) -> datetime:
        """The wall clock in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds from an arbitrary point, never going back."""
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        """Let that long pass. Raises Stopped at once when a stop was asked for."""
        if getattr(self._here, "finishing", False) and seconds <= MAX_FINISHING_WAIT:
            time.sleep(max(0.0, seconds))
        else:
            if self._working.acquire(timeout=max(0.0, seconds)):
                self._working.release()  # for the next that waits
            self.check()

    @contextmanager
    def finishing(self) -> Iterator[None]:
        """In this block the thread's waits of up to 5 s are not cut short: it finishes what is in flight."""
        self._here.finishing = True
        try:
            yield
        finally:
            self._here.finishing = False

    def check(self) -> None:
        """Raises Stopped when a stop was asked for."""
        if self._signal is not None:
            raise Stopped(terminated=self._signal != signal.SIGINT)

    def chance(self) -> float:
        """A number from 0 to 1."""
        return random.random()  # noqa: S311 - spreads retries, guards nothing

    def stop(self, signum: int) -> bool:
        """Ask all waits to end. Returns False if that was asked before."""
        first = self._signal is None
        self._signal = signal.Signals(signum)
        if first:
            self._working.release()
        return first


def rfc3339(moment: datetime) -> str:
    """A moment as `2026-11-24T06:50:35Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
