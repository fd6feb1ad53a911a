"""Falcon's counts are used only if nothing contradicts them."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from falcon_bulk.errors import BadFilter, Rejected, Unreachable, WrongTenant
from falcon_bulk.falcon.aggregates import AggregateCounts, AggregateQuery
from falcon_bulk.falcon.page import Page
from falcon_bulk.model.selection import Selection
from falcon_bulk.model.summary import Summary
from falcon_bulk.operations.counting.field_summary import summarize_on_server

CID, OTHER_CID = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"


class Falcon:
    """Ten alerts, six of them High, counted as `values` say; `newest` is the newest of them."""

    def __init__(self, **newest: Any) -> None:
        self.newest = {
            "composite_id": f"{CID}:ind:1",
            "cid": CID,
            "created_timestamp": "2026-11-24T08:30:00Z",
            "severity_name": "High",
            "severity": 70,
            "product": "epp",
        } | newest
        self.values: dict[str, list[tuple[Any, int]]] = {
            "severity_name": [("High", 6), ("Low", 1)],
            "severity": [(50, 1), ("95", 1)],
            "product": [("epp", 10)],
        }
        self.others = 0
        self.total, self.hidden, self.lacking, self.of_cids = 10, 2, 1, 10
        self.refuses = False
        self.filters: list[str] = []

    def count(self, fql: str) -> int:
        self.filters.append(fql)
        if "cid:" in fql:
            return self.of_cids
        return self.lacking if "!'*'" in fql else self.hidden if "show_in_ui" in fql else self.total

    def page(self, fql: str, *, after: str = "", sort: str = "", limit: int = 100) -> Page:
        return Page([msgspec.Raw(msgspec.json.encode(self.newest))] if self.newest else [], self.total, "")

    def count_by_value(self, asked: Sequence[AggregateQuery]) -> list[AggregateCounts]:
        if self.refuses:
            raise Unreachable("500")
        self.filters += [one.fql for one in asked]
        return [AggregateCounts(self.values[one.field], self.others) for one in asked]


def counts(
    falcon: Falcon, *by: str, cids: Sequence[str] = (CID,), selection: Selection | None = None
) -> Summary | None:
    return summarize_on_server(
        falcon,
        selection or Selection(),
        by,
        10,
        cids=cids,
        in_flight=2,
        customer="acme",
        generated_at="2026-11-24T09:00:00Z",
    )


def test_an_alert_without_a_severity_name_counts_by_its_number_and_without_both_as_none() -> None:
    summary = counts(Falcon(), "severity", "product")
    assert summary is not None
    assert summary.source == "aggregates"
    assert (summary.alerts_read, summary.hidden) == (10, 2)
    found = {count.value: count.alerts for count in summary.by["severity"]}
    assert found == {"High": 6, "Low": 1, "Medium": 1, "Critical": 1, None: 1}


def test_the_filter_of_the_selection_is_in_parentheses_in_every_request() -> None:
    falcon = Falcon()
    assert counts(falcon, "severity", selection=Selection(filter="a:'1',b:'2'"))
    assert len(falcon.filters) == 6
    assert all(fql.startswith("((a:'1',b:'2'))") for fql in falcon.filters)
    assert "((a:'1',b:'2'))+severity_name:!'*'+severity:!'*'" in falcon.filters


DOUBTS: dict[str, Callable[[Falcon], None]] = {
    "values beyond the most frequent ones": lambda falcon: setattr(falcon, "others", 1),
    "fewer alerts counted than there are": lambda falcon: setattr(falcon, "total", 11),
    "an alert counted for each of several values": lambda falcon: falcon.values["severity_name"].append(("Low", 1)),
    "alerts that lack the field and are not told": lambda falcon: setattr(falcon, "lacking", 0),
    "an empty label": lambda falcon: falcon.values.update(severity_name=[("High", 6), ("", 1)]),
    "a label that is no text": lambda falcon: falcon.values.update(severity_name=[("High", 6), (None, 1)]),
    "a severity that is no number": lambda falcon: falcon.values.update(severity=[("high", 2)]),
    "texts without their case": lambda falcon: falcon.values.update(severity_name=[("high", 6), ("low", 1)]),
    "texts without their case beside a severity by number": lambda falcon: falcon.values.update(
        severity_name=[("high", 6), ("low", 1)], severity=[(70, 2)]
    ),
    "a newest alert that was not counted": lambda falcon: falcon.newest.update(severity_name="Critical?"),
    "no alert to compare with": lambda falcon: falcon.newest.clear(),
    "alerts of another CID": lambda falcon: setattr(falcon, "of_cids", 9),
    "a refusal": lambda falcon: setattr(falcon, "refuses", True),
}


@pytest.mark.parametrize("doubt", DOUBTS)
def test_falcon_does_not_count_if_there_is(doubt: str) -> None:
    falcon = Falcon()
    assert counts(falcon, "severity") is not None
    DOUBTS[doubt](falcon)
    assert counts(falcon, "severity") is None


@pytest.mark.parametrize(
    ("start", "day"),
    [(datetime(2026, 11, 24, tzinfo=UTC), "2026-11-24"), (datetime(2026, 11, 23, 23, tzinfo=UTC), None), (None, None)],
)
def test_days_of_another_time_zone_are_not_used(start: datetime | None, day: str | None) -> None:
    falcon = Falcon()
    falcon.values["created_timestamp"] = [(start, 10)]
    summary = counts(falcon, "day")
    assert (summary and summary.by["day"][0].value) == day


def test_the_newest_alert_of_another_cid_is_the_wrong_tenant() -> None:
    with pytest.raises(WrongTenant, match=OTHER_CID):
        counts(Falcon(cid=OTHER_CID), "product")
    assert counts(Falcon(cid=OTHER_CID), "product", cids=()) is not None


def test_a_filter_that_falcon_refuses_is_not_retried() -> None:
    falcon = Falcon()

    def refuse(fql: str) -> int:
        raise Rejected("400", status=400)

    falcon.count = refuse  # type: ignore[method-assign]
    with pytest.raises(Rejected):
        counts(falcon, "product")


@pytest.mark.parametrize("beside", ["severity:!'*'", "cid:"])
def test_the_alerts_are_read_if_falcon_refuses_a_count_beside_the_selection(beside: str) -> None:
    falcon = Falcon()
    count = falcon.count

    def refuse(fql: str) -> int:
        if beside in fql:
            raise BadFilter("Falcon refuses the filter: no wildcard here.", status=400)
        return count(fql)

    falcon.count = refuse  # type: ignore[method-assign]
    assert counts(falcon, "severity") is None


def test_without_alerts_nothing_is_counted() -> None:
    falcon = Falcon()
    falcon.total = falcon.hidden = falcon.lacking = falcon.of_cids = 0
    falcon.values, falcon.newest = {name: [] for name in falcon.values}, {}
    summary = counts(falcon, "severity", "product")
    assert summary is not None
    assert summary.by == {"severity": (), "product": ()}
