"""Read a file that is a table: CSV with any usual delimiter, with or without lines above its header."""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from falcon_bulk.errors import UsageProblem
from falcon_bulk.operations.inputs.input_text import InputText, normalized

DELIMITERS = ",;\t|"
_FIRST_LINES = 20
_HEX = re.compile(r"[0-9A-Fa-f]{32,}")
_VALUE = re.compile(r"[0-9A-Fa-f]{32}|^\d+$|[:/\\.]")
"""What the name of a column has not: a hash, a number, a path, a link."""
_RULE = re.compile(r":?-{2,}:?|:-+:?|-+:")
_COMMENTS = ("#", "%%%%")


class Row(NamedTuple):
    """A row of a table below its header. line: where it ends in the file; cells: without blanks around them."""

    line: int
    cells: list[str]


class Table(NamedTuple):
    """A table of a file. header: its names, normalized by `normalized`. titles: the lines of other text above it."""

    header: list[str]
    rows: Iterator[Row]
    titles: tuple[int, ...] = ()

    def has_extra_cells(self, row: Row) -> bool:
        """Return whether a row has more cells than the header: a delimiter inside a value moved the others."""
        return len(row.cells) > len(self.header) and any(row.cells[len(self.header) :])


class _Header(NamedTuple):
    """The normalized names of a header, what it is written as, and the line and the delimiter."""

    names: list[str]
    cells: list[str]
    line: int
    delimiter: str


def read_table(text: InputText, has_column: Callable[[list[str]], bool]) -> Table | None:
    """Return the table that a file is, or None if none of its first lines is a header with a column that is wanted.

    Blank lines, `sep=;`, the #TYPE of Export-Csv, comments and titles may stand above the header, which may be the last
    of the comments. has_column: whether a header, normalized, has a column that is wanted.
    Raises UsageProblem while rows are read, if the file is not valid CSV.
    """
    comments: list[_Header] = []
    titles: list[int] = []
    for number, line in enumerate(text.lines(), 1):
        content = line.strip()
        if not content or content.lower().startswith("sep="):
            continue
        if content.startswith(_COMMENTS):
            # Zeek begins the names with a word that is none, `#fields`.
            bare = re.sub(r"^[#%\s]+(?:fields(?::|\t)\s*)?", "", content, flags=re.IGNORECASE)
            if found := _header(bare, number, has_column):
                comments.append(found)
            continue
        if (found := _header(content, number, has_column)) and (not titles or len(found.names) > 1):
            return Table(found.names, _rows(text, found), tuple(titles))
        if comments and comments[-1].delimiter in content:
            return Table(comments[-1].names, _rows(text, comments[-1]), tuple(titles))
        titles.append(number)
        if number > _FIRST_LINES or _HEX.search(content):
            break
    return None


def _header(line: str, number: int, has_column: Callable[[list[str]], bool]) -> _Header | None:
    """Return the header that a line is; None if it is none with a wanted column."""
    if _HEX.search(line) or line.endswith(":"):
        return None
    for delimiter in sorted(DELIMITERS, key=line.count, reverse=True):
        try:
            cells = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
        except csv.Error:
            continue
        names = [normalized(cell) for cell in cells]
        if has_column(names):
            return _Header(names, [cell.strip() for cell in cells], number, delimiter)
    return None


def _rows(text: InputText, header: _Header) -> Iterator[Row]:
    known = frozenset(filter(None, header.cells))
    below = (f"{line}\n" for number, line in enumerate(text.lines(), 1) if number > header.line)
    source = csv.reader(below, delimiter=header.delimiter, skipinitialspace=True)
    try:
        for row in source:
            cells = [cell.strip() for cell in row]
            if any(cells) and not _holds_nothing(cells, header):
                if not known.isdisjoint(cells) and _is_other_header(cells, known):
                    raise UsageProblem(
                        f"Another table begins in line {header.line + source.line_num} of {text.name}.",
                        "Give a file with one table.",
                    )
                yield Row(header.line + source.line_num, cells)
    except csv.Error as error:
        raise UsageProblem(f"Line {header.line + source.line_num} of {text.name} is not valid CSV: {error}.") from None


def _is_other_header(cells: Sequence[str], known: frozenset[str]) -> bool:
    """Return whether a row has only names, most of them those of the header. What it heads may be something else."""
    if any(_VALUE.search(cell) for cell in cells if cell):
        return False
    names = list(filter(None, cells))
    return len(names) > 1 and 2 * sum(name in known for name in names) > len(names)


def _holds_nothing(cells: Sequence[str], header: _Header) -> bool:
    """Return whether a row is a comment, the header again, or the rule below the header."""
    first = cells[0]
    return (
        first.startswith(_COMMENTS)
        or (first == header.cells[0] and list(cells) == header.cells)
        or (not first.strip("-:") and all(_RULE.fullmatch(cell) for cell in cells if cell))
    )
