"""The report of query: alerts or chosen fields as a sheet, or the documents as Falcon sent them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

import msgspec

from falcon_bulk.model.alert import Alert, text
from falcon_bulk.model.alert_decoder import decode_alert, decode_document
from falcon_bulk.model.field_path import value_at
from falcon_bulk.model.hashes import own_hashes
from falcon_bulk.model.multi_customer import combined_exit_code
from falcon_bulk.report.formats import Format
from falcon_bulk.report.multi_customer import Parts, joined_sheet, multi_document, named_documents, results_of
from falcon_bulk.report.output import Sink
from falcon_bulk.report.report import Report
from falcon_bulk.report.sheet import Cell, Column, Linked, Row, Sheet, field_column, hash_column, host_column, id_column
from falcon_bulk.textsafe import falcon_link, safe_json

DocumentSource = Callable[[], Iterable[bytes]]

_COLUMNS = (
    id_column("composite_id", drop_order=9),
    Column("created_timestamp", style="time", min_width=19),
    Column("severity_name", style="severity", min_width=13),
    Column("status", min_width=11),
    Column("resolution", drop_order=7, min_width=14),
    Column("product", drop_order=5),
    Column("type", drop_order=8),
    Column("name", min_width=16),
    host_column("hostname"),
    Column("filename", drop_order=3, min_width=12),
    hash_column("sha256", drop_order=4),
    Column("assigned_to_name", drop_order=6),
)
_DETAIL_COLUMNS = (
    Column("tactic"),
    Column("technique"),
    Column("user_name"),
    Column("cmdline"),
    Column("tags"),
    Column("falcon_host_link"),
)

_DERIVED: dict[str, Callable[[Alert], str]] = {
    "hostname": lambda alert: alert.host,
    "name": lambda alert: alert.title,
    "severity_name": lambda alert: alert.severity_label,
    "sha256": lambda alert: text(alert.sha256) or ", ".join(own_hashes(alert)),
    "assigned_to_name": lambda alert: alert.assignee,
}
"""Headings whose values come from the first field that has one."""


@dataclass
class AlertDisplay:
    """What to show of each alert: fields, or the default columns, with details if asked for.

    fields: dot paths, or headings of the default columns. found: those of which an alert shown had a value.
    """

    fields: tuple[str, ...]
    details: bool
    found: set[str] = field(default_factory=set)

    def sheet(self, documents: Iterable[bytes]) -> Sheet:
        """Return the alerts as a sheet that reads the documents one by one."""
        if self.fields:
            return field_sheet(documents, self.fields, self.found)
        return alert_sheet(map(decode_alert, documents), self.details)

    def project(self, documents: Iterable[bytes]) -> Iterable[bytes]:
        """Return the documents as JSON has them: with the chosen fields only or, without any, as they came."""
        return (project(document, self.fields, self.found) for document in documents) if self.fields else documents

    @property
    def missing(self) -> list[str]:
        """The chosen fields that no alert shown had."""
        return [name for name in self.fields if name not in self.found]


def alerts_report(
    documents: DocumentSource, display: AlertDisplay, exit_code: int = 0, title: Callable[[], str] = str
) -> Report:
    """Return the report on alerts that are read while it is written.

    documents: gives them from the first on. title: gives the table's, once the first was read.
    """

    def write(sink: Sink, write_documents: Callable[..., None]) -> None:
        write_documents(display.project(documents()), sink.binary, terminal=sink.terminal)

    return Report(
        lambda: [replace(display.sheet(documents()), title=title())],
        lambda: {"alerts": map(decode_document, display.project(documents()))},
        writers={
            Format.JSON: lambda sink: write(sink, write_json),
            Format.JSONL: lambda sink: write(sink, write_jsonl),
        },
        exit_code=exit_code,
    )


def multi_alerts_report(parts: Parts[DocumentSource], display: AlertDisplay, title: str) -> Report:
    """Return the report on several customers' alerts, each with its customer."""

    def write_lines(sink: Sink) -> None:
        for customer, documents in results_of(parts):
            lines = named_documents(customer, display.project(documents()))
            write_jsonl(lines, sink.binary, terminal=sink.terminal)

    def sheet() -> Sheet:
        joined = joined_sheet([(name, display.sheet(documents())) for name, documents in results_of(parts)])
        return replace(joined, title=title)

    return Report(
        lambda: [sheet()],
        lambda: multi_document(parts),
        writers={Format.JSONL: write_lines},
        exit_code=combined_exit_code(parts),
    )


