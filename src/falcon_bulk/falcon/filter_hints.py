"""Habits from the former Detects API, and other ways of asking Falcon for nothing without being told so.

A filter on a field that Falcon does not know is answered with no rows, not with an error (falcon-mcp PR #574).
"""

from collections.abc import Iterator

from falcon_bulk.falcon.fql_scanner import Clause, clauses
from falcon_bulk.model.alert_fields import KNOWN_FIELDS, closest_field, current_name
from falcon_bulk.model.vocabulary import Resolution

_SILENT = "Falcon answers no rows for a field it does not know, and no error."


def hints_for_filter(fql: str) -> list[str]:
    """A sentence for each thing in a filter that cannot find what it seems to ask for."""
    return list(dict.fromkeys(said for clause in clauses(fql) for said in _habits_of(clause)))


def renamed_field_hint(name: str) -> str:
    """What a field of the former Detects API is called now; '' for another field."""
    new = current_name(name)
    return "" if new is None else f"{name} is a field of the former Detects API; alerts have {new or 'no such field'}."


def unknown_fields(fql: str) -> dict[str, str]:
    """What to say of the filter's fields that are in no list, should no alert read have them either."""
    fields = dict.fromkeys(clause.field for clause in clauses(fql))
    return {name: f"{unseen_field_hint(name)} {_SILENT}" for name in fields if is_unknown_field(name)}


def is_unknown_field(name: str) -> bool:
    """True for a field that is neither known of alerts nor of the former Detects API."""
    return name not in KNOWN_FIELDS and current_name(name) is None


def unseen_field_hint(name: str) -> str:
    """That no alert has the field, with the one that may have been meant."""
    near = closest_field(name)
    return f"No alert that was read has the field {name}{f'; did you mean {near}?' if near else '.'}"


def _habits_of(clause: Clause) -> Iterator[str]:
    field, value = clause.field, clause.value
    if said := renamed_field_hint(field):
        yield f"{said} {_SILENT}"
    elif field == "severity" and value[:1].isalpha() and value != "null":
        yield f"severity is a number from 1 to 100: use severity_name:'{value.capitalize()}' or severity:>=60."
    elif field == "severity_name" and value[:1].isdigit():
        yield f"severity_name is a word such as 'High': use severity:{clause.operator}{value} for a number."
    elif field == "status" and value in tuple(Resolution):
        yield f"{value} is no status any more, but a resolution: use status:'closed'+resolution:'{value}'."
    elif field == "detection_id" and value.startswith("ldt:"):
        yield "An id of the former Detects API names no alert: alerts have composite_id and aggregate_id."
