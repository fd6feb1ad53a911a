"""The report of report: a customer's period as a page to hand over."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec

from falcon_bulk.model.period_report import (
    ClosedAs,
    FalsePositiveRate,
    FrequentHash,
    FrequentValue,
    OwnWork,
    Period,
    PeriodReport,
    Recurring,
    ReportedRun,
    ResolutionSeconds,
    RuleClosings,
    StillOpen,
)
from falcon_bulk.report import chart
from falcon_bulk.report.page import Page
from falcon_bulk.report.period_sheets import (
    OUTCOMES,
    chart_sheet,
    described_days,
    outcome_numbers,
    period_headline,
    period_sheets,
)
from falcon_bulk.report.report import Report
from falcon_bulk.report.sheet import Sheet
from falcon_bulk.report.times import describe_period

LEGEND = {
    "Alert": "what the Falcon console calls a detection",
    "Created": "alerts that came in during the period; their state is that of the time under “as of”",
    "False positive": "the alert was wrong; nothing harmful happened",
    "True positive": "the alert was right",
    "Ignored": "closed as not worth an investigation",
    "No resolution": "closed without saying which of these it was",
    "False-positive rate": "false positives among the alerts closed as false or true positives, without ignored ones",
    "Time to resolution": "from the creation of an alert until it was closed, where Falcon recorded it",
    "90th percentile": "nine of ten alerts were closed within this time",
    "SHA256": "identifies a file; click one to select all of it for copying",
}
"""The terms of the page."""
ACROSS_COLUMNS = (
    *("created", "open", "closed", "false positive", "true positive", "ignored", "no resolution"),
    *("runs", "closed by us", "undone"),
)


class PeriodReportDocument(msgspec.Struct, frozen=True, kw_only=True, tag_field="schema", tag="falcon-bulk/report/1"):
    """`falcon-bulk/report/1`."""

    customer: str
    period: Period
    as_of: str
    created: int
    by_severity: dict[str, int]
    by_product: dict[str, int]
    by_day: dict[str, int]
    by_status: dict[str, int]
    by_resolution: ClosedAs
    open: StillOpen
    held: dict[str, int]
    ours: OwnWork
    by_rule: Sequence[RuleClosings]
    runs: Sequence[ReportedRun]
    false_positive_rate: FalsePositiveRate
    resolution_seconds: ResolutionSeconds
    names: Sequence[FrequentValue]
    hosts: Sequence[FrequentValue]
    hashes: Sequence[FrequentHash]
    recurring: Sequence[Recurring]


def period_report_report(report: PeriodReport, *, names_operators: bool) -> Report:
    """Return the report on a period. names_operators: whether it may name persons."""
    return Report(
        lambda: _sheets_without_charts(report),
        lambda: report_document(report),
        lambda: report_page(report),
        title=period_headline(report),
        names_author=names_operators,
    )


def report_document(report: PeriodReport) -> PeriodReportDocument:
    """Return the document of a report."""
    counts, journal = msgspec.structs.asdict(report.counts), msgspec.structs.asdict(report.journal)
    return PeriodReportDocument(customer=report.customer, period=report.period, as_of=report.as_of, **counts, **journal)


def report_page(report: PeriodReport) -> Page:
    """Return the sheets with charts of what came in and what became of it."""
    first, *others = period_sheets(report)
    return Page(
        [replace(first, title="Key figures"), *others],
        f"Falcon alerts of {report.customer}",
        {"customer": report.customer, "period": described_days(report), "as of": report.as_of},
        _charts(report) if report.counts.created else (),
        described_days(report),
        LEGEND,
    )


def _sheets_without_charts(report: PeriodReport) -> list[Sheet]:
    """Return the sheets, with a table in place of each chart of what came in."""
    first, *others = period_sheets(report)
    charts = zip(_charts_of_created(report), ("severity", "product", "day"), strict=True)
    return [first, *(chart_sheet(*chart_and_label) for chart_and_label in charts if report.counts.created), *others]


def across_cells(report: PeriodReport) -> tuple[int, ...]:
    """Return the numbers of a report in the table across customers."""
    counts, ours, closed = report.counts, report.journal.ours, report.counts.by_resolution
    return (
        *(counts.created, counts.open.alerts, closed.total),
        *(closed.false_positive, closed.true_positive, closed.ignored, closed.none),
        *(ours.runs, ours.closed, ours.undone),
    )


def across_sheet(customers: Sheet, reports: Sequence[PeriodReport]) -> Sheet:
    """Return the customers' sheet with the period in its title, and a total: the sums of their reports."""
    period = f"{described_days(reports[0])}: " if reports else ""
    total = [sum(column) for column in zip(*map(across_cells, reports), strict=True)] or [0] * len(ACROSS_COLUMNS)
    return replace(customers, title=f"{period}{customers.title}", rows=[*customers.rows, ("total", "", *total)])


def _charts(report: PeriodReport) -> tuple[chart.Chart, ...]:
    counts = report.counts
    outcomes = zip(OUTCOMES, outcome_numbers(counts.open.alerts, counts.by_resolution), strict=True)
    by_severity, *others = _charts_of_created(report)
    became = chart.bars("What became of them", [chart.Bar(*outcome) for outcome in outcomes], counts.created)
    return (by_severity, became, *others)


def _charts_of_created(report: PeriodReport) -> tuple[chart.Chart, ...]:
    counts = report.counts
    return (
        chart.bars("Alerts by severity", chart.severities(counts.by_severity), counts.created),
        chart.bars("Alerts by product", chart.by_frequency(counts.by_product), counts.created),
        chart.timeline("Alerts by day (created, UTC)", _every_day(report), "day"),
    )


def _every_day(report: PeriodReport) -> Mapping[str, int]:
    """Return the alerts by day, with the first and the last day of the period also without any."""
    first, _, last = describe_period(report.period.since, min(report.period.until, report.as_of), "").partition(" to ")
    return {first: 0, last or first: 0, **report.counts.by_day}
