"""What the operations on alerts send, and how they read what comes back."""

from datetime import UTC, datetime

import pytest

from falcon_bulk.errors import Unreachable
from falcon_bulk.falcon.aggregates import AggregateCounts, AggregateQuery
from falcon_bulk.falcon.alerts import Alerts
from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.model.alert_decoder import composite_id_of, decode_alert
from falcon_bulk.model.plan import Action
from tests.support.scripted_falcon import (
    AGGREGATES,
    COMBINED,
    ENTITIES,
    PATCH,
    QUERY,
    Reply,
    ScriptedFalcon,
    an_envelope,
    good,
)

FQL = "(status:'new'+name:'C++ build')+created_timestamp:>='2026-11-01T00:00:00Z'"


@pytest.fixture
def alerts(tenant: Tenant) -> Alerts:
    return tenant.alerts


def test_counting_asks_for_one_alert_hidden_ones_included(falcon: ScriptedFalcon, alerts: Alerts) -> None:
    falcon.answer(QUERY, good(["a"], total=179_635))
    assert alerts.count(FQL) == 179_635
    (call,) = falcon.to(QUERY)
    assert call.method == "GET"
    assert call.query["limit"] == ["1"]
    assert call.query["include_hidden"] == ["true"]
    assert call.query["filter"] == [FQL]


def test_a_plus_in_a_filter_is_percent_encoded(falcon: ScriptedFalcon, alerts: Alerts) -> None:
    alerts.count("a:'1'+b:'2'")
    assert "filter=a%3A%271%27%2Bb%3A%272%27" in falcon.to(QUERY)[0].url


def test_without_a_filter_none_is_sent(falcon: ScriptedFalcon, alerts: Alerts) -> None:
    alerts.count("")
    alerts.page("")
    assert "filter" not in falcon.to(QUERY)[0].query
    assert falcon.to(COMBINED)[0].json == {"sort": "created_timestamp|asc", "limit": 1_000}


def test_ids_come_in_the_order_of_the_answer_with_the_total(falcon: ScriptedFalcon, alerts: Alerts) -> None:
    falcon.answer(QUERY, good(["c:1|2", "a:xdr|1", "b"], total=3))
    assert alerts.ids(FQL, offset=9_000, limit=1_000, sort="severity|desc") == (["c:1|2", "a:xdr|1", "b"], 3)
    asked = falcon.to(QUERY)[0].query
    assert (asked["offset"], asked["limit"], asked["sort"]) == (["9000"], ["1000"], ["severity|desc"])


@pytest.mark.parametrize("last", [{"total": 2, "after": ""}, {"total": 2}, {"total": 2, "after": None}])
def test_a_page_is_requested_in_the_body_and_the_last_page_has_no_after(
    last: dict[str, object], falcon: ScriptedFalcon, alerts: Alerts
) -> None:
    falcon.answer(
        COMBINED,
        Reply(200, an_envelope([{"composite_id": "a"}], pagination={"total": 2, "after": "b64=="})),
        Reply(200, an_envelope([{"composite_id": "b"}], pagination=last)),
    )
    first = alerts.page(FQL)
    second = alerts.page(FQL, after=first.after)
    assert (first.total, first.after, second.after) == (2, "b64==", "")
    first, second = falcon.to(COMBINED)
    assert first.method == "POST"
    assert first.query == second.query == {}
    assert first.json == {"sort": "created_timestamp|asc", "limit": 1_000, "filter": FQL}
    assert second.json == {**first.json, "after": "b64=="}


def a_page_of(*documents: bytes) -> Reply:
    joined = b",".join(documents)
    return Reply(200, b'{"meta":{"pagination":{"total":1}},"errors":null,"resources":[' + joined + b"]}")


def test_documents_are_handed_on_as_the_bytes_that_came(falcon: ScriptedFalcon, alerts: Alerts) -> None:
    document = b'{"composite_id":"a",  "x":1.0, "y":"\\u00FC\\ud83d\\uDE00", "z": 12345678901234567890123, "b":"\xff"}'
    falcon.answer(COMBINED, a_page_of(document))
    assert [bytes(raw) for raw in alerts.page("").documents] == [document]


@pytest.mark.parametrize(
    ("came", "read"),
    [
        (rb"a\ud800.exe", "a\ufffd.exe"),
        (rb"\uDFFF", "\ufffd"),
        (rb"\udc00\ud800", "\ufffd\ufffd"),
        (rb"\ud800\u0041", "\ufffdA"),
        (rb"\ud800\ud83d\ude00", "\ufffd\U0001f600"),
        (rb"\ud800\udbff\udfff", "\ufffd\U0010ffff"),
        (rb"\\ud800\ud800", "\\ud800\ufffd"),
        (rb"\"\ud800\"", '"\ufffd"'),
        (rb"C:\\uD8\\\ud800", "C:\\uD8\\\ufffd"),
    ],
)
def test_a_file_name_with_half_a_character_does_not_hide_its_page(
    came: bytes, read: str, falcon: ScriptedFalcon, alerts: Alerts
) -> None:
    harmless = b'{"composite_id":"b","filename":"C:\\\\ud800\\n\\u00e9"}'
    falcon.answer(COMBINED, a_page_of(b'{"composite_id":"a","filename":"' + came + b'"}', harmless))
    first, second = alerts.page("").documents
    assert decode_alert(first).filename == read
    assert bytes(second) == harmless
    assert len(falcon.to(COMBINED)) == 1


