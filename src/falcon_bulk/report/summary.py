"""What summary shows: a table for each field, and `falcon-bulk/summary/1`."""

from typing import Any

from falcon_bulk.model.summary import Count, Summary
from falcon_bulk.report.sheet import Column, Row, Sheet, shown

BAR = 24


def summary_sheets(summary: Summary) -> list[Sheet]:
    """A sheet for each field, its counts with bars; the last one says how the total is made up."""
    sheets = [
        Sheet(
            f"{summary.customer}: {shown(summary.alerts_read)} alerts by {field}",
            (Column("alerts", right=True), Column("share", spare=1, least=BAR), Column(field)),
            [_row(count, counts) for count in counts],
        )
        for field, counts in summary.by.items()
    ]
    visible = summary.alerts_read - summary.hidden
    parity = f"{shown(visible)} visible + {shown(summary.hidden)} hidden = {shown(summary.alerts_read)} alerts"
    return [*sheets, Sheet("", (), (), (f"{parity}. The console shows the visible ones.", f"Filter: {summary.filter}"))]


def summary_document(summary: Summary) -> dict[str, Any]:
    """`falcon-bulk/summary/1`."""
    return {
        "schema": "falcon-bulk/summary/1",
        "customer": summary.customer,
        "generated_at": summary.generated_at,
        "filter": summary.filter,
        "alerts_read": summary.alerts_read,
        "hidden": summary.hidden,
        "by": {field: [_document(count) for count in counts] for field, counts in summary.by.items()},
    }


def _document(count: Count) -> dict[str, Any]:
    value = list(count.value) if isinstance(count.value, tuple) else count.value
    return {"value": value, "alerts": count.alerts} | ({"rest": True} if count.rest else {})


def _row(count: Count, counts: tuple[Count, ...]) -> Row:
    most = max(one.alerts for one in counts if not one.rest)
    width = min(BAR, max(1, round(BAR * count.alerts / most)))
    return count.alerts, "" if count.rest else "█" * width, _label(count)


def _label(count: Count) -> str:
    if count.rest:
        return "all others"
    values = count.value if isinstance(count.value, tuple) else (count.value,)
    return " × ".join(value if value is not None else "none" for value in values)
