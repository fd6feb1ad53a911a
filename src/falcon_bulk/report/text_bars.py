"""Bars of text beside numbers, for terminals."""

from dataclasses import replace

from falcon_bulk.report.sheet import Cell, Column, Sheet

MAX_BAR = 12
_BLOCK = "█"


def bar(number: int, most: int, longest: int) -> str:
    """A bar as long as the number is great; any number has at least one block, and `most` or more has `longest`."""
    return _BLOCK * min(longest, max(1, round(longest * number / most)))


def shorten_bar(text: str, natural: int, width: int) -> str:
    """A bar for a column of a width that would take `natural` columns: all are shortened alike."""
    return bar(len(text), natural, width) if text and width < natural else text


def with_bars(sheet: Sheet) -> Sheet:
    """The sheet with a column of bars behind each column that asks for it; the longest is of its greatest number."""
    if not any(column.bar for column in sheet.columns):
        return sheet
    rows = [list(row) for row in sheet.rows]
    columns = list(sheet.columns)
    for place in reversed([place for place, column in enumerate(columns) if column.bar]):
        most = max((_number(row[place]) for row in rows), default=0) or 1
        columns.insert(place + 1, Column("", style="bar", drop_order=1, min_width=6))
        for row in rows:
            row.insert(place + 1, bar(_number(row[place]), most, MAX_BAR))
    return replace(sheet, columns=columns, rows=rows)


def _number(cell: Cell) -> int:
    return cell if isinstance(cell, int) else 0
