"""Aggregates v2, against Python's own counting."""

import json
from collections import Counter
from typing import Any

import pytest

from falcon_emulator.control import describe_alert
from falcon_emulator.documents import render
from falcon_emulator.timestamps import MILLISECOND, parse
from tests.support.http_caller import AGGREGATES, Caller, message

from .conftest import Start
from .test_fql import SHARED_LISTS


def ask(caller: Caller, *specs: dict[str, Any], **params: str) -> dict[str, Any]:
    """Results by name."""
    answer = caller.send("POST", AGGREGATES, json=list(specs), params=params)
    assert answer.status_code == 200, answer.text
    return {result["name"]: result for result in answer.json()["resources"]}


def one(caller: Caller, **spec: Any) -> dict[str, Any]:
    return dict(ask(caller, spec | {"name": "x"})["x"])


def counts(result: dict[str, Any]) -> dict[Any, int]:
    return {bucket["label"]: bucket["count"] for bucket in result["buckets"]}


def descriptions(caller: Caller) -> list[dict[str, Any]]:
    return [describe_alert(alert) for alert in caller.tenant.store.newest_first]


def test_terms_counts_by_value_most_frequent_first(shared: Caller) -> None:
    result = one(shared, type="terms", field="status")
    assert counts(result) == Counter(alert["status"] for alert in descriptions(shared))
    assert list(counts(result).values()) == sorted(counts(result).values(), reverse=True)
    assert result["sum_other_doc_count"] == 0


def test_terms_returns_its_size_and_counts_the_rest(shared: Caller) -> None:
    result = one(shared, type="terms", field="product", size=2)
    expected = Counter(alert["product"] for alert in descriptions(shared))
    assert counts(result) == dict(expected.most_common(2))
    assert result["sum_other_doc_count"] == 2000 - sum(counts(result).values())
    assert len(one(shared, type="terms", field="pattern_id")["buckets"]) == 10


def test_terms_sorts_by_pipe_only(shared: Caller) -> None:
    rising = one(shared, type="terms", field="status", sort="_count|asc")
    assert list(counts(rising).values()) == sorted(counts(rising).values())
    by_name = one(shared, type="terms", field="status", sort="_key|desc")
    assert list(counts(by_name)) == sorted(counts(by_name), reverse=True)
    answer = shared.send("POST", AGGREGATES, json=[{"type": "terms", "field": "status", "sort": "_count.desc"}])
    assert (answer.status_code, message(answer)) == (400, "failed to validate aggregates query(s)")


def test_terms_counts_an_alert_once_per_tag_and_the_missing_ones_if_asked(shared: Caller) -> None:
    expected = Counter(tag for alert in descriptions(shared) for tag in alert["tags"] or ())
    assert counts(one(shared, type="terms", field="tags", size=50)) == expected
    named = counts(one(shared, type="terms", field="severity_name", missing="none"))
    assert named["none"] == sum(alert["severity_name"] is None for alert in descriptions(shared))


def test_numbers_bools_and_times_have_their_keys_as_labels(shared: Caller) -> None:
    assert set(counts(one(shared, type="terms", field="severity"))) <= set(range(101))
    shown = one(shared, type="terms", field="show_in_ui")["buckets"]
    assert {(bucket["label"], bucket["key_as_string"]) for bucket in shown} == {(1, "true"), (0, "false")}
    moment = one(shared, type="terms", field="created_timestamp", size=1)["buckets"][0]
    assert moment["label"] > 1e12
    assert moment["key_as_string"].endswith("Z")


def test_filter_q_and_include_hidden_narrow(shared: Caller) -> None:
    everything = counts(one(shared, type="terms", field="status"))
    new = counts(one(shared, type="terms", field="status", filter="status:'new'"))
    assert new == {"new": everything["new"]}
    hidden = sum(alert["show_in_ui"] is False for alert in descriptions(shared))
    visible = ask(shared, {"type": "terms", "field": "status", "name": "x"}, include_hidden="false")["x"]
    assert sum(counts(visible).values()) == 2000 - hidden
    assert 0 < sum(counts(one(shared, type="terms", field="status", q="powershell.exe")).values()) < 2000


@pytest.mark.parametrize(
    ("interval", "length"),
    [("hour", 13), ("day", 10), ("week", 0), ("month", 7), ("quarter", 0), ("year", 4)],
)
def test_histograms_have_no_gaps_and_lose_nothing(shared: Caller, interval: str, length: int) -> None:
    result = one(shared, type="date_histogram", field="created_timestamp", interval=interval)
    starts = [bucket["key_as_string"] for bucket in result["buckets"]]
    assert sum(counts(result).values()) == 2000
    assert starts == sorted(starts)
    if length:
        expected = Counter(alert["created_timestamp"][:length] for alert in descriptions(shared))
        filled = {start[:length]: count for start, count in zip(starts, counts(result).values(), strict=True)}
        assert {key: count for key, count in filled.items() if count} == expected
    if interval in ("hour", "day", "week"):
        steps = {later - earlier for earlier, later in zip(counts(result), list(counts(result))[1:], strict=False)}
        assert steps == {{"hour": 1, "day": 24, "week": 168}[interval] * 3_600_000}


