"""The report of summary: alerts counted by fields."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec

from falcon_bulk.model.outliers import OutlierReport
from falcon_bulk.model.plural import counted
from falcon_bulk.model.summary import Count, Summary
from falcon_bulk.model.vocabulary import SEVERITY_NAMES
from falcon_bulk.report import chart
from falcon_bulk.report.multi_customer import joined_sheet
from falcon_bulk.report.outliers import (
    OutliersDocument,
    groups_with_outliers,
    outlier_rows_sheet,
    outlier_sheets,
    outliers_document,
)
from falcon_bulk.report.page import Page
from falcon_bulk.report.report import Report
from falcon_bulk.report.sheet import Column, Row, Sheet, field_column, format_cell
from falcon_bulk.report.text_bars import bar

BAR = 24
MAX_GROUPS = 20
MAX_EXAMPLES = 10
_TIMES = ("day", "hour")
LEGEND = {
    "Alert": "what the Falcon console calls a detection",
    "None": "the alert has no value in this field",
    "All others": "values that have no row of their own here",
    "Hidden": "alerts that the console does not show",
}
"""The terms of the page."""


class SummaryDocument(msgspec.Struct, frozen=True, kw_only=True, tag_field="schema", tag="falcon-bulk/summary/1"):
    """`falcon-bulk/summary/1`."""

    customer: str
    generated_at: str
    filter: str
    alerts_read: int
    hidden: int
    source: str
    by: dict[str, tuple[Count, ...]]
    outliers: OutliersDocument | msgspec.UnsetType = msgspec.UNSET
    incomplete: tuple[str, ...] = ()


def summary_report(summary: Summary, exit_code: int, period: str = "") -> Report:
    """Return the report on a summary. period: the days of the selection, for the page's title."""
    return Report(
        lambda: summary_sheets(summary),
        lambda: summary_document(summary),
        lambda: summary_page(summary, period),
        exit_code=exit_code,
    )


def summary_sheets(summary: Summary) -> list[Sheet]:
    """Return a sheet for each field, its counts with bars; notes on the last one explain the total.

    Outliers come first, if they were requested.
    """
    sheets = [] if summary.outliers is None else _outliers(summary.customer, summary.outliers)
    sheets += [
        Sheet(
            f"{summary.customer}: {counted(summary.alerts_read, 'alert')} by {_in_words(field)}",
            (
                Column("alerts", right=True),
                Column("share", style="bar", drop_order=1, min_width=BAR),
                field_column(field, Column(field, style="severity" if field == "severity" else "ends")),
            ),
            [_row(count, counts) for count in counts],
            csv_sheet=_all_counts(summary),
        )
        for field, counts in summary.by.items()
    ]
    visible = summary.alerts_read - summary.hidden
    total = counted(summary.alerts_read, "alert")
    parity = f"{format_cell(visible)} visible + {format_cell(summary.hidden)} hidden = {total}"
    notes = [f"{parity}. The console shows the visible ones.", f"Filter: {summary.filter}"]
    if summary.source == "aggregates":
        notes.insert(
            1, "Counts from Falcon, checked against its total and the newest alerts; the others were not read."
        )
    notes += [f"Incomplete: {reason}" for reason in summary.incomplete]
    return [*sheets, Sheet("", (), (), notes)]


def joined_sheets(summaries: Sequence[Summary]) -> list[Sheet]:
    """Return the sheets of several customers; csv has the counts of all of them, with a column for the customer."""
    counts = joined_sheet([(summary.customer, _csv_sheet(summary)) for summary in summaries])
    counts = replace(counts, rows=list(counts.rows))  # standard output and a file are written from the same sheets
    sheets = [sheet for summary in summaries for sheet in summary_sheets(summary)]
    return [replace(sheet, csv_sheet=counts) if sheet.csv_sheet else sheet for sheet in sheets]


def _csv_sheet(summary: Summary) -> Sheet:
    return _all_counts(summary) if summary.outliers is None else outlier_rows_sheet(summary.outliers)


def _all_counts(summary: Summary) -> Sheet:
    """Return the counts by all fields as one table; the share in percent."""
    columns = Column("by"), Column("value"), Column("alerts", right=True), Column("percent", right=True)
    total = summary.alerts_read or 1
    rows = [
        (field, _label(count), count.alerts, round(100 * count.alerts / total, 2))
        for field, counts in summary.by.items()
        for count in counts
    ]
    return Sheet("", columns, rows)


def summary_page(summary: Summary, period: str = "") -> Page:
    """Return the sheets with a chart for each field: bars, or a timeline if every day or hour is known."""
    return Page(
        summary_sheets(msgspec.structs.replace(summary, by=_severities_in_order(summary.by))),
        f"{summary.customer}: {counted(summary.alerts_read, 'alert')}",
        {"customer": summary.customer, "filter": summary.filter, "alerts read": summary.alerts_read},
        summary_charts(summary),
        period,
        LEGEND,
    )


def summary_charts(summary: Summary, of: str = "") -> tuple[chart.Chart, ...]:
    """Return a chart for each field. of: the customer, on a page of several."""
    title = f"{of}: alerts by" if of else "Alerts by"
    return tuple(
        _chart(f"{title} {_in_words(field)}", field, counts, summary.alerts_read)
        for field, counts in _severities_in_order(summary.by).items()
    )


def _chart(title: str, field: str, counts: tuple[Count, ...], total: int) -> chart.Chart:
    if field in _TIMES and not any(count.rest for count in counts):
        return chart.timeline(title, {_label(count): count.alerts for count in counts}, field)
    return chart.bars(title, [_bar(count, field) for count in counts], total)


def _bar(count: Count, field: str) -> chart.Bar:
    if count.rest:
        return chart.Bar(_label(count), count.alerts, chart.REST)
    if field == "severity":
        return chart.severity_bar(_label(count), count.alerts)
    return chart.Bar(_label(count), count.alerts)


def _outliers(customer: str, report: OutlierReport) -> list[Sheet]:
    first, *others = outlier_sheets(report, MAX_GROUPS, MAX_EXAMPLES)
    title = f"{customer}: {first.title}" if first.title else ""
    return [replace(first, title=title, csv_sheet=outlier_rows_sheet(report)), *others]


def summary_document(summary: Summary) -> SummaryDocument:
    """Return the document of a summary."""
    report = summary.outliers
    outliers = msgspec.UNSET if report is None else outliers_document(groups_with_outliers(report))
    return SummaryDocument(**msgspec.structs.asdict(summary) | {"outliers": outliers})


def _row(count: Count, counts: tuple[Count, ...]) -> Row:
    largest = max(value.alerts for value in counts if not value.rest)
    return count.alerts, "" if count.rest else bar(count.alerts, largest, BAR), _label(count)


def _severities_in_order(by: Mapping[str, tuple[Count, ...]]) -> dict[str, tuple[Count, ...]]:
    """Return the counts with the severities from the highest to the lowest, as all pages have them."""
    ranks = {name: rank for rank, name in enumerate(SEVERITY_NAMES)}

    def rank(count: Count) -> int:
        return len(ranks) if count.rest else ranks.get(_label(count), len(ranks))

    return {field: tuple(sorted(counts, key=rank)) if field == "severity" else counts for field, counts in by.items()}


def _in_words(field: str) -> str:
    return field.replace("*", " × ")


def _label(count: Count) -> str:
    if count.rest:
        return "all others"
    values = count.value if isinstance(count.value, tuple) else (count.value,)
    return " × ".join(value if value is not None else "none" for value in values)
