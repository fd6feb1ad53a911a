"""Read SHA256 hashes from a file: text, CSV, JSON or the JSON of `hash-summary`."""

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from falcon_bulk.errors import UsageProblem
from falcon_bulk.operations.inputs.input_files import decode_text, is_json, parse_json, split_lines

COLUMNS = ("sha256", "hash")
DELIMITERS = ",;\t"
MAX_BYTES = 64 * 2**20
MAX_HASHES = 100_000
MAX_ERRORS_SHOWN = 5
"""Bad lines quoted in the message; further ones are counted."""

LENGTH = 64
OTHER_HASH_LENGTHS = {32: "an MD5", 40: "a SHA1", 56: "a SHA224", 96: "a SHA384", 128: "a SHA512"}
# The length of a truncated SHA256, or of one with too many digits: always an error, even next to a valid hash.
NEAR_SHA256_LENGTHS = range(57, 72)
_HEX_WORD = re.compile(r"(?<![^\W_])[0-9A-Fa-f]{32,}(?![^\W_])")


class _Entry(NamedTuple):
    """A line, a row or an item that should contain a hash. where: its position, for messages."""

    where: str
    value: str


def read_hashes(data: bytes, name: str) -> tuple[str, ...]:
    """Return the hashes of the file `name` in their order, in lower case, including repetitions.

    Text: every word of 64 hex digits, at least one per line; `#` starts a comment. CSV (separated by `,`, `;` or tab):
    the column sha256 or hash. JSON or JSON lines: strings, objects with sha256 or hash, or the document of
    `hash-summary`.
    Raises UsageProblem, which quotes the first bad lines, if a line has no SHA256 or there is no hash at all.
    """
    if len(data) > MAX_BYTES:
        raise UsageProblem(f"{name} is larger than {MAX_BYTES // 2**20} MiB.", "Split it into several files.")
    content = decode_text(data, name, "SHA256 hashes")
    found: list[str] = []
    bad: list[str] = []
    for entry in _entries(content, name):
        hashes, problem = _find_hashes(entry.value)
        found += hashes
        if problem:
            bad.append(f"{entry.where}: {problem}")
    if bad:
        more = f"; and {len(bad) - MAX_ERRORS_SHOWN:,} more" if len(bad) > MAX_ERRORS_SHOWN else ""
        raise UsageProblem(
            f"{name} has entries that are not SHA256 hashes: {'; '.join(bad[:MAX_ERRORS_SHOWN])}{more}.",
            "Falcon alerts are selected by SHA256: 64 hex digits; in CSV the column is named sha256 or hash.",
        )
    if not found:
        raise UsageProblem(f"{name} contains no SHA256.", "List SHA256 hashes as text, CSV or JSON.")
    if len(set(found)) > MAX_HASHES:
        raise UsageProblem(f"{name} contains more than {MAX_HASHES:,} hashes.", "Split it into several files.")
    return tuple(found)


def _find_hashes(value: str) -> tuple[list[str], str]:
    """Return the hashes in a value, or a problem."""
    candidates = _HEX_WORD.findall(value)
    if cut := [word for word in candidates if len(word) in NEAR_SHA256_LENGTHS and len(word) != LENGTH]:
        return [], f"{len(cut[0])} hex digits, a SHA256 has {LENGTH}"
    if hashes := [word.lower() for word in candidates if len(word) == LENGTH]:
        return hashes, ""
    others = [OTHER_HASH_LENGTHS[len(word)] for word in candidates if len(word) in OTHER_HASH_LENGTHS]
    return [], f"{others[0]}, not a SHA256" if others else "no SHA256 in it"


def _entries(content: str, name: str) -> Iterator[_Entry]:
    if is_json(content):
        return _from_json(content, name)
    lines = split_lines(content)
    first = next((number for number, line in enumerate(lines) if _uncommented(line)), 0)
    if column := _hash_column(lines[first]):
        return _from_csv(lines[first:], name, *column, skipped=first)
    return (_Entry(f"line {number}", text) for number, line in enumerate(lines, 1) if (text := _uncommented(line)))


def _uncommented(line: str) -> str:
    return line.partition("#")[0].strip()


def _hash_column(header: str) -> tuple[str, int] | None:
    """Return the delimiter and the number of the hash column; None if the line is not a CSV header with one."""
    for delimiter in DELIMITERS:
        try:
            names = [cell.strip().lower() for cell in next(csv.reader([header], delimiter=delimiter), [])]
        except csv.Error:
            return None
        for column in COLUMNS:
            if column in names:
                return delimiter, names.index(column)
    return None


def _from_csv(lines: Sequence[str], name: str, delimiter: str, column: int, *, skipped: int) -> Iterator[_Entry]:
    rows = csv.reader([f"{line}\n" for line in lines], delimiter=delimiter)
    try:
        for row in islice(rows, 1, None):
            if any(cell.strip() for cell in row):
                yield _Entry(f"line {skipped + rows.line_num}", row[column] if column < len(row) else "")
    except csv.Error as error:
        raise UsageProblem(f"Line {skipped + rows.line_num} of {name} is not valid CSV: {error}.") from None


def _from_json(content: str, name: str) -> Iterator[_Entry]:
    documents = parse_json(content, name)
    for line, document in documents:
        is_summary = isinstance(document, dict) and isinstance(document.get("hashes"), list)
        items = document["hashes"] if is_summary else document
        for number, item in enumerate(items if isinstance(items, list) else [items], 1):
            yield _Entry(f"line {line}" if line else f"item {number}", _hash_value(item))


def _hash_value(item: Any) -> str:
    if isinstance(item, dict):
        values = {key.lower(): value for key, value in item.items()}
        item = next((values[column] for column in COLUMNS if values.get(column)), "")
    return item if isinstance(item, str) else ""
