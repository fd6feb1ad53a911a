"""Writes sheets as tables that fit a terminal: nothing that identifies an alert, a file, a host or a run is cut."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple, TextIO

from falcon_bulk.report.column_layout import Layout, arrange
from falcon_bulk.report.sheet import Cell, Column, Linked, Row, Sheet, format_cell, format_column_cell
from falcon_bulk.report.table_text import (
    GAP,
    cut,
    cut_middle,
    fold,
    has_header,
    longest_word,
    natural_widths,
    text_pieces,
    without_empty_table,
    wrap,
)
from falcon_bulk.report.table_text import text_width as width_of
from falcon_bulk.report.text_bars import shorten_bar, with_bars
from falcon_bulk.report.times import readable_time
from falcon_bulk.textsafe import falcon_link

_STYLES = {
    "bold": "1",
    "dim": "2",
    "warning": "1;33",
    "critical": "1;31",
    "high": "31",
    "medium": "33",
    "low": "36",
    "informational": "2",
}


class Terminal(NamedTuple):
    """A terminal to write to. width: its columns. links: whether it makes links of OSC 8 sequences."""

    stream: TextIO
    width: int
    color: bool = False
    links: bool = False

    def line(self, text: str = "", style: str = "") -> None:
        """Write a line, wrapped between words."""
        for line in wrap(text, self.width):
            self.stream.write(f"{self.painted(line, style)}\n")

    def painted(self, text: str, style: str) -> str:
        """Return the text in a style, if colours are wanted."""
        code = _STYLES.get(style)
        return f"\x1b[{code}m{text}\x1b[0m" if code and text and self.color else text


def write(sheets: Iterable[Sheet], terminal: Terminal) -> None:
    """Write every sheet as a title, a table and its notes. That times are in UTC is said once, below the first."""
    says_utc = False
    for number, sheet in enumerate(sheets):
        if number:
            terminal.line()
        says_utc = _write(with_bars(sheet), terminal, says_utc) or says_utc


def _write(sheet: Sheet, terminal: Terminal, says_utc: bool) -> bool:
    """Write a sheet and return whether it says that times are in UTC. says_utc: another said so before.

    Of a table without rows only its title and its notes stand: headings alone tell nothing.
    """
    sheet = without_empty_table(sheet)
    if sheet.title:
        terminal.line(format_cell(sheet.title), "bold")
    if sheet.title and (sheet.columns or sheet.warnings):
        terminal.line()
    for warning in sheet.warnings:
        terminal.line(f"Warning: {format_cell(warning)}", "warning")
    notes = list(sheet.notes)
    shown: Sequence[Column] = ()
    if sheet.as_blocks and sheet.columns:
        shown = sheet.columns
        _write_blocks(sheet, terminal)
    elif sheet.columns:
        sheet, common = _without_common(sheet) if sheet.common_above else (sheet, "")
        if common:
            terminal.line(common, "dim")
            terminal.line()
        layout = _write_rows(sheet, terminal)
        shown = [sheet.columns[place] for place in (*layout.kept, *layout.below)]
        if left_out := [title for place in layout.left_out if (title := sheet.columns[place].title)]:
            notes.append(f"Not shown at this width: {', '.join(left_out)}.")
    is_first = not says_utc and any(column.style == "time" for column in shown)
    if is_first:
        notes.append("Times are in UTC.")
    if notes and sheet.columns:
        terminal.line()
    for note in notes:
        terminal.line(format_cell(note))
    return is_first


def _write_blocks(sheet: Sheet, terminal: Terminal) -> None:
    """Write a block for each row. A value too long for its line starts at the left edge, and the terminal breaks it.

    So it can be copied whole: neither spaces nor line breaks stand in it.
    """
    label_width = max(width_of(format_cell(column.title)) for column in sheet.columns)
    for number, row in enumerate(sheet.rows):
        if number:
            terminal.line()
        for column, cell in zip(sheet.columns, row, strict=True):
            if text := _formed(column, cell):
                title = format_cell(column.title)
                fits = label_width + len(GAP) + width_of(text) <= terminal.width
                apart = " " * (label_width - width_of(title)) + GAP if fits else "\n"
                label = terminal.painted(title, "dim")
                terminal.stream.write(f"{label}{apart}{_shown(text, text, column, terminal)}\n")


def _write_rows(sheet: Sheet, terminal: Terminal) -> Layout:
    columns = sheet.columns
    pieces = text_pieces(sheet, _formed)
    titles = [format_cell(column.title) for column in columns]
    natural = natural_widths([""] * len(columns), pieces())
    layout = arrange(columns, titles, natural, terminal.width)
    if has_header(sheet):
        for line in (*_title_lines(titles, columns, layout), *(titles[place] for place in layout.below)):
            terminal.stream.write(f"{terminal.painted(line, 'bold')}\n")
        used = sum(layout.widths) + len(GAP) * (len(layout.widths) - 1)
        below = [min(natural[place], terminal.width) for place in layout.below]
        terminal.stream.write("─" * max([used, *below]) + "\n")
    for rows in pieces():
        for row in rows:
            _write_row(row, columns, natural, layout, terminal)
    return layout


def _title_lines(titles: Sequence[str], columns: Sequence[Column], layout: Layout) -> list[str]:
    """Return the columns' titles, broken between words, their last lines side by side."""
    heads = [
        wrap(titles[place], width) if longest_word(titles[place]) <= width else [cut(titles[place], width)]
        for place, width in zip(layout.kept, layout.widths, strict=True)
    ]
    height = max(map(len, heads))
    lines = zip(*([""] * (height - len(head)) + head for head in heads), strict=True)
    padded = (
        GAP.join(
            " " * (width - width_of(text)) + text if columns[place].right else text + " " * (width - width_of(text))
            for place, text, width in zip(layout.kept, line, layout.widths, strict=True)
        )
        for line in lines
    )
    return [line.rstrip() for line in padded]


