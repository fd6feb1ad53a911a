"""What is proposed for alerts that recur, how times and ages are counted, and how durations read."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from falcon_bulk.model.alert import ReportedAlert
from falcon_bulk.model.alert_decoder import decode_as
from falcon_bulk.model.period_report import ClosedAs, PeriodCounts, Proposal, ResolutionSeconds
from falcon_bulk.operations.counting.period_counts import count_period, propose
from falcon_bulk.operations.reading.alert_document import AlertDocument
from falcon_bulk.report.times import readable_duration

NOW = datetime(2026, 11, 30, tzinfo=UTC)
HASH = "ab" * 32


def counts(*alerts: dict[str, Any], top: int = 10) -> PeriodCounts:
    usual = {"created_timestamp": "2026-11-29T12:00:00Z", "status": "closed", "product": "epp", "name": "Adware"}
    raw = [
        msgspec.Raw(msgspec.json.encode({"composite_id": f"cid:ind:{number}", **usual, **alert}))
        for number, alert in enumerate(alerts)
    ]
    page = [AlertDocument(decode_as(ReportedAlert, document), document) for document in raw]
    return count_period([page], as_of=NOW, top=top)


@pytest.mark.parametrize(
    ("closed_as", "proposal"),
    [
        (ClosedAs(), Proposal.DECIDE),
        (ClosedAs(none=50), Proposal.DECIDE),
        (ClosedAs(false_positive=2), Proposal.DECIDE),
        (ClosedAs(false_positive=3), Proposal.CLOSING_RULE),
        (ClosedAs(false_positive=1, ignored=2), Proposal.CLOSING_RULE),
        (ClosedAs(true_positive=1), Proposal.FIND_CAUSE),
        (ClosedAs(true_positive=1, ignored=1), Proposal.REVIEW),
        (ClosedAs(true_positive=1, false_positive=90), Proposal.REVIEW),
    ],
)
def test_a_proposal_follows_from_all_that_were_decided(closed_as: ClosedAs, proposal: Proposal) -> None:
    assert propose(closed_as) is proposal


def test_zero_seconds_to_resolution_are_none_and_open_alerts_have_none() -> None:
    times = [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, None, "fast", True, -5]
    closed = ({"seconds_to_resolved": seconds} for seconds in times)
    found = counts(*closed, {"status": "new", "seconds_to_resolved": 9})
    assert found.resolution_seconds == ResolutionSeconds(median=55.0, p90=90, alerts=10)
    assert counts({"seconds_to_resolved": 0}).resolution_seconds == ResolutionSeconds(median=None, p90=None, alerts=0)


def test_a_resolution_that_is_none_of_ours_counts_as_none() -> None:
    resolutions = ("false_positive", "true_positive", "ignored", "", None, "pending", 7)
    found = counts(*({"resolution": resolution} for resolution in resolutions))
    assert found.by_resolution == ClosedAs(false_positive=1, true_positive=1, ignored=1, none=4)
    assert found.false_positive_rate.rate == 0.5


def test_open_alerts_are_counted_by_age() -> None:
    created = (
        "2026-11-29T12:00:00Z",
        "2026-11-24T00:00:00Z",
        "2026-11-02T00:00:00Z",
        "2026-10-31T00:00:00Z",
        "?",
        None,
    )
    found = counts(*({"status": "in_progress", "created_timestamp": moment} for moment in created))
    ages = found.open.by_age
    assert (ages.under_1_day, ages.under_7_days, ages.under_30_days, ages.older) == (1, 1, 1, 3)
    assert found.open.alerts == 6


def test_alerts_recur_by_hash_and_without_one_by_name() -> None:
    days = [{"created_timestamp": f"2026-11-{day:02}T08:00:00Z"} for day in (1, 1, 2, 3, 3)]
    hashed = [{**day, "sha256": HASH, "filename": "tool.exe", "resolution": "ignored"} for day in days]
    named = [{**day, "name": "Login failed"} for day in days]
    found = counts(*hashed, *named).recurring
    assert [(one.sha256, one.name, one.alerts, one.days, one.proposal) for one in found] == [
        ("", "Login failed", 5, 3, Proposal.DECIDE),
        (HASH, "Adware", 5, 3, Proposal.CLOSING_RULE),
    ]
    assert counts(*hashed[:4]).recurring == (), "too few"
    assert counts(*hashed[:3], *hashed[:3]).recurring == (), "on too few days"


def test_the_most_frequent_come_first_and_no_more_than_asked_for() -> None:
    found = counts({"name": "B"}, {"name": "A"}, {"name": "C"}, {"name": "C"}, {"name": None}, top=2)
    assert [(name.value, name.alerts) for name in found.names] == [("C", 2), ("A", 1)]
    assert found.created == 5


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (12_000, "3 h 20 min"),
        (172_799, "47 h 59 min"),
        (183_600, "2 d 3 h"),
    ],
)
def test_a_duration_is_read_in_two_units(seconds: float, text: str) -> None:
    assert readable_duration(seconds) == text
