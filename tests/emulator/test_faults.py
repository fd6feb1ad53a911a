"""Every kind of fault, as the caller meets it."""

import time
from typing import Any

import pytest
import requests

from falcon_emulator import Fault
from tests.support.http_caller import Caller, affected, message

from .conftest import Start

CLOSE = ("update_status", "closed")


def order(caller: Caller, kind: Any, **more: Any) -> None:
    caller.tenant.faults.add(Fault(kind=kind, **more))


def closed(caller: Caller, ids: list[str]) -> int:
    return sum(caller.document(composite_id)["status"] == "closed" for composite_id in ids)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 429, 500, 502, 503, 504])
def test_a_status_is_answered_with_its_text(start: Start, status: int) -> None:
    caller = start()
    order(caller, "status", status=status, text="so it goes")
    answer = caller.query()
    assert (answer.status_code, message(answer)) == (status, "so it goes")
    assert caller.query().status_code == 200


@pytest.mark.parametrize("applied", [False, True])
def test_a_500_may_follow_a_change_that_was_made(start: Start, applied: bool) -> None:
    caller = start()
    ids = caller.ids("status:'new'")[:5]
    order(caller, "status", endpoint="patch", applied=applied)
    assert caller.patch(ids, CLOSE).status_code == 500
    assert closed(caller, ids) == (5 if applied else 0)


@pytest.mark.parametrize("applied", [False, True])
def test_a_connection_is_reset_before_or_after_the_effect(start: Start, applied: bool) -> None:
    caller = start()
    ids = caller.ids("status:'new'")[:5]
    order(caller, "drop", endpoint="patch", applied=applied)
    with pytest.raises(requests.ConnectionError, match=r"reset|aborted"):
        caller.patch(ids, CLOSE)
    assert closed(caller, ids) == (5 if applied else 0)


@pytest.mark.parametrize("applied", [False, True])
def test_an_answer_is_late_before_or_after_the_effect(start: Start, applied: bool) -> None:
    caller = start()
    ids = caller.ids("status:'new'")[:1]
    order(caller, "delay", endpoint="patch", applied=applied, seconds=0.4)
    assert caller.patch(ids, CLOSE).status_code == 200
    answered = caller.tenant.clock.now()
    (change,) = caller.tenant.request_log.changes
    asked = caller.tenant.request_log.requests[change.request - 1].at
    assert (answered - change.at if applied else change.at - asked) >= 0.399e9


def test_a_body_is_cut_off_after_the_effect(start: Start) -> None:
    caller = start()
    ids = caller.ids("status:'new'")[:5]
    order(caller, "truncate", endpoint="patch")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        caller.patch(ids, CLOSE)
    assert closed(caller, ids) == 5


def test_a_body_may_be_cut_with_a_matching_length(start: Start) -> None:
    caller = start()
    order(caller, "truncate", mode="length")
    answer = caller.query()
    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


def test_a_body_may_be_empty_or_html_or_not_json(start: Start) -> None:
    caller = start()
    order(caller, "empty")
    order(caller, "html", status=200)
    order(caller, "html", status=502)
    order(caller, "not_json")
    answers = [caller.query() for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 502, 200]
    assert answers[0].content == b""
    assert answers[1].headers["Content-Type"] == "text/html"
    assert "<html>" in answers[2].text
    assert answers[3].text == "upstream said: ok\n"


def test_a_redirect_names_a_location_and_a_region(start: Start) -> None:
    caller = start(login=False)
    order(caller, "redirect", endpoint="token", location="https://api.example.com/oauth2/token", region="us-2")
    answer = caller.login()
    assert answer.status_code == 308
    assert answer.headers["Location"] == "https://api.example.com/oauth2/token"
    assert answer.headers["X-Cs-Region"] == "us-2"


@pytest.mark.parametrize("style", ["seconds", "milliseconds", "missing", "nonsense", "past"])
def test_a_429_has_one_of_five_headers(start: Start, style: str) -> None:
    caller = start()
    order(caller, "rate_limit", header=style, seconds=300)
    answer = caller.query()
    assert (answer.status_code, message(answer)) == (429, "API rate limit exceeded.")
    value = answer.headers.get("X-RateLimit-RetryAfter")
    if style in ("seconds", "milliseconds"):
        unit = 1000 if style == "milliseconds" else 1
        assert 200 * unit < int(value or 0) - time.time() * unit <= 301 * unit
    else:
        assert value == {"missing": None, "nonsense": "soon"}.get(style, value)
        assert style != "past" or int(value or 0) < time.time()


def test_a_token_is_revoked_during_its_use(start: Start) -> None:
    caller = start()
    order(caller, "revoke_token", skip=1)
    assert [caller.query().status_code for _ in range(3)] == [200, 401, 401]
    caller.use(caller.login().json()["access_token"])
    assert caller.query().status_code == 200


