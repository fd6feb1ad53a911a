"""How fast requests leave: cooldowns that hold all threads, and a slower pace before the quota is empty."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcon_bulk.errors import Unreachable
from falcon_bulk.falcon.rate_limit import (
    MAX_COOLDOWN,
    MIN_COOLDOWN,
    RequestPacer,
    RetryBudget,
    backoff,
    retry_after_seconds,
)
from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.model.plan import Action
from tests.support.fake_clock import START, FakeClock
from tests.support.scripted_falcon import (
    PATCH,
    QUERY,
    Reply,
    ScriptedFalcon,
    an_envelope,
    good,
    logged_in,
    refused,
)

EPOCH = START.timestamp()
TOLD = "X-RateLimit-RetryAfter"


def throttled(value: object = None) -> Reply:
    return refused(429, "API rate limit exceeded.", {} if value is None else {TOLD: str(value)})


def gap(falcon: ScriptedFalcon, path: str = QUERY) -> float:
    first, second = falcon.to(path)
    return second.at - first.at


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        (EPOCH + 30, 30),
        ((EPOCH + 30) * 1000, 30),
        (EPOCH + 0.25, MIN_COOLDOWN),
        (EPOCH + 3_600, MAX_COOLDOWN),
        ((EPOCH + 3_600) * 1000, MAX_COOLDOWN),
        (1e30, MAX_COOLDOWN),
    ],
)
def test_a_429_waits_as_long_as_its_header_asks_within_bounds(
    told: float, seconds: float, falcon: ScriptedFalcon, tenant: Tenant
) -> None:
    falcon.answer(QUERY, throttled(told), good(total=1))
    assert tenant.alerts.count("") == 1
    assert gap(falcon) == pytest.approx(seconds, abs=0.01)


@pytest.mark.parametrize("told", [None, "", "soon", EPOCH - 5, 0, -1, "nan", "inf", "-inf", "9" * 400, "1e999"])
def test_a_429_without_a_usable_header_waits_a_little(told: object, falcon: ScriptedFalcon, tenant: Tenant) -> None:
    falcon.answer(QUERY, throttled(told), good(total=1))
    assert tenant.alerts.count("") == 1
    assert 1.0 <= gap(falcon) <= 2.0


def test_a_rate_limited_change_waits_and_is_sent_again(falcon: ScriptedFalcon, tenant: Tenant) -> None:
    falcon.answer(PATCH, throttled(EPOCH + 7), Reply(200, an_envelope()))
    tenant.alerts.update(["a"], (Action("update_status", "closed"),))
    assert gap(falcon, PATCH) == pytest.approx(7)


def test_waiting_for_the_rate_limit_costs_no_retries(falcon: ScriptedFalcon, tenant: Tenant) -> None:
    falcon.answer(QUERY, *[throttled()] * 8, *[refused(503)] * 4, good(total=2))
    assert tenant.alerts.count("") == 2


def test_an_endless_rate_limit_ends_with_exit_5_after_a_bounded_number_of_requests(
    falcon: ScriptedFalcon, tenant: Tenant, timing: FakeClock
) -> None:
    falcon.answer(QUERY, throttled())
    with pytest.raises(Unreachable) as caught:
        tenant.alerts.count("")
    assert caught.value.status == 429
    assert len(falcon.to(QUERY)) == 9
    assert max(timing.waits) <= MAX_COOLDOWN


def test_a_wait_of_more_than_two_seconds_is_announced_with_its_length(
    falcon: ScriptedFalcon, timing: FakeClock
) -> None:
    said: list[str] = []
    falcon.answer(QUERY, throttled(EPOCH + 90), good(), throttled(EPOCH + 92), good())
    with logged_in(timing, on_wait=said.append) as tenant:
        tenant.alerts.count("")
        assert len(said) == 1
        assert "90 s" in said[0]
        tenant.alerts.count("")
        assert len(said) == 1


def test_one_cooldown_holds_back_all_threads(timing: FakeClock) -> None:
    pacer = RequestPacer(timing)
    pacer.cool_down(30, "test")
    left: list[float] = []

    def leave(_: int) -> None:
        pacer.before_request()
        left.append(timing.passed)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(leave, range(12)))
    assert len(left) == 12
    assert min(left) >= 30
    assert pacer.requests == 12


def test_a_shorter_cooldown_does_not_cut_a_longer_one(timing: FakeClock) -> None:
    pacer = RequestPacer(timing)
    pacer.cool_down(30, "long")
    pacer.cool_down(1, "short")
    pacer.before_request()
    assert timing.passed == pytest.approx(30)


def spacing(timing: FakeClock, pacer: RequestPacer) -> float:
    """Seconds between two requests that would both like to leave at once."""
    pacer.before_request()
    before = timing.passed
    pacer.before_request()
    return timing.passed - before


def rate(remaining: object, limit: object = 6_000) -> dict[str, str]:
    return {"X-Ratelimit-Limit": str(limit), "X-Ratelimit-Remaining": str(remaining)}


def test_requests_are_spaced_only_beyond_the_quota_and_more_the_less_remains(timing: FakeClock) -> None:
    pacer = RequestPacer(timing, quota=0.5)
    spaces = []
    for remaining in (6_000, 3_000, 2_000, 1_000, 0):
        pacer.after_answer(rate(remaining))
        spaces.append(spacing(timing, pacer))
    assert spaces[:2] == [0, 0]
    assert spaces == sorted(spaces)
    assert len(set(spaces[1:])) == 4
    assert spaces[-1] == pytest.approx(2)
    assert pacer.lowest_remaining == 0


def test_the_pace_recovers_when_the_window_has_moved_on(timing: FakeClock) -> None:
    pacer = RequestPacer(timing)
    pacer.after_answer(rate(0))
    assert spacing(timing, pacer) > 0
    pacer.after_answer(rate(5_000))
    pacer.before_request()
    assert spacing(timing, pacer) == 0


@pytest.mark.parametrize("quota", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(
    "headers", [{}, rate("many"), rate(5, "nonsense"), rate(0, 0), rate(-1), rate(""), {"X-Ratelimit-Limit": "6000"}]
)
def test_rate_headers_that_are_absent_or_nonsense_change_nothing(
    headers: dict[str, str], quota: float, timing: FakeClock
) -> None:
    pacer = RequestPacer(timing, quota=quota)
    pacer.after_answer(headers)
    assert spacing(timing, pacer) == 0
    assert pacer.lowest_remaining is None


def test_the_rate_headers_of_real_answers_slow_the_tenant_down(falcon: ScriptedFalcon, tenant: Tenant) -> None:
    falcon.answer(QUERY, Reply(200, an_envelope([]), rate(0)))
    for _ in range(4):
        tenant.alerts.count("")
    times = [call.at for call in falcon.to(QUERY)]
    assert times[-1] - times[0] >= 3 * 2 - 2  # the first ones leave before the header is known


@given(st.text() | st.floats().map(str) | st.integers().map(str), st.floats(0, 4e9))
def test_retry_after_is_within_bounds_or_none_for_any_header(value: str, now: float) -> None:
    seconds = retry_after_seconds({TOLD: value}, now)
    assert seconds is None or MIN_COOLDOWN <= seconds <= MAX_COOLDOWN


@given(st.integers(1, 60), st.floats(0, 1))
def test_backoff_is_jittered_from_zero_to_a_cap(tries: int, chance: float) -> None:
    assert 0 <= backoff(tries, chance) <= min(8.0, 0.5 * 2 ** (tries - 1))


@given(st.lists(st.booleans(), max_size=200))
def test_the_retry_budget_never_grants_more_than_its_size_and_half_of_the_good_answers(events: list[bool]) -> None:
    budget = RetryBudget(10)
    granted = good_answers = 0
    for is_good in events:
        if is_good:
            budget.give_back()
            good_answers += 1
        else:
            granted += budget.take()
    assert granted <= 10 + good_answers / 2
