"""Which formats there are, and for what."""

import pytest

from falcon_bulk.errors import UsageProblem
from falcon_bulk.report.formats import FORMATS, Format, check, format_of


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.md", Format.MARKDOWN),
        ("a.markdown", Format.MARKDOWN),
        ("reports/acme.2026.CSV", Format.CSV),
        ("a.json", Format.JSON),
        ("a.jsonl", Format.JSONL),
        ("a.txt", Format.TABLE),
    ],
)
def test_the_suffix_of_a_file_gives_its_format(name: str, expected: Format) -> None:
    assert format_of(name) is expected


@pytest.mark.parametrize("name", ["report", "report.xlsx", ".csv", "csv"])
def test_an_unknown_suffix_is_refused_and_the_known_ones_are_named(name: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        format_of(name)
    assert ".txt, .md, .markdown, .csv, .json, .jsonl" in caught.value.hint


@pytest.mark.parametrize("kind", FORMATS)
def test_every_kind_has_table_markdown_and_json(kind: str) -> None:
    for fmt in (Format.TABLE, Format.MARKDOWN, Format.JSON):
        check(kind, fmt)


@pytest.mark.parametrize(
    ("kind", "fmt"),
    [
        ("run", Format.CSV),
        ("run", Format.JSONL),
        ("runs", Format.JSONL),
        ("summary", Format.JSONL),
        ("query", Format.HTML),
    ],
)
def test_a_format_that_a_report_does_not_have_is_refused_and_the_others_are_named(kind: str, fmt: Format) -> None:
    with pytest.raises(UsageProblem) as caught:
        check(kind, fmt)
    assert str(fmt) in caught.value.message
    assert "table, markdown" in caught.value.hint
