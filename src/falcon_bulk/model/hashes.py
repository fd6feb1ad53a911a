"""Where a SHA256 can stand in an alert, and which places make it the alert's own: the one table of it.

A hash of an own place is searched on the server and selects the alert. A hash elsewhere (parent, grandparent,
quarantined and associated files) is shown and selects nothing: a parent is mostly a legitimate system binary.
"""

import re
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any, NamedTuple

from falcon_bulk.errors import UsageProblem
from falcon_bulk.model.alert import BriefAlert, Entities, HashedFile, Process, texts

HEX64 = re.compile(r"[0-9a-f]{64}")
IOC_SHA256 = "hash_sha256"

OwnHashes = dict[str, tuple[str, ...]]
"""An alert's own hashes, each with the fields it is in."""

HashOccurrence = tuple[Any, Any, Any]
"""A value as it stands in a place, with the MD5 and the file that are known to be those of this hash, or None."""


OccurrenceReader = Callable[[BriefAlert, Any], Iterable[HashOccurrence]]
"""Gives what stands in a place of an alert, unchecked; takes the alert and what it has under the field's first name."""


class HashField(NamedTuple):
    """A field in which a hash can stand.

    field: its FQL name. own: a hash there is the alert's own. searched: the server is asked for it there.
    """

    field: str
    own: bool
    searched: bool
    standings: OccurrenceReader


def check_sha256(value: str) -> str:
    """A SHA256 as it may go into a filter: 64 hex digits, lower-cased (Falcon stores them so).

    Raises UsageProblem for anything else.
    """
    digest = as_sha256(value)
    if not digest:
        raise UsageProblem(
            f"{value!r} is not a SHA256 hash.", "A SHA256 is exactly 64 hexadecimal digits, with nothing around them."
        )
    return digest


def as_sha256(value: object) -> str:
    """The value lower-cased if it is a SHA256, else ''."""
    digest = value.lower() if isinstance(value, str) else ""
    return digest if HEX64.fullmatch(digest) else ""


def _subject(alert: BriefAlert, value: object) -> Iterable[HashOccurrence]:
    if isinstance(value, str):
        return ((value, alert.md5, alert.filename),)
    return [(one, None, None) for one in texts(value)]


def _entities(_: BriefAlert, entities: Entities) -> Iterable[HashOccurrence]:
    return [(one, None, None) for one in texts(entities.sha256)]


def _ioc_value(alert: BriefAlert, value: object) -> Iterable[HashOccurrence]:
    return [(one, None, None) for one in texts(value)] if alert.ioc_type == IOC_SHA256 else ()


def _process(_: BriefAlert, process: Process) -> Iterable[HashOccurrence]:
    return ((process.sha256, process.md5, process.filename),)


def _elements(_: BriefAlert, bearers: tuple[HashedFile, ...]) -> Iterable[HashOccurrence]:
    return [(one.sha256, one.md5, _file(one)) for one in bearers]


def _ioc_values(_: BriefAlert, bearers: tuple[HashedFile, ...]) -> Iterable[HashOccurrence]:
    return [(one.ioc_value, None, _file(one)) for one in bearers if one.ioc_type == IOC_SHA256]


def _file(bearer: HashedFile) -> Any:
    return bearer.filename or bearer.filepath or bearer.name or bearer.ioc_description


HASH_FIELDS = (
    HashField("sha256", True, True, _subject),
    HashField("entities.sha256", True, True, _entities),
    HashField("ioc_value", True, True, _ioc_value),
    HashField("parent_details.sha256", False, False, _process),
    HashField("grandparent_details.sha256", False, False, _process),
    HashField("quarantined_files.sha256", False, False, _elements),
    HashField("associated_files.sha256", False, False, _elements),
    HashField("file_writes.sha256", False, False, _elements),
    HashField("ioc_context.sha256", False, False, _elements),
    HashField("ioc_context.ioc_value", False, False, _ioc_values),
)

OWN_FIELDS = tuple(place.field for place in HASH_FIELDS if place.own)
RELATED_FIELDS = tuple(place.field for place in HASH_FIELDS if not place.own)
SEARCHED_FIELDS = tuple(place.field for place in HASH_FIELDS if place.searched)


def _value_getter(fields: Iterable[str]) -> Callable[[BriefAlert], tuple[Any, ...]]:
    """A function that gives what an alert has under the first names of the fields."""
    return attrgetter(*(field.partition(".")[0] for field in fields))


_OWN = [(place.field, place.standings) for place in HASH_FIELDS if place.own]
_own_values = _value_getter(OWN_FIELDS)
related_values = _value_getter(RELATED_FIELDS)


def own_hashes(alert: BriefAlert) -> OwnHashes:
    """Return the alert's own hashes, in lower case, each with the fields it is in."""
    found: OwnHashes = {}
    bearers = _own_values(alert)
    if not any(bearers):
        return found
    for (field, standings), bearer in zip(_OWN, bearers, strict=True):
        if bearer:
            for value, _, _ in standings(alert, bearer):
                digest = as_sha256(value)
                if digest and field not in found.get(digest, ()):
                    found[digest] = (*found.get(digest, ()), field)
    return found
