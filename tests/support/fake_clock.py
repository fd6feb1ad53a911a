"""A clock of the test's own: a wait passes at once and is remembered."""

import threading
from datetime import UTC, datetime, timedelta

from falcon_bulk.errors import Stopped

START = datetime(2026, 11, 24, 6, 50, tzinfo=UTC)


class FakeClock:
    """Implements model.timing.Timing. Threads that wait at the same time wait for the same moment."""

    def __init__(self, chance: float = 1.0) -> None:
        self._lock = threading.Lock()
        self._clock = 1_000.0
        self._chance = chance
        self.stopping = False
        self.stop_in_wait = False
        self.waits: list[float] = []

    @property
    def passed(self) -> float:
        """Seconds since the beginning."""
        return self._clock - 1_000.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self._clock

    def wait(self, seconds: float) -> None:
        self.stopping = self.stopping or (self.stop_in_wait and seconds > 0)
        self.check()
        with self._lock:
            if seconds > 0:
                self.waits.append(seconds)
                self._clock += seconds

    def check(self) -> None:
        if self.stopping:
            raise Stopped

    def chance(self) -> float:
        return self._chance
