"""Rows as text for tables: formatted, measured, wrapped and cut by the columns of a terminal that they take."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain, islice
from tempfile import SpooledTemporaryFile

import msgspec
from rich.cells import cell_len, chop_cells, set_cell_size

from falcon_bulk.report.sheet import Cell, Column, Sheet, StoredRows, format_cell, format_column_cell

GAP = "  "
ROWS_AT_ONCE = 1_000
"""Rows of a store, or of an iterator, that are held at a time."""
MAX_IN_MEMORY = 2**23
"""Bytes of text: more are kept in a file."""
Texts = Sequence[Sequence[str]]
_decode = msgspec.json.Decoder(list[list[str]]).decode


def text_pieces(
    sheet: Sheet, form: Callable[[Column, Cell], str] = format_column_cell
) -> Callable[[], Iterable[Texts]]:
    """Return a function that gives the rows as text, in one piece or more: stored rows are read with each call."""
    if isinstance(sheet.rows, StoredRows):
        return lambda: _as_text(sheet, form, ROWS_AT_ONCE)
    pieces = list(_as_text(sheet, form, None))
    return lambda: pieces


@contextmanager
def kept_pieces(sheet: Sheet) -> Iterator[Callable[[], Iterable[Texts]]]:
    """Yield what `text_pieces` returns, but keep the rows of an iterator in a temporary file and not in memory."""
    if isinstance(sheet.rows, Sequence | StoredRows):
        yield text_pieces(sheet)
        return
    with SpooledTemporaryFile(MAX_IN_MEMORY) as file:
        for piece in _as_text(sheet, format_column_cell, ROWS_AT_ONCE):
            file.write(msgspec.json.encode(piece, enc_hook=str) + b"\n")  # a link becomes its text

        def read() -> Iterable[Texts]:
            file.seek(0)
            return map(_decode, file)

        yield read


def _as_text(sheet: Sheet, form: Callable[[Column, Cell], str], size: int | None) -> Iterator[Texts]:
    rows = iter(sheet.rows)
    is_first = True
    while True:
        piece = [
            [form(column, cell) for cell, column in zip(row, sheet.columns, strict=True)] for row in islice(rows, size)
        ]
        if not (piece or is_first):
            return
        is_first = False
        yield piece


def without_empty_table(sheet: Sheet) -> Sheet:
    """Return the sheet, without its columns if it has no rows. Reads the first of them."""
    is_read_again = isinstance(sheet.rows, Sequence | StoredRows)
    rows = iter(sheet.rows)
    first = list(islice(rows, 1))
    if not first:
        return replace(sheet, columns=(), rows=())
    return sheet if is_read_again else replace(sheet, rows=chain(first, rows))


def natural_widths(titles: Sequence[str], pieces: Iterable[Texts]) -> list[int]:
    """Return the width that each column needs for its title and all of its values."""
    widths = list(map(text_width, titles))
    for rows in pieces:
        if rows:
            cells_by_column = zip(*rows, strict=True)
            widths = [max(width, *map(text_width, cells)) for width, cells in zip(widths, cells_by_column, strict=True)]
    return widths


def has_header(sheet: Sheet) -> bool:
    """Return whether any column has a title."""
    return any(format_cell(column.title) for column in sheet.columns)


def text_width(text: str) -> int:
    """Return the terminal columns of printable text."""
    return len(text) if text.isascii() else cell_len(text)


def longest_word(text: str) -> int:
    """Return the terminal columns of the longest word of printable text."""
    return max(map(text_width, text.split(" ")))


def wrap(text: str, width: int) -> list[str]:
    """Return the text in lines of the width, broken between words; a longer word is broken where it must be."""
    if text_width(text) <= width:
        return [text]
    lines, line = [], ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if text_width(joined) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        *whole, line = fold(word, width)
        lines += whole
    return [*lines, line]


def fold(text: str, width: int) -> list[str]:
    """Return the text in lines of the width that joined give it back."""
    if text_width(text) <= width:
        return [text]
    if text.isascii():
        return [text[place : place + width] for place in range(0, len(text), width)]
    return chop_cells(text, width)


def cut(text: str, width: int) -> str:
    """Return the text cut at its end to the width, with an ellipsis."""
    return text if text_width(text) <= width else set_cell_size(text, width - 1).rstrip() + "…"


def cut_middle(text: str, width: int) -> str:
    """Return the text cut in its middle to the width; text with wide characters is cut at its end."""
    if text_width(text) != len(text):
        return cut(text, width)
    if len(text) <= width:
        return text
    return f"{text[: (width - 1) // 2]}…{text[len(text) - width // 2 :]}"
