"""Reads that answer less than was asked for: partial and empty pages, expired tokens, pages that are too large."""

import pytest

from tests.support.http_caller import AGGREGATES, QUERIES, Caller, message

from .conftest import Start

EXPIRED = "Search context expired, 'after' key no longer valid"


def after_of(caller: Caller, after: str = "") -> tuple[list[str], str]:
    """Return the ids of the page of `after` and the next `after`."""
    body = {"limit": 90, "sort": "created_timestamp|desc"} | ({"after": after} if after else {})
    answer = caller.combined(**body)
    assert answer.status_code == 200, answer.text
    document = answer.json()
    return [document["composite_id"] for document in document["resources"]], document["meta"]["pagination"]["after"]


@pytest.mark.parametrize("mode", ["never", "once", "always"])
def test_pages_may_be_partial_once_for_each_endpoint_or_always(start: Start, mode: str) -> None:
    caller = start(partial_pages=mode, partial_code=503)
    for first in (True, False):
        ids = caller.query(limit=20).json()
        documents = caller.entities([caller.tenant.store.newest_first[0].composite_id]).json()
        page = caller.combined(limit=20).json()
        cut = mode == "always" or (mode == "once" and first)
        assert [len(document["resources"]) for document in (ids, documents, page)] == (
            [10, 0, 10] if cut else [20, 1, 20]
        )
        errors = [{"code": 503, "message": "Internal Server Error"}]
        assert [document["errors"] for document in (ids, documents, page)] == ([errors] * 3 if cut else [None] * 3)
        assert ids["meta"]["pagination"]["total"] == 200


def test_a_partial_aggregate_lacks_half_of_its_buckets(start: Start) -> None:
    caller = start(partial_pages="once")
    spec = [{"type": "terms", "field": "status", "name": "x"}]
    cut, whole = (caller.send("POST", AGGREGATES, json=spec).json() for _ in range(2))
    assert cut["resources"][0]["buckets"] == whole["resources"][0]["buckets"][:2]
    assert cut["errors"][0]["code"] == 500


def test_a_change_is_never_partial_by_a_switch(start: Start) -> None:
    caller = start(partial_pages="always")
    ids = caller.query(limit=10).json()["resources"]
    answer = caller.patch(ids, ("update_status", "closed"))
    assert (answer.status_code, answer.json()["errors"]) == (200, None)


def test_setting_a_switch_starts_once_again(start: Start) -> None:
    caller = start()
    for _ in range(2):
        caller.control("PATCH", "switches", {"partial_pages": "once"})
        assert [len(caller.query(limit=20).json()["resources"]) for _ in range(2)] == [10, 20]


def test_the_last_page_may_have_an_after_that_leads_to_empty_pages(start: Start) -> None:
    caller = start(empty_page="last")
    after, seen = "", 0
    for size in (90, 90, 20, 0, 0):
        ids, after = after_of(caller, after)
        assert (len(ids), bool(after)) == (size, True)
        seen += len(ids)
    assert seen == 200


def test_a_page_may_be_empty_the_first_time(start: Start) -> None:
    caller = start(empty_page="once")
    _, first = after_of(caller)
    assert after_of(caller, first) == ([], first)
    ids, second = after_of(caller, first)
    assert (len(ids), second != first) == (90, True)
    assert after_of(caller, second) == ([], second)
    assert [len(after_of(caller, second)[0]), after_of(caller, second)[1]] == [20, ""]


def test_every_page_after_the_first_may_be_empty(start: Start) -> None:
    caller = start(empty_page="always")
    ids, after = after_of(caller)
    assert len(ids) == 90
    assert [after_of(caller, after) for _ in range(3)] == [([], after)] * 3


@pytest.mark.parametrize("mode", ["404", "200"])
def test_an_after_may_expire(start: Start, mode: str) -> None:
    caller = start(after_seconds=120, after_expired=mode)
    _, after = after_of(caller)
    caller.control("POST", "advance", {"seconds": 100})
    ids, after = after_of(caller, after)
    assert len(ids) == 90
    caller.control("POST", "advance", {"seconds": 121})
    answer = caller.combined(limit=90, sort="created_timestamp|desc", after=after)
    assert (answer.status_code, message(answer)) == (int(mode), EXPIRED)
    assert answer.json()["errors"][0]["code"] == 404
    assert not answer.json().get("resources")


def test_an_after_lives_for_ever_by_default(start: Start) -> None:
    caller = start()
    _, after = after_of(caller)
    caller.control("POST", "advance", {"seconds": 1000})
    assert len(after_of(caller, after)[0]) == 90


def test_large_pages_may_be_too_slow(start: Start) -> None:
    caller = start(slow_page=50)
    ids = caller.ids(limit=50)
    assert [caller.query(limit=limit).status_code for limit in (50, 51)] == [200, 504]
    assert [caller.combined(limit=limit).status_code for limit in (50, 51)] == [200, 504]
    assert [caller.entities(some).status_code for some in (ids, [*ids, "x"])] == [200, 504]


def test_entities_may_take_fewer_ids(start: Start) -> None:
    caller = start(entities_max_ids=10)
    assert [caller.entities(caller.ids(limit=size)).status_code for size in (10, 11)] == [200, 413]


@pytest.mark.parametrize(
    ("mode", "status", "text"),
    [("missing_404", 404, "404: Page Not Found"), ("refuse_403", 403, "access denied, authorization failed")],
)
def test_combined_may_not_be_there(start: Start, mode: str, status: int, text: str) -> None:
    answer = start(combined_mode=mode).combined()
    assert (answer.status_code, message(answer)) == (status, text)


def test_a_filter_with_certain_fields_may_be_a_500(start: Start) -> None:
    caller = start(failing_fields="entities.sha256 tags")
    assert caller.query("status:'new'").status_code == 200
    for statement in ("tags:'x'", "(status:'new',entities.sha256:'x')"):
        assert caller.query(statement).status_code == 500
        assert caller.combined(filter=statement).status_code == 500
        spec = {"type": "terms", "field": "status", "filter": statement}
        assert caller.send("POST", AGGREGATES, json=[spec]).status_code == 500


def test_a_url_has_at_most_8192_characters(start: Start) -> None:
    caller = start()
    room = 8192 - len(QUERIES) - len("?filter=%27%27") - len("status%3A")
    assert caller.query(f"status:'{'x' * room}'").status_code == 200
    assert caller.query(f"status:'{'x' * (room + 1)}'").status_code == 414
    assert caller.combined(filter=f"status:'{'x' * (room + 1)}'").status_code == 200


def test_the_alert_endpoints_may_be_marked_as_deprecated(start: Start) -> None:
    assert not [name for name in start().query().headers if "Deprecation" in name]
    caller = start(deprecation="use v9")
    assert caller.query().headers["X-Api-Deprecation"] == "use v9"
    assert caller.combined().headers["X-Api-Deprecation-Date"] == "2027-06-30"
    assert "X-Api-Deprecation" not in caller.login().headers
