"""Decode and parse a file that lists hashes or ids: its text, lines, table and JSON."""

import csv
import json
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from io import BytesIO, TextIOWrapper
from typing import Any, NamedTuple

from falcon_bulk.errors import UsageProblem

DELIMITERS = ",;\t|"
_FIRST_LINES = 20
_PART = 2**20
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")
_HEX = re.compile(r"[0-9A-Fa-f]{32,}")
_ZIP = b"PK\x03\x04"


class Row(NamedTuple):
    """A row of a table below its header. line: where it ends in the file; cells: without blanks around them."""

    line: int
    cells: list[str]


class Table(NamedTuple):
    """A table of a file. header: its names, normalized by `normalized`."""

    header: list[str]
    rows: Iterator[Row]


def check_text(data: bytes, name: str, what: str) -> None:
    """Raise UsageProblem unless the data are text: UTF-8, UTF-16, or Windows-1252, as Excel saves CSV.

    name: of the file; what: the items it should list, for the hint.
    """
    try:
        is_text = not data.startswith(_ZIP) and not any("\0" in part for part in _decoded(data))
    except UnicodeError:
        is_text = False
    if not is_text:
        hint = "Save the sheet as CSV." if data.startswith(_ZIP) else f"List {what} as text, CSV or JSON."
        raise UsageProblem(f"{name} is not a text file in UTF-8.", hint)


def text_lines(data: bytes) -> Iterator[str]:
    """Yield the lines of data that are text, without line ends and mark, without holding the text as a whole."""
    for line in TextIOWrapper(BytesIO(data), encoding=_encoding(data)):
        yield line.rstrip("\n")


def _decoded(data: bytes) -> Iterator[str]:
    """Yield the text in parts. Raises UnicodeError."""
    stream = TextIOWrapper(BytesIO(data), encoding=_encoding(data))
    while part := stream.read(2**16):
        yield part


def _encoding(data: bytes) -> str:
    if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return "utf-16"
    head = data[:200]
    if b"\0" in head and len(data) % 2 == 0:
        return "utf-16-le" if not any(head[1::2]) else "utf-16-be"
    decoder = getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), _PART):
            decoder.decode(data[start : start + _PART], start + _PART >= len(data))
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def is_json(data: bytes) -> bool:
    """Return whether data that are text look like JSON."""
    return next(filter(None, map(str.strip, text_lines(data))), "").startswith(("[", "{"))


def parse_json(data: bytes, name: str) -> Iterator[tuple[int, Any]]:
    """Yield the documents, each with its line: 0 for a file that is one document.

    Raises UsageProblem if it is neither JSON nor JSON lines.
    """
    if not _is_json_lines(data):
        try:
            yield 0, json.loads("\n".join(text_lines(data)))
        except (ValueError, RecursionError) as error:
            raise UsageProblem(f"{name} is not valid JSON: {error}.") from None
        return
    for number, line in enumerate(text_lines(data), 1):
        try:
            document = json.loads(line) if line.strip() else None
        except (ValueError, RecursionError) as error:
            raise UsageProblem(f"Line {number} of {name} is not valid JSON: {error}.") from None
        if line.strip():
            yield number, document


def _is_json_lines(data: bytes) -> bool:
    """Return whether the first line is a document of its own, and another follows."""
    filled = filter(None, map(str.strip, text_lines(data)))
    try:
        json.loads(next(filled))
    except (ValueError, RecursionError):
        return False
    return next(filled, None) is not None


@lru_cache(4096)
def normalized(name: str) -> str:
    """Return a column, key or label in lower case without blanks and punctuation: `SHA-256 Hash` is `sha256hash`."""
    return _NOT_ALPHANUMERIC.sub("", name.lower())


def uncommented(line: str) -> str:
    """Return a line of text without its comment and without blanks around it."""
    return line.partition("#")[0].strip()


def read_table(lines: Callable[[], Iterable[str]], name: str, has_column: Callable[[list[str]], bool]) -> Table | None:
    """Return the table that a file is, or None if its first line is no header with a column that is wanted.

    Blank lines, `sep=;`, the #TYPE of Export-Csv and comments may stand above the header, which may be the last of
    these comments. has_column: whether a header, normalized, has a column that is wanted.
    Raises UsageProblem while rows are read, if the file is not valid CSV.
    """
    comments: list[tuple[int, str]] = []
    for number, line in enumerate(lines(), 1):
        text = line.strip()
        if text.lower().startswith("sep=") or not text:
            continue
        if not text.startswith("#") and (found := _header(text, has_column)):
            return Table(found[0], _rows(lines, number, found[1], name))
        if not text.startswith("#"):
            above = [(line_number, found) for line_number, one in comments if (found := _header(one, has_column))]
            if above and above[-1][1][1] in text:
                line_number, (header, delimiter) = above[-1]
                return Table(header, _rows(lines, line_number, delimiter, name))
            return None
        comments = [*comments, (number, text.lstrip("# "))][-_FIRST_LINES:]
    return None


def _header(line: str, has_column: Callable[[list[str]], bool]) -> tuple[list[str], str] | None:
    """Return the normalized names of a header, and its delimiter; None if it is no header with a wanted column."""
    if _HEX.search(line):
        return None
    for delimiter in sorted(DELIMITERS, key=line.count, reverse=True):
        try:
            cells = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
        except csv.Error:
            continue
        names = [normalized(cell) for cell in cells]
        if has_column(names):
            return names, delimiter
    return None


def _rows(lines: Callable[[], Iterable[str]], header_line: int, delimiter: str, name: str) -> Iterator[Row]:
    below = (f"{line}\n" for number, line in enumerate(lines(), 1) if number > header_line)
    source = csv.reader(below, delimiter=delimiter, skipinitialspace=True)
    try:
        for row in source:
            cells = [cell.strip() for cell in row]
            if any(cells) and not _is_comment(cells):
                yield Row(header_line + source.line_num, cells)
    except csv.Error as error:
        raise UsageProblem(f"Line {header_line + source.line_num} of {name} is not valid CSV: {error}.") from None


def _is_comment(cells: Sequence[str]) -> bool:
    return cells[0].startswith("#")
