"""The alerts and hashes that were given by name and not changed, each with its reason."""

from collections.abc import Sequence

from falcon_bulk.model.run import NamedItem
from falcon_bulk.report.sheet import Column, Sheet, format_cell, id_column

MAX_ITEMS = 20
_COLUMNS = (id_column("given by name"), Column("left alone"), Column("reason", wrap=True))


def named_items_sheets(items: Sequence[NamedItem]) -> list[Sheet]:
    """Return a sheet of the first of them, or none if there are none; the JSON has all."""
    if not items:
        return []
    rows = [
        (item.composite_id or item.sha256, item.outcome, "" if item.reason == item.outcome else item.reason)
        for item in items[:MAX_ITEMS]
    ]
    rest = len(items) - len(rows)
    notes = [f"and {format_cell(rest)} more; --format json has all of them"] if rest else []
    return [Sheet("", _COLUMNS, rows, notes)]