@pytest.mark.parametrize("name", [*SHARED_LISTS, "device.tags", "mitre_attack.tactic"])
def test_a_list_is_counted_once_for_each_of_its_elements(shared: Caller, name: str) -> None:
    head, *rest = name.split(".")
    expected: Counter[str] = Counter()
    for alert in shared.tenant.store.newest_first:
        found = json.loads(render(alert, alert.state)).get(head)
        if rest:
            items = found if isinstance(found, list) else [found or {}]
            found = [value for item in items for value in _listed(item.get(rest[0]))]
        expected.update(set(found or ()))
    assert counts(one(shared, type="terms", field=name, size=1000)) == dict(expected.most_common(1000))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def test_keys_can_be_sorted_included_and_percentiles_chosen(shared: Caller) -> None:
    everything = counts(one(shared, type="terms", field="status", sort="_key|asc"))
    assert list(everything) == sorted(everything)
    some = counts(one(shared, type="terms", field="status", include="new|c.*"))
    assert some == {name: everything[name] for name in ("new", "closed")}
    chosen = one(shared, type="percentiles", field="severity", percents=[50.0, 95.0])["buckets"]
    assert [bucket["label"] for bucket in chosen] == ["50.0", "95.0"]


def test_single_values_carry_the_count_of_what_they_were_computed_from(shared: Caller) -> None:
    with_severity = sum(alert["severity"] is not None for alert in descriptions(shared))
    for kind in ("min", "max", "avg", "sum"):
        (bucket,) = one(shared, type=kind, field="severity")["buckets"]
        assert bucket["count"] == with_severity
    (bucket,) = one(shared, type="cardinality", field="status")["buckets"]
    assert bucket == {"count": 2000, "value": 4}


def test_a_histogram_has_milliseconds_as_label_and_text(shared: Caller) -> None:
    for bucket in one(shared, type="date_histogram", field="created_timestamp", interval="day")["buckets"]:
        assert bucket["key_as_string"].endswith("T00:00:00.000Z")
        assert bucket["label"] == parse(bucket["key_as_string"], 0) // MILLISECOND


def test_a_time_zone_moves_the_days(shared: Caller) -> None:
    spec = {"type": "date_histogram", "field": "created_timestamp", "interval": "day"}
    result = one(shared, **spec, time_zone="+05:00")
    assert {bucket["key_as_string"][10:] for bucket in result["buckets"]} == {"T19:00:00.000Z"}
    assert sum(counts(result).values()) == 2000
    assert shared.send("POST", AGGREGATES, json=[spec | {"time_zone": "Mars"}]).status_code == 500


@pytest.mark.parametrize("mode", ["refused", "lowered"])
def test_a_size_above_the_limit_is_refused_or_lowered(start: Start, mode: str) -> None:
    caller = start(aggregates_max_size=2, aggregates_over_size=mode)
    answer = caller.send("POST", AGGREGATES, json=[{"type": "terms", "field": "status", "size": 3}])
    assert answer.status_code == (400 if mode == "refused" else 200)
    if mode == "lowered":
        (result,) = answer.json()["resources"]
        assert len(result["buckets"]) == 2
        assert result["sum_other_doc_count"] > 0


def test_the_number_of_other_alerts_may_be_absent(start: Start) -> None:
    assert "sum_other_doc_count" not in one(start(sum_other="absent"), type="terms", field="status", size=1)


@pytest.mark.parametrize("mode", ["works", "opaque_500"])
def test_minute_intervals_may_be_refused(start: Start, mode: str) -> None:
    caller = start(minute_histogram=mode)
    spec = {
        "type": "date_histogram",
        "field": "created_timestamp",
        "interval": "minute",
        "filter": "created_timestamp:>'now-2d'",
    }
    answer = caller.send("POST", AGGREGATES, json=[spec])
    assert answer.status_code == (200 if mode == "works" else 500)


def test_ranges_of_times_and_numbers(shared: Caller) -> None:
    ranges = [{"from": "now-7d", "to": "now"}, {"to": "now-7d"}]
    times = one(shared, type="date_range", field="created_timestamp", date_ranges=ranges)["buckets"]
    assert sum(bucket["count"] for bucket in times) == 2000
    assert times[0]["string_from"] == times[1]["string_to"]
    numbers = one(shared, type="range", field="severity", ranges=[{"From": 70, "To": 90}, {"From": 90}])
    severities = [alert["severity"] or 0 for alert in descriptions(shared)]
    assert list(counts(numbers).values()) == [
        sum(70 <= value < 90 for value in severities),
        sum(value >= 90 for value in severities),
    ]


