"""The report of hash-summary: alerts counted by SHA256."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

import msgspec

from falcon_bulk.model.hash_summary import HashCount, HashSummary, RelatedHash
from falcon_bulk.model.plural import counted
from falcon_bulk.report import chart
from falcon_bulk.report.page import Page
from falcon_bulk.report.report import Report
from falcon_bulk.report.sheet import Column, Row, Sheet, format_cell, hash_column

_COLUMNS = (
    Column("alerts", right=True, bar=True),
    hash_column("sha256"),
    hash_column("md5", drop_order=9),
    Column("hosts", right=True),
    Column("max_severity", right=True, style="severity", min_width=12),
    Column("by_status", drop_order=3, min_width=20),
    Column("by_product", drop_order=7, min_width=16),
    Column("first_seen", style="time", drop_order=6, min_width=19),
    Column("last_seen", style="time", drop_order=5, min_width=19),
    Column("filenames", min_width=18),
    Column("names", drop_order=4, min_width=18),
    Column("fields", drop_order=8, min_width=16),
)
_RELATED_COLUMNS = (
    Column("alerts", right=True, bar=True),
    hash_column("sha256"),
    hash_column("md5", drop_order=3),
    Column("fields", drop_order=2, min_width=21),
    Column("filenames", min_width=12),
)
_SHORT_HASH = 12
_NOT_SELECTED = "For information: --hash does not select alerts by them."
LEGEND = {
    "Alert": "what the Falcon console calls a detection",
    "SHA256": "identifies a file; click one to select all of it for copying",
    "Alerts, hosts": "how many alerts have the hash, and on how many hosts",
    "Highest severity": "of these alerts, from 1 to 100",
    "Status": "how many of these alerts have it now",
    "First seen, last seen": "when the oldest and the newest of these alerts were created",
}
"""The terms of the page."""


class HashSummaryDocument(HashSummary, frozen=True, kw_only=True, tag_field="schema", tag="falcon-bulk/hash-summary/1"):
    """`falcon-bulk/hash-summary/1`."""

    unique_hashes: int


def hash_summary_report(summary: HashSummary, top: int | None, exit_code: int, period: str = "") -> Report:
    """Return the report on a summary.

    top: how many hashes the tables show at most. period: the days of the selection, for the page's title.
    """
    return Report(
        lambda: hash_summary_sheets(summary, top),
        lambda: hash_summary_document(summary),
        lambda: hash_summary_page(summary, top, period),
        exit_code=exit_code,
    )


def hash_summary_sheets(summary: HashSummary, top: int | None) -> list[Sheet]:
    """Return a sheet of alerts' own hashes and, if there are any, one of related hashes; most frequent first.

    Of more than `top` only the first, with a note on the rest.
    """
    sheets = [_own_sheet(summary, top)]
    if summary.related:
        number = counted(len(summary.related), "hash", "hashes")
        title = f"{summary.customer}: {number} seen only as parent, quarantined or written files"
        notes = [_NOT_SELECTED, *_not_shown(summary.related, top)]
        sheets.append(Sheet(title, _RELATED_COLUMNS, map(_related_row, summary.related[:top]), notes))
    return sheets


def _own_sheet(summary: HashSummary, top: int | None) -> Sheet:
    notes = [f"Filter: {summary.filter}"] if summary.filter else []
    notes += [f"Incomplete: {reason}" for reason in summary.incomplete]
    notes += _not_shown(summary.hashes, top)
    hashes = counted(len(summary.hashes), "hash", "hashes")
    alerts = counted(summary.alerts_read, "alert")
    title = f"{summary.customer}: {hashes} in {format_cell(summary.alerts_with_hash)} of {alerts}"
    shown = summary.hashes[:top]
    exact = Sheet("", _COLUMNS, map(partial(_row, field_names=", ".join), shown))
    return Sheet(title, _COLUMNS, map(partial(_row, field_names=_short_names), shown), notes, csv_sheet=exact)


def _not_shown(hashes: Sequence[HashCount] | Sequence[RelatedHash], top: int | None) -> list[str]:
    if top is None or len(hashes) <= top:
        return []
    numbers = f"{format_cell(len(hashes) - top)} of {format_cell(len(hashes))} hashes"
    return [f"Not shown: {numbers}, with at most {counted(hashes[top].alerts, 'alert')} each."]


def hash_summary_page(summary: HashSummary, top: int | None, period: str = "") -> Page:
    """Return the sheets with charts: the most frequent hashes, and all alerts read by severity, product and day."""
    sheet, *others = [_page_sheet(sheet) for sheet in hash_summary_sheets(summary, top)]
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
            chart.bars("The most frequent hashes", map(_bar, summary.hashes[: chart.MAX_BARS]), read),
            chart.bars("Alerts by severity", chart.severities(summary.by_severity), read),
            chart.bars("Alerts by product", chart.by_frequency(summary.by_product), read),
            chart.timeline("Alerts by day (created, UTC)", summary.by_day, "day"),
        ),
        period,
        LEGEND,
    )


def _page_sheet(sheet: Sheet) -> Sheet:
    """Return the sheet without the columns and the note that mean nothing to those who only read a report."""
    kept = [place for place, column in enumerate(sheet.columns) if column.title not in ("md5", "fields")]
    columns = [sheet.columns[place] for place in kept]
    rows = [[row[place] for place in kept] for row in sheet.rows]
    return replace(sheet, columns=columns, rows=rows, notes=[note for note in sheet.notes if note != _NOT_SELECTED])


def hash_summary_document(summary: HashSummary) -> HashSummaryDocument:
    """Return the document of a summary, with all hashes, which iterators give so that they are written one by one."""
    fields = msgspec.structs.asdict(summary) | {"hashes": iter(summary.hashes), "related": iter(summary.related)}
    return HashSummaryDocument(**fields, unique_hashes=len(summary.hashes))


def _row(count: HashCount, field_names: Callable[[Iterable[str]], str]) -> Row:
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
        field_names((*count.fields, *count.other_fields)),
    )


def _related_row(related: RelatedHash) -> Row:
    return related.alerts, related.sha256, related.md5, _short_names(related.fields), ", ".join(related.filenames)


def _short_names(fields: Iterable[str]) -> str:
    """Shorten parent_details.sha256 to `parent`: a hash may be in ten fields. CSV and JSON have the full names."""
    first = (field.partition(".")[0].removesuffix("_details").removesuffix("_files") for field in fields)
    return ", ".join(dict.fromkeys(first))


def _bar(count: HashCount) -> chart.Bar:
    return chart.Bar(" ".join([count.sha256[:_SHORT_HASH], *count.filenames[:1]]), count.alerts)


def _counts(counts: dict[str, int]) -> str:
    by_frequency = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{value or 'none'} {number}" for value, number in by_frequency)
