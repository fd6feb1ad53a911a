"""Read composite ids from a file: text, console links, a table, JSON, or what `runs show` writes."""

import re
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import unquote

from falcon_bulk.errors import UsageProblem
from falcon_bulk.operations.inputs.input_files import (
    Table,
    check_text,
    is_json,
    normalized,
    parse_json,
    read_table,
    text_lines,
    uncommented,
)

MAX_ID_LENGTH = 512
COLUMN = "composite_id"
RUN_SCHEMA = "falcon-bulk/run/1"
# A CID, a colon, a kind; the rest has ':', '|' and '-' in samples. Not stricter than that, but without characters
# that separate several values in a line. A kind has a letter that no hex number has.
_ID = re.compile(
    r"(?!(?:ldt|urn|arn|aggind|https?):)[0-9A-Za-z]+:(?=[0-9A-Za-z-]*[G-Zg-z])[0-9A-Za-z-]+:[^\s,;\"']+", re.IGNORECASE
)
_LINK = re.compile(r"https://\S+", re.IGNORECASE)
_LISTS = ("resources", "results", "body", "data", "items", "value", "composite_ids", "ids", "alerts")
_KEY, _LINK_KEY = "compositeid", "falconhostlink"
_RUN_COLUMNS = frozenset({"outcome", "compositeid", "statusbefore", "tagsbefore", "reason"})
OPEN_OUTCOMES = ("failed", "unknown", "not_sent")
"""Outcomes of alerts that may still need the change."""


class IdList(NamedTuple):
    """The ids of a file in its order, including repetitions. done: alerts of a run that need no change any more."""

    ids: tuple[str, ...]
    done: int = 0


class _Entry(NamedTuple):
    """A value that should be an id. line: 0 if unknown; done: of an alert whose run changed it or gave it up."""

    line: int
    value: str
    done: bool = False


def read_ids(data: bytes, name: str) -> tuple[str, ...]:
    """Return the ids of a file; see `read_id_list`."""
    return read_id_list(data, name).ids


def read_id_list(data: bytes, name: str) -> IdList:
    """Return the composite ids of the file `name`.

    JSON: ids, or objects with composite_id, in a list or an API answer. A table: the column composite_id or
    falcon_host_link. Text: an id or a console link per line; `#` starts a comment. Of what `runs show` wrote, the
    alerts with an open outcome are taken, and the others counted.
    Raises UsageProblem, with the line if there is one, if something is not a composite id or there is none.
    """
    ids: list[str] = []
    known: dict[str, str] = {}
    done = 0
    for entry in _entries(data, name):
        if entry.done:
            done += 1
        else:
            composite_id = _check_id(entry, name)
            ids.append(known.setdefault(composite_id, composite_id))
    if not ids:
        raise UsageProblem(f"{name} contains no composite id.", "List composite ids as text, CSV or JSON.")
    return IdList(tuple(ids), done)


def _entries(data: bytes, name: str) -> Iterator[_Entry]:
    check_text(data, name, "composite ids")
    if is_json(data):
        for number, document in parse_json(data, name):
            yield from _from_json(document, number)
        return
    lines = partial(text_lines, data)
    table = read_table(lines, name, lambda header: _KEY in header or _LINK_KEY in header)
    if table is not None:
        yield from _from_table(table)
        return
    first = next(filter(None, map(str.strip, lines())), "")
    if COLUMN in first and not first.startswith("#"):
        raise UsageProblem(f"{name} has no column {COLUMN}.")
    for number, line in enumerate(lines(), 1):
        text = line.strip() if _LINK.match(line.strip()) else uncommented(line)
        if text:
            yield _Entry(number, text)


def _from_table(table: Table) -> Iterator[_Entry]:
    column = table.header.index(_KEY if _KEY in table.header else _LINK_KEY)
    of_run = _RUN_COLUMNS.issubset(table.header)
    outcome = table.header.index("outcome") if of_run else 0
    for line, cells in table.rows:
        done = of_run and cells[outcome : outcome + 1] not in [[name] for name in OPEN_OUTCOMES]
        yield _Entry(line, cells[column] if column < len(cells) else "", done)


def _from_json(document: Any, number: int, *, of_run: bool = False) -> Iterator[_Entry]:
    if isinstance(document, list):
        for item in document:
            yield from _from_json(item, number, of_run=of_run)
        return
    if not isinstance(document, dict):
        yield _Entry(number, str(document))
        return
    names = {normalized(key): value for key, value in document.items()}
    value = names.get(_KEY, names.get(_LINK_KEY))
    lists = [document[key] for key in _LISTS if isinstance(document.get(key), list | dict)]
    if _KEY not in names and lists:
        is_run = of_run or document.get("schema") == RUN_SCHEMA
        yield from (entry for inner in lists for entry in _from_json(inner, number, of_run=is_run))
    else:
        done = of_run and document.get("outcome", "failed") not in OPEN_OUTCOMES
        yield _Entry(number, str(value), done)


def is_composite_id(value: str) -> bool:
    """Return whether a text has the form of a composite id."""
    return len(value) <= MAX_ID_LENGTH and value.isprintable() and _ID.fullmatch(value) is not None


def _check_id(entry: _Entry, name: str) -> str:
    value = entry.value.strip()
    if _LINK.match(value):
        path = value.partition("?")[0]
        value = next((part for part in map(unquote, path.split("/")) if _ID.fullmatch(part)), value)
    if not is_composite_id(value):
        where = f"line {entry.line} of {name}" if entry.line else name
        raise UsageProblem(f"{value[:80]!r} in {where} is not a composite id.", "A composite id looks like CID:ind:…")
    return value
