"""Sheets as one self-contained HTML page: no script, no network, readable in light, dark and print."""

from collections.abc import Iterable, Iterator
from typing import Any, TextIO

from falcon_bulk.report.sheet import Cell, Column, Sheet, shown
from falcon_bulk.textsafe import printable

TEMPLATE = "page.html.j2"


def write(sheets: Iterable[Sheet], stream: TextIO) -> None:
    """Write the sheets as a page; the first one's title is the page's. All text is escaped by the template."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("falcon_bulk", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    shown_sheets = [_shown(sheet) for sheet in sheets]
    title = next((sheet["title"] for sheet in shown_sheets if sheet["title"]), "falcon-bulk")
    for piece in environment.get_template(TEMPLATE).generate(title=title, sheets=shown_sheets):
        stream.write(piece)


def _shown(sheet: Sheet) -> dict[str, Any]:
    return {
        "title": printable(sheet.title),
        "columns": [{"title": printable(column.title), "right": column.right} for column in sheet.columns],
        "rows": [list(_cells(row, sheet)) for row in sheet.rows],
        "notes": [printable(note) for note in sheet.notes],
    }


def _cells(row: Iterable[Cell], sheet: Sheet) -> Iterator[tuple[str, str]]:
    for cell, column in zip(row, sheet.columns, strict=True):
        yield shown(cell), _kind(cell, column)


def _kind(cell: Cell, column: Column) -> str:
    if isinstance(cell, str) and cell and not cell.strip("█"):
        return "bar"
    return "number" if column.right else "text"
