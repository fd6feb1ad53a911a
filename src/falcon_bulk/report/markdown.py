"""Writes sheets as Markdown tables, for tickets and wikis."""

import re
from collections.abc import Iterable
from typing import TextIO

from falcon_bulk.report.sheet import Cell, Sheet, format_cell
from falcon_bulk.textsafe import falcon_link, markdown_cell

# Starts a list, a heading or a rule at the beginning of a line.
_BLOCK_START = re.compile(r"^(\d*)([-+=.):])")


def write(sheets: Iterable[Sheet], stream: TextIO) -> None:
    """Write every sheet as a heading, a table and a list of notes, row by row.

    Only links to the Falcon console can be clicked.
    """
    for number, sheet in enumerate(sheets):
        if number:
            stream.write("\n")
        if sheet.title:
            stream.write(f"## {_line(sheet.title)}\n\n")
        for warning in sheet.warnings:
            stream.write(f"- **Warning:** {_line(warning)}\n")
        if sheet.warnings and sheet.columns:
            stream.write("\n")
        if sheet.columns:
            stream.write(_row(markdown_cell(column.title) for column in sheet.columns))
            stream.write(_row("---:" if column.right else "---" for column in sheet.columns))
        for row in sheet.rows:
            stream.write(_row(map(_cell, row)))
        if sheet.columns and sheet.notes:
            stream.write("\n")
        for note in sheet.notes:
            stream.write(f"- {_line(note)}\n")


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _cell(cell: Cell) -> str:
    link = falcon_link(cell)
    return f"<{link}>" if link else markdown_cell(format_cell(cell))


def _line(text: str) -> str:
    return _BLOCK_START.sub(r"\1\\\2", markdown_cell(text.strip()))
