"""The report of selections: the named selections of config.toml."""

from collections.abc import Sequence

import msgspec

from falcon_bulk.report.report import Report
from falcon_bulk.report.sheet import Column, Sheet


class SelectionEntry(msgspec.Struct, frozen=True):
    """A named selection: what it selects, as the options that it stands for."""

    name: str
    description: str
    options: tuple[str, ...]


class SelectionsDocument(msgspec.Struct, frozen=True, tag_field="schema", tag="falcon-bulk/selections/1"):
    """`falcon-bulk/selections/1`. file: where config.toml is or would be."""

    file: str
    selections: Sequence[SelectionEntry]


_COLUMNS = (
    Column("name", min_width=20, whole=True),
    Column("description", drop_order=1, min_width=20, wrap=True),
    Column("options", min_width=40, wrap=True),
)


def selections_report(file: str, selections: Sequence[SelectionEntry], command_line: Sequence[str]) -> Report:
    """Return the report on the named selections. command_line: of each, its options quoted for a shell."""
    rows = [
        (f"@{selection.name}", selection.description, line)
        for selection, line in zip(selections, command_line, strict=True)
    ]
    return Report(lambda: [Sheet("", _COLUMNS, rows)], lambda: SelectionsDocument(file, selections))
