"""The parts of an HTML page."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from falcon_bulk.report.chart import Chart
from falcon_bulk.report.sheet import Cell, Sheet


@dataclass(frozen=True)
class Page:
    """A title, facts (who made it, when, with which filter), charts, tables, and what the terms in them mean.

    Without a title it takes its first sheet's. period: the days that the page is about, which follow the title.
    legend: explanations by term. Text is stored as it came; the page makes it safe.
    """

    sheets: Iterable[Sheet]
    title: str = ""
    facts: Mapping[str, Cell] = field(default_factory=dict)
    charts: Iterable[Chart] = ()
    period: str = ""
    legend: Mapping[str, str] = field(default_factory=dict)
