"""How fast batches start."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
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
        self._turn = threading.Lock()
        self._next = clock.monotonic()
        self._counting = threading.Lock()
        self._waiting = 0

    @property
    def seconds_to_turn(self) -> float:
        """How long a turn asked for now is waited for, if those before it take no time."""
        return max(0.0, self._next - self._clock.monotonic()) + self._waiting * self._delay

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn; the next one is counted from the end of the block. Raises Stopped."""
        with ExitStack() as waiting:
            waiting.enter_context(self._counted())
            with self._turn:
                self._clock.wait(self._next - self._clock.monotonic())
                waiting.close()
                try:
                    yield
                finally:
                    self._next = self._clock.monotonic() + self._delay

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Count this thread among those that wait."""
        with self._counting:
            self._waiting += 1
        try:
            yield
        finally:
            with self._counting:
                self._waiting -= 1
