"""queries v2, entities v2, combined v1 and the envelope around them."""

import gzip
import http.client
import json

import pytest

from falcon_emulator.alert_records import Alert
from tests.support.http_caller import COMBINED, ENTITIES, QUERIES, Caller, message

from .conftest import Start


def pages(caller: Caller, **body: object) -> list[str]:
    """Ids of all pages of combined, in order."""
    seen: list[str] = []
    while True:
        answer = caller.combined(**body).json()
        seen += [document["composite_id"] for document in answer["resources"]]
        body["after"] = answer["meta"]["pagination"].get("after")
        if not body["after"]:
            return seen


def newest_first(alert: Alert) -> tuple[int, str]:
    return -(alert.created // 1_000_000), alert.composite_id


def test_queries_answers_100_ids_newest_first(shared: Caller) -> None:
    answer = shared.query().json()
    assert answer["meta"]["pagination"] == {"offset": 0, "limit": 100, "total": 2000}
    alerts = sorted(shared.tenant.store.by_id.values(), key=newest_first)
    assert answer["resources"] == [alert.composite_id for alert in alerts[:100]]
    assert {"query_time", "powered_by", "trace_id"} <= answer["meta"].keys()
    assert answer["meta"]["powered_by"] == "detectsapi"


def test_queries_pages_by_offset(shared: Caller) -> None:
    everything = shared.ids()
    assert shared.query(limit=7, offset=1990).json()["resources"] == everything[1990:1997]
    assert shared.query(limit=0).json()["resources"] == []


@pytest.mark.parametrize("wrong", [{"limit": 10_001}, {"limit": -1}, {"limit": "ten"}, {"offset": "x"}])
def test_queries_refuses_limits_out_of_range(shared: Caller, wrong: dict[str, object]) -> None:
    assert shared.query(**wrong).status_code == 400


def test_an_older_queries_allows_at_most_1000(start: Start) -> None:
    caller = start(queries_max_limit=1000)
    assert caller.query(limit=1000).status_code == 200
    assert caller.query(limit=1001).status_code == 400


@pytest.mark.parametrize("status", [500, 400])
def test_the_window_ends_at_10000(start: Start, status: int) -> None:
    caller = start(window_error=status)
    assert caller.query(offset=9900, limit=100).status_code == 200
    answer = caller.query(offset=9901, limit=100)
    assert answer.status_code == status
    assert message(answer) == "Internal Server Error" or "less than or equal to 10000" in message(answer)


def test_include_hidden_is_a_query_parameter(shared: Caller) -> None:
    hidden = {alert.composite_id for alert in shared.tenant.store.newest_first if alert.state.show_in_ui is False}
    assert hidden
    visible = shared.query(limit=10_000, include_hidden="false").json()["resources"]
    assert set(visible) == set(shared.ids()) - hidden
    some = list(hidden)[:10]
    assert len(shared.entities(some).json()["resources"]) == len(some)
    assert shared.entities(some, include_hidden="false").json()["resources"] == []
    in_body = shared.send("POST", ENTITIES, json={"composite_ids": some, "include_hidden": False})
    assert len(in_body.json()["resources"]) == len(some)
    assert shared.query(include_hidden="True").status_code == 400


def test_q_searches_the_whole_document(shared: Caller) -> None:
    hostname = shared.document(shared.ids("device.hostname:'*'")[0])["device"]["hostname"]
    found = shared.query(q=hostname.lower(), limit=10_000).json()["resources"]
    assert found
    assert all(hostname in json.dumps(document) for document in shared.entities(found).json()["resources"])


def test_entities_come_in_any_order(shared: Caller) -> None:
    ids = shared.ids()[:200]
    answer = shared.entities(ids).json()
    returned = [document["composite_id"] for document in answer["resources"]]
    assert sorted(returned) == sorted(ids)
    assert returned != ids
    assert "pagination" not in answer["meta"]


def test_more_than_1000_ids_are_413(shared: Caller) -> None:
    assert shared.entities(["x"] * 1000).status_code == 200
    answer = shared.entities(["x"] * 1001)
    assert (answer.status_code, message(answer)) == (413, "request too large")


@pytest.mark.parametrize("body", [{"ids": ["a"]}, {"composite_ids": []}, {}, {"composite_ids": "a"}, [], None])
def test_entities_without_composite_ids_is_400(shared: Caller, body: object) -> None:
    answer = shared.send("POST", ENTITIES, data=json.dumps(body))
    assert answer.status_code == 400
    if body == {"ids": ["a"]}:
        assert message(answer) == "invalid element in the request"


@pytest.mark.parametrize("mode", ["silent", "errors"])
def test_unknown_ids_are_missing(start: Start, mode: str) -> None:
    caller = start(unknown_entity=mode)
    known = caller.ids()[0]
    answer = caller.entities([known, "nobody"]).json()
    assert [document["composite_id"] for document in answer["resources"]] == [known]
    assert [entry["id"] for entry in answer["errors"] or []] == (["nobody"] if mode == "errors" else [])


def test_combined_has_a_limit_of_1000_and_100_by_default(shared: Caller) -> None:
    assert len(shared.combined().json()["resources"]) == 100
    assert len(shared.combined(limit=1000).json()["resources"]) == 1000
    assert shared.combined(limit=1001).status_code == 400
    assert shared.combined(limit="many").status_code == 400


def test_combined_pages_with_after_in_the_body(shared: Caller) -> None:
    assert pages(shared, limit=300) == shared.ids()
    first = shared.combined(limit=10).json()
    after = first["meta"]["pagination"]["after"]
    ignored = shared.send("POST", COMBINED, json={"limit": 10}, params={"after": after}).json()
    assert [document["composite_id"] for document in ignored["resources"]] == [
        document["composite_id"] for document in first["resources"]
    ]


@pytest.mark.parametrize("sort", ["severity|asc", "severity.desc", "updated_timestamp|asc", "status|desc"])
def test_combined_pages_in_any_order_without_loss(shared: Caller, sort: str) -> None:
    seen = pages(shared, limit=170, sort=sort)
    assert len(seen) == 2000
    assert sorted(seen) == sorted(shared.ids())


def test_an_after_belongs_to_its_filter_and_sort(shared: Caller) -> None:
    after = shared.combined(limit=10).json()["meta"]["pagination"]["after"]
    for body in ({"filter": "status:'new'"}, {"sort": "severity|asc"}):
        assert shared.combined(limit=10, after=after, **body).status_code == 400
    for garbled in ("x", "e30=", after[:-4]):
        assert shared.combined(limit=10, after=garbled).status_code == 400


@pytest.mark.parametrize(("mode", "last"), [("empty", {"after": ""}), ("absent", {})])
def test_the_last_page_has_no_after(start: Start, mode: str, last: dict[str, str]) -> None:
    pagination = start(last_after=mode).combined(limit=1000).json()["meta"]["pagination"]
    assert pagination == {"limit": 1000, "total": 200} | last


def test_paging_over_arrivals_and_edits_loses_none_and_repeats_none(start: Start) -> None:
    caller = start(alerts=400, burst=150)
    before, seen, body = set(caller.ids()), [], {"limit": 50, "sort": "created_timestamp|desc"}
    while True:
        answer = caller.combined(**body).json()
        seen += [document["composite_id"] for document in answer["resources"]]
        assert answer["meta"]["pagination"]["total"] == len(caller.ids())
        caller.control("POST", "arrive", {"count": 3})
        caller.control("POST", "edit", {"composite_ids": seen[-5:], "set": {"status": "closed"}})
        body["after"] = answer["meta"]["pagination"]["after"]
        if not body["after"]:
            break
    assert len(seen) == len(set(seen))
    assert set(seen) == before


def test_offset_paging_of_what_is_being_closed_skips_half(start: Start) -> None:
    caller = start()
    before = set(caller.ids("status:'new'"))
    closed: set[str] = set()
    offset = 0
    while page := caller.query("status:'new'", limit=20, offset=offset).json()["resources"]:
        caller.patch(page, ("update_status", "closed"))
        closed |= set(page)
        offset += 20
    assert 0.4 < len(closed) / len(before) < 0.7


@pytest.mark.parametrize("hidden", ["included", "omitted"])
def test_combined_may_leave_out_hidden_alerts(start: Start, hidden: str) -> None:
    caller = start(combined_hidden=hidden)
    shown = [document.get("show_in_ui") for document in caller.combined(limit=1000).json()["resources"]]
    assert (False in shown) is (hidden == "included")


@pytest.mark.parametrize("sort", ["name|asc", "nothing|asc", "severity|up", "severity", "description.desc"])
def test_an_invalid_sort_is_the_default_order(shared: Caller, sort: str) -> None:
    assert shared.query(sort=sort, limit=50).json()["resources"] == shared.ids()[:50]


def test_alerts_without_a_value_sort_last(shared: Caller) -> None:
    for sort in ("severity|asc", "severity|desc"):
        ids = shared.query(sort=sort, limit=10_000).json()["resources"]
        severities = [shared.tenant.store.by_id[composite_id].shared("severity") for composite_id in ids]
        present = [value for value in severities if value is not None]
        assert present == sorted(present, reverse=sort.endswith("desc"))
        assert severities[len(present) :] == [None] * (len(severities) - len(present))


@pytest.mark.parametrize(("mode", "shown"), [("null", None), ("empty", []), ("absent", "absent")])
def test_an_answer_without_errors_shows_them_in_three_ways(start: Start, mode: str, shown: object) -> None:
    assert start(errors_when_none=mode).query().json().get("errors", "absent") == shown


@pytest.mark.parametrize(("mode", "shown"), [("null", None), ("empty", []), ("absent", "absent")])
def test_a_read_that_finds_nothing_shows_it_in_three_ways(start: Start, mode: str, shown: object) -> None:
    caller = start(resources_when_none=mode, partial_pages="always")
    nothing = "status:'nothing'"
    for answer in (caller.query(nothing), caller.combined(filter=nothing), caller.entities(["x"])):
        assert answer.status_code == 200
        assert answer.json().get("resources", "absent") == shown


def test_long_answers_are_compressed_if_the_client_accepts_it(shared: Caller) -> None:
    host, port = shared.url.removeprefix("http://").split(":")
    authorization = str(shared.session.headers["Authorization"])
    for accepted in ("gzip, deflate", "identity"):
        connection = http.client.HTTPConnection(host, int(port))
        headers = {"Authorization": authorization, "Accept-Encoding": accepted}
        connection.request("POST", COMBINED, '{"limit":1000}', headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        zipped = answer.headers["Content-Encoding"] == "gzip"
        assert zipped is (accepted != "identity")
        assert len(json.loads(gzip.decompress(body) if zipped else body)["resources"]) == 1000


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/alerts/entities/alerts/v1"),
        ("PATCH", "/alerts/entities/alerts/v2"),
        ("POST", QUERIES),
        ("GET", "/detects/queries/detects/v1"),
        ("GET", "/nowhere"),
    ],
)
def test_an_unknown_path_is_404(shared: Caller, method: str, path: str) -> None:
    answer = shared.send(method, path)
    assert answer.status_code == 404
    assert ("decommissioned as per TA" in message(answer)) is path.startswith("/detects/")


def test_queries_v1_is_answered_400(shared: Caller) -> None:
    assert shared.send("GET", "/alerts/queries/alerts/v1").status_code == 400
