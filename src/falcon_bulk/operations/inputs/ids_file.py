"""Read composite ids from a file: text, CSV, JSON or the JSON of `runs show`."""

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

from falcon_bulk.errors import UsageProblem
from falcon_bulk.operations.inputs.input_files import decode_text, is_json, parse_json, split_lines

MAX_ID_LENGTH = 512
COLUMN = "composite_id"
# A CID, a colon, a kind; the rest has ':', '|' and '-' in samples. Not stricter than that, but without characters
# that separate several values in a line.
_ID = re.compile(r"[0-9A-Za-z]+:[0-9A-Za-z-]+:[^\s,;\"']+")
OPEN_OUTCOMES = ("failed", "unknown", "not_sent")
"""Outcomes of alerts that may still need the change."""


def read_ids(data: bytes, name: str) -> tuple[str, ...]:
    """Return the ids in the order of the file, including repetitions. name: of the file, for messages.

    JSON: a list of ids, of objects with composite_id, or the document of `runs show`, of which the alerts with an open
    outcome are taken. CSV: the column composite_id. Text: one id per line; `#` starts a comment.
    Raises UsageProblem, with the line if there is one, if something is not a composite id or there is none.
    """
    content = decode_text(data, name, "composite ids")
    if is_json(content):
        entries = list(_from_json(content, name))
    elif COLUMN in content.lstrip().partition("\n")[0]:
        entries = list(_from_csv(content, name))
    else:
        entries = list(_from_text(content))
    ids = tuple(_check_id(value, number, name) for number, value in entries)
    if not ids:
        raise UsageProblem(f"{name} contains no composite id.", "List composite ids as text, CSV or JSON.")
    return ids


def _from_text(content: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(split_lines(content), 1):
        if value := line.partition("#")[0].strip():
            yield number, value


def _from_csv(content: str, name: str) -> Iterator[tuple[int, str]]:
    reader = csv.DictReader(io.StringIO(content, newline=""))
    if COLUMN not in (reader.fieldnames or ()):
        raise UsageProblem(f"{name} has no column {COLUMN}.")
    try:
        for row in reader:
            yield reader.line_num, (row[COLUMN] or "").strip()
    except csv.Error as error:
        raise UsageProblem(f"Line {reader.line_num} of {name} is not valid CSV: {error}.") from None


def _from_json(content: str, name: str) -> Iterator[tuple[int, str]]:
    for number, document in parse_json(content, name):
        yield from ((number, value) for value in _ids_in(document))


def _ids_in(document: Any) -> Iterator[str]:
    if isinstance(document, list):
        for item in document:
            yield from _ids_in(item)
    elif isinstance(document, dict):
        if isinstance(document.get("alerts"), list):
            yield from _ids_in(document["alerts"])
        elif document.get("outcome", "failed") in OPEN_OUTCOMES:
            yield str(document.get(COLUMN))
    else:
        yield str(document)


def is_composite_id(value: str) -> bool:
    """Return whether a text has the form of a composite id."""
    return len(value) <= MAX_ID_LENGTH and value.isprintable() and _ID.fullmatch(value) is not None


def _check_id(value: str, number: int, name: str) -> str:
    if not is_composite_id(value):
        where = f"line {number} of {name}" if number else name
        raise UsageProblem(f"{value[:80]!r} in {where} is not a composite id.", "A composite id looks like CID:ind:…")
    return value
