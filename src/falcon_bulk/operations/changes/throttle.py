"""How fast batches start."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from falcon_bulk.falcon.concurrency import MAX_CHANGES
from falcon_bulk.model.clock import Clock


@dataclass(frozen=True)
class Pace:
    """How a run is carried out: items per batch, minimum seconds between batch starts, most batches in flight."""

    batch_size: int = 1_000
    delay: float = 0.5
    workers: int = MAX_CHANGES


class RateLimiter:
    """Lets batches start one after another, each at least `delay` seconds after the one before it."""

    def __init__(self, clock: Clock, delay: float) -> None:
        self._clock = clock
        self._delay = delay
        self._lock = threading.Lock()
        self._next = clock.monotonic()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn; the next one is counted from the end of the block. Raises Stopped."""
        with self._lock:
            self._clock.wait(self._next - self._clock.monotonic())
            try:
                yield
            finally:
                self._next = self._clock.monotonic() + self._delay
