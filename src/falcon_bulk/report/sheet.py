"""A sheet: the one tabular thing that table, markdown and csv show, each in its way."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from falcon_bulk.model.vocabulary import SEVERITY_NAMES, severity_band
from falcon_bulk.textsafe import printable

Cell = str | int | float | None
Row = Sequence[Cell]


@dataclass(frozen=True)
class Column:
    """A column: its title, and how a table shows it.

    style: a rich style or `severity`, named and coloured by its value; `time`, on a terminal cut to the minute;
    `id`, there cut at its beginning, since what tells it apart stands at its end; `ends`, there cut in its middle;
    `hash`; `bar`, text as long as a number is great.
    On a terminal that is too narrow, columns are left out, the highest `spare` first (0 stays), until each
    of the others has the `least` width that is of use. After that long values are cut with an ellipsis,
    or with `fold` go on in the next line. bar: there a bar stands beside each number.
    """

    title: str
    right: bool = False
    style: str = ""
    spare: int = 0
    least: int = 10
    fold: bool = False
    bar: bool = False


@dataclass(frozen=True)
class Sheet:
    """A titled table with notes below it. Foreign text goes in as it is; the renderers make it safe.

    rows may be an iterator: csv and markdown pass them on one by one. Each has a cell per column.
    stacked: a table shows every row as a block of `title  value` lines, for rows too long for one line.
    flat: what csv, which holds one table, shows instead of this sheet and those behind it.
    """

    title: str
    columns: Sequence[Column]
    rows: Iterable[Row]
    notes: Sequence[str] = ()
    stacked: bool = False
    flat: "Sheet | None" = None

    def noted(self, notes: Iterable[str]) -> "Sheet":
        """The same sheet with more notes below it."""
        return replace(self, notes=(*self.notes, *notes))


def format_cell(cell: Cell) -> str:
    """A cell as people read it: numbers with thousands separators, text made printable, None as ''."""
    if isinstance(cell, str):
        return printable(cell)
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return f"{cell:,.0f}"
    return f"{cell:,}"


def severity_of(cell: Cell) -> str:
    """The name of the severity that a cell shows as its number or by its name; else ''."""
    if isinstance(cell, int | float):
        return severity_band(cell)
    name = (cell or "").capitalize()
    return name if name in SEVERITY_NAMES else ""


def format_column_cell(column: Column, cell: Cell) -> str:
    """A cell of a column as people read it: a severity's number with its name before it."""
    text = format_cell(cell)
    named = column.style == "severity" and isinstance(cell, int | float)
    return f"{severity_of(cell)} {text}" if named else text
