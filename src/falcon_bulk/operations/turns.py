"""Changes start one after another, a fixed time apart, whichever thread sends them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from falcon_bulk.model.timing import Timing


class Turns:
    """Hands out turns, each at least `delay` seconds after the one before it."""

    def __init__(self, timing: Timing, delay: float) -> None:
        self._timing = timing
        self._delay = delay
        self._lock = threading.Lock()
        self._next = timing.monotonic()

    @contextmanager
    def take(self) -> Iterator[None]:
        """Wait for a turn; the next one is counted from the end of this block. Raises Stopped."""
        with self._lock:
            self._timing.wait(self._next - self._timing.monotonic())
            try:
                yield
            finally:
                self._next = self._timing.monotonic() + self._delay
