"""What an HTML page is made of."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from falcon_bulk.report.chart import Chart
from falcon_bulk.report.sheet import Cell, Sheet


@dataclass(frozen=True)
class Page:
    """A title, facts (who made it, when, with which filter), charts, and tables.

    Without a title it has that of its first sheet. Foreign text goes in as it is; the page makes it safe.
    """

    sheets: Iterable[Sheet]
    title: str = ""
    facts: Mapping[str, Cell] = field(default_factory=dict)
    charts: Iterable[Chart] = ()
