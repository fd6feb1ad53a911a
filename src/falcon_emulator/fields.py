"""The search mapping: the fields that can be filtered and sorted, their types, and where their values are.

Names are from falcon-mcp's filter guide and gofalcon's schema. The search does not know any other field.
"""

import csv
from collections.abc import Callable
from importlib.resources import files
from operator import attrgetter
from typing import Any, Literal, cast

import msgspec

from falcon_emulator.alert_records import Alert
from falcon_emulator.documents import own_fields, resolution
from falcon_emulator.switches import Switches
from falcon_emulator.timestamps import MILLISECOND, parse

Type = Literal["keyword", "text", "number", "bool", "time", "array", "terms"]


class Field(msgspec.Struct, frozen=True):
    """One field: `value(alert)` as the search knows it, None if absent, a tuple for arrays, ns for times.

    `keyword`: a string that can be sorted. `text`: one that cannot. `array`: strings that only match exactly.
    `terms`: free text of which one single word matches.
    """

    name: str
    type: Type
    value: Callable[[Alert], Any]

    @property
    def sortable(self) -> bool:
        """True unless the field is free text or a list (known from live use)."""
        return self.type in ("keyword", "number", "bool", "time")


def _shared(name: str) -> Callable[[Alert], Any]:
    """Return a getter for a dotted path in the shared fragments."""
    head, *rest = name.split(".")
    if not rest:
        return lambda alert: _values(alert.shared(head))
    return lambda alert: _follow(alert.shared(head), rest)


def _own(name: str) -> Callable[[Alert], Any]:
    """Return a getter for a dotted path in the alert's own fields."""
    head, *rest = name.split(".")
    return lambda alert: _follow(own_fields(alert, alert.indexed).get(head), rest)


def _either(name: str) -> Callable[[Alert], Any]:
    """Return a getter for a dotted path in the shared fragments, else in the alert's own fields."""
    shared, own = _shared(name), _own(name)

    def value(alert: Alert) -> Any:
        found = shared(alert)
        return own(alert) if found is None else found

    return value


def _follow(value: Any, path: list[str]) -> Any:
    """Follow `path` into `value`; for a list of objects, return a tuple of the values of all."""
    for index, key in enumerate(path):
        if isinstance(value, list):
            found = tuple(_follow(item, path[index:]) for item in value)
            return tuple(item for item in found if item is not None) or None
        value = value.get(key) if isinstance(value, dict) else None
    return _values(value)


def _values(value: Any) -> Any:
    """Return a list as a tuple, an empty one as None, and any other value as it is."""
    return tuple(value) or None if isinstance(value, list | tuple) else value


def _hash_of(place: str) -> Callable[[Alert], str | None]:
    """Return a getter for the hash of one file of the evidence."""
    get = attrgetter(f"evidence.{place}")

    def value(alert: Alert) -> str | None:
        file = get(alert)
        return None if file is None else str(file.sha256)

    return value


def _assignee(part: str) -> Callable[[Alert], str | None]:
    get = attrgetter(part)
    return lambda alert: (alert.indexed.assignee and get(alert.indexed.assignee)) or None


def _comments(alert: Alert) -> tuple[str, ...] | None:
    return tuple(comment.value for comment in alert.indexed.comments) or None


def _none_if_empty(get: Callable[[Alert], Any]) -> Callable[[Alert], Any]:
    """Wrap a getter so that an empty value counts as missing, as in Elasticsearch."""
    return lambda alert: get(alert) or None


def _time(get: Callable[[Alert], Any]) -> Callable[[Alert], int | None]:
    """Return a getter (ns) for a time that documents have as text."""

    def value(alert: Alert) -> int | None:
        text = get(alert)
        return None if text is None else parse(text, 0)

    return value


