"""The fields of an alert that can hold a SHA256, and which of them make it the alert's own hash.

An own hash selects the alert. Related hashes (of parents, grandparents, quarantined, associated and written files) are
only shown: a parent is usually a legitimate system binary.
"""

import re
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any, NamedTuple

from falcon_bulk.errors import UsageProblem
from falcon_bulk.model.alert import BriefAlert, CountedAlert, Entities, HashedFile, Process, texts
from falcon_bulk.model.vocabulary import same_text

HEX64 = re.compile(r"[0-9a-f]{64}")
_OTHER_HASH = re.compile(r"[0-9a-f]{32}|[0-9a-f]{40}")
IOC_SHA256 = "hash_sha256"

OwnHashes = dict[str, tuple[str, ...]]
"""An alert's own hashes, each with the fields it is in."""

HashOccurrence = tuple[Any, Any, Any]
"""An unchecked value of a field, and the MD5 and the file name known to belong to this hash, or None."""

OccurrenceReader = Callable[[BriefAlert, Any], Iterable[HashOccurrence]]
"""Return the occurrences in a field. Takes the alert and its value of the first part of the field's path."""


class HashField(NamedTuple):
    """A field that can hold a hash.

    field: its FQL name. own: a hash in it is the alert's own. searched: Falcon is asked for alerts with a hash in it.
    """

    field: str
    own: bool
    searched: bool
    occurrences: OccurrenceReader


def check_sha256(value: str) -> str:
    """Return a SHA256 for a filter, in lower case, as Falcon stores it. Raises UsageProblem for anything else."""
    digest = as_sha256(value)
    if not digest:
        hint = "A SHA256 is exactly 64 hexadecimal digits, with nothing around them."
        raise UsageProblem(f"{value!r} is not a SHA256 hash.", hint_for_other_hash(value) or hint)
    return digest


def hint_for_other_hash(value: str) -> str:
    """Return how to select the alerts of an MD5 or a SHA1; '' for anything else."""
    digest = value.strip().lower()
    if not _OTHER_HASH.fullmatch(digest):
        return ""
    name, seldom = ("an MD5", "") if len(digest) == 32 else ("a SHA1", ", which few alerts have")
    return (
        f"A SHA256 has 64 digits. For the alerts of {name}{seldom}: --filter \"{name.split()[-1].lower()}:'{digest}'\"."
    )


def as_sha256(value: object) -> str:
    """Return the value in lower case if it is a SHA256, else ''."""
    digest = value.lower() if isinstance(value, str) else ""
    return digest if HEX64.fullmatch(digest) else ""


def _subject(alert: BriefAlert, value: object) -> Iterable[HashOccurrence]:
    if isinstance(value, str):
        return ((value, alert.md5, alert.filename),)
    return [(item, None, None) for item in texts(value)]


def _entities(_: BriefAlert, entities: Entities) -> Iterable[HashOccurrence]:
    return [(item, None, None) for item in texts(entities.sha256)]


def _ioc_value(alert: BriefAlert, value: object) -> Iterable[HashOccurrence]:
    return [(item, None, None) for item in texts(value)] if _is_sha256(alert.ioc_type) else ()


def _process(_: BriefAlert, process: Process) -> Iterable[HashOccurrence]:
    return ((process.sha256, process.md5, process.filename),)


def _files(_: BriefAlert, files: tuple[HashedFile, ...]) -> Iterable[HashOccurrence]:
    return [(file.sha256, file.md5, _file_name(file)) for file in files]


def _ioc_values(_: BriefAlert, items: tuple[HashedFile, ...]) -> Iterable[HashOccurrence]:
    return [(item.ioc_value, None, _file_name(item)) for item in items if _is_sha256(item.ioc_type)]


def _is_sha256(ioc_type: object) -> bool:
    return ioc_type == IOC_SHA256 or (isinstance(ioc_type, str) and same_text(ioc_type, IOC_SHA256))


def _file_name(file: HashedFile) -> Any:
    return file.filename or file.filepath or file.name or file.ioc_description


HASH_FIELDS = (
    HashField("sha256", True, True, _subject),
    HashField("entities.sha256", True, True, _entities),
    HashField("ioc_value", True, True, _ioc_value),
    HashField("parent_details.sha256", False, False, _process),
    HashField("grandparent_details.sha256", False, False, _process),
    HashField("quarantined_files.sha256", False, False, _files),
    HashField("associated_files.sha256", False, False, _files),
    HashField("file_writes.sha256", False, False, _files),
    HashField("ioc_context.sha256", False, False, _files),
    HashField("ioc_context.ioc_value", False, False, _ioc_values),
)

OWN_FIELDS = tuple(field.field for field in HASH_FIELDS if field.own)
RELATED_FIELDS = tuple(field.field for field in HASH_FIELDS if not field.own)
SEARCHED_FIELDS = tuple(field.field for field in HASH_FIELDS if field.searched)


def _value_getter(fields: Iterable[str]) -> Callable[[Any], tuple[Any, ...]]:
    """Return a function that returns an alert's values of the first part of each field's path."""
    return attrgetter(*(field.partition(".")[0] for field in fields))


_OWN = [(field.field, field.occurrences) for field in HASH_FIELDS if field.own]
_own_values: Callable[[BriefAlert], tuple[Any, ...]] = _value_getter(OWN_FIELDS)
related_values: Callable[[CountedAlert], tuple[Any, ...]] = _value_getter(RELATED_FIELDS)


def own_hashes(alert: BriefAlert) -> OwnHashes:
    """Return the alert's own hashes, in lower case, each with the fields it is in."""
    found: OwnHashes = {}
    values = _own_values(alert)
    if not any(values):
        return found
    for (field, occurrences), value in zip(_OWN, values, strict=True):
        if value:
            for occurrence, _, _ in occurrences(alert, value):
                digest = as_sha256(occurrence)
                if digest and field not in found.get(digest, ()):
                    found[digest] = (*found.get(digest, ()), field)
    return found
