"""Count the alerts that were created in a period: what came in, what became of it, what is open, what recurs."""

import statistics
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from math import ceil

from falcon_bulk.model.alert import ReportedAlert, text
from falcon_bulk.model.period_report import (
    ClosedAs,
    FalsePositiveRate,
    FrequentHash,
    FrequentValue,
    OpenByAge,
    PeriodCounts,
    Proposal,
    Recurring,
    ResolutionSeconds,
    StillOpen,
)
from falcon_bulk.model.vocabulary import Resolution, Status
from falcon_bulk.operations.reading.alert_document import AlertDocument

MIN_ALERTS = 5
MIN_DAYS = 3
"""Alerts recur if there are at least so many of one hash or name, on at least so many days."""
MIN_DECIDED = 3
"""Decided alerts of which all agree, before a closing rule is proposed."""

_OPEN, _NONE = "open", "none"
_RESOLUTIONS = frozenset(Resolution)


class _Group:
    """Alerts of one hash or name. Has no `Counter`, which is slow to create: there may be tens of thousands."""

    __slots__ = ("days", "filenames", "hosts", "names", "outcomes")

    def __init__(self) -> None:
        self.outcomes: dict[str, int] = {}
        self.days: set[str] = set()
        self.hosts: set[str] = set()
        self.names: dict[str, int] = {}
        self.filenames: dict[str, int] = {}

    def add(self, alert: ReportedAlert, outcome: str) -> None:
        """Count an alert of the group."""
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
        self.days.add(alert.day)
        if host := alert.host:
            self.hosts.add(host)
        for counts, value in ((self.names, alert.title), (self.filenames, text(alert.filename))):
            if value:
                counts[value] = counts.get(value, 0) + 1

    @property
    def alerts(self) -> int:
        """The number of alerts."""
        return sum(self.outcomes.values())


def count_period(pages: Iterable[list[AlertDocument[ReportedAlert]]], *, as_of: datetime, top: int) -> PeriodCounts:
    """Count alerts. as_of: the present, in UTC; top: how many names, hosts, hashes and recurring alerts to list."""
    severities, products, days, statuses = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    outcomes = Counter[str]()
    names: dict[str, dict[str, int]] = {}
    hosts: dict[str, dict[str, int]] = {}
    hashes: dict[str, _Group] = {}
    without_hash: dict[str, _Group] = {}
    open_since: list[str] = []
    seconds: list[float] = []
    for item in (item for page in pages for item in page):
        alert = item.alert
        outcome = _outcome(alert)
        severities[alert.severity_label] += 1
        products[text(alert.product)] += 1
        days[alert.day] += 1
        statuses[alert.status_name] += 1
        outcomes[outcome] += 1
        for by_value, value in ((names, alert.title), (hosts, alert.host)):
            if value:
                counts = by_value.setdefault(value, {})
                counts[outcome] = counts.get(outcome, 0) + 1
        own = item.own_hashes
        for sha256 in own:
            hashes.setdefault(sha256, _Group()).add(alert, outcome)
        if not own and alert.title:
            without_hash.setdefault(alert.title, _Group()).add(alert, outcome)
        if outcome == _OPEN:
            open_since.append(text(alert.created_timestamp))
        elif (taken := alert.resolution_seconds) is not None:
            seconds.append(taken)
    closed_as = _closed_as(outcomes)
    return PeriodCounts(
        created=outcomes.total(),
        by_severity=_sorted(severities),
        by_product=_sorted(products),
        by_day=dict(sorted(days.items())),
        by_status=_sorted(statuses),
        by_resolution=closed_as,
        open=_still_open(open_since, as_of),
        false_positive_rate=FalsePositiveRate.of(closed_as),
        resolution_seconds=_resolution_seconds(seconds),
        names=tuple(_frequent(names, top)),
        hosts=tuple(_frequent(hosts, top)),
        hashes=tuple(_frequent_hashes(hashes, top)),
        recurring=tuple(_recurring(hashes, without_hash, top)),
    )


