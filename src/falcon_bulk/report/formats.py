"""The output formats, and which of them each report has."""

from enum import StrEnum
from pathlib import Path

from falcon_bulk.errors import UsageProblem


class Format(StrEnum):
    """The values of `--format`."""

    TABLE = "table"
    MARKDOWN = "markdown"
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"
    HTML = "html"


FORMATS: dict[str, frozenset[Format]] = {
    "query": frozenset({Format.TABLE, Format.MARKDOWN, Format.CSV, Format.JSON, Format.JSONL}),
    "hash-summary": frozenset({Format.TABLE, Format.MARKDOWN, Format.CSV, Format.JSON, Format.HTML}),
    "summary": frozenset({Format.TABLE, Format.MARKDOWN, Format.CSV, Format.JSON, Format.HTML}),
    "overview": frozenset({Format.TABLE, Format.MARKDOWN, Format.CSV, Format.JSON, Format.HTML}),
    "report": frozenset({Format.TABLE, Format.MARKDOWN, Format.JSON, Format.HTML}),
    "run": frozenset({Format.TABLE, Format.MARKDOWN, Format.JSON}),
    "selections": frozenset({Format.TABLE, Format.MARKDOWN, Format.CSV, Format.JSON}),
    "customers": frozenset({Format.TABLE, Format.MARKDOWN, Format.CSV, Format.JSON}),
    "rules": frozenset({Format.TABLE, Format.MARKDOWN, Format.CSV, Format.JSON}),
    "rules-report": frozenset({Format.TABLE, Format.MARKDOWN, Format.CSV, Format.JSON, Format.HTML}),
    "schedule": frozenset({Format.TABLE, Format.MARKDOWN, Format.JSON}),
    "doctor": frozenset({Format.TABLE, Format.MARKDOWN, Format.JSON}),
    "runs": frozenset({Format.TABLE, Format.MARKDOWN, Format.CSV, Format.JSON, Format.HTML}),
}
"""The formats of each kind of report; `run` is that of every changing command."""

FOLDER_FORMATS = {"report": Format.HTML}
"""The format of files in the folder of -o, for each kind of report that has another one than Markdown."""

_BY_SUFFIX = {
    ".txt": Format.TABLE,
    ".md": Format.MARKDOWN,
    ".markdown": Format.MARKDOWN,
    ".csv": Format.CSV,
    ".json": Format.JSON,
    ".jsonl": Format.JSONL,
    ".html": Format.HTML,
    ".htm": Format.HTML,
}

SUFFIXES: dict[Format, str] = {
    Format.TABLE: ".txt",
    Format.MARKDOWN: ".md",
    Format.CSV: ".csv",
    Format.JSON: ".json",
    Format.JSONL: ".jsonl",
    Format.HTML: ".html",
}
"""The suffix of files that get their name from the tool."""


def format_of(path: str | Path) -> Format:
    """Return the format for a file's suffix. Raises UsageProblem for an unknown suffix."""
    suffix = Path(path).suffix.lower()
    if suffix not in _BY_SUFFIX:
        raise UsageProblem(
            f"Unknown file suffix: {str(path)!r}.",
            f"Use one of the suffixes {', '.join(_BY_SUFFIX)}.",
        )
    return _BY_SUFFIX[suffix]


def check(kind: str, fmt: Format) -> None:
    """Raise UsageProblem if this kind of report does not have the format."""
    possible = FORMATS[kind]
    if fmt not in possible:
        raise UsageProblem(
            f"This report is not available as {fmt}.",
            f"Use one of {', '.join(known for known in Format if known in possible)}.",
        )
