"""Writes sheets as tables: complete and plain for a pipe or a file. For a terminal see `terminal_table`."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from falcon_bulk.report.sheet import Cell, Column, Sheet, format_cell
from falcon_bulk.report.table_text import GAP, Texts, has_header, kept_pieces, natural_widths, text_width


def write(sheets: Iterable[Sheet], stream: TextIO) -> None:
    """Write every sheet as a title, a table and its notes: all values in full, one row per line."""
    for number, sheet in enumerate(sheets):
        if number:
            stream.write("\n")
        _write(_as_plain_sheet(sheet), stream)


def _write(sheet: Sheet, stream: TextIO) -> None:
    if sheet.title:
        stream.write(f"{format_cell(sheet.title)}\n\n")
    stream.writelines(f"Warning: {format_cell(warning)}\n" for warning in sheet.warnings)
    for line in _lines(sheet):  # the stream's writelines would join them all first
        stream.write(line)
    if sheet.notes and sheet.columns:
        stream.write("\n")
    for note in sheet.notes:
        stream.write(f"{format_cell(note)}\n")


def _lines(sheet: Sheet) -> Iterator[str]:
    """Return the lines, built column by column: a table may have 10,000 rows."""
    titles = [format_cell(column.title) for column in sheet.columns]
    with_header = has_header(sheet)
    with kept_pieces(sheet) as pieces:
        widths = natural_widths(titles if with_header else [""] * len(titles), pieces())
        if with_header:
            yield from _padded_lines(sheet.columns, widths, [titles, ["-" * width for width in widths]])
        for rows in pieces():
            yield from _padded_lines(sheet.columns, widths, rows)


def _padded_lines(columns: Sequence[Column], widths: Sequence[int], rows: Texts) -> Iterator[str]:
    if not rows:
        return iter(())
    padded = [
        [pad(cell, width - text_width(cell) + len(cell)) for cell in cells]
        for column, width, cells in zip(columns, widths, zip(*rows, strict=True), strict=True)
        for pad in [str.rjust if column.right else str.ljust]
    ]
    return (GAP.join(cells).rstrip() + "\n" for cells in zip(*padded, strict=True))


def _as_plain_sheet(sheet: Sheet) -> Sheet:
    """Return the sheet itself or, with `as_blocks`, one with a block of `title  value` lines for each row."""
    if not sheet.as_blocks:
        return sheet
    return Sheet(sheet.title, (Column(""), Column("")), _blocks(sheet), sheet.notes, sheet.warnings)


def _blocks(sheet: Sheet) -> Iterator[tuple[str, Cell]]:
    for number, row in enumerate(sheet.rows):
        if number:
            yield "", ""
        for column, cell in zip(sheet.columns, row, strict=True):
            if format_cell(cell):
                yield column.title, cell
