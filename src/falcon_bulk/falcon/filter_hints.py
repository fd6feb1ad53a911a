"""Habits from the former Detects API, and other ways of asking Falcon for nothing without being told so.

A filter on a field that Falcon does not know is answered with no rows, not with an error (falcon-mcp PR #574).
"""

from collections.abc import Iterator

from falcon_bulk.falcon.fql_scanner import Clause, clauses
from falcon_bulk.model.alert_fields import KNOWN, former, nearest
from falcon_bulk.model.vocabulary import Verdict

_SILENT = "Falcon answers no rows for a field it does not know, and no error."


def old_habits(fql: str) -> list[str]:
    """A sentence for each thing in a filter that cannot find what it seems to ask for."""
    return list(dict.fromkeys(said for clause in clauses(fql) for said in _habits_of(clause)))


def renamed(name: str) -> str:
    """What a field of the former Detects API is called now; '' for another field."""
    new = former(name)
    return "" if new is None else f"{name} is a field of the former Detects API; alerts have {new or 'no such field'}."


def doubtful(fql: str) -> dict[str, str]:
    """What to say of the filter's fields that are in no list, should no alert read have them either."""
    fields = dict.fromkeys(clause.field for clause in clauses(fql))
    return {name: f"{not_seen(name)} {_SILENT}" for name in fields if is_doubtful(name)}


def is_doubtful(name: str) -> bool:
    """True for a field that is neither known of alerts nor of the former Detects API."""
    return name not in KNOWN and former(name) is None


def not_seen(name: str) -> str:
    """That no alert has the field, with the one that may have been meant."""
    near = nearest(name)
    return f"No alert that was read has the field {name}{f'; did you mean {near}?' if near else '.'}"


def _habits_of(clause: Clause) -> Iterator[str]:
    field, value = clause.field, clause.value
    if said := renamed(field):
        yield f"{said} {_SILENT}"
    elif field == "severity" and value[:1].isalpha() and value != "null":
        yield f"severity is a number from 1 to 100: use severity_name:'{value.capitalize()}' or severity:>=60."
    elif field == "severity_name" and value[:1].isdigit():
        yield f"severity_name is a word such as 'High': use severity:{clause.operator}{value} for a number."
    elif field == "status" and value in tuple(Verdict):
        yield f"{value} is no status any more, but a verdict: use status:'closed'+resolution:'{value}'."
    elif field == "detection_id" and value.startswith("ldt:"):
        yield "An id of the former Detects API names no alert: alerts have composite_id and aggregate_id."
