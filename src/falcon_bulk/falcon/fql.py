"""Build filters in Falcon Query Language from checked values only.

`+` is AND, `,` is OR. An OR is always parenthesised before it is ANDed, because the precedence of the two is
ambiguous. A filter takes at most 20 properties (psfalcon wiki); each value of a list counts as one here.
"""

import re
from collections.abc import Iterable, Sequence

from falcon_bulk.errors import UsageProblem
from falcon_bulk.falcon.fql_scanner import count_terms, is_balanced
from falcon_bulk.model.hashes import SEARCHED_FIELDS
from falcon_bulk.model.selection import Selection
from falcon_bulk.model.vocabulary import SEVERITY_BANDS

MAX_TERMS = 20
RESERVED_TERMS = 2
"""Terms that reading alerts may add to a filter: a time slice, or hidden alerts since a time."""

# Fields that hold a host's name as a string, and lists of names: these match a whole element and take no wildcard.
HOST_FIELDS = ("device.hostname", "source_endpoint_host_name", "computer_name", "hostname")
HOST_LISTS = ("host_names", "source_hosts")
NAME_FIELDS = ("name", "display_name")
# Alerts that the console shows; these may lack show_in_ui, as automated leads do.
SHOWN = "show_in_ui:!false"
HIDDEN = "show_in_ui:false"
VISIBILITY_UNSET = "show_in_ui:!'*'"

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_HOST = re.compile(r"[A-Za-z0-9*][A-Za-z0-9_.*-]*")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?Z")
_UNQUOTABLE = re.compile(r"['\"\\\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_UNSENDABLE = re.compile(r"[\ud800-\udfff]")  # bytes of argv that are not UTF-8 become surrogates


def check_word(value: str, what: str) -> str:
    """Return `value` if it is a plain word, safe inside quotes. what: names it in errors. Raises UsageProblem."""
    if not _WORD.fullmatch(value):
        raise UsageProblem(f"{value!r} is not a {what}.", f"A {what} has only letters, digits, '.', '_' and '-'.")
    return value


def check_host(value: str) -> str:
    """Return `value` if it is a host name or glob that is safe inside quotes. Raises UsageProblem."""
    if not _HOST.fullmatch(value) or not value.strip("*"):
        raise UsageProblem(
            f"{value!r} is not a host name.", "A host has letters, digits, '.', '_' and '-'; '*' stands for any text."
        )
    return value


def check_name(value: str) -> str:
    """Return `value` if it is an alert name or glob that is safe inside quotes. Raises UsageProblem."""
    if not value.strip("* ") or _UNQUOTABLE.search(value):
        raise UsageProblem(
            f"{value!r} cannot be used as an alert name.",
            "Quotes, backslashes and control characters are not allowed; use '*' in their place.",
        )
    return value


def host_fields(host: str) -> Sequence[str]:
    """Return the fields in which a host name or glob can be found: the lists too for a name without `*`."""
    return HOST_FIELDS if "*" in host else (*HOST_FIELDS, *HOST_LISTS)


def is_instant(value: str) -> bool:
    """Return whether a time that Falcon sent is one in UTC, safe inside quotes; only then it may go into a filter."""
    return _INSTANT.fullmatch(value) is not None


def check_filter(value: str) -> str:
    """Return the user's filter if its quotes and parentheses match. Raises UsageProblem."""
    if _UNSENDABLE.search(value):
        raise UsageProblem("The filter is not UTF-8 text.")
    if not is_balanced(value):
        raise UsageProblem(
            "The filter's quotes or parentheses do not match.", "FQL looks like status:'new'+severity:>=60."
        )
    return value


def any_of(clauses: Iterable[str]) -> str:
    """Return the clauses joined by OR, in parentheses if there are several."""
    joined = ",".join(clauses)
    return f"({joined})" if "," in joined else joined


def all_of(parts: Iterable[str]) -> str:
    """Return the non-empty parts joined by AND."""
    return "+".join(part for part in parts if part)


def equals_any(field: str, values: Sequence[str]) -> str:
    """Return `field:'a'`, or `field:['a','b']` for several values."""
    quoted = ",".join(f"'{value}'" for value in values)
    return f"{field}:{quoted}" if len(values) == 1 else f"{field}:[{quoted}]"


def base_filter(
    selection: Selection,
    host_fields: Sequence[str] = HOST_FIELDS,
    name_fields: Sequence[str] = NAME_FIELDS,
    shown: Sequence[str] = (SHOWN,),
) -> str:
    """Return the selection, without its hashes, as FQL; '' selects all alerts.

    shown: clauses of which an alert that the console shows fulfils one.
    """
    filter_text = "" if selection.filter.strip() == "*" else selection.filter.strip()
    return all_of(
        [
            f"({filter_text})" if filter_text else "",
            _severities(selection.severities) if selection.severities else "",
            equals_any("product", selection.products) if selection.products else "",
            equals_any("status", selection.statuses) if selection.statuses else "",
            any_of(f"{field}:'{selection.host}'" for field in host_fields) if selection.host else "",
            any_of(f"{field}:'{selection.name}'" for field in name_fields) if selection.name else "",
            f"created_timestamp:>='{selection.since}'" if selection.since else "",
            f"created_timestamp:<'{selection.until}'" if selection.until else "",
            any_of(shown) if selection.visible_only else "",
        ]
    )


def hash_clauses(hashes: Sequence[str]) -> dict[str, str]:
    """Return, for each field that holds an alert's own hash, the clause that matches any of the hashes."""
    return {field: equals_any(field, hashes) for field in SEARCHED_FIELDS}


def hash_groups(base: str, hashes: Sequence[str]) -> list[Sequence[str]]:
    """Return the hashes in groups that each fit into a filter beside `base`; [] if `base` leaves no room."""
    size = (MAX_TERMS - RESERVED_TERMS - count_terms(base)) // len(SEARCHED_FIELDS)
    return [hashes[start : start + size] for start in range(0, len(hashes), size)] if size > 0 else []


def _severities(names: Sequence[str]) -> str:
    """Return a clause for severity names; alerts without a name match by number. Adjacent bands become one range."""
    ranges: list[tuple[int, int | None]] = []
    ceiling: int | None = None
    for name, floor in SEVERITY_BANDS:
        if name in names:
            joined = bool(ranges) and ranges[-1][0] == ceiling
            ranges[-1 if joined else len(ranges) :] = [(floor, ranges[-1][1] if joined else ceiling)]
        ceiling = floor
    bands = [
        all_of([f"severity:>={floor}", f"severity:<{below}" if below is not None else ""]) for floor, below in ranges
    ]
    unnamed = all_of(["severity_name:!'*'", any_of(bands)])
    return any_of([equals_any("severity_name", names), f"({unnamed})"])
