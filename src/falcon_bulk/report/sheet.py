"""A sheet: the tabular data that table, markdown and csv show."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from falcon_bulk.model.vocabulary import SEVERITY_NAMES, severity_band
from falcon_bulk.textsafe import printable

Cell = str | int | float | None
Row = Sequence[Cell]


class Linked(str):
    """Text that a terminal shows as a link. url: is checked where it is shown."""

    __slots__ = ("url",)
    url: str

    @classmethod
    def to(cls, url: str, text: str) -> "Linked":
        """Return the text as a link to the URL."""
        linked = cls(text)
        linked.url = url
        return linked


@dataclass(frozen=True)
class Column:
    """A column: its title, and how a table shows it.

    style: `bold`, `dim` or one of: `severity`, named and coloured by its value; `id` and `hash`, in a fixed width on a
    page; `bar`, a bar of text; and on a terminal `time`, to the second; `ends`, shortened in its middle.
    A terminal that is too narrow drops columns, the highest `drop_order` first (0 stays), until the others have
    their `min_width`. After that long values are cut with an ellipsis or, with `wrap`, continue on the next line.
    whole: the values identify something and are never cut: what is longer than `min_width` continues on the next line,
    and a column that stays and has no room beside the others gets a line of its own below each row.
    bar: a terminal shows a bar beside each number.
    """

    title: str
    right: bool = False
    style: str = ""
    drop_order: int = 0
    min_width: int = 10
    wrap: bool = False
    bar: bool = False
    whole: bool = False


def hash_column(title: str, drop_order: int = 0) -> Column:
    """Return a column of SHA256, MD5 or both, which is never cut."""
    return Column(title, style="hash", drop_order=drop_order, min_width=32 if title == "md5" else 64, whole=True)


def host_column(title: str, drop_order: int = 0) -> Column:
    """Return a column of host names, which is never cut."""
    return Column(title, drop_order=drop_order, min_width=40, whole=True)


def id_column(title: str, drop_order: int = 0) -> Column:
    """Return a column of composite ids, which is never cut."""
    return Column(title, style="id", drop_order=drop_order, min_width=120, whole=True)


_WHOLE = {
    **dict.fromkeys(("sha256", "md5", "sha1"), hash_column),
    **dict.fromkeys(("hostname", "host", "host_names", "computer_name"), host_column),
    **dict.fromkeys(("composite_id", "cid", "aid", "agent_id", "device_id", "id", "aggregate_id"), id_column),
}


def field_column(field: str, otherwise: Column) -> Column:
    """Return the column of an alert's field (dot path, or several with `*`); `otherwise` if its values may be cut."""
    makers = [_WHOLE.get(part.rpartition(".")[2]) for part in field.split("*")]
    known = next(filter(None, makers), None)
    if known is None:
        return otherwise
    column = known(field)
    return column if len(makers) == 1 else replace(column, style="", min_width=120)


class StoredRows:
    """Rows that are read from their store each time they are iterated over, so that no renderer keeps them."""

    def __init__(self, read: Callable[[], Iterable[Row]]) -> None:
        self._read = read

    def __iter__(self) -> Iterator[Row]:
        return iter(self._read())


@dataclass(frozen=True)
class Sheet:
    """A titled table with notes below it. Text is stored as it came; the renderers make it safe.

    warnings stand between the title and the rows. rows may be an iterator: they are written one by one. A
    table measures them first, so it reads StoredRows twice, and keeps others in a file. Each row has a cell per column.
    as_blocks: a table shows every row as a block of `title  value` lines, for rows too long for one line.
    common_above: a terminal leaves out columns that have one value in all rows, and shows these values above the table.
    csv_sheet: what csv, which holds one table, writes instead of this sheet and those after it.
    """

    title: str
    columns: Sequence[Column]
    rows: Iterable[Row]
    notes: Sequence[str] = ()
    warnings: Sequence[str] = ()
    as_blocks: bool = False
    common_above: bool = False
    csv_sheet: "Sheet | None" = None

    def with_notes(self, notes: Iterable[str]) -> "Sheet":
        """Return the same sheet with more notes below it."""
        return replace(self, notes=(*self.notes, *notes))


def format_cell(cell: Cell) -> str:
    """Format a cell for reading: numbers with thousands separators, text made printable, None as ''."""
    if isinstance(cell, str):
        return printable(cell)
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return f"{cell:,.0f}"
    return f"{cell:,}"


def severity_of(cell: Cell) -> str:
    """Return the severity name for a cell that holds its number or name; else ''."""
    if isinstance(cell, int | float):
        return severity_band(cell)
    name = (cell or "").capitalize()
    return name if name in SEVERITY_NAMES else ""


def format_column_cell(column: Column, cell: Cell) -> str:
    """Format a column's cell for reading: a severity's number gets its name in front."""
    text = format_cell(cell)
    named = column.style == "severity" and isinstance(cell, int | float)
    return f"{severity_of(cell)} {text}" if named else text
