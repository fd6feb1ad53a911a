"""Falcon Query Language, put together from checked values only.

`+` is AND, `,` is OR; an OR is always parenthesised before it is ANDed, since the precedence of bare mixes is
ambiguous. A statement takes at most 20 properties (psfalcon wiki); each value is counted as one here.
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
"""What a reading adds to a filter at most: a slice of time, or hidden alerts from a time on."""

# Fields that hold a host's name as a string. Arrays (host_names, source_hosts) take no wildcard.
HOST_FIELDS = ("device.hostname", "source_endpoint_host_name", "computer_name", "hostname")
NAME_FIELDS = ("name", "display_name")
# What the console shows: also alerts that lack show_in_ui, such as automated leads.
SHOWN = "show_in_ui:!false"
HIDDEN = "show_in_ui:false"
VISIBILITY_UNSET = "show_in_ui:!'*'"

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_HOST = re.compile(r"[A-Za-z0-9*][A-Za-z0-9_.*-]*")
_UNQUOTABLE = re.compile(r"['\"\\\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_UNSENDABLE = re.compile(r"[\ud800-\udfff]")  # what a byte of argv that is no UTF-8 becomes


def check_word(value: str, what: str) -> str:
    """A product or similar as it may go into a filter. Raises UsageProblem."""
    if not _WORD.fullmatch(value):
        raise UsageProblem(f"{value!r} is not a {what}.", f"A {what} has only letters, digits, '.', '_' and '-'.")
    return value


def check_host(value: str) -> str:
    """A host name or glob as it may go into a filter. Raises UsageProblem."""
    if not _HOST.fullmatch(value) or not value.strip("*"):
        raise UsageProblem(
            f"{value!r} is not a host name.", "A host has letters, digits, '.', '_' and '-'; '*' stands for any text."
        )
    return value


def check_name(value: str) -> str:
    """An alert name or glob as it may go into a filter. Raises UsageProblem."""
    if not value.strip("* ") or _UNQUOTABLE.search(value):
        raise UsageProblem(
            f"{value!r} cannot be used as an alert name.",
            "Quotes, backslashes and control characters are not taken; put '*' in their place.",
        )
    return value


def check_filter(value: str) -> str:
    """A filter of the user's, such that parentheses around it hold it together. Raises UsageProblem."""
    if _UNSENDABLE.search(value):
        raise UsageProblem("The filter is not UTF-8 text.")
    if not is_balanced(value):
        raise UsageProblem(
            "The filter's quotes or parentheses do not match.", "FQL looks like status:'new'+severity:>=60."
        )
    return value


def any_of(clauses: Iterable[str]) -> str:
    """The clauses ORed, in parentheses where there are several."""
    joined = ",".join(clauses)
    return f"({joined})" if "," in joined else joined


def all_of(parts: Iterable[str]) -> str:
    """The non-empty parts ANDed."""
    return "+".join(part for part in parts if part)


def equals_any(field: str, values: Sequence[str]) -> str:
    """`field:'a'` or `field:['a','b']`."""
    quoted = ",".join(f"'{value}'" for value in values)
    return f"{field}:{quoted}" if len(values) == 1 else f"{field}:[{quoted}]"


def base_filter(
    selection: Selection,
    host_fields: Sequence[str] = HOST_FIELDS,
    name_fields: Sequence[str] = NAME_FIELDS,
    shown: Sequence[str] = (SHOWN,),
) -> str:
    """The selection without its hashes, as FQL; '' for all alerts."""
    raw = "" if selection.filter.strip() == "*" else selection.filter.strip()
    return all_of(
        [
            f"({raw})" if raw else "",
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
    """For each place of an own hash, the clause that finds any of the hashes there."""
    return {place: equals_any(place, hashes) for place in SEARCHED_FIELDS}


def hash_groups(base: str, hashes: Sequence[str]) -> list[Sequence[str]]:
    """The hashes in groups so small that no filter exceeds the limit of terms; none if `base` leaves them no room."""
    size = (MAX_TERMS - RESERVED_TERMS - count_terms(base)) // len(SEARCHED_FIELDS)
    return [hashes[start : start + size] for start in range(0, len(hashes), size)] if size > 0 else []


def _severities(names: Sequence[str]) -> str:
    """By name; alerts that have none count by the band of their number. Neighbouring bands are one range."""
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
    nameless = all_of(["severity_name:!'*'", any_of(bands)])
    return any_of([equals_any("severity_name", names), f"({nameless})"])