def test_single_values(shared: Caller) -> None:
    severities = [alert["severity"] for alert in descriptions(shared) if alert["severity"] is not None]
    wanted = {"min": min(severities), "max": max(severities), "sum": sum(severities)}
    wanted |= {"avg": sum(severities) / len(severities), "cardinality": len(set(severities))}
    for kind, value in wanted.items():
        assert one(shared, type=kind, field="severity")["buckets"][0]["value"] == value
    latest = one(shared, type="max", field="created_timestamp")["buckets"][0]
    assert latest["key_as_string"][:19] == descriptions(shared)[0]["created_timestamp"][:19]
    percentiles = one(shared, type="percentiles", field="severity")["buckets"]
    assert {bucket["label"]: bucket["value"] for bucket in percentiles}["50.0"] == sorted(severities)[
        (len(severities) + 1) // 2 - 1
    ]


def test_sub_aggregates_count_within_their_bucket(shared: Caller) -> None:
    inner = {"type": "terms", "field": "status", "name": "y"}
    result = one(shared, type="terms", field="product", size=50, sub_aggregates=[inner])
    for bucket in result["buckets"]:
        (below,) = bucket["sub_aggregates"]
        assert sum(counts(below).values()) == bucket["count"]


def test_results_are_in_another_order_than_the_specs(shared: Caller) -> None:
    specs = [{"type": "terms", "field": "status", "name": str(number)} for number in range(8)]
    orders = [list(ask(shared, *specs)) for _ in range(5)]
    assert any(order != sorted(order) for order in orders)
    assert all(sorted(order) == [str(number) for number in range(8)] for order in orders)


@pytest.mark.parametrize("name", ["nothing", "comments.value", "entities.sha256", "quarantined_files.sha256"])
def test_an_unsupported_field_is_silently_empty(shared: Caller, name: str) -> None:
    assert one(shared, type="terms", field=name)["buckets"] == []


def test_entities_may_be_aggregated(start: Start) -> None:
    caller = start(aggregate_entities=True)
    assert one(caller, type="terms", field="entities.sha256")["buckets"]


@pytest.mark.parametrize(
    "spec",
    [
        {"type": "nonsense", "field": "status"},
        {"type": "date_histogram", "field": "created_timestamp"},
        {"type": "date_histogram", "field": "created_timestamp", "interval": "second"},
        {"type": "date_range", "field": "created_timestamp"},
        {"type": "range", "field": "severity"},
    ],
)
def test_an_unexpected_spec_is_an_opaque_500_at_any_depth(shared: Caller, spec: dict[str, Any]) -> None:
    outer = {"type": "terms", "field": "product", "sub_aggregates": [spec]}
    for body in ([spec], [outer]):
        answer = shared.send("POST", AGGREGATES, json=body)
        assert (answer.status_code, message(answer)) == (500, "Internal Server Error")


@pytest.mark.parametrize(
    "body",
    [
        {"type": "terms", "field": "status"},
        [{"type": "terms"}],
        [{"type": "terms", "field": "status", "size": 1001}],
        [{"type": "terms", "field": "status", "size": 0}],
        [{"type": "terms", "field": "status", "filter": "status:"}],
        "x",
    ],
)
def test_an_unreadable_body_is_400(shared: Caller, body: object) -> None:
    assert shared.send("POST", AGGREGATES, json=body).status_code == 400


def test_fields_that_are_ignored_change_nothing(shared: Caller) -> None:
    plain = one(shared, type="terms", field="status")
    ignored = {"exclude": "new", "from": 3, "min_doc_count": 10_000, "max_doc_count": 1, "filters_spec": {}}
    assert one(shared, type="terms", field="status", **ignored) == plain


@pytest.mark.parametrize(
    ("mode", "status"), [("refuse_500", 500), ("refuse_403", 403), ("undercount", 200), ("empty", 200)]
)
def test_aggregates_may_be_refused_or_wrong(start: Start, mode: str, status: int) -> None:
    caller = start(aggregates_mode=mode)
    answer = caller.send("POST", AGGREGATES, json=[{"type": "terms", "field": "status", "name": "x"}])
    assert answer.status_code == status
    if status == 200:
        counted = sum(bucket["count"] for bucket in answer.json()["resources"][0]["buckets"])
        assert counted == 0 if mode == "empty" else 150 < counted < 200


def test_labels_may_lose_their_case(start: Start) -> None:
    spec = {"type": "terms", "field": "severity_name", "name": "x"}
    kept = one(start(), **spec)["buckets"]
    folded = one(start(aggregates_mode="lower_case"), **spec)["buckets"]
    assert folded == [bucket | {"label": bucket["label"].lower()} for bucket in kept]
