"""A clock that only waits move."""

import threading
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta

from falcon_bulk.errors import Stopped

START = datetime(2026, 11, 24, 6, 50, tzinfo=UTC)
MONOTONIC_START = 1_000.0


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

    @property
    def passed(self) -> float:
        """Return the seconds since the start."""
        return self._passed

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        return MONOTONIC_START + self._passed

    def wait(self, seconds: float) -> None:
        self.stopping = self.stopping or (self.stop_in_wait and seconds > 0)
        self.check()
        with self._lock:
            if seconds > 0:
                self.waits.append(seconds)
                self._passed += seconds

    def finishing(self) -> AbstractContextManager[None]:
        return nullcontext()

    def check(self) -> None:
        if self.stopping:
            raise Stopped

    def chance(self) -> float:
        return self._chance
