"""Writes sheets as tables: fitted to a terminal with rich, or complete and plain for a pipe or a file."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import TextIO

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from falcon_bulk.report.sheet import Cell, Column, Sheet, StoredRows, format_cell, format_column_cell
from falcon_bulk.report.text_bars import shorten_bar, with_bars

ROWS_AT_ONCE = 1_000
"""Stored rows that are held at a time."""
_Texts = Sequence[Sequence[str]]
_GAP = 2
_SEVERITY_STYLES = {
    "critical": "bold red",
    "high": "red",
    "medium": "yellow",
    "low": "cyan",
    "informational": "dim",
}
_TO_THE_MINUTE = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)")


def write(sheets: Iterable[Sheet], stream: TextIO, *, color: bool, width: int | None) -> None:
    """Write every sheet as a title, a table and its notes.

    width: the terminal's; None writes all values in full, one row per line.
    """
    for number, sheet in enumerate(sheets):
        if number:
            stream.write("\n")
        if width is None:
            _write_in_full(_as_plain_sheet(sheet), stream)
        else:
            _write_fitted(with_bars(sheet), _console(stream, color, width))


def _write_in_full(sheet: Sheet, stream: TextIO) -> None:
    if sheet.title:
        stream.write(f"{format_cell(sheet.title)}\n\n")
    stream.writelines(f"Warning: {format_cell(warning)}\n" for warning in sheet.warnings)
    for line in _plain_lines(sheet):  # the stream's writelines would join them all first
        stream.write(line)
    if sheet.notes and sheet.columns:
        stream.write("\n")
    for note in sheet.notes:
        stream.write(f"{format_cell(note)}\n")


def _plain_lines(sheet: Sheet) -> Iterator[str]:
    """Return the lines, built column by column: a table may have 10,000 rows."""
    pieces = _pieces(sheet)
    titles = [format_cell(column.title) for column in sheet.columns]
    with_header = _has_header(sheet)
    widths = _natural_widths(titles if with_header else [""] * len(titles), pieces())
    if with_header:
        yield from _padded_lines(sheet.columns, widths, [titles, ["-" * width for width in widths]])
    for rows in pieces():
        yield from _padded_lines(sheet.columns, widths, rows)


def _padded_lines(columns: Sequence[Column], widths: Sequence[int], rows: _Texts) -> Iterator[str]:
    if not rows:
        return iter(())
    padded = [
        [pad(cell, width - _width(cell) + len(cell)) for cell in cells]
        for column, width, cells in zip(columns, widths, zip(*rows, strict=True), strict=True)
        for pad in [str.rjust if column.right else str.ljust]
    ]
    return ((" " * _GAP).join(cells).rstrip() + "\n" for cells in zip(*padded, strict=True))


def _pieces(sheet: Sheet, form: Callable[[Column, Cell], str] = format_column_cell) -> Callable[[], Iterable[_Texts]]:
    """Return a function that gives the rows as text, in one piece or more: stored rows are read with each call."""
    if isinstance(sheet.rows, StoredRows):
        return lambda: _as_text(sheet, form, ROWS_AT_ONCE)
    pieces = list(_as_text(sheet, form, None))
    return lambda: pieces


def _as_text(sheet: Sheet, form: Callable[[Column, Cell], str], size: int | None) -> Iterator[_Texts]:
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


def _write_fitted(sheet: Sheet, console: Console) -> None:
    if sheet.title:
        console.print(Text(format_cell(sheet.title), style="bold"))
        console.print()
    for warning in sheet.warnings:
        console.print(Text(f"Warning: {format_cell(warning)}", style="bold yellow", overflow="fold"))
    left_out: list[str] = []
    if sheet.as_blocks:
        _print_blocks(sheet, console)
    elif sheet.columns:
        left_out = _print_fitted(sheet, console)
    notes = list(sheet.notes)
    if left_out:
        notes.append(f"Not shown at this width: {', '.join(left_out)}.")
    if notes and sheet.columns:
        console.print()
    for note in notes:
        console.print(Text(format_cell(note), overflow="fold"))


def _print_blocks(sheet: Sheet, console: Console) -> None:
    table = Table.grid(padding=(0, 2, 0, 0))
    for number, row in enumerate(sheet.rows):
        if number:
            table.add_row()
        for column, cell in zip(sheet.columns, row, strict=True):
            if text := format_column_cell(column, cell):
                value = _styled(text, replace(column, wrap=True), _width(text))
                table.add_row(Text(format_cell(column.title), style="dim", no_wrap=True), value)
    console.print(table)


def _print_fitted(sheet: Sheet, console: Console) -> list[str]:
    """Print the rows with the columns that fit, and return the titles of those left out."""
    columns = sheet.columns
    pieces = _pieces(sheet, lambda column, cell: _short(format_column_cell(column, cell), column))
    natural = _natural_widths([format_cell(column.title) for column in columns], pieces())
    kept = _columns_that_fit(columns, natural, console.width)
    widths = _squeezed(
        [natural[i] for i in kept],
        [min(natural[i], columns[i].min_width) for i in kept],
        console.width - _GAP * (len(kept) - 1),
    )
    with_header = _has_header(sheet)
    for rows in pieces():
        table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), show_header=with_header)
        with_header = False
        for i, width in zip(kept, widths, strict=True):
            table.add_column(
                Text(format_cell(columns[i].title), no_wrap=True, overflow="ellipsis"),
                justify="right" if columns[i].right else "left",
                width=width,
            )
        for row in rows:
            cells = (
                shorten_bar(row[i], natural[i], width) if columns[i].style == "bar" else row[i]
                for i, width in zip(kept, widths, strict=True)
            )
            table.add_row(
                *(_styled(cell, columns[i], width) for cell, i, width in zip(cells, kept, widths, strict=True))
            )
        console.print(table)
    return [column.title for i, column in enumerate(columns) if i not in kept and column.title]


def _columns_that_fit(columns: Sequence[Column], natural: Sequence[int], width: int) -> list[int]:
    """Return the indexes of the columns to show, so that each gets its minimum width."""
    kept = list(range(len(columns)))
    while len(kept) > 1:
        needed = sum(min(natural[i], columns[i].min_width) + _GAP for i in kept) - _GAP
        first_to_drop = max(kept, key=lambda i: columns[i].drop_order)
        if needed <= width or not columns[first_to_drop].drop_order:
            break
        kept.remove(first_to_drop)
    return kept


def _squeezed(natural: Sequence[int], minimum: Sequence[int], room: int) -> list[int]:
    """Return widths that fit into the room: the widest columns shrink first, to their minimum if that is enough."""
    widths = [max(1, min(width, room)) for width in natural]
    while sum(widths) > room:
        shrinkable = [i for i, width in enumerate(widths) if width > minimum[i]] or [
            i for i, width in enumerate(widths) if width > 1
        ]
        if not shrinkable:
            break
        widths[max(shrinkable, key=lambda i: widths[i])] -= 1
    return widths


def _natural_widths(titles: Sequence[str], pieces: Iterable[_Texts]) -> list[int]:
    widths = list(map(_width, titles))
    for rows in pieces:
        if rows:
            cells_by_column = zip(*rows, strict=True)
            widths = [max(width, *map(_width, cells)) for width, cells in zip(widths, cells_by_column, strict=True)]
    return widths


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


def _has_header(sheet: Sheet) -> bool:
    return any(column.title for column in sheet.columns)


def _short(value: str, column: Column) -> str:
    found = _TO_THE_MINUTE.match(value) if column.style == "time" else None
    return f"{found[1]} {found[2]}" if found else value


def _styled(value: str, column: Column, width: int) -> Text:
    style = column.style
    if style == "severity":
        style = _SEVERITY_STYLES.get(value.partition(" ")[0].lower(), "")
    elif style in ("time", "id", "hash", "bar"):
        if style == "id" and _width(value) > width:
            value = "…" + value[len(value) - width + 1 :]
        style = ""
    elif style == "ends":
        value, style = _without_middle(value, width), ""
    if column.wrap:
        return Text(value, style=style, overflow="fold")
    return Text(value, style=style, overflow="ellipsis", no_wrap=True)


def _without_middle(text: str, width: int) -> str:
    """Shorten text in its middle to the width; text with wide characters is returned as it is."""
    if len(text) <= width or _width(text) != len(text):
        return text
    return f"{text[: (width - 1) // 2]}…{text[len(text) - width // 2 :]}"


def _console(stream: TextIO, color: bool, width: int) -> Console:
    return Console(
        file=stream,
        width=max(1, width),
        color_system="standard" if color else None,
        force_terminal=color,
        no_color=not color,
        legacy_windows=False,
        markup=False,
        emoji=False,
        highlight=False,
    )


def _width(text: str) -> int:
    """Return the terminal columns of printable text."""
    return len(text) if text.isascii() else cell_len(text)
