"""What `query` prints: alerts as a sheet, chosen fields as a sheet, or the documents as Falcon sent them."""

from collections.abc import Iterable
from typing import Any, BinaryIO

import msgspec

from falcon_bulk.model.alert import Alert, decode_document, text
from falcon_bulk.model.field_path import value_at
from falcon_bulk.model.hashes import own_hashes
from falcon_bulk.report.sheet import Cell, Column, Row, Sheet
from falcon_bulk.textsafe import falcon_link, safe_json

_COLUMNS = (
    Column("composite_id", spare=9, least=120),
    Column("created_timestamp", style="time", spare=1, least=17),
    Column("severity_name", style="severity", least=13),
    Column("status", least=11),
    Column("resolution", spare=7, least=14),
    Column("product", spare=5),
    Column("type", spare=8),
    Column("name"),
    Column("hostname", spare=2),
    Column("filename", spare=3),
    Column("sha256", style="hash", spare=4, least=12),
    Column("assigned_to_name", spare=6),
)
_DETAIL_COLUMNS = (
    Column("tactic"),
    Column("technique"),
    Column("user_name"),
    Column("cmdline"),
    Column("tags"),
    Column("falcon_host_link"),
)

DEFAULT_FIELDS = tuple(column.title for column in _COLUMNS)
"""The columns without `--fields`, named as in the documents."""


def alert_sheet(alerts: Iterable[Alert], details: bool) -> Sheet:
    """The alerts with the default columns; details adds what an analyst judges by, and the console link.

    The alerts may be an iterator and are taken one by one.
    """
    if details:
        rows = ((*_cells(alert), *_detail_cells(alert)) for alert in alerts)
        return Sheet("", _COLUMNS + _DETAIL_COLUMNS, rows, stacked=True)
    return Sheet("", _COLUMNS, map(_cells, alerts))


def field_sheet(documents: Iterable[bytes], fields: tuple[str, ...]) -> Sheet:
    """A column for each field, a row for each document.

    A field is a dot path (`device.hostname`) that leads through objects and lists. All values are text: a
    list's are joined with a comma, an object's is its JSON. Raises msgspec.DecodeError for what is no JSON.
    """
    rows = (_field_row(document, fields) for document in documents)
    return Sheet("", tuple(Column(field, spare=place) for place, field in enumerate(fields)), rows)


def project(document: bytes, fields: tuple[str, ...]) -> bytes:
    """A JSON object of the fields (dot paths) in the given order; null where the document has none.

    Through a list a path gives the list of what it finds there.
    """
    decoded = decode_document(document)
    return msgspec.json.encode({field: value_at(decoded, field.split(".")) for field in fields})


def write_jsonl(documents: Iterable[bytes], stream: BinaryIO, *, terminal: bool) -> None:
    """Write the JSON documents byte for byte, one a line; on a terminal what is not seen is `\\u`-escaped."""
    for document in documents:
        stream.write(_one_line(document, terminal) + b"\n")


def write_json(documents: Iterable[bytes], stream: BinaryIO, *, terminal: bool) -> None:
    """Write the JSON documents as one array, each as `write_jsonl` does, as they come.

    If the documents break off with an exception, so does the array.
    """
    separator = b"[\n"
    for document in documents:
        stream.write(separator + _one_line(document, terminal))
        separator = b",\n"
    stream.write(b"[]\n" if separator == b"[\n" else b"\n]\n")


def _cells(alert: Alert) -> Row:
    return (
        alert.composite_id,
        text(alert.created_timestamp),
        alert.severity_label,
        text(alert.status),
        text(alert.resolution),
        text(alert.product),
        text(alert.type),
        alert.title,
        alert.host,
        text(alert.filename),
        text(alert.sha256) or ", ".join(own_hashes(alert)),
        alert.assignee,
    )


def _detail_cells(alert: Alert) -> Row:
    return (
        text(alert.tactic),
        text(alert.technique),
        text(alert.user_name),
        text(alert.cmdline),
        ", ".join(sorted(alert.tag_set)),
        falcon_link(alert.falcon_host_link),
    )


def _field_row(document: bytes, fields: tuple[str, ...]) -> Row:
    decoded = decode_document(document)
    return [_as_cell(value_at(decoded, field.split("."))) for field in fields]


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
