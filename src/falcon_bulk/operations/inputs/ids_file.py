"""Composite ids from a file: text, CSV, JSON or a run's report."""

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

from falcon_bulk.errors import UsageProblem
from falcon_bulk.operations.inputs.input_files import decode_text, is_json, parse_json, split_lines

MAX_ID_LENGTH = 512
COLUMN = "composite_id"
# A CID, a colon, a kind; what follows has ':', '|' and '-' (samples). Never stricter than that, except for what
# shows that a line holds several values.
_ID = re.compile(r"[0-9A-Za-z]+:[0-9A-Za-z-]+:[^\s,;\"']+")
OPEN_OUTCOMES = ("failed", "unknown", "not_sent")


def read_ids(data: bytes, name: str) -> tuple[str, ...]:
    """The ids in the order of the file, repetitions included.

    JSON: a list of ids, of objects with composite_id, or a `runs show` report, of which the alerts are taken that
    failed, are unknown or were not sent. CSV: its column composite_id. Text: an id a line, `#` begins a comment.
    Raises UsageProblem, with the line where there is one, if anything is no composite id or there is none.
    """
    content = decode_text(data, name, "composite ids")
    if is_json(content):
        found = list(_from_json(content, name))
    elif COLUMN in content.lstrip().partition("\n")[0]:
        found = list(_from_csv(content, name))
    else:
        found = list(_from_text(content))
    ids = tuple(_checked(value, number, name) for number, value in found)
    if not ids:
        raise UsageProblem(f"{name} holds no composite id.", "It holds composite ids as text, CSV or JSON.")
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


def _checked(value: str, number: int, name: str) -> str:
    if len(value) > MAX_ID_LENGTH or not _ID.fullmatch(value):
        where = f"line {number} of {name}" if number else name
        raise UsageProblem(f"{value[:80]!r} in {where} is not a composite id.", "It looks like CID:ind:…")
    return value