def test_a_patch_may_reach_only_the_first_ids(start: Start) -> None:
    caller = start()
    ids = caller.ids("status:'new'")[:5]
    order(caller, "partial", count=2)
    answer = caller.patch(ids, CLOSE)
    assert (answer.status_code, affected(answer)) == (200, 2)
    assert [entry["id"] for entry in answer.json()["errors"]] == ids[2:]
    assert closed(caller, ids[:2]) == 2
    assert closed(caller, ids[2:]) == 0


def test_a_200_may_have_no_effect(start: Start) -> None:
    caller = start()
    ids = caller.ids("status:'new'")[:5]
    order(caller, "nothing_applied", text="try later")
    answer = caller.patch(ids, CLOSE)
    assert (answer.status_code, affected(answer), len(answer.json()["errors"])) == (200, 0, 5)
    assert closed(caller, ids) == 0


@pytest.mark.parametrize(("mode", "status"), [("batch_400", 400), ("batch_404", 404), ("only_itself", 200), ("", 400)])
def test_a_poison_id_fails_its_whole_batch(start: Start, mode: str, status: int) -> None:
    caller = start()
    poison, *others = caller.ids("status:'new'")[:4]
    order(caller, "poison", ids=[poison], mode=mode, times=None)
    for _ in range(2):
        assert caller.patch([*others, poison], CLOSE).status_code == status
    assert closed(caller, [poison]) == 0
    assert closed(caller, others) == (3 if status == 200 else 0)
    assert caller.patch(others, CLOSE).status_code == 200
    assert closed(caller, others) == 3


def test_a_total_may_be_wrong(start: Start) -> None:
    caller = start()
    order(caller, "wrong_total", count=3)
    assert [caller.query().json()["meta"]["pagination"]["total"] for _ in range(2)] == [203, 200]


def test_a_200_may_have_an_error_beside_part_of_the_resources(start: Start) -> None:
    caller = start()
    order(caller, "partial_page", endpoint="combined", count=3, status=503, text="shard failed")
    cut, whole = (caller.combined(limit=10).json() for _ in range(2))
    assert cut["errors"] == [{"code": 503, "message": "shard failed"}]
    assert cut["resources"] == whole["resources"][:3]
    assert cut["meta"]["pagination"] | {"after": ""} == whole["meta"]["pagination"] | {"after": ""}
    assert cut["meta"]["pagination"]["after"]


def test_a_fault_that_falcon_answers_names_region_and_trace(start: Start) -> None:
    caller = start()
    for kind, headers in (("status", True), ("rate_limit", True), ("html", False), ("empty", False)):
        order(caller, kind)
        assert ({"X-Cs-Region", "X-Cs-Traceid"} <= {*caller.query().headers}) is headers


def test_a_fault_ignores_requests_that_do_not_match(start: Start) -> None:
    caller = start()
    order(caller, "status", endpoint="entities", skip=1, times=2)
    assert caller.query().status_code == 200
    assert [caller.entities(["x"]).status_code for _ in range(5)] == [200, 500, 500, 200, 200]


def test_a_fault_may_last_and_be_cleared(start: Start) -> None:
    caller = start()
    order(caller, "status", status=503, times=None)
    assert {caller.query().status_code for _ in range(20)} == {503}
    caller.tenant.faults.clear()
    assert caller.query().status_code == 200


def test_the_same_seed_gives_the_same_faults(start: Start) -> None:
    def outcomes() -> list[int]:
        caller = start(seed=5)
        order(caller, "status", times=None, probability=0.5)
        return [caller.query().status_code for _ in range(30)]

    first = outcomes()
    assert set(first) == {200, 500}
    assert outcomes() == first


def test_faults_are_in_the_request_log(start: Start) -> None:
    caller = start()
    order(caller, "status", status=502)
    caller.query()
    caller.query()
    assert [(request.fault, request.status) for request in caller.tenant.request_log.requests[-2:]] == [
        ("status", 502),
        ("", 200),
    ]


def test_faults_are_queued_over_http_too(start: Start) -> None:
    caller = start()
    assert caller.control("POST", "faults", {"kind": "status", "status": 504, "times": None}).status_code == 201
    assert caller.query().status_code == 504
    assert [fault["kind"] for fault in caller.control("GET", "faults").json()] == ["status"]
    assert caller.control("POST", "faults", {"kind": "explode"}).status_code == 400
    assert caller.control("POST", "faults", {"kind": "drop", "when": 3}).status_code == 400
    caller.control("DELETE", "faults")
    assert caller.query().status_code == 200