def _write_row(
    row: Sequence[str], columns: Sequence[Column], natural: Sequence[int], layout: Layout, terminal: Terminal
) -> None:
    cells = []
    for place, width in zip(layout.kept, layout.widths, strict=True):
        column, text = columns[place], row[place]
        fitted = shorten_bar(text, natural[place], width) if column.style == "bar" else text
        cells.append(_cell_lines(fitted, column, width))
    for number in range(max(map(len, cells), default=0)):
        line = ""
        for place, width, lines in zip(layout.kept, layout.widths, cells, strict=True):
            text = lines[number] if number < len(lines) else ""
            shown = _shown(text, row[place], columns[place], terminal)
            padding = " " * (width - width_of(text))
            line += (padding + shown if columns[place].right else shown + padding) + GAP
        if line.strip() or not layout.below:
            terminal.stream.write(f"{line.rstrip()}\n")
    for place in layout.below:
        if row[place]:
            terminal.stream.write(f"{_shown(row[place], row[place], columns[place], terminal)}\n")


def _cell_lines(text: str, column: Column, width: int) -> list[str]:
    if width_of(text) <= width:
        return [text]
    if column.whole:
        return fold(text, width)
    if column.wrap:
        return wrap(text, width)
    return [cut_middle(text, width) if column.style == "ends" else cut(text, width)]


def _formed(column: Column, cell: Cell) -> str:
    text = format_column_cell(column, cell)
    return readable_time(text) if column.style == "time" else text


def _shown(text: str, whole: str, column: Column, terminal: Terminal) -> str:
    """Return a part of a cell's text as the terminal gets it: in its style, and as a link to the console."""
    style = whole.partition(" ")[0].lower() if column.style == "severity" else column.style
    painted = terminal.painted(text, style)
    url = falcon_link(whole.url) if terminal.links and text and isinstance(whole, Linked) else ""
    return f"\x1b]8;;{url}\x1b\\{painted}\x1b]8;;\x1b\\" if url else painted


def _without_common(sheet: Sheet) -> tuple[Sheet, str]:
    """Return the sheet without the columns that have one value in all of its rows, and a line with these values."""
    rows: list[Row] = list(sheet.rows)
    texts = [[_formed(column, row[place]) for row in rows] for place, column in enumerate(sheet.columns)]
    common = {
        place: column_texts[0]
        for place, column_texts in enumerate(texts)
        if len(set(column_texts)) == 1 < len(rows)
        and sheet.columns[place].title
        and sheet.columns[place].style != "time"
    }
    kept = [place for place in range(len(sheet.columns)) if place not in common]
    if not kept or not common:
        return replace(sheet, rows=rows), ""
    same = ", ".join(f"{sheet.columns[place].title} {text}" for place, text in common.items() if text)
    empty = ", ".join(sheet.columns[place].title for place, text in common.items() if not text)
    line = " ".join([f"In all rows: {same}."] * bool(same) + [f"Empty: {empty}."] * bool(empty))
    columns = [sheet.columns[place] for place in kept]
    return replace(sheet, columns=columns, rows=[[row[place] for place in kept] for row in rows]), format_cell(line)
