"""What `hash-summary` prints: alerts counted by SHA256."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from falcon_bulk.model.hash_summary import HashCount, HashSummary, RelatedHash
from falcon_bulk.report import chart
from falcon_bulk.report.page import Page
from falcon_bulk.report.sheet import Column, Row, Sheet, format_cell

_COLUMNS = (
    Column("alerts", right=True, bar=True),
    Column("sha256", style="hash", least=64),
    Column("md5", style="hash", spare=9, least=32),
    Column("hosts", right=True, spare=2),
    Column("max_severity", right=True, style="severity", spare=4, least=12),
    Column("by_status", spare=3, least=20),
    Column("by_product", spare=7, least=16),
    Column("first_seen", style="time", spare=6, least=16),
    Column("last_seen", style="time", spare=5, least=16),
    Column("filenames", spare=2, least=18),
    Column("names", spare=3, least=18),
    Column("fields", spare=5, least=16),
)
_ELSEWHERE = (
    Column("alerts", right=True, bar=True),
    Column("sha256", style="hash", least=64),
    Column("md5", style="hash", spare=3, least=32),
    Column("fields", spare=2, least=21),
    Column("filenames", spare=2, least=12),
)
_SHORT_HASH = 12


def hash_summary_sheets(summary: HashSummary, top: int | None) -> list[Sheet]:
    """The hashes that are own and, where there are some, those that only stand elsewhere; most frequent first.

    Of more than `top` only the first, and a note on the rest.
    """
    sheets = [_own_sheet(summary, top)]
    if summary.related:
        title = f"{summary.customer}: {format_cell(len(summary.related))} hashes that are no alert's own"
        notes = ["They are shown and select nothing.", *_not_shown(summary.related, top)]
        sheets.append(Sheet(title, _ELSEWHERE, map(_elsewhere_row, summary.related[:top]), notes))
    return sheets


def _own_sheet(summary: HashSummary, top: int | None) -> Sheet:
    notes = [f"Filter: {summary.filter}"] if summary.filter else []
    notes += _not_shown(summary.hashes, top)
    title = (
        f"{summary.customer}: {format_cell(len(summary.hashes))} hashes in {format_cell(summary.alerts_with_hash)}"
        f" of {format_cell(summary.alerts_read)} alerts"
    )
    hashes = summary.hashes[:top]
    exact = Sheet("", _COLUMNS, map(partial(_row, said=", ".join), hashes))
    return Sheet(title, _COLUMNS, map(partial(_row, said=_in_short), hashes), notes, flat=exact)


def _not_shown(hashes: Sequence[HashCount] | Sequence[RelatedHash], top: int | None) -> list[str]:
    if top is None or len(hashes) <= top:
        return []
    numbers = f"{format_cell(len(hashes) - top)} of {format_cell(len(hashes))} hashes"
    return [f"Not shown: {numbers}, with at most {format_cell(hashes[top].alerts)} alerts each."]


def hash_summary_page(summary: HashSummary, top: int | None) -> Page:
    """The sheets with charts: the most frequent hashes, and all alerts read by severity, product and day."""
    sheet, *others = hash_summary_sheets(summary, top)
    read = summary.alerts_read
    return Page(
        [replace(sheet, title="Hashes"), *others],
        sheet.title,
        {
            "customer": summary.customer,
            "filter": summary.filter or "none",
            "alerts read": read,
            "with a hash": summary.alerts_with_hash,
        },
        (
            chart.bars("The most frequent hashes", map(_bar, summary.hashes[: chart.MOST_BARS]), read),
            chart.bars("Alerts by severity", chart.severities(summary.by_severity), read),
            chart.bars("Alerts by product", chart.most_first(summary.by_product), read),
            chart.timeline("Alerts by day (created, UTC)", summary.by_day, "day"),
        ),
    )


def hash_summary_document(summary: HashSummary) -> dict[str, Any]:
    """`falcon-bulk/hash-summary/1`, with all hashes."""
    return {
        "schema": "falcon-bulk/hash-summary/1",
        "customer": summary.customer,
        "generated_at": summary.generated_at,
        "filter": summary.filter,
        "alerts_read": summary.alerts_read,
        "alerts_with_hash": summary.alerts_with_hash,
        "unique_hashes": len(summary.hashes),
        "by_severity": dict(summary.by_severity),
        "by_product": dict(summary.by_product),
        "by_day": dict(summary.by_day),
        "hashes": [
            {
                "sha256": count.sha256,
                "md5": count.md5 or None,
                "alerts": count.alerts,
                "by_status": dict(count.by_status),
                "by_product": dict(count.by_product),
                "hosts": count.hosts,
                "max_severity": count.max_severity,
                "first_seen": count.first_seen,
                "last_seen": count.last_seen,
                "names": list(count.names),
                "filenames": list(count.filenames),
                "fields": list(count.fields),
                "other_fields": list(count.other_fields),
                "by_resolution": dict(count.by_resolution),
            }
            for count in summary.hashes
        ],
        "related": [
            {
                "sha256": one.sha256,
                "md5": one.md5 or None,
                "alerts": one.alerts,
                "fields": list(one.fields),
                "filenames": list(one.filenames),
            }
            for one in summary.related
        ],
    }


def _row(count: HashCount, said: Callable[[Iterable[str]], str]) -> Row:
    """said: the fields in which the hash stood, as text."""
    return (
        count.alerts,
        count.sha256,
        count.md5,
        count.hosts,
        count.max_severity,
        _counts(count.by_status),
        _counts(count.by_product),
        count.first_seen,
        count.last_seen,
        ", ".join(count.filenames),
        ", ".join(count.names),
        said((*count.fields, *count.other_fields)),
    )


def _elsewhere_row(one: RelatedHash) -> Row:
    return one.alerts, one.sha256, one.md5, _in_short(one.fields), ", ".join(one.filenames)


def _in_short(fields: Iterable[str]) -> str:
    """A hash may stand in ten fields: `parent` for parent_details.sha256. CSV and JSON have the whole names."""
    first = (field.partition(".")[0].removesuffix("_details").removesuffix("_files") for field in fields)
    return ", ".join(dict.fromkeys(first))


def _bar(count: HashCount) -> chart.Bar:
    return chart.Bar(" ".join([count.sha256[:_SHORT_HASH], *count.filenames[:1]]), count.alerts)


def _counts(counts: dict[str, int]) -> str:
    most_first = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{value or 'none'} {number}" for value, number in most_first)