def _number(get: Callable[[Alert], Any]) -> Callable[[Alert], int | float | None]:
    """Return a getter for a number that some documents have as a string."""

    def value(alert: Alert) -> int | float | None:
        found = get(alert)
        if not isinstance(found, str):
            return cast("int | float | None", found)
        return int(found) if found.isdecimal() else float(found)

    return value


_CONVERSIONS: dict[Type, Callable[[Callable[[Alert], Any]], Callable[[Alert], Any]]] = {
    "time": _time,
    "number": _number,
}
_LOOKUPS = {"shared": _shared, "own": _own, "either": _either}
_MAPPING = files(__package__).joinpath("mapping.csv").read_text(encoding="utf-8")


def _mapped_field(row: dict[str, str]) -> Field:
    """Return the field of one row of mapping.csv; its `part` says which part of the document has it."""
    name, type_ = row["name"], msgspec.convert(row["type"], Type)
    get = _LOOKUPS[row["part"]](name)
    return Field(name, type_, _CONVERSIONS[type_](get) if type_ in _CONVERSIONS else get)


def _mapping() -> dict[str, Field]:
    fields = [_mapped_field(row) for row in csv.DictReader(_MAPPING.splitlines())]
    fields += [
        Field("composite_id", "keyword", attrgetter("composite_id")),
        Field("cid", "keyword", attrgetter("cid")),
        Field("status", "keyword", attrgetter("indexed.status")),
        Field("show_in_ui", "bool", attrgetter("indexed.show_in_ui")),
        Field("created_timestamp", "time", attrgetter("created")),
        Field("updated_timestamp", "time", attrgetter("indexed.updated")),
        Field("crawled_timestamp", "time", _none_if_empty(attrgetter("indexed.crawled"))),
        Field("ioc_context", "array", lambda _: None),
        Field("linked_case_ids", "array", _none_if_empty(attrgetter("case_ids"))),
        Field("tags", "array", _none_if_empty(attrgetter("indexed.tags"))),
        Field("resolution", "keyword", lambda alert: resolution(alert.indexed.tags)),
        Field("assigned_to_name", "keyword", _assignee("name")),
        Field("assigned_to_uid", "keyword", _assignee("uid")),
        Field("assigned_to_uuid", "keyword", _assignee("uuid")),
        Field("comments.value", "terms", _comments),
        Field("sha256", "keyword", _hash_of("subject")),
        Field("ioc_value", "keyword", _hash_of("indicator")),
        Field("ioc_type", "keyword", lambda alert: None if alert.evidence.indicator is None else "hash_sha256"),
        Field(
            "entities.sha256",
            "array",
            lambda alert: tuple(file.sha256 for file in alert.evidence.entities) or None,
        ),
        Field("ioc_context.sha256", "keyword", _hash_of("indicator")),
        Field("quarantined_files.sha256", "keyword", _hash_of("quarantined")),
        Field("associated_files.sha256", "keyword", _hash_of("associated")),
        Field("file_writes.sha256", "keyword", _hash_of("written")),
    ]
    return {field.name: field for field in fields}


_FIELDS = _mapping()
NESTED_HASHES = (
    "ioc_context.sha256",
    "quarantined_files.sha256",
    "associated_files.sha256",
    "file_writes.sha256",
)


def field(name: str, switches: Switches) -> Field | None:
    """Return the field of that name, or None if the search does not know it under these switches."""
    if name in NESTED_HASHES and not switches.nested_hash_fields:
        return None
    if name == "entities.sha256" and switches.entities_sha256 != "matches":
        return None if switches.entities_sha256 == "unknown_field" else Field(name, "array", lambda _: None)
    found = _FIELDS.get(name)
    if found is not None and found.type == "time" and switches.time_precision == "ms":
        return Field(name, "time", _in_milliseconds(found.value))
    return found


def _in_milliseconds(get: Callable[[Alert], Any]) -> Callable[[Alert], int | None]:
    def value(alert: Alert) -> int | None:
        moment = get(alert)
        return None if moment is None else moment // MILLISECOND * MILLISECOND

    return value
