"""Tables fit a terminal and are complete on a pipe."""

import io
import re
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from falcon_bulk.report import markdown, table
from falcon_bulk.report.alerts import alert_sheet
from falcon_bulk.report.hash_summary import hash_summary_sheets
from falcon_bulk.report.preview import preview_sheets
from falcon_bulk.report.run_result import result_sheets
from falcon_bulk.report.runs import alert_records_sheet, runs_sheet
from falcon_bulk.report.sheet import Column, Sheet, StoredRows
from tests.support.report_builders import (
    SHA256,
    a_hash_count,
    a_hash_elsewhere,
    a_hash_summary,
    a_partial_result,
    a_plan,
    a_preview,
    a_record,
    a_run_row,
    an_alert,
)


def lines(*sheets: Sheet, width: int | None = None, color: bool = False) -> list[str]:
    stream = io.StringIO()
    table.write(sheets, stream, color=color, width=width)
    return stream.getvalue().splitlines()


def all_kinds() -> list[Sheet]:
    return [
        alert_sheet([an_alert(), an_alert(2, severity_name="Critical")], details=False),
        alert_sheet([an_alert()], details=True),
        *hash_summary_sheets(a_hash_summary(a_hash_count(), related=(a_hash_elsewhere(),)), None),
        *preview_sheets(a_plan(), a_preview()),
        *result_sheets(a_partial_result()),
        runs_sheet([a_run_row()]),
        alert_records_sheet(lambda: [a_record()]),
    ]


@pytest.mark.parametrize("width", [40, 80, 100, 160])
def test_everything_fits_the_terminal(width: int) -> None:
    assert max(map(cell_len, lines(*all_kinds(), width=width))) <= width


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.text(max_size=60), st.text(max_size=200), st.integers()), max_size=4),
    st.integers(min_value=12, max_value=120),
)
def test_any_rows_fit_any_terminal(rows: list[tuple[str, str, int]], width: int) -> None:
    columns = (Column("one", drop_order=1), Column("two", wrap=True), Column("three", right=True, drop_order=2))
    assert max(map(cell_len, lines(Sheet("", columns, rows), width=width))) <= width


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=120), st.integers(min_value=12, max_value=80))
def test_a_text_cut_in_its_middle_fits_any_terminal(text: str, width: int) -> None:
    assert max(map(cell_len, lines(Sheet("", (Column("a", style="ends"),), [(text,)]), width=width))) <= width


def test_a_text_cut_in_its_middle_keeps_both_ends() -> None:
    sheet = Sheet("", (Column("a", style="ends"),), [(r"\Device\HarddiskVolume3\Windows\System32\wscript.exe",)])
    assert lines(sheet, width=21)[-1] == r"\Device\Ha…script.exe"
    assert lines(sheet, width=20)[-1] == r"\Device\H…script.exe"
    assert lines(sheet)[-1].endswith(r"\Windows\System32\wscript.exe")


def test_notes_without_a_table_follow_the_last_one_after_one_blank_line() -> None:
    sheets = [Sheet("", (Column("a"),), [("x",)]), Sheet("", (), (), ("a note", "another"))]
    for width in (None, 80):
        assert lines(*sheets, width=width)[-4:] == ["x", "", "a note", "another"]
    stream = io.StringIO()
    markdown.write(sheets, stream)
    assert stream.getvalue() == "| a |\n| --- |\n| x |\n\n- a note\n- another\n"


def test_a_pipe_gets_every_value_in_full_and_a_row_a_line() -> None:
    long = "x" * 3000 + " and words " * 50 + "end"
    output = lines(Sheet("Title", (Column("a"), Column("b")), [(long, 1), ("short", 2)], ("a note",)))
    assert output[0] == "Title"
    assert [line for line in output if long in line and line.endswith("  1")]
    assert len(output) == 8
    assert not any("…" in line for line in output)


def test_a_pipe_gets_all_columns_and_whole_times() -> None:
    header, _, row = lines(alert_sheet([an_alert()], details=False))
    assert len(header.split()) == 12
    assert "2026-11-17T06:50:00.123456789Z" in row
    assert SHA256 in row


def test_a_terminal_cuts_long_values_with_an_ellipsis() -> None:
    *_, row = lines(Sheet("", (Column("a"), Column("b")), [("x" * 200, "end")]), width=40)
    assert "…" in row
    assert row.rstrip().endswith("end")


def test_an_id_is_cut_at_its_beginning() -> None:
    *_, row = lines(Sheet("", (Column("a", style="id"),), [("cid:ind:aid:" + "1" * 60 + "-103-7",)]), width=30)
    assert row.startswith("…")
    assert row.rstrip().endswith("1-103-7")


