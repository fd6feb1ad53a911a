"""The tenant's clock: real time that can be moved forward, so that tests need not wait."""

import time

from falcon_emulator.timestamps import SECOND


class Clock:
    """Tells the tenant's time in nanoseconds since 1970."""

    def __init__(self, start: float | None = None) -> None:
        """Start the clock at `start` (seconds since 1970), or at the real time."""
        real = time.time_ns()
        self.start = real if start is None else int(start * SECOND)
        self._offset = self.start - real

    def now(self) -> int:
        """Return the tenant's time in ns."""
        return time.time_ns() + self._offset

    def advance(self, seconds: float) -> None:
        """Move the clock forward: tokens expire, rate-limit windows slide, crawls become due."""
        self._offset += int(seconds * SECOND)
