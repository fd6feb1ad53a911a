"""Counts that contradict each other are asked once more, and never shown as they are."""

from collections.abc import Sequence

import msgspec
import pytest

from falcon_bulk.errors import WrongTenant
from falcon_bulk.model.overview import CustomerOverview, NewAlerts, most_urgent_first, overview_total
from falcon_bulk.operations.counting.waiting_alerts import count_waiting_alerts
from falcon_bulk.report.overview import age

CID = "0123456789abcdef0123456789abcdef"


class Falcon:
    """A tenant with these counts of new alerts; `unassigned` has one for each time that it is asked."""

    def __init__(self, total: int, assigned: int, *unassigned: int, critical: int = 1, high: int = 2) -> None:
        self.total, self.assigned, self.unassigned = total, assigned, list(unassigned)
        self.critical, self.high = critical, high
        self.requests = 0

    def count(self, fql: str) -> int:
        self.requests += 1
        if "assigned_to_name:!'*'" in fql:
            return self.unassigned.pop(0)
        if "assigned_to_name:'*'" in fql:
            return self.assigned
        if "Critical" in fql or "High" in fql:
            return self.critical if "Critical" in fql else self.high
        return self.total if "'new'" in fql else 0

    def ids(self, fql: str, *, offset: int = 0, limit: int = 1, sort: str = "") -> tuple[list[str], int]:
        self.requests += 1
        return [f"{CID}:ind:{len(fql)}"], self.total

    def by_id(self, ids: Sequence[str]) -> list[msgspec.Raw]:
        self.requests += 1
        documents = (
            {"composite_id": composite_id, "cid": CID, "created_timestamp": "2026-11-01T08:00:00Z"}
            for composite_id in ids
        )
        return [msgspec.Raw(msgspec.json.encode(document)) for document in documents]


def test_counts_that_agree_take_nine_requests() -> None:
    falcon = Falcon(10, 4, 6)
    waiting = count_waiting_alerts(falcon, (CID,), in_flight=4)
    assert (waiting.new, waiting.unassigned) == (NewAlerts(critical=1, high=2, other=7), 6)
    assert (waiting.cid, waiting.oldest_new) == (CID, "2026-11-01T08:00:00Z")
    assert falcon.requests == 9


def test_counts_that_changed_in_between_are_asked_once_more() -> None:
    falcon = Falcon(10, 4, 5, 6)
    assert count_waiting_alerts(falcon, (CID,), in_flight=4).unassigned == 6
    assert falcon.requests == 11


def test_counts_that_go_on_contradicting_each_other_are_not_known() -> None:
    falcon = Falcon(10, 0, 0, 0)
    waiting = count_waiting_alerts(falcon, (), in_flight=1)
    assert waiting.unassigned is None
    assert waiting.new.total == 10
    assert falcon.requests == 11


def test_there_are_never_fewer_than_no_other_alerts() -> None:
    assert count_waiting_alerts(Falcon(2, 0, 2), (CID,), in_flight=1).new.other == 0


def test_an_alert_of_another_cid_is_refused() -> None:
    with pytest.raises(WrongTenant):
        count_waiting_alerts(Falcon(10, 4, 6), ("f" * 32,), in_flight=1)


def line(name: str, critical: int = 0, high: int = 0, other: int = 0, **more: object) -> CustomerOverview:
    new = NewAlerts(critical=critical, high=high, other=other)
    return msgspec.structs.replace(CustomerOverview(customer=name, cid=CID, new=new), **more)


def test_the_most_urgent_customer_comes_first() -> None:
    expected = [
        CustomerOverview(customer="unseen", cid=None, problem="down"),
        line("critical", 1),
        line("high", high=9),
        line("unfinished", unfinished="261128aaaaaa"),
        line("reopened", reopened=1),
        line("many", other=10),
        line("older", other=2, oldest_new="2026-11-01T08:00:00Z"),
        line("newer", other=2, oldest_new="2026-11-02T08:00:00Z"),
        line("calm-1"),
        line("calm-2"),
    ]
    assert most_urgent_first(reversed(expected)) == expected
    total = overview_total(expected)
    assert (total.customers, total.counted, total.problems, total.unfinished) == (10, 9, 1, 1)
    assert total.new == NewAlerts(critical=1, high=9, other=14)
    assert total.oldest_new == "2026-11-01T08:00:00Z"


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        ("2026-11-28T11:59:30Z", "0m"),
        ("2026-11-28T11:19:00.123456789Z", "40m"),
        ("2026-11-26T12:30:00Z", "47h"),
        ("2026-11-16T12:00:00Z", "12d"),
        ("2026-11-28T12:00:05Z", "0m"),
        ("yesterday", ""),
    ],
)
def test_an_age_is_short(moment: str, shown: str) -> None:
    assert age(moment, "2026-11-28T12:00:00Z") == shown
