"""Counting alerts by fields, or by pairs of them."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import product
from typing import Any

import msgspec

from falcon_bulk.errors import UsageProblem
from falcon_bulk.model.alert import Alert, decode_document, text
from falcon_bulk.model.field_path import value_at
from falcon_bulk.model.selection import Selection
from falcon_bulk.model.summary import Count, Summary, Value
from falcon_bulk.operations.counting.server_counts import AlertCounter, ValueReader, count_on_server
from falcon_bulk.operations.outliers.detector import OutlierDetector
from falcon_bulk.operations.reading.read_all import AlertDocument
from falcon_bulk.operations.reading.select_alerts import build_filter

Values = Iterable[str | None]

MAX_GROUPS = 100

_TO_HOUR = len("2026-11-24T08")

# What can be counted by a short name; any other name is a field path of the document.
FIELD_VALUES: dict[str, Callable[[AlertDocument[Alert]], Values]] = {
    "severity": lambda found: [found.alert.severity_label],
    "status": lambda found: [text(found.alert.status)],
    "product": lambda found: [text(found.alert.product)],
    "type": lambda found: [text(found.alert.type)],
    "name": lambda found: [found.alert.title],
    "host": lambda found: [found.alert.host],
    "user": lambda found: [text(found.alert.user_name)],
    "tactic": lambda found: [text(found.alert.tactic)],
    "technique": lambda found: [text(found.alert.technique)],
    "filename": lambda found: [text(found.alert.filename)],
    "cmdline": lambda found: [text(found.alert.cmdline)],
    "resolution": lambda found: [text(found.alert.resolution)],
    "assignee": lambda found: [found.alert.assignee],
    "day": lambda found: [found.alert.day],
    "hour": lambda found: [text(found.alert.created_timestamp)[:_TO_HOUR]],
    "tag": lambda found: found.alert.tag_set or [None],
}


def summarize(
    pages: Iterable[list[AlertDocument[Alert]]],
    fields: Sequence[str],
    top: int,
    *,
    customer: str,
    generated_at: str,
    selection: str,
    outliers: bool = False,
) -> Summary:
    """Count the alerts by each of the fields; a pair is written `name×host` or `name*host`.

    Of each the `top` most frequent values, and the others as one rest. An alert with several values (tags, lists)
    counts once for each. outliers: also compare each alert with its like. Raises UsageProblem for what cannot be a
    field.
    """
    detector = OutlierDetector() if outliers else None
    readers = _readers(fields)
    counters: dict[str, Counter[Value]] = {field: Counter() for field in fields}
    read = hidden = 0
    for found in (found for page in pages for found in page):
        read += 1
        hidden += found.alert.hidden
        for field, values in readers.items():
            counters[field].update(set(values(found)))
        if detector is not None:
            detector.add(found.alert, found.own_hashes)
    return Summary(
        customer=customer,
        generated_at=generated_at,
        filter=selection,
        alerts_read=read,
        hidden=hidden,
        by={field: tuple(_counts(counter, top)) for field, counter in counters.items()},
        outliers=detector.report(MAX_GROUPS) if detector is not None else None,
    )


def summarize_on_server(
    alerts: AlertCounter,
    selection: Selection,
    fields: Sequence[str],
    top: int,
    *,
    cids: Sequence[str],
    in_flight: int,
    customer: str,
    generated_at: str,
    outliers: bool = False,
) -> Summary | None:
    """The same without reading the alerts, None where Falcon's counts are not sure to be what reading gives.

    They are not for hashes and ids, hits on which are checked one by one, nor for a host or a name, which stand in
    different fields, nor for outliers. Raises the errors of the client, and WrongTenant for an alert of another CID.
    """
    if selection.hashes or selection.ids or selection.host or selection.name or outliers:
        return None
    counts = count_on_server(alerts, build_filter(alerts, selection), _readers(fields), cids, in_flight=in_flight)
    if counts is None:
        return None
    return Summary(
        customer=customer,
        generated_at=generated_at,
        filter=selection.description,
        alerts_read=counts.alerts,
        hidden=counts.hidden,
        by={field: tuple(_counts(counter, top)) for field, counter in counts.by.items()},
        source="aggregates",
    )


def fields_without_values(summary: Summary) -> list[str]:
    """The fields that no alert has, those of a pair too."""
    without = [
        part
        for field, counts in summary.by.items()
        for number, part in enumerate(_parts(field))
        if counts and all(_half(count.value, number) is None and not count.rest for count in counts)
    ]
    return list(dict.fromkeys(without))


def check_field(field: str) -> None:
    """Raises UsageProblem for what cannot be counted by."""
    parts = _parts(field)
    if len(parts) > 2 or not all(part.replace(".", "").isidentifier() for part in parts):
        raise UsageProblem(
            f"{field!r} is no field to count by.",
            f"Use {', '.join(FIELD_VALUES)}, a field path like device.os_version, or a pair like name*host.",
        )


def field_names(fields: Iterable[str]) -> list[str]:
    """The names in fields and pairs of them."""
    return [name for field in fields for name in _parts(field)]


def _parts(field: str) -> list[str]:
    return field.replace("×", "*").split("*")


def _half(value: Value, number: int) -> str | None:
    return value[number] if isinstance(value, tuple) else value


def _readers(fields: Sequence[str]) -> dict[str, ValueReader]:
    return {field: _reader(field) for field in fields}


def _reader(field: str) -> ValueReader:
    check_field(field)
    readers = [FIELD_VALUES.get(part) or _at_path(part.split(".")) for part in _parts(field)]
    if len(readers) == 1:
        return lambda found: (value or None for value in readers[0](found))
    return lambda found: product(*([value or None for value in reader(found)] for reader in readers))


def _at_path(path: list[str]) -> Callable[[AlertDocument[Alert]], Values]:
    """What an alert has at the path. Only the field it begins with is decoded: a document has more than a hundred."""
    head, *rest = path
    part = msgspec.defstruct("Part", [("value", Any, msgspec.field(name=head, default=None))])
    decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(part)

    def values(found: AlertDocument[Alert]) -> Values:
        try:
            value: Any = value_at(decoder.decode(found.document).value, rest)
        except (msgspec.DecodeError, UnicodeDecodeError):
            value = value_at(decode_document(found.document), path)
        texts = [_as_text(one) for one in (value if isinstance(value, list) else [value])]
        return texts or [None]

    return values


def _as_text(value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else text(value) or str(value)


def _counts(counter: Counter[Value], top: int) -> Iterable[Count]:
    ordered = sorted(counter.items(), key=lambda item: (-item[1], str(item[0])))
    for value, alerts in ordered[:top]:
        yield Count(value=value, alerts=alerts)
    if rest := sum(alerts for _, alerts in ordered[top:]):
        yield Count(value=None, alerts=rest, rest=True)
