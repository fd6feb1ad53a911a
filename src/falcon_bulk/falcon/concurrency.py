"""How many requests are in flight: as many as Falcon's answers allow, by one mechanism for reads and for changes.

It begins like TCP: until the first trouble each good answer admits one more. After that it admits one more a round
trip, and halves on trouble (a 429, a 5xx, a lost answer) or where answers are clearly slower than they were. Like TCP
Vegas and the gradient limiters it takes slower answers for a queue at the server: a little slower, and it stays as it
is.

It is stable because
- each step up is tried for a round trip before the next, and slower answers end the growth before they end the run;
- what was sent before a step down is not judged, so that one overload halves once;
- answers are compared with answers of the same endpoint and of like size, by medians and several in a row, so that a
  small batch is no measure for a full one, and one slow answer is none;
- slowness that half as many requests do not cure is not caused by them: it becomes the new measure, so that a tenant
  that slows down by itself does not bring it to a standstill.
"""

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from statistics import median

from falcon_bulk.model.clock import POLL_INTERVAL, Clock

INITIAL_READS = 16
INITIAL_CHANGES = 8
MAX_READS = 32
MAX_CHANGES = 24

SLOWER = 1.2
"""Times the best that answers may take while the number in flight grows."""
CLEARLY_SLOWER = 1.75
"""Times the best that several answers in a row take in a clear slowdown."""
IN_A_ROW = 3
NOISE = 0.1
"""Seconds: a smaller difference is no slowdown."""
CURED = 0.75
"""Part of the former time that answers take at the most once half as many requests have cured a slowdown."""


class AnswerTimes:
    """How long answers of one endpoint and of like size take: the last ones, and a round trip's median at best.

    A median, because the first answers of a round trip are the quickest of it. best: 0 until a round trip has ended.
    """

    def __init__(self) -> None:
        self.best = 0.0
        self._median = 0.0
        self._round: list[float] = []
        self._last: list[float] = []
        self._before_cut = 0.0

    def add(self, seconds: float) -> None:
        """Add the time of an answer."""
        self._round.append(seconds)
        self._last = [*self._last, seconds][-IN_A_ROW:]

    def end_round(self) -> None:
        """Take the median of a round trip's answers, if they are enough."""
        if len(self._round) >= IN_A_ROW:
            self._median = median(self._round)
            self.best = min(self.best or self._median, self._median)
            self._round.clear()

    @property
    def are_slower(self) -> bool:
        """Whether the last round trip took longer than the best."""
        return self._exceeds(self._median, SLOWER)

    def are_all_beyond(self, factor: float) -> bool:
        """Return whether the last answers all take so many times as long as the best."""
        return len(self._last) == IN_A_ROW and self._exceeds(min(self._last), factor)

    def accept_slowdown(self) -> bool:
        """Make a slowdown the new measure if the last step down did not cure it; return whether that is so."""
        fastest = min(self._last)
        is_uncured = bool(self._before_cut) and fastest > self._before_cut * CURED
        if is_uncured:
            self.best = self._median = fastest
            self._round.clear()
        self._before_cut = 0.0 if is_uncured else fastest
        return is_uncured

    def restart(self) -> None:
        """Forget the last answers, but not the best: fewer requests are in flight from now on."""
        self._round.clear()
        self._last = []
        self._median = 0.0

    def _exceeds(self, seconds: float, factor: float) -> bool:
        return 0 < self.best * factor < seconds and seconds - self.best > NOISE


class ConcurrencyLimiter:
    """Bounds the requests in flight by what their answers show.

    initial and maximum: how many may be in flight at first, and at most. headroom: returns how many requests the rate
    limit leaves, None if that is not known.
    """

    def __init__(
        self, clock: Clock, *, initial: int, maximum: int, headroom: Callable[[], int | None] = lambda: None
    ) -> None:
        self._clock = clock
        self._maximum = maximum
        self._headroom = headroom
        self._allowed = min(initial, maximum)
        self._in_flight = 0
        self._doubling = True
        self._is_used = False
        self._round_began = self._cut_at = clock.monotonic()
        self._times: dict[Hashable, AnswerTimes] = {}
        self._changed = threading.Condition()

    @property
    def in_flight(self) -> int:
        """How many slots are held."""
        return self._in_flight

    @property
    def allowed(self) -> int:
        """How many requests may be in flight."""
        left = self._headroom()
        return self._allowed if left is None else max(1, min(self._allowed, left))

    @contextmanager
    def slot(self, check: Callable[[], None] = lambda: None) -> Iterator[Callable[[], None]]:
        """Hold an in-flight slot until the block exits or the yielded callable is called.

        check: called again and again while waiting for a slot; what it raises ends the wait. Raises Stopped too.
        """
        with self._changed:
            check()
            while self._in_flight >= self.allowed:
                self._is_used = True
                self._clock.wait(0.0)  # raises Stopped, unless this thread is finishing what is in flight
                self._changed.wait(POLL_INTERVAL)
                check()
            self._in_flight += 1
        held = True

        def release() -> None:
            nonlocal held
            if held:
                held = False
                with self._changed:
                    self._in_flight -= 1
                    self._changed.notify_all()

        try:
            yield release
        finally:
            release()

    def answered(self, started: float, seconds: float, kind: Hashable) -> None:
        """Take a good answer into account.

        started: when its request was sent, by the clock's monotonic time. seconds: until it was received. kind: equal
        for answers of like size of one endpoint.
        """
        with self._changed:
            if started < self._cut_at:
                return
            times = self._times.setdefault(kind, AnswerTimes())
            times.add(seconds)
            if times.are_all_beyond(CLEARLY_SLOWER):
                if not times.accept_slowdown():
                    self._halve()
                return
            if self._doubling:
                self._doubling = not times.are_all_beyond(SLOWER)
                self._grow()
            if started > self._round_began:
                self._end_round()

    def troubled(self, started: float) -> None:
        """Take a 429, a server error or a lost answer into account. started: as in `answered`."""
        with self._changed:
            if started >= self._cut_at:
                self._halve()

    def _end_round(self) -> None:
        """Judge the answers of a round trip; admit one more if they were no slower than before."""
        self._round_began = self._clock.monotonic()
        for times in self._times.values():
            times.end_round()
        if not self._doubling and not any(times.are_slower for times in self._times.values()):
            self._grow()

    def _grow(self) -> None:
        """Admit one more, unless nobody had to wait for a slot."""
        if self._is_used:
            self._allowed = min(self._maximum, self._allowed + 1)
            self._is_used = self._doubling
            self._changed.notify_all()

    def _halve(self) -> None:
        self._allowed = max(1, self._allowed // 2)
        self._doubling = self._is_used = False
        self._cut_at = self._round_began = self._clock.monotonic()
        for times in self._times.values():
            times.restart()
