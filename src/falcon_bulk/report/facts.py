"""Facts in two columns."""

from collections.abc import Mapping

from falcon_bulk.report.sheet import Cell, Column, Sheet

FACT_COLUMNS = (Column("", style="dim", min_width=12), Column("", wrap=True))
"""Columns of the facts at the top of a preview."""


def facts_sheet(title: str, facts: Mapping[str, Cell]) -> Sheet:
    """Return a row for each fact: its name and its value."""
    return Sheet(title, (Column("what"), Column("value")), [(what, value) for what, value in facts.items()])
