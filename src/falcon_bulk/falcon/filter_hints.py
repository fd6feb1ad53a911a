"""Hints for filters that cannot find what they seem to ask for, such as those written for the former Detects API.

A filter on a field that Falcon does not know returns no alerts and no error (falcon-mcp PR #574).
"""

import re
from collections.abc import Iterator

from falcon_bulk.falcon.fql_scanner import Clause, clauses, unquoted, with_parentheses
from falcon_bulk.model.alert_fields import KNOWN_FIELDS, closest_field, current_name
from falcon_bulk.model.vocabulary import Resolution

_WORD = re.compile(r"\s(AND|OR|NOT|and|or|&&|\|\|)\s")
_CURLY = re.compile("[\u2018\u2019\u201c\u201d\u201e\u201a]")
_TIME_IN_WORDS = re.compile(r"last\s+(\d+)\s+(minute|hour|day|week|month)s?", re.IGNORECASE)
_NO_ERROR = "Falcon answers no rows for a field it does not know, and no error."


def hints_for_filter(fql: str) -> list[str]:
    """Return a sentence for each clause of a filter that cannot find what it seems to ask for."""
    of_clauses = (hint for clause in clauses(fql) for hint in _hints_for_clause(clause))
    return list(dict.fromkeys((*_hints_for_syntax(fql), *of_clauses)))


def mixed_filter_hint(fql: str) -> str:
    """Return how a filter that mixes `+` and `,` without parentheses will be read; '' for any other filter."""
    reading = with_parentheses(fql)
    return "" if reading == fql else f"+ and , are mixed without parentheses. It will be read as: {reading}"


def _hints_for_syntax(fql: str) -> Iterator[str]:
    bare = unquoted(fql)
    if word := _WORD.search(bare):
        yield f"{word[1]} is no operator of FQL: + is and, a comma is or: status:'new'+(product:'epp',product:'idp')."
    if _CURLY.search(bare):
        yield "The filter has curly quotes; FQL takes straight ones: status:'new'."
    if mixed := mixed_filter_hint(fql):
        yield mixed


def renamed_field_hint(name: str) -> str:
    """Return what a field of the former Detects API is called now; '' for any other field."""
    new = current_name(name)
    return "" if new is None else f"{name} is a field of the former Detects API; alerts have {new or 'no such field'}."


def unknown_fields(fql: str) -> dict[str, str]:
    """Return the filter's fields that are not known, each with the warning to show if no alert read has it."""
    fields = dict.fromkeys(clause.field for clause in clauses(fql))
    return {name: f"{unseen_field_hint(name)} {_NO_ERROR}" for name in fields if is_unknown_field(name)}


def is_unknown_field(name: str) -> bool:
    """Return whether neither alerts nor the former Detects API are known to have the field."""
    return name not in KNOWN_FIELDS and current_name(name) is None


def unseen_field_hint(name: str) -> str:
    """Return the sentence that no alert has the field, with the field that may have been meant."""
    near = closest_field(name)
    return f"No alert that was read has the field {name}{f'; did you mean {near}?' if near else '.'}"


def _hints_for_clause(clause: Clause) -> Iterator[str]:
    field, value = clause.field, clause.value
    if renamed := renamed_field_hint(field):
        yield f"{renamed} {_NO_ERROR}"
    elif period := _TIME_IN_WORDS.fullmatch(value.strip("'\"\u2018\u2019\u201c\u201d")):
        amount, unit = int(period[1]), period[2].lower()
        days = {"week": 7, "month": 30}.get(unit)
        short = f"{amount * days}d" if days else f"{amount}{unit[0]}"
        yield f"A time in words finds nothing: use {field}:>'now-{short}', or --since {short}."
    elif field == "severity" and value[:1].isalpha() and value != "null":
        yield f"severity is a number from 1 to 100: use severity_name:'{value.capitalize()}' or severity:>=60."
    elif field == "severity_name" and value[:1].isdigit():
        yield f"severity_name is a word such as 'High': use severity:{clause.operator}{value} for a number."
    elif field == "status" and value in tuple(Resolution):
        yield f"{value} is a resolution, not a status: use status:'closed'+resolution:'{value}'."
    elif field == "detection_id" and value.startswith("ldt:"):
        yield "An id of the former Detects API matches no alert: alerts have composite_id and aggregate_id."
