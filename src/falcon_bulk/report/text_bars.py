"""Bars of text beside numbers, for terminals."""

from dataclasses import replace

from falcon_bulk.report.sheet import Cell, Column, Sheet

MAX_BAR = 12
_BLOCK = "█"


def bar(number: int, largest: int, longest: int) -> str:
    """Return a bar in proportion to the number: at least one block, and `longest` blocks for `largest` or more."""
    return _BLOCK * min(longest, max(1, round(longest * number / largest)))


def shorten_bar(text: str, natural: int, width: int) -> str:
    """Shorten a bar in a column of `natural` width to `width`, in proportion."""
    return bar(len(text), natural, width) if text and width < natural else text


def with_bars(sheet: Sheet) -> Sheet:
    """Add a column of bars after each column that has `bar` set; its largest number gets the longest bar."""
    if not any(column.bar for column in sheet.columns):
        return sheet
    rows = [list(row) for row in sheet.rows]
    columns = list(sheet.columns)
    for place in reversed([place for place, column in enumerate(columns) if column.bar]):
        largest = max((_number(row[place]) for row in rows), default=0) or 1
        columns.insert(place + 1, Column("", style="bar", drop_order=1, min_width=6))
        for row in rows:
            row.insert(place + 1, bar(_number(row[place]), largest, MAX_BAR))
    return replace(sheet, columns=columns, rows=rows)


def _number(cell: Cell) -> int:
    return cell if isinstance(cell, int) else 0
