"""CSV for spreadsheets and scripts."""

import io
from collections.abc import Iterator

from falcon_bulk.report import csv_writer as csvfile
from falcon_bulk.report.alerts import alert_sheet
from falcon_bulk.report.sheet import Cell, Column, Sheet
from tests.support.report_builders import an_alert


def test_numbers_are_plain_digits_and_nothing_is_an_empty_cell() -> None:
    stream = io.StringIO()
    csvfile.write([Sheet("T", tuple(map(Column, "abcd")), [(1234567, 70.0, -2.5, None)], ("note",))], stream)
    assert stream.getvalue() == "a,b,c,d\n1234567,70,-2.5,\n"


def test_only_the_first_sheet_is_written() -> None:
    stream = io.StringIO()
    csvfile.write([Sheet("", (Column("a"),), [("1",)]), Sheet("", (Column("b"),), [("2",)])], stream)
    assert stream.getvalue() == "a\n1\n"


def test_a_flat_sheet_is_written_instead_of_those_it_stands_for() -> None:
    stream = io.StringIO()
    flat = Sheet("", (Column("by"), Column("value")), [("a", "1"), ("b", "2")])
    csvfile.write([Sheet("", (Column("a"),), [("1",)], csv_sheet=flat), Sheet("", (Column("b"),), [("2",)])], stream)
    assert stream.getvalue() == "by,value\na,1\nb,2\n"


def test_alerts_have_the_documented_columns() -> None:
    stream = io.StringIO()
    csvfile.write([alert_sheet([an_alert()], details=False)], stream)
    assert stream.getvalue().splitlines()[0] == (
        "composite_id,created_timestamp,severity_name,status,resolution,product,type,name,hostname,filename,"
        "sha256,assigned_to_name"
    )


def test_rows_are_written_as_they_come() -> None:
    stream = io.StringIO()
    written: list[int] = []

    def rows() -> Iterator[tuple[Cell]]:
        for number in range(3):
            written.append(stream.getvalue().count("\n"))
            yield (number,)

    csvfile.write([Sheet("", (Column("a"),), rows())], stream)
    assert written == [1, 2, 3]
