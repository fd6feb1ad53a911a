"""Writes a report as one self-contained HTML page: no script, no network, readable in light, dark and print."""

from collections.abc import Sequence
from functools import cache
from typing import TextIO

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from rich.cells import cell_len, set_cell_size

from falcon_bulk.model.vocabulary import SEVERITY_NAMES
from falcon_bulk.report.chart import REST, Chart
from falcon_bulk.report.headings import heading
from falcon_bulk.report.page import Page
from falcon_bulk.report.sheet import Cell, Column, Sheet, format_cell, format_column_cell, severity_of
from falcon_bulk.report.times import readable_time
from falcon_bulk.textsafe import printable

TEMPLATE = "page.html.j2"
WORD_CELLS, SHORT_TEXT, LONG_TEXT = 36, 16, 80
"""Characters: what a column needs at most; of a text that a phone need not wrap; of one that needs room to wrap."""
LABEL_CELLS = 30
"""The part of a bar's label that fits beside its number on a phone; its tooltip has all of it."""


def write(page: Page, stream: TextIO) -> None:
    """Write the page. The template escapes all text; rows are read one by one."""
    sheets = list(page.sheets)
    title = page.title or next((sheet.title for sheet in sheets if sheet.title), "falcon-bulk")
    charts = list(page.charts)
    pieces = _template().generate(
        title=printable(", ".join(filter(None, [title, page.period]))),
        facts=[(printable(heading(what)), _fact(value)) for what, value in page.facts.items()],
        charts=list(map(_chart_values, charts)),
        sheets=[_sheet_values(sheet, title, f"Filter: {page.facts.get('filter')}") for sheet in sheets],
        severities=SEVERITY_NAMES if _has_severities(sheets, charts) else (),
        legend=[(printable(term), printable(meaning)) for term, meaning in page.legend.items()],
    )
    for piece in pieces:
        stream.write(piece)


def _fact(value: Cell) -> str:
    text = format_cell(value)
    readable = readable_time(text)
    return text if readable == text else f"{readable} UTC"


def _has_severities(sheets: Sequence[Sheet], charts: Sequence[Chart]) -> bool:
    return any(column.style == "severity" for sheet in sheets for column in sheet.columns) or any(
        bar.accent in SEVERITY_NAMES for chart in charts for bar in chart.bars
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("falcon_bulk", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(TEMPLATE)


def _chart_values(chart: Chart) -> dict[str, object]:
    return {
        "title": printable(chart.title),
        "description": printable(chart.description),
        "note": printable(chart.note),
        "step": chart.step,
        "largest": format_cell(chart.largest),
        "bars": [
            {
                "label": (label := printable(bar.label)),
                "short": label if cell_len(label) <= LABEL_CELLS else set_cell_size(label, LABEL_CELLS - 1) + "…",
                "number": format_cell(bar.number),
                "share": f"{bar.number / chart.total:.1%}" if chart.total else "",
                # The sum of all others is not compared with single values.
                "length": 0 if bar.accent == REST else round(100 * bar.number / chart.largest, 2),
                "accent": bar.accent.lower(),
            }
            for bar in chart.bars
        ],
    }


def _sheet_values(sheet: Sheet, title: str, known: str) -> dict[str, object]:
    """Return the sheet for the template, without the page's title and a known note, which the page has already."""
    # Text bars are for terminals; a page has charts.
    kept = [place for place, column in enumerate(sheet.columns) if column.style != "bar"]
    columns = [(sheet.columns[place], *_text_widths(sheet, place)) for place in kept]
    return {
        "title": "" if sheet.title == title else printable(sheet.title),
        "columns": [
            {
                "title": printable(heading(column.title)),
                "kind": _kind(column),
                "right": column.right,
                "word": word,
                "phone": phone,
            }
            for column, word, phone in columns
        ],
        "rows": ([_cell(row[place], sheet.columns[place]) for place in kept] for row in sheet.rows),
        "warnings": [printable(warning) for warning in sheet.warnings],
        "notes": [printable(note) for note in sheet.notes if note != known],
    }


def _text_widths(sheet: Sheet, place: int) -> tuple[int, int]:
    """Return the characters that a text column needs, and those on a phone; 0 where rows are read one by one.

    Texts wrap between words: a column has room for its longest one. A long text would be a tall column of single words.
    """
    column = sheet.columns[place]
    if column.right or _kind(column) == "code" or not isinstance(sheet.rows, Sequence):
        return 0, 0
    texts = [format_column_cell(column, row[place]) for row in sheet.rows]
    longest = max(map(len, texts), default=0)
    word = min(max((len(word) for text in texts for word in text.split()), default=1), WORD_CELLS)
    return word, WORD_CELLS if longest > LONG_TEXT else max(word, min(longest, SHORT_TEXT))


def _kind(column: Column) -> str:
    if column.style in ("id", "hash"):
        return "code"
    return column.style if column.style in ("time", "severity") else "text"


def _cell(cell: Cell, column: Column) -> tuple[str, str]:
    """Return the text, and a value for the markup: the full time, or the severity's name."""
    if column.style == "time":
        whole = format_cell(cell)
        return readable_time(whole), whole
    if column.style == "severity":
        return format_column_cell(column, cell), severity_of(cell).lower()
    return format_cell(cell), ""
