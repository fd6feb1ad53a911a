"""How many requests are in flight follows the answers: on simulated tenants, by the client's own limiter and pacer."""

import heapq
import random
from collections import deque
from collections.abc import Callable
from itertools import pairwise

import pytest

from falcon_bulk.errors import Rejected, Stopped
from falcon_bulk.falcon.concurrency import (
    INITIAL_CHANGES,
    INITIAL_READS,
    MAX_CHANGES,
    MAX_READS,
    AnswerTimes,
    ConcurrencyLimiter,
)
from falcon_bulk.falcon.rate_limit import RequestPacer
from tests.support.fake_clock import FakeClock


class Clock(FakeClock):
    """A clock that a simulation sets."""

    def set(self, passed: float) -> None:
        self._passed = passed


class Simulation:
    """A tenant that always has something more to be asked. seconds: returns the time of an answer, by those in flight.

    refuses: says whether a request that arrives is answered with 429, at once. asks_to_wait: returns the seconds that
    a 429 asks to wait; None if it does not say.
    """

    def __init__(
        self,
        seconds: Callable[[int], float],
        *,
        initial: int = INITIAL_READS,
        maximum: int = MAX_READS,
        refuses: Callable[[float], bool] = lambda _at: False,
        asks_to_wait: Callable[[float], float] | None = None,
    ) -> None:
        self.clock = Clock()
        self.pacer = RequestPacer(self.clock)
        self.limiter = ConcurrencyLimiter(self.clock, initial=initial, maximum=maximum)
        self.allowed: list[int] = []
        self.refusals: list[float] = []
        self._seconds, self._refuses, self._asks_to_wait = seconds, refuses, asks_to_wait

    def run(self, answers: int) -> None:
        """Go on until that many requests were answered or refused."""
        in_flight: list[tuple[float, int, float, bool]] = []
        number, leaves = 0, 0.0
        while len(self.allowed) < answers:
            while len(in_flight) < self.limiter.allowed and (not in_flight or leaves <= in_flight[0][0]):
                self._send(in_flight, number, leaves)
                number += 1
                leaves = self.pacer._not_before - self.clock.monotonic() + self.clock.passed
            self.limiter._is_used = self.limiter._is_used or len(in_flight) >= self.limiter.allowed
            back, _, sent, is_refused = heapq.heappop(in_flight)
            self.clock.set(max(back, self.clock.passed))
            if is_refused:
                self.refusals.append(self.clock.passed)
                self.limiter.troubled(sent)
                self.pacer.refused(sent, is_told=self._asks_to_wait is not None)
                self.pacer.cool_down(self._asks_to_wait(self.clock.passed) if self._asks_to_wait else 1.0, "refused")
                leaves = self.pacer._not_before - self.clock.monotonic() + self.clock.passed
            else:
                self.pacer.answered()
                self.limiter.answered(sent, self.clock.monotonic() - sent, "page")
            self.allowed.append(self.limiter.allowed)

    def _send(self, in_flight: list[tuple[float, int, float, bool]], number: int, leaves: float) -> None:
        self.clock.set(max(leaves, self.clock.passed))
        self.pacer.before_request()
        sent = self.clock.monotonic()
        is_refused = self._refuses(self.clock.passed)
        seconds = 0.2 if is_refused else self._seconds(len(in_flight) + 1)
        heapq.heappush(in_flight, (self.clock.passed + seconds, number, sent, is_refused))


def slows_beyond(capacity: int, seconds: float) -> Callable[[int], float]:
    """Return the times of a tenant that works on so many requests at a time."""
    return lambda in_flight: seconds * max(1.0, in_flight / capacity)


