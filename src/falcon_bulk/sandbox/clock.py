"""The tenant's clock: real time, moved forward on demand so that tests need not wait."""

import time

from falcon_bulk.sandbox.timestamps import SECOND


class Clock:
    """Nanoseconds since 1970 as the tenant sees them."""

    def __init__(self, now: float | None = None) -> None:
        """`now` (seconds since 1970) is the moment of the start; default: the real one."""
        self._offset = 0 if now is None else int(now * SECOND) - time.time_ns()

    def now(self) -> int:
        """The tenant's present moment, in ns."""
        return time.time_ns() + self._offset

    def advance(self, seconds: float) -> None:
        """Move the tenant's present: tokens expire, rate windows slide, the crawler comes by."""
        self._offset += int(seconds * SECOND)
