"""A few facts in two columns."""

from collections.abc import Mapping

from falcon_bulk.report.sheet import Cell, Column, Sheet

FACT_COLUMNS = (Column("", style="dim", min_width=12), Column("", wrap=True))
"""Of the facts at the head of a preview."""


def facts_sheet(title: str, facts: Mapping[str, Cell]) -> Sheet:
    """Each fact as a row: what, and its value."""
    return Sheet(title, (Column("what"), Column("value")), [(what, value) for what, value in facts.items()])
