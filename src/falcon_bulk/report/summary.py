"""What summary shows: a table for each field, and `falcon-bulk/summary/1`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from falcon_bulk.model.outliers import OutlierReport
from falcon_bulk.model.summary import Count, Summary
from falcon_bulk.report import chart
from falcon_bulk.report.multi_customer import joined_sheet
from falcon_bulk.report.outliers import outlier_rows_sheet, outlier_sheets, outliers_document
from falcon_bulk.report.page import Page
from falcon_bulk.report.sheet import Column, Row, Sheet, format_cell
from falcon_bulk.report.text_bars import bar

BAR = 24
GROUPS = 20
ALERTS_OF_GROUP = 10
_TIMES = ("day", "hour")


def summary_sheets(summary: Summary) -> list[Sheet]:
    """A sheet for each field, its counts with bars; the last one says how the total is made up.

    Where outliers were asked for, these come first.
    """
    sheets = [] if summary.outliers is None else _outliers(summary.customer, summary.outliers)
    sheets += [
        Sheet(
            f"{summary.customer}: {format_cell(summary.alerts_read)} alerts by {field}",
            (
                Column("alerts", right=True),
                Column("share", style="bar", spare=1, least=BAR),
                Column(field, style="severity" if field == "severity" else "ends"),
            ),
            [_row(count, counts) for count in counts],
            flat=_all_counts(summary),
        )
        for field, counts in summary.by.items()
    ]
    visible = summary.alerts_read - summary.hidden
    total = f"{format_cell(summary.alerts_read)} alerts"
    parity = f"{format_cell(visible)} visible + {format_cell(summary.hidden)} hidden = {total}"
    notes = [f"{parity}. The console shows the visible ones.", f"Filter: {summary.filter}"]
    if summary.source == "aggregates":
        notes.insert(1, "Counted by Falcon and held against its total and its newest alerts; the others were not read.")
    return [*sheets, Sheet("", (), (), notes)]


def joined_sheets(summaries: Sequence[Summary]) -> list[Sheet]:
    """The sheets of several customers; csv shows the counts of them all, the customer in front."""
    flat = joined_sheet([(summary.customer, _flat(summary)) for summary in summaries])
    sheets = [sheet for summary in summaries for sheet in summary_sheets(summary)]
    return [replace(sheet, flat=flat) if sheet.flat else sheet for sheet in sheets]


def _flat(summary: Summary) -> Sheet:
    return _all_counts(summary) if summary.outliers is None else outlier_rows_sheet(summary.outliers)


def _all_counts(summary: Summary) -> Sheet:
    """The counts by all fields as one table; the share in percent."""
    columns = Column("by"), Column("value"), Column("alerts", right=True), Column("percent", right=True)
    total = summary.alerts_read or 1
    rows = [
        (field, _label(count), count.alerts, round(100 * count.alerts / total, 2))
        for field, counts in summary.by.items()
        for count in counts
    ]
    return Sheet("", columns, rows)


def summary_page(summary: Summary) -> Page:
    """The sheets with a chart for each field: bars, or a time line where every day or hour is known."""
    return Page(
        summary_sheets(summary),
        f"{summary.customer}: {format_cell(summary.alerts_read)} alerts",
        {"customer": summary.customer, "filter": summary.filter, "alerts read": summary.alerts_read},
        summary_charts(summary),
    )


def summary_charts(summary: Summary, of: str = "") -> tuple[chart.Chart, ...]:
    """A chart for each field. of: whose alerts these are, where a page shows several customers'."""
    title = f"{of}: alerts by" if of else "Alerts by"
    return tuple(_chart(f"{title} {field}", field, counts, summary.alerts_read) for field, counts in summary.by.items())


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


def _outliers(customer: str, comparison: OutlierReport) -> list[Sheet]:
    first, *others = outlier_sheets(comparison, GROUPS, ALERTS_OF_GROUP)
    title = f"{customer}: {first.title}" if first.title else ""
    return [replace(first, title=title, flat=outlier_rows_sheet(comparison)), *others]


def summary_document(summary: Summary) -> dict[str, Any]:
    """`falcon-bulk/summary/1`."""
    return {
        "schema": "falcon-bulk/summary/1",
        "customer": summary.customer,
        "generated_at": summary.generated_at,
        "filter": summary.filter,
        "alerts_read": summary.alerts_read,
        "hidden": summary.hidden,
        "source": summary.source,
        "by": {field: [_document(count) for count in counts] for field, counts in summary.by.items()},
    } | ({} if summary.outliers is None else outliers_document(summary.outliers))


def _document(count: Count) -> dict[str, Any]:
    value = list(count.value) if isinstance(count.value, tuple) else count.value
    return {"value": value, "alerts": count.alerts} | ({"rest": True} if count.rest else {})


def _row(count: Count, counts: tuple[Count, ...]) -> Row:
    most = max(one.alerts for one in counts if not one.rest)
    return count.alerts, "" if count.rest else bar(count.alerts, most, BAR), _label(count)


def _label(count: Count) -> str:
    if count.rest:
        return "all others"
    values = count.value if isinstance(count.value, tuple) else (count.value,)
    return " × ".join(value if value is not None else "none" for value in values)