def test_hidden_alerts_are_read_and_changed_too(falcon: ScriptedFalcon, alerts: Alerts) -> None:
    alerts.by_id(["a"])
    alerts.update(["a"], (Action("update_status", "closed"),))
    for path in (ENTITIES, PATCH):
        assert falcon.to(path)[0].query == {"include_hidden": ["true"]}
        assert "include_hidden" not in falcon.to(path)[0].json


def test_a_change_sends_composite_ids_and_each_action_as_text_in_its_order(
    falcon: ScriptedFalcon, alerts: Alerts
) -> None:
    action_set = (
        Action("update_status", "closed"),
        Action("add_tag", "a"),
        Action("add_tag", "b"),
        Action("show_in_ui", "true"),
    )
    alerts.update(["c:1|2", "d"], action_set)
    (call,) = falcon.to(PATCH)
    assert call.method == "PATCH"
    assert call.json == {
        "composite_ids": ["c:1|2", "d"],
        "action_parameters": [
            {"name": "update_status", "value": "closed"},
            {"name": "add_tag", "value": "a"},
            {"name": "add_tag", "value": "b"},
            {"name": "show_in_ui", "value": "true"},
        ],
    }


def test_values_are_counted_in_one_request_hidden_alerts_included(falcon: ScriptedFalcon, alerts: Alerts) -> None:
    buckets = [{"label": "new", "count": 3}, {"label": "closed", "count": 0}]
    days = [{"label": 1763942400000, "key_as_string": "2025-11-24T00:00:00.000Z", "count": 2}]
    falcon.answer(
        AGGREGATES,
        good([{"name": "1", "buckets": days}, {"name": "0", "buckets": buckets, "sum_other_doc_count": 4}]),
    )
    asked = [
        AggregateQuery("status", FQL),
        AggregateQuery("created_timestamp", "", "day"),
        AggregateQuery("sha256", FQL),
    ]
    status, by_day, sha256 = alerts.count_by_value(asked)
    assert (status, sha256) == (AggregateCounts([("new", 3)], 4), AggregateCounts([], 0))
    assert by_day == AggregateCounts([(datetime(2025, 11, 24, tzinfo=UTC), 2)], 0)
    (call,) = falcon.to(AGGREGATES)
    assert call.query == {"include_hidden": ["true"]}
    terms = {"type": "terms", "size": 1_000, "sort": "_count|desc", "filter": FQL}
    assert call.json == [
        {"name": "0", "field": "status", **terms},
        {"name": "1", "field": "created_timestamp", "type": "date_histogram", "interval": "day", "filter": ""},
        {"name": "2", "field": "sha256", **terms},
    ]


def test_a_rejected_count_is_not_retried(falcon: ScriptedFalcon, alerts: Alerts) -> None:
    falcon.answer(AGGREGATES, Reply(500, b"{}"))
    with pytest.raises(Unreachable):
        alerts.count_by_value([AggregateQuery("status", "")])
    assert len(falcon.to(AGGREGATES)) == 1


@pytest.mark.parametrize("count", [None, "3", 2.5, [3]])
def test_counts_that_are_not_numbers_are_an_error(falcon: ScriptedFalcon, alerts: Alerts, count: object) -> None:
    falcon.answer(AGGREGATES, *[good([{"name": "hours", "buckets": [{"label": "2026-11-24T08", "count": count}]}])] * 2)
    with pytest.raises(Unreachable, match="counts"):
        alerts.count_by_hour(FQL)
    with pytest.raises(Unreachable, match="counts"):
        alerts.count_by_value([AggregateQuery("status", "")])


def test_an_alert_missing_from_an_answer_is_requested_again(falcon: ScriptedFalcon, alerts: Alerts) -> None:
    a, b = {"composite_id": "a"}, {"composite_id": "b"}
    falcon.answer(ENTITIES, good([b]), good([a]))
    assert {composite_id_of(raw) for raw in alerts.by_id(["a", "b", "b"])} == {"a", "b"}
    assert [call.json["composite_ids"] for call in falcon.to(ENTITIES)] == [["a", "b", "b"], ["a"]]


def test_an_alert_missing_twice_or_reported_unknown_is_missing(falcon: ScriptedFalcon, alerts: Alerts) -> None:
    falcon.answer(ENTITIES, good([{"composite_id": "b"}], errors=[{"code": 404, "message": "gone", "id": "c"}]), good())
    assert [composite_id_of(raw) for raw in alerts.by_id(["a", "b", "c"])] == ["b"]
    assert [call.json["composite_ids"] for call in falcon.to(ENTITIES)] == [["a", "b", "c"], ["a"]]
