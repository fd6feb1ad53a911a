"""Rate limits and their headers."""

import time

import pytest

from tests.support.http_caller import message

from .conftest import Start


def test_every_answer_has_the_remaining_requests(start: Start) -> None:
    caller = start()
    for remaining in ("5999", "5998"):
        answer = caller.query()
        assert answer.headers["X-Ratelimit-Limit"] == "6000"
        assert answer.headers["X-Ratelimit-Remaining"] == remaining


def test_the_headers_may_be_absent(start: Start) -> None:
    caller = start(rate_headers="absent", rate_limit=1)
    answers = [caller.query(), caller.query(), caller.login()]
    assert [answer.status_code for answer in answers] == [200, 429, 201]
    assert not any("X-Ratelimit-Remaining" in answer.headers for answer in answers)
    assert "X-Ratelimit-Retryafter" in answers[1].headers


def test_the_window_slides(start: Start) -> None:
    caller = start(rate_limit=2)
    assert [caller.query().status_code for _ in range(3)] == [200, 200, 429]
    caller.control("POST", "advance", {"seconds": 40})
    refused = caller.query()
    assert (refused.status_code, message(refused)) == (429, "API rate limit exceeded.")
    assert refused.headers["X-Ratelimit-Remaining"] == "0"
    caller.control("POST", "advance", {"seconds": 20.1})
    assert caller.query().status_code == 200


def test_the_limit_is_per_cid(start: Start) -> None:
    caller = start(rate_limit=1, children=1)
    assert caller.query().status_code == 200
    assert caller.query().status_code == 429
    caller.use(caller.login(member_cid=caller.tenant.children[0]).json()["access_token"])
    assert caller.query().status_code == 200


def test_only_15_requests_a_minute_may_lack_a_valid_token(start: Start) -> None:
    caller = start(login=False)
    assert [caller.query().status_code for _ in range(17)] == [401] * 15 + [429] * 2
    caller.use(caller.login().json()["access_token"])
    assert caller.query().status_code == 200


def test_logins_have_their_own_limit(start: Start) -> None:
    caller = start(login=False, token_limit=3)
    assert [caller.login(client_secret="no").status_code for _ in range(4)] == [403, 403, 403, 429]


@pytest.mark.parametrize(
    ("style", "low", "high"), [("seconds", 1, 61), ("milliseconds", 1000, 61_000), ("past", -4000, -3000)]
)
def test_a_429_says_when_to_retry(start: Start, style: str, low: int, high: int) -> None:
    caller = start(rate_limit=0, retry_after=style)
    unit = 1000 if style == "milliseconds" else 1
    assert low <= int(caller.query().headers["X-RateLimit-RetryAfter"]) - time.time() * unit <= high


def test_a_429_may_have_no_header_or_nonsense(start: Start) -> None:
    assert "X-RateLimit-RetryAfter" not in start(rate_limit=0, retry_after="missing").query().headers
    assert start(rate_limit=0, retry_after="nonsense").query().headers["X-RateLimit-RetryAfter"] == "soon"