def test_folded_values_are_whole_on_a_narrow_terminal() -> None:
    output = lines(Sheet("", (Column("k"), Column("v", wrap=True)), [("key", "x" * 100)]), width=40)
    assert sum(line.count("x") for line in output) == 100


def test_columns_that_have_no_room_are_named() -> None:
    output = " ".join(lines(alert_sheet([an_alert()], details=False), width=80))
    assert "Not shown at this width: composite_id" in output
    assert "hostname" in output.split("Not shown")[0]


def test_a_terminal_shows_times_to_the_minute() -> None:
    output = "\n".join(lines(alert_sheet([an_alert()], details=False), width=120))
    assert "2026-11-17 06:50 " in output


def test_details_are_a_block_for_each_alert() -> None:
    output = lines(alert_sheet([an_alert(1), an_alert(2, user_name=None)], details=True))
    assert output.count("") == 1
    assert "tags               pilot, triage" in output
    assert sum(line.startswith("user_name ") for line in output) == 1


def test_numbers_have_thousands_separators_and_stand_on_the_right() -> None:
    rows = [(1234567,), (5,), (2.5,), (70.0,), (None,)]
    assert lines(Sheet("", (Column("alerts", right=True),), rows))[2:] == [
        "1,234,567",
        "        5",
        "      2.5",
        "       70",
        "",
    ]


def test_wide_characters_keep_the_columns_aligned() -> None:
    *_, one, two = lines(Sheet("", (Column("a"), Column("b")), [("漢字", "|"), ("abcd", "|")]))
    assert cell_len(one) == cell_len(two)


@pytest.mark.parametrize(
    ("severity", "code"),
    [("Critical", "1;31"), ("High", "31"), ("Medium", "33"), ("Low", "36"), ("Informational", "2")],
)
def test_severities_are_coloured(severity: str, code: str) -> None:
    sheet = alert_sheet([an_alert(severity_name=severity)], details=False)
    assert f"\x1b[{code}m{severity}" in "\n".join(lines(sheet, width=100, color=True))


def test_without_colour_there_is_no_escape_sequence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b" not in "\n".join(lines(*all_kinds(), width=80))


def test_a_sheet_without_rows_still_shows_its_columns() -> None:
    for width in (None, 80):
        assert lines(Sheet("", (Column("a"), Column("b")), []), width=width)[0].split() == ["a", "b"]


def test_rich_is_not_loaded_for_other_formats() -> None:
    code = (
        "import sys, io\n"
        "from falcon_bulk.report import alerts, formats, hash_summary, output, preview, error\n"
        "from falcon_bulk.report import run_result, runs, sheet\n"
        "empty = [sheet.Sheet('', (), [])]\n"
        "output.render(empty, formats.Format.CSV, io.StringIO(), color=False, width=None)\n"
        "assert 'rich' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_on_a_terminal_a_bar_stands_beside_each_count() -> None:
    hashes = [a_hash_count(alerts, sha256=SHA256[:-1] + str(alerts % 10)) for alerts in (3200, 1601, 4)]
    shown = lines(hash_summary_sheets(a_hash_summary(*hashes), None)[0], width=80)
    beside = [("3,200", "██████"), ("1,601", "███"), ("4", "█")]
    assert [tuple(line.split()[:2]) for line in shown[4:7]] == beside
    assert not any("█" in line for line in lines(hash_summary_sheets(a_hash_summary(*hashes), None)[0]))


def test_severities_are_named_and_coloured() -> None:
    summary = a_hash_summary(a_hash_count(max_severity=90.0))
    assert any("Critical 90" in line for line in lines(*hash_summary_sheets(summary, None)))
    on_a_terminal = lines(*hash_summary_sheets(summary, None), width=200, color=True)
    assert any(re.search(r"\x1b\[1;31m *Critical 90", line) for line in on_a_terminal)
    details = lines(alert_sheet([an_alert(severity_name="High")], details=True), width=80, color=True)
    assert any("\x1b[31mHigh " in line for line in details)


@pytest.mark.parametrize("width", [None, 40, 120])
@pytest.mark.parametrize("number", [0, 1, table.ROWS_AT_ONCE, 2 * table.ROWS_AT_ONCE + 1])
def test_stored_rows_look_like_rows_that_are_held(width: int | None, number: int) -> None:
    columns = (Column("name", min_width=4), Column("number", right=True, drop_order=1), Column("at", style="time"))
    rows = [("漢" * (row % 9), row * 1_000, f"2026-11-24T08:00:{row % 60:02}Z") for row in range(number)]
    held = lines(Sheet("Title", columns, rows, ["note"]), width=width)
    assert lines(Sheet("Title", columns, StoredRows(lambda: iter(rows)), ["note"]), width=width) == held
