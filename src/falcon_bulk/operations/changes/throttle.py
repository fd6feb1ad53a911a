"""How fast batches start, and how many wait for their answer at a time."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from falcon_bulk.errors import FalconBulkError
from falcon_bulk.model.clock import POLL_INTERVAL, Clock

INITIAL_CONCURRENCY = 2


@dataclass(frozen=True)
class Pace:
    """How a run is carried out: items per batch, minimum seconds between batch starts, most batches in flight."""

    batch_size: int = 1_000
    delay: float = 0.5
    workers: int = 4


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


class ConcurrencyLimiter:
    """Bounds the changes in flight: half of the maximum (at least two) at first, one more after each good answer, half
    as many after trouble.

    trouble: returns a number that grows with each 429, server error and lost answer.
    """

    def __init__(self, clock: Clock, maximum: int, trouble: Callable[[], int]) -> None:
        self._clock = clock
        self._maximum = maximum
        self._trouble = trouble
        self._last_trouble = trouble()
        self._allowed = min(maximum, max(INITIAL_CONCURRENCY, maximum // 2))
        self._in_flight = 0
        self._closed: FalconBulkError | None = None
        self._changed = threading.Condition()

    @contextmanager
    def slot(self) -> Iterator[Callable[[], None]]:
        """Hold an in-flight slot until the block exits or the yielded callable is called.

        Raises Stopped, or the error that the limiter was closed with, while waiting for a slot.
        """
        with self._changed:
            while self._in_flight >= self._allowed and self._closed is None:
                self._clock.check()
                self._changed.wait(POLL_INTERVAL)
            if self._closed is not None:
                raise self._closed
            self._in_flight += 1
        held = True

        def release() -> None:
            nonlocal held
            if held:
                held = False
                self._release()

        try:
            yield release
        finally:
            release()

    def close(self, cause: FalconBulkError) -> None:
        """Give out no more slots: whoever waits for one raises the cause."""
        with self._changed:
            self._closed = self._closed or cause
            self._changed.notify_all()

    def _release(self) -> None:
        with self._changed:
            trouble = self._trouble()
            good = trouble == self._last_trouble
            self._allowed = min(self._maximum, self._allowed + 1) if good else max(1, self._allowed // 2)
            self._last_trouble = trouble
            self._in_flight -= 1
            self._changed.notify_all()
