"""The tenant's clock: real time, moved forward on demand so that tests need not wait."""

import time

from falcon_emulator.timestamps import SECOND


class Clock:
    """Nanoseconds since 1970 as the tenant sees them."""

    def __init__(self, start: float | None = None) -> None:
        """`start` (seconds since 1970) is where the clock begins; default: the real present."""
        real = time.time_ns()
        self.start = real if start is None else int(start * SECOND)
        self._offset = self.start - real

    def now(self) -> int:
        """The tenant's present moment, in ns."""
        return time.time_ns() + self._offset

    def advance(self, seconds: float) -> None:
        """Move the tenant's present: tokens expire, rate windows slide, the crawler comes by."""
        self._offset += int(seconds * SECOND)