class SlidingWindow:
    """A tenant that allows so many requests a minute."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._taken: deque[float] = deque()

    def refuses(self, at: float) -> bool:
        """Return whether a request that arrives at that time is refused."""
        while self._taken and self._taken[0] <= at - 60:
            self._taken.popleft()
        if len(self._taken) >= self._per_minute:
            return True
        self._taken.append(at)
        return False

    def asks_to_wait(self, at: float) -> float:
        """Return the seconds until the window opens, as X-RateLimit-RetryAfter says them."""
        return self._taken[0] + 60 - at


@pytest.mark.parametrize(
    ("initial", "maximum", "seconds", "capacity"),
    [
        *((INITIAL_READS, MAX_READS, 4.5, capacity) for capacity in (3, 6, 9, 20, 100)),
        *((INITIAL_CHANGES, MAX_CHANGES, 10.0, capacity) for capacity in (3, 6, 16, 100)),
    ],
)
def test_limited_by_latency_it_settles_within_20_answers_and_then_moves_by_at_most_one(
    initial: int, maximum: int, seconds: float, capacity: int
) -> None:
    tenant = Simulation(slows_beyond(capacity, seconds), initial=initial, maximum=maximum)
    tenant.run(400)
    assert max(abs(after - before) for before, after in pairwise(tenant.allowed[20:])) <= 1
    assert max(tenant.allowed) <= maximum
    if capacity >= maximum:
        assert tenant.allowed[-1] == maximum
    elif capacity <= initial:
        assert tenant.allowed[-1] <= 22


@pytest.mark.parametrize("capacity", range(1, MAX_READS + 1))
def test_whatever_the_tenant_works_on_at_a_time_it_is_halved_once_at_the_most(capacity: int) -> None:
    """Where the first answers are quick and those of the full number are not, that shows a round trip later."""
    tenant = Simulation(slows_beyond(capacity, 4.5))
    tenant.run(400)
    falls = [number for number, (one, next_one) in enumerate(pairwise(tenant.allowed)) if next_one < one - 1]
    assert len(falls) <= 1
    assert all(number < 2 * MAX_READS for number in falls)


@pytest.mark.parametrize("has_header", [True, False])
@pytest.mark.parametrize("per_minute", [15, 60, 300, 900])
def test_limited_by_429_it_has_at_most_one_refusal_a_minute_after_the_first(per_minute: int, has_header: bool) -> None:
    window = SlidingWindow(per_minute)
    waits = {"asks_to_wait": window.asks_to_wait} if has_header else {}
    tenant = Simulation(lambda _in_flight: 1.0, refuses=window.refuses, **waits)
    tenant.run(per_minute * 20)
    first = tenant.refusals[0] + 2.0  # those in flight at the first are refused with it, and it is tried once more
    later = [at for at in tenant.refusals if at > first]
    assert max((sum(begin <= at < begin + 60 for at in later) for begin in later), default=0) <= 1, later
    minutes = tenant.clock.passed / 60
    assert len(tenant.allowed) - len(tenant.refusals) >= 0.75 * per_minute * (minutes - 2)


def test_answers_that_vary_by_themselves_do_not_slow_it_down() -> None:
    draw = random.Random(4)
    tenant = Simulation(lambda _in_flight: 3.0 * draw.lognormvariate(0, 0.2))
    tenant.run(600)
    assert tenant.allowed[-1] == MAX_READS


def test_a_tenant_that_becomes_slower_by_itself_does_not_bring_it_to_a_standstill() -> None:
    passed: list[int] = []

    def seconds(_in_flight: int) -> float:
        passed.append(1)
        return 1.0 if len(passed) < 200 else 5.0

    tenant = Simulation(seconds)
    tenant.run(1_000)
    assert min(tenant.allowed) >= MAX_READS // 4
    assert tenant.allowed[-1] >= MAX_READS // 2


def limiter_of(initial: int = 8, maximum: int = 32, headroom: int | None = None) -> ConcurrencyLimiter:
    return ConcurrencyLimiter(FakeClock(), initial=initial, maximum=maximum, headroom=lambda: headroom)


def test_trouble_halves_it_once_a_round_trip_and_never_below_one() -> None:
    clock = Clock()
    limiter = ConcurrencyLimiter(clock, initial=8, maximum=32)
    sent = clock.monotonic()
    clock.set(2.0)
    for _ in range(5):
        limiter.troubled(sent)
    assert limiter.allowed == 4
    for passed in range(3, 9):
        clock.set(passed)
        limiter.troubled(clock.monotonic())
    assert limiter.allowed == 1


@pytest.mark.parametrize(("headroom", "allowed"), [(None, 8), (100, 8), (3, 3), (0, 1), (-5, 1)])
def test_the_quota_bounds_it_too(headroom: int | None, allowed: int) -> None:
    assert limiter_of(headroom=headroom).allowed == allowed


def test_a_small_batch_is_no_measure_for_a_full_one() -> None:
    clock = Clock()
    limiter = ConcurrencyLimiter(clock, initial=8, maximum=32)
    for number in range(200):
        clock.set(number * 10.0)
        sent = clock.monotonic()
        clock.set(number * 10.0 + (9.0 if number % 2 else 0.5))
        limiter._is_used = True
        limiter.answered(sent, clock.monotonic() - sent, "full" if number % 2 else "small")
    assert limiter.allowed == 32


def test_who_waits_for_a_slot_hears_of_the_end_of_the_run_and_of_a_stop() -> None:
    clock = FakeClock()
    limiter = ConcurrencyLimiter(clock, initial=1, maximum=1)

    def ended() -> None:
        raise Rejected("no more")

    with limiter.slot():
        with pytest.raises(Rejected, match="no more"), limiter.slot(ended):
            pass
        clock.stopping = True
        with pytest.raises(Stopped), limiter.slot():
            pass
    clock.stopping = False
    with limiter.slot() as release:
        release()
        with limiter.slot():
            pass


def test_a_difference_of_milliseconds_is_no_slowdown() -> None:
    times = AnswerTimes()
    for seconds in (0.001, 0.001, 0.001):
        times.add(seconds)
    times.end_round()
    for seconds in (0.05, 0.05, 0.05):
        times.add(seconds)
    assert not times.are_all_beyond(1.75)