def count_report(total: int, exit_code: int) -> Report:
    """Return the report on a number of alerts: the number alone, which is valid in every format."""

    def write(sink: Sink) -> None:
        sink.binary.write(f"{total}\n".encode())

    return Report(list, lambda: {"alerts": total}, writers=dict.fromkeys(Format, write), exit_code=exit_code)


def alert_sheet(alerts: Iterable[Alert], details: bool) -> Sheet:
    """Return the alerts with the default columns, read one by one.

    details: add tactic, user, command line, tags and the console link, each alert as a block.
    """
    if details:
        rows = ((*_cells(alert), *_detail_cells(alert)) for alert in alerts)
        return Sheet("", _COLUMNS + _DETAIL_COLUMNS, rows, as_blocks=True)
    return Sheet("", _COLUMNS, map(_cells, alerts), common_above=True)


def field_sheet(documents: Iterable[bytes], fields: tuple[str, ...], found: set[str] | None = None) -> Sheet:
    """Return a column for each field, a row for each document; adds the fields that have a value to `found`.

    A field is a dot path (`device.hostname`) through objects and lists, or a heading of the default columns. All values
    are text: a list's are joined with commas, an object's is its JSON. Raises msgspec.DecodeError for a document that
    is not JSON.
    """
    rows = (list(map(_as_cell, _values(document, fields, found))) for document in documents)
    columns = (
        field_column(name, Column(name, style=_style(name), wrap=True, drop_order=place, min_width=12))
        for place, name in enumerate(fields)
    )
    return Sheet("", tuple(columns), rows)


def project(document: bytes, fields: tuple[str, ...], found: set[str] | None = None) -> bytes:
    """Return a JSON object of the fields in the given order, null where the document has none; see `field_sheet`.

    A path through a list returns the list of the values found there.
    """
    return msgspec.json.encode(dict(zip(fields, _values(document, fields, found), strict=True)))


def _values(document: bytes, fields: tuple[str, ...], found: set[str] | None) -> list[Any]:
    """Return the document's values. A heading stands for what the default table shows below it."""
    decoded = decode_document(document)
    alert = decode_alert(document) if not _DERIVED.keys().isdisjoint(fields) else None
    values = []
    for name in fields:
        derived = _DERIVED[name](alert) or None if alert and name in _DERIVED else None
        values.append(derived if derived is not None else value_at(decoded, name.split(".")))
    if found is not None and len(found) < len(fields):
        given = zip(fields, values, strict=True)  # a path through a list gives an empty list if no element has it
        found.update(name for name, value in given if value is not None and (value != [] or "." not in name))
    return values


def write_jsonl(documents: Iterable[bytes], stream: BinaryIO, *, terminal: bool) -> None:
    """Write the JSON documents byte for byte, one per line; a terminal gets invisible characters `\\u`-escaped."""
    for document in documents:
        stream.write(_one_line(document, terminal) + b"\n")


def write_json(documents: Iterable[bytes], stream: BinaryIO, *, terminal: bool) -> None:
    """Write the JSON documents as one array, each as `write_jsonl` does, while they are read.

    If reading them fails, the array is left incomplete.
    """
    separator = b"[\n"
    for document in documents:
        stream.write(separator + _one_line(document, terminal))
        separator = b",\n"
    stream.write(b"[]\n" if separator == b"[\n" else b"\n]\n")


def _cells(alert: Alert) -> Row:
    link = falcon_link(alert.falcon_host_link)
    return (
        alert.composite_id,
        text(alert.created_timestamp),
        alert.severity_label,
        text(alert.status),
        text(alert.resolution),
        text(alert.product),
        text(alert.type),
        Linked.to(link, alert.title),
        Linked.to(link, alert.host),
        text(alert.filename),
        _DERIVED["sha256"](alert),
        alert.assignee,
    )


def _detail_cells(alert: Alert) -> Row:
    link = falcon_link(alert.falcon_host_link)
    return (
        text(alert.tactic),
        text(alert.technique),
        text(alert.user_name),
        text(alert.cmdline),
        ", ".join(sorted(alert.tag_set)),
        Linked.to(link, link),
    )


def _style(field: str) -> str:
    return "time" if field.endswith("timestamp") else ""


def _as_cell(value: Any) -> Cell:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list):
        return ", ".join(str(cell) for item in value if (cell := _as_cell(item)) is not None)
    return msgspec.json.encode(value).decode()


def _one_line(document: bytes, terminal: bool) -> bytes:
    # Raw line breaks in JSON stand only between values, so a space does as well.
    line = document.replace(b"\n", b" ").replace(b"\r", b" ")
    return safe_json(line.decode(errors="replace")).encode() if terminal else line
