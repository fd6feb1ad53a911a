"""A report is written from one value in every format."""

import io
import json
from collections.abc import Callable

import msgspec
import pytest

from falcon_bulk.report.formats import Format
from falcon_bulk.report.output import Sink
from falcon_bulk.report.page import Page
from falcon_bulk.report.report import Report
from falcon_bulk.report.sheet import Column, Sheet


class CountDocument(msgspec.Struct, frozen=True, tag_field="schema", tag="falcon-bulk/count/1"):
    alerts: int
    customer: str | None = None


SHEET = Sheet("Alerts", (Column("alerts", right=True),), [(3,)], ["a note"])


def a_report(**fields: object) -> Report:
    return Report(lambda: [SHEET], lambda: CountDocument(3), **fields)  # type: ignore[arg-type]


def written(report: Report, fmt: Format) -> str:
    stream = io.BytesIO()
    report.write(Sink(stream), fmt, {"made by": "alice"})
    return stream.getvalue().decode()


def test_json_is_the_struct_with_its_schema_and_null() -> None:
    document = {"schema": "falcon-bulk/count/1", "alerts": 3, "customer": None}
    assert json.loads(written(a_report(), Format.JSON)) == document
    lines = written(a_report(), Format.JSONL)
    assert lines.count("\n") == 1
    assert json.loads(lines) == document


def test_the_other_formats_have_the_sheets() -> None:
    assert written(a_report(), Format.CSV) == "alerts\n3\n"
    assert written(a_report(), Format.MARKDOWN).startswith("## Alerts\n\n| alerts |\n| ---: |\n| 3 |\n")
    assert "a note" in written(a_report(), Format.TABLE)


@pytest.mark.parametrize("page", [None, lambda: Page([SHEET], facts={"filter": "all alerts"})])
def test_a_page_says_who_made_it(page: Callable[[], Page] | None) -> None:
    html = written(a_report(page=page), Format.HTML)
    assert "<dt>Made by</dt><dd>alice</dd>" in html
    assert ("all alerts" in html) == (page is not None)


def test_a_writer_takes_the_place_of_a_format() -> None:
    def write(sink: Sink) -> None:
        sink.binary.write(b"3\n")

    report = a_report(writers={Format.TABLE: write})
    assert written(report, Format.TABLE) == "3\n"
    assert written(report, Format.CSV) == "alerts\n3\n"


def test_rows_and_documents_are_made_anew_for_each_place() -> None:
    made = []

    def sheets() -> list[Sheet]:
        made.append("sheets")
        return [Sheet("", SHEET.columns, iter([(3,)]))]

    report = Report(sheets, dict)
    assert made == []
    assert written(report, Format.CSV) == written(report, Format.CSV)
    assert made == ["sheets", "sheets"]
