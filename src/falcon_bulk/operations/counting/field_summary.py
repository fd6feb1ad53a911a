"""Count alerts by fields, or by pairs of them."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import product
from typing import Any

import msgspec

from falcon_bulk.errors import UsageProblem
from falcon_bulk.model.alert import Alert, text
from falcon_bulk.model.alert_decoder import decode_document
from falcon_bulk.model.field_path import value_at
from falcon_bulk.model.selection import Selection
from falcon_bulk.model.summary import Count, Summary, Value
from falcon_bulk.operations.counting.server_counts import AlertCounter, ValueReader, count_on_server
from falcon_bulk.operations.outliers.detector import OutlierDetector
from falcon_bulk.operations.reading.alert_document import AlertDocument
from falcon_bulk.operations.reading.selection_filter import build_filter

Values = Iterable[str | None]

MAX_GROUPS = 100

_TO_HOUR = len("2026-11-24T08")

# Short names to count by; any other name is a field path of the document.
FIELD_VALUES: dict[str, Callable[[AlertDocument[Alert]], Values]] = {
    "severity": lambda item: [item.alert.severity_label],
    "status": lambda item: [text(item.alert.status)],
    "product": lambda item: [text(item.alert.product)],
    "type": lambda item: [text(item.alert.type)],
    "name": lambda item: [item.alert.title],
    "host": lambda item: [item.alert.host],
    "user": lambda item: [text(item.alert.user_name)],
    "tactic": lambda item: [text(item.alert.tactic)],
    "technique": lambda item: [text(item.alert.technique)],
    "filename": lambda item: [text(item.alert.filename)],
    "cmdline": lambda item: [text(item.alert.cmdline)],
    "resolution": lambda item: [text(item.alert.resolution)],
    "assignee": lambda item: [item.alert.assignee],
    "day": lambda item: [item.alert.day],
    "hour": lambda item: [text(item.alert.created_timestamp)[:_TO_HOUR]],
    "tag": lambda item: item.alert.tag_set or [None],
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
    """Count alerts by each of the fields; a pair is written `name×host` or `name*host`.

    The summary has the `top` most frequent values of each field, and the others as one rest. An alert with several
    values (tags, lists) counts once for each. selection: a description of the filter. outliers: also find outliers.
    Raises UsageProblem for an invalid field.
    """
    detector = OutlierDetector() if outliers else None
    readers = _readers(fields)
    counters: dict[str, Counter[Value]] = {field: Counter() for field in fields}
    read = hidden = 0
    for item in (item for page in pages for item in page):
        read += 1
        hidden += item.alert.hidden
        for field, values in readers.items():
            counters[field].update(set(values(item)))
        if detector is not None:
            detector.add(item.alert, item.own_hashes)
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
    """Return the same summary from Falcon's counts, or None if they are not certain to equal those of reading.

    They are not for hashes and ids, whose results are checked one by one, for a host or a name, which may be in several
    fields, or for outliers. Raises the client's errors, and WrongTenant for an alert of another CID.
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
    """Return the fields that no alert has, including those of pairs."""
    without = [
        part
        for field, counts in summary.by.items()
        for number, part in enumerate(_parts(field))
        if counts and all(_half(count.value, number) is None and not count.rest for count in counts)
    ]
    return list(dict.fromkeys(without))


def check_field(field: str) -> None:
    """Raise UsageProblem for a field that alerts cannot be counted by."""
    parts = _parts(field)
    if len(parts) > 2 or not all(part.replace(".", "").isidentifier() for part in parts):
        raise UsageProblem(
            f"{field!r} is not a field to count by.",
            f"Use {', '.join(FIELD_VALUES)}, a field path like device.os_version, or a pair like name*host.",
        )


def field_names(fields: Iterable[str]) -> list[str]:
    """Return the names in fields and pairs of fields."""
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
        return lambda item: (value or None for value in readers[0](item))
    return lambda item: product(*([value or None for value in reader(item)] for reader in readers))


def _at_path(path: list[str]) -> Callable[[AlertDocument[Alert]], Values]:
    """Return a function that returns an alert's values at the path.

    It decodes only the field that the path begins with: a document has more than a hundred.
    """
    head, *rest = path
    part = msgspec.defstruct("Part", [("value", Any, msgspec.field(name=head, default=None))])
    decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(part)

    def values(item: AlertDocument[Alert]) -> Values:
        try:
            value: Any = value_at(decoder.decode(item.document).value, rest)
        except (msgspec.DecodeError, UnicodeDecodeError):
            value = value_at(decode_document(item.document), path)
        texts = [_as_text(element) for element in (value if isinstance(value, list) else [value])]
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
