"""Changes start one after another, a fixed time apart, and only so many wait for their answer at a time."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from falcon_bulk.errors import FalconBulkError
from falcon_bulk.model.clock import POLL_INTERVAL, Clock

INITIAL_CONCURRENCY = 2


class RateLimiter:
    """Hands out turns, each at least `delay` seconds after the one before it."""

    def __init__(self, timing: Clock, delay: float) -> None:
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


class ConcurrencyLimiter:
    """Lets so many changes be in flight: two or half of the most at first, one more after each good answer, half as
    many after trouble.

    most: how many at the most. trouble: a number that grows with each 429, server error and lost answer.
    """

    def __init__(self, timing: Clock, most: int, trouble: Callable[[], int]) -> None:
        self._timing = timing
        self._most = most
        self._trouble = trouble
        self._seen = trouble()
        self._allowed = min(most, max(INITIAL_CONCURRENCY, most // 2))
        self._inside = 0
        self._closed: FalconBulkError | None = None
        self._changed = threading.Condition()

    @contextmanager
    def passing(self) -> Iterator[Callable[[], None]]:
        """Be one of those in flight until the block ends, or until what it gets is called: the answer was good.

        Raises Stopped, or what the gate was closed with, before that.
        """
        with self._changed:
            while self._inside >= self._allowed and self._closed is None:
                self._timing.check()
                self._changed.wait(POLL_INTERVAL)
            if self._closed is not None:
                raise self._closed
            self._inside += 1
        inside = True

        def leave() -> None:
            nonlocal inside
            if inside:
                inside = False
                self._left()

        try:
            yield leave
        finally:
            leave()

    def close(self, cause: FalconBulkError) -> None:
        """Let nobody pass any more."""
        with self._changed:
            self._closed = self._closed or cause
            self._changed.notify_all()

    def _left(self) -> None:
        with self._changed:
            trouble = self._trouble()
            better = trouble == self._seen
            self._allowed = min(self._most, self._allowed + 1) if better else max(1, self._allowed // 2)
            self._seen = trouble
            self._inside -= 1
            self._changed.notify_all()