def _outcome(alert: ReportedAlert) -> str:
    """Return `open`, or how a closed alert was resolved."""
    if alert.status_name != Status.CLOSED:
        return _OPEN
    resolution = text(alert.resolution)
    return resolution if resolution in _RESOLUTIONS else _NONE


def _closed_as(outcomes: dict[str, int]) -> ClosedAs:
    return ClosedAs(**{name: outcomes.get(name, 0) for name in ClosedAs.__struct_fields__})


def _sorted(counts: dict[str, int]) -> dict[str, int]:
    """Return the counts, most frequent first, then by name."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _frequent(by_value: dict[str, dict[str, int]], top: int) -> Iterator[FrequentValue]:
    for value, outcomes in sorted(by_value.items(), key=lambda item: (-sum(item[1].values()), item[0]))[:top]:
        yield FrequentValue(
            value=value,
            alerts=sum(outcomes.values()),
            open=outcomes.get(_OPEN, 0),
            closed_as=_closed_as(outcomes),
        )


def _frequent_hashes(hashes: dict[str, _Group], top: int) -> Iterator[FrequentHash]:
    for sha256, group in sorted(hashes.items(), key=lambda item: (-item[1].alerts, item[0]))[:top]:
        yield FrequentHash(
            sha256=sha256,
            filename=_most_frequent(group.filenames),
            alerts=group.alerts,
            open=group.outcomes.get(_OPEN, 0),
            closed_as=_closed_as(group.outcomes),
        )


def _most_frequent(counts: dict[str, int]) -> str:
    return min(counts, key=lambda value: (-counts[value], value), default="")


def _recurring(hashes: dict[str, _Group], without_hash: dict[str, _Group], top: int) -> Iterator[Recurring]:
    groups = [(sha256, _most_frequent(group.names), group) for sha256, group in hashes.items()]
    groups += [("", name, group) for name, group in without_hash.items()]
    recurring = [group for group in groups if group[2].alerts >= MIN_ALERTS and len(group[2].days) >= MIN_DAYS]
    recurring.sort(key=lambda group: (-group[2].alerts, group[0], group[1]))
    for sha256, name, group in recurring[:top]:
        closed_as = _closed_as(group.outcomes)
        yield Recurring(
            sha256=sha256,
            filename=_most_frequent(group.filenames) if sha256 else "",
            name=name,
            alerts=group.alerts,
            days=len(group.days),
            hosts=len(group.hosts),
            open=group.outcomes.get(_OPEN, 0),
            closed_as=closed_as,
            proposal=propose(closed_as),
        )


def propose(closed_as: ClosedAs) -> Proposal:
    """Return what to do about alerts that recur, by how those that are closed were resolved."""
    harmless, harmful = closed_as.false_positive + closed_as.ignored, closed_as.true_positive
    if harmful:
        return Proposal.REVIEW if harmless else Proposal.FIND_CAUSE
    return Proposal.CLOSING_RULE if harmless >= MIN_DECIDED else Proposal.DECIDE


def _still_open(created: list[str], as_of: datetime) -> StillOpen:
    ages: Counter[str] = Counter()
    for moment in created:
        ages[_age_name(moment, as_of)] += 1
    oldest = min(filter(None, created), default=None)
    return StillOpen(alerts=len(created), oldest=oldest, by_age=OpenByAge(**ages))


def _age_name(created: str, as_of: datetime) -> str:
    """Return the field of `OpenByAge` for an alert; one without a time that can be read counts as older."""
    try:
        age = as_of - datetime.fromisoformat(created)
    except (ValueError, TypeError):
        return "older"
    limits = (("under_1_day", 1), ("under_7_days", 7), ("under_30_days", 30))
    return next((name for name, limit in limits if age < timedelta(days=limit)), "older")


def _resolution_seconds(seconds: list[float]) -> ResolutionSeconds:
    """Return the median and the 90th percentile (the smallest value that 90 % do not exceed)."""
    if not seconds:
        return ResolutionSeconds(median=None, p90=None, alerts=0)
    seconds.sort()
    return ResolutionSeconds(
        median=statistics.median(seconds), p90=seconds[ceil(0.9 * len(seconds)) - 1], alerts=len(seconds)
    )
