"""A clock that only waits move."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta

from falcon_bulk.errors import Stopped

START = datetime(2026, 11, 24, 6, 50, tzinfo=UTC)
MONOTONIC_START = 1_000.0
RESOLUTION = 1e-6
"""Seconds that the shortest wait takes: one that moves no clock would be waited for again and again."""


class FakeClock:
    """Implements model.clock.Clock. A wait takes no time, is remembered in `waits` and moves the clock on.

    start: the time it begins at. chance: what `chance` returns. stopping: waits raise Stopped. stop_in_wait: the next
    wait sets `stopping`, as a signal would.
    """

    def __init__(self, start: datetime = START, chance: float = 1.0) -> None:
        self.stopping = False
        self.stop_in_wait = False
        self.waits: list[float] = []
        self._start = start
        self._chance = chance
        self._passed = 0.0
        self._lock = threading.Lock()
        self._due: list[tuple[float, Callable[[], object]]] = []

    @property
    def passed(self) -> float:
        """Return the seconds since the start."""
        return self._passed

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        return MONOTONIC_START + self._passed

    def at(self, passed: float, happens: Callable[[], object]) -> None:
        """Let something happen once so many seconds have passed."""
        self._due.append((passed, happens))

    def wait(self, seconds: float) -> None:
        self.stopping = self.stopping or (self.stop_in_wait and seconds > 0)
        self.check()
        with self._lock:
            if seconds > 0:
                self.waits.append(seconds)
                self._passed += max(seconds, RESOLUTION)
            due = [happens for passed, happens in self._due if passed <= self._passed]
            self._due = [one for one in self._due if one[0] > self._passed]
        for happens in due:
            happens()

    def finishing(self) -> AbstractContextManager[None]:
        return nullcontext()

    def check(self) -> None:
        if self.stopping:
            raise Stopped

    def chance(self) -> float:
        return self._chance
