"""Where a SHA256 can stand in an alert, and which places make it the alert's own.

Own: `sha256`, `entities.sha256`, and `ioc_value` with `ioc_type` `hash_sha256`. These are searched on the
server and select an alert. A hash elsewhere (parent, grandparent, quarantined and associated files) is shown
and selects nothing: a parent is mostly a legitimate system binary.
"""

import re
from collections.abc import Callable, Iterable

from falcon_bulk.errors import UsageProblem
from falcon_bulk.model.alert import Alert, Process, text, texts

HEX64 = re.compile(r"[0-9a-f]{64}")


def checked_hash(value: str) -> str:
    """A SHA256 as it may go into a filter: 64 hex digits, lower-cased (Falcon stores them so).

    Raises UsageProblem for anything else.
    """
    lowered = value.lower()
    if not HEX64.fullmatch(lowered):
        raise UsageProblem(
            f"{value!r} is not a SHA256 hash.", "A SHA256 is exactly 64 hexadecimal digits, with nothing around them."
        )
    return lowered


def _ioc_value(alert: Alert) -> Iterable[str]:
    return texts(alert.ioc_value) if alert.ioc_type == "hash_sha256" else ()


def _entities(alert: Alert) -> Iterable[str]:
    return texts(alert.entities.sha256) if alert.entities else ()


def _of_process(process: Process | None) -> Iterable[str]:
    return texts(process.sha256) if process else ()


# The places that make a hash the alert's own, by the FQL field that finds it.
OWN_PLACES: dict[str, Callable[[Alert], Iterable[str]]] = {
    "sha256": lambda alert: texts(alert.sha256),
    "entities.sha256": _entities,
    "ioc_value": _ioc_value,
}

# The places that are only shown.
OTHER_PLACES: dict[str, Callable[[Alert], Iterable[str]]] = {
    "parent_details.sha256": lambda alert: _of_process(alert.parent_details),
    "grandparent_details.sha256": lambda alert: _of_process(alert.grandparent_details),
    "quarantined_files.sha256": lambda alert: (text(f.sha256) for f in alert.quarantined_files or ()),
    "associated_files.sha256": lambda alert: (text(f.sha256) for f in alert.associated_files or ()),
    "file_writes.sha256": lambda alert: (text(f.sha256) for f in alert.file_writes or ()),
    "ioc_context.sha256": lambda alert: (text(c.sha256) for c in alert.ioc_context or ()),
}


def own_hashes(alert: Alert) -> dict[str, tuple[str, ...]]:
    """The alert's own hashes, lower-cased, each with the places it stands in."""
    return _hashes_in(alert, OWN_PLACES)


def other_hashes(alert: Alert) -> dict[str, tuple[str, ...]]:
    """The hashes that stand in the alert without being its own, each with its places."""
    own = own_hashes(alert)
    return {h: places for h, places in _hashes_in(alert, OTHER_PLACES).items() if h not in own}


def _hashes_in(alert: Alert, table: dict[str, Callable[[Alert], Iterable[str]]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for place, values in table.items():
        for value in values(alert):
            digest = value.lower()
            if HEX64.fullmatch(digest) and place not in found.get(digest, ()):
                found[digest] = (*found.get(digest, ()), place)
    return found
