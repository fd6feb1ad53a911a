"""Read composite ids from a file: text, console links, a table, JSON, or what `runs show` writes."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import IO, Any, NamedTuple
from urllib.parse import unquote

from falcon_bulk.errors import UsageProblem
from falcon_bulk.operations.inputs.input_json import ENVELOPES, is_json, json_values
from falcon_bulk.operations.inputs.input_table import Table, read_table
from falcon_bulk.operations.inputs.input_text import InputText, normalized, uncommented

MAX_ID_LENGTH = 512
MAX_INTERNED = 100_000
"""Different ids that are held once however often they recur; with more of them, most are different."""
COLUMN = "composite_id"
RUN_SCHEMA = "falcon-bulk/run/1"
# A CID, a colon, a kind; the rest has ':', '|' and '-' in samples. Not stricter than that, but without characters
# that separate several values in a line. A kind has a letter that no hex number has.
_ID = re.compile(
    r"(?!(?:ldt|urn|arn|aggind|https?):)[0-9A-Za-z]+:(?=[0-9A-Za-z-]*[G-Zg-z])[0-9A-Za-z-]+:[^\s,;\"']+", re.IGNORECASE
)
_LINK = re.compile(r"https://\S+", re.IGNORECASE)
_COMMENT_OF_LINK = re.compile(r"\s#.*")
_LISTS = ENVELOPES | {"composite_ids", "compositeIds", "ids", "alert_ids", "detection_ids"}
# With what log stores and integrations put before a field of an alert; a lead's or a parent's id is another one.
_BEFORE_NAME = r"(?:crowdstrike|falcon|vendor|event|alert|detection|source|resources?|results?)*"
_ID_NAME = re.compile(f"{_BEFORE_NAME}compositeid")
_LINK_NAME = re.compile(f"{_BEFORE_NAME}falconhostlink")
_LABEL = re.compile(r"composite[ _-]?ids?\s*[:=]\s*", re.IGNORECASE)
_BULLET = re.compile(r"(?:[-*\u2022]|\d+[.)])\s+")
_MORE_THAN_ID = re.compile(r"[\s,;#\"'/\[<(=]")
_SEPARATORS = re.compile(r"[\s,;]+")
_AROUND = "\"'`<>[](){}="
_RUN_COLUMNS = frozenset({"outcome", "compositeid", "statusbefore", "tagsbefore", "reason"})
OPEN_OUTCOMES = ("failed", "unknown", "not_sent")
"""Outcomes of alerts that may still need the change."""


class IdList(NamedTuple):
    """The ids of a file in its order, including repetitions. done: alerts of a run that need no change any more."""

    ids: tuple[str, ...]
    done: int = 0


class _Entry(NamedTuple):
    """A value that should be an id. where: its place; done: of an alert whose run changed it or gave it up."""

    number: int
    value: str
    done: bool = False
    unit: str = "line"


def read_id_list(file: IO[bytes], name: str) -> IdList:
    """Return the composite ids of the file `name`.

    JSON: ids, or objects with composite_id, in a list or an API answer. A table: the column composite_id or
    falcon_host_link. Text: ids or console links; `#` starts a comment. Of what `runs show` wrote, the alerts with an
    open outcome are taken, and the others counted.
    Raises UsageProblem, with the line if there is one, if something is not a composite id or there is none.
    """
    ids: list[str] = []
    known: dict[str, str] = {}
    done = 0
    for entry in _entries(InputText(file, name, "composite ids")):
        if entry.done:
            done += 1
            continue
        composite_id = _check_id(entry, name)
        if len(known) < MAX_INTERNED:
            composite_id = known.setdefault(composite_id, composite_id)
        ids.append(composite_id)
    if not ids:
        raise UsageProblem(f"{name} contains no composite id.", "List composite ids as text, CSV or JSON.")
    return IdList(tuple(ids), done)


def _entries(text: InputText) -> Iterator[_Entry]:
    if is_json(text):
        return (
            entry
            for number, is_item, value in json_values(text)
            for entry in _from_json(value, number, "item" if is_item else "line")
        )
    table = read_table(text, lambda header: _id_column(tuple(header)) is not None)
    return _from_text(text) if table is None else _from_table(table)


def _from_text(text: InputText) -> Iterator[_Entry]:
    first = text.first_line
    if COLUMN in first and not first.startswith("#") and not _LABEL.match(first):
        raise UsageProblem(f"{text.name} has no column {COLUMN}.")
    for number, line in enumerate(text.lines(), 1):
        content = line.strip()
        if content.isascii() and content[-1:].isalnum() and _MORE_THAN_ID.search(content) is None:
            yield _Entry(number, content)
            continue
        if content:
            content = _COMMENT_OF_LINK.sub("", content) if _LINK.match(content) else uncommented(content)
            content = _LABEL.sub("", _BULLET.sub("", content, count=1), count=1)
        for part in filter(None, (part.strip(_AROUND) for part in _SEPARATORS.split(content))):
            yield _Entry(number, part)


def _from_table(table: Table) -> Iterator[_Entry]:
    column = _id_column(tuple(table.header)) or 0
    of_run = _RUN_COLUMNS.issubset(table.header)
    outcome = table.header.index("outcome") if of_run else 0
    for line in table.titles:
        yield _Entry(line, "text above the table")
    for row in table.rows:
        line, cells = row
        if table.has_extra_cells(row):
            yield _Entry(line, "a row with more cells than the header")
            continue
        done = of_run and cells[outcome : outcome + 1] not in [[name] for name in OPEN_OUTCOMES]
        yield _Entry(line, cells[column].strip(_AROUND) if column < len(cells) else "", done)


def _from_json(document: Any, number: int, unit: str, *, of_run: bool = False) -> Iterator[_Entry]:
    if isinstance(document, list):
        for item in document:
            yield from _from_json(item, number, unit, of_run=of_run)
        return
    if not isinstance(document, dict):
        yield _Entry(number, str(document), unit=unit)
        return
    keys = tuple(document)
    column = _id_column(tuple(map(normalized, keys)))
    if column is None and not _LISTS.isdisjoint(keys):
        is_run = of_run or document.get("schema") == RUN_SCHEMA
        lists = [value for key, value in document.items() if key in _LISTS and isinstance(value, list | dict)]
        yield from (entry for inner in lists for entry in _from_json(inner, number, unit, of_run=is_run))
        if lists:
            return
    value = None if column is None else document[keys[column]]
    done = of_run and document.get("outcome", "failed") not in OPEN_OUTCOMES
    yield _Entry(number, str(value), done, unit)


@lru_cache(1024)
def _id_column(header: tuple[str, ...]) -> int | None:
    """Return the number of the column or key, normalized, that holds composite ids, else that of links, or None."""
    for names in (_ID_NAME, _LINK_NAME):
        found = [number for number, name in enumerate(header) if names.fullmatch(name)]
        if found:
            return min(found, key=lambda number: len(header[number]))
    return None


def is_composite_id(value: str) -> bool:
    """Return whether a text has the form of a composite id."""
    return len(value) <= MAX_ID_LENGTH and value.isprintable() and _ID.fullmatch(value) is not None


def _check_id(entry: _Entry, name: str) -> str:
    value = entry.value.strip()
    if is_composite_id(value):
        return value
    if _LINK.match(value):
        path = value.partition("?")[0]
        found = next((part for part in map(unquote, path.split("/")) if is_composite_id(part)), "")
        if found:
            return found
    raise UsageProblem(
        f"{value[:80]!r} in {entry.unit} {entry.number} of {name} is not a composite id.",
        "A composite id looks like CID:ind:…",
    )
