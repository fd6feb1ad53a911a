"""Tables fit a terminal and are complete on a pipe."""

import io
import re
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from falcon_bulk.report import markdown
from falcon_bulk.report.alerts import alert_sheet, field_sheet
from falcon_bulk.report.formats import Format
from falcon_bulk.report.hash_summary import hash_summary_sheets
from falcon_bulk.report.output import render
from falcon_bulk.report.preview import preview_sheets
from falcon_bulk.report.run_result import result_sheets
from falcon_bulk.report.runs import alert_records_sheet, runs_sheet
from falcon_bulk.report.sheet import Column, Sheet, StoredRows, format_cell, hash_column, host_column
from falcon_bulk.report.table_text import ROWS_AT_ONCE
from tests.support.hostile_text import CORPUS
from tests.support.report_builders import (
    LINK,
    SHA256,
    a_document,
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
    render(sheets, Format.TABLE, stream, color=color, width=width)
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
    """Only what identifies something may be longer, alone on a line that the terminal breaks: so it is copied whole."""
    longer = {line for line in lines(*all_kinds(), width=width) if cell_len(line) > width}
    values = {
        format_cell(cell)
        for sheet in all_kinds()
        for row in sheet.rows
        for column, cell in zip(sheet.columns, row, strict=True)
        if column.whole or sheet.as_blocks
    }
    assert longer <= values


def test_titles_take_several_lines_before_a_value_is_cut() -> None:
    columns = (Column("name"), Column("false positive", right=True), Column("no resolution", right=True, drop_order=1))
    assert lines(Sheet("", columns, [("UC2-ManyLoginsFailed", 12, 1234567)]), width=42) == [
        "                         false          no",
        "name                  positive  resolution",
        "──────────────────────────────────────────",
        "UC2-ManyLoginsFailed        12   1,234,567",
    ]
    assert lines(Sheet("", columns, [("UC2-ManyLoginsFailed", 12, 1234567)]), width=60)[0].split("  ")[0] == "name"


@pytest.mark.parametrize("number", [7, 1_234_567_890])
def test_a_number_is_not_cut_while_a_text_can_be(number: int) -> None:
    columns = (Column("a long title", wrap=True), *(Column(f"title {place}", right=True) for place in range(5)))
    shown = lines(Sheet("", columns, [("a long text of many words", *[number] * 5)]), width=80)
    assert "\n".join(shown).count(f"{number:,}") == 5


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.text(max_size=60), st.text(max_size=200), st.integers()), max_size=4),
    st.integers(min_value=12, max_value=120),
)
def test_any_rows_fit_any_terminal(rows: list[tuple[str, str, int]], width: int) -> None:
    columns = (Column("one", drop_order=1), Column("two", wrap=True), Column("three", right=True, drop_order=2))
    shown = lines(Sheet("", columns, rows), width=width)
    assert max(map(cell_len, shown), default=0) <= width
    assert bool(shown) == bool(rows)


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


def test_what_identifies_something_is_never_cut() -> None:
    digest = "a" * 64
    columns = (Column("n"), hash_column("sha256"), Column("name"))
    assert lines(Sheet("", columns, [("1", digest, "x" * 50)]), width=70)[-2:] == [f"1  {'x' * 50}", digest]
    assert lines(Sheet("", columns, [("1", digest, "x" * 50)]), width=100)[-1] == f"1  {digest}  {'x' * 30}…"
    assert lines(Sheet("", (host_column("host"), Column("n")), [("h" * 90, "1")]), width=80)[-2:] == [
        f"{'h' * 77}  1",
        "h" * 13,
    ]


def test_folded_values_are_whole_on_a_narrow_terminal() -> None:
    output = lines(Sheet("", (Column("k"), Column("v", wrap=True)), [("key", "x" * 100)]), width=40)
    assert sum(line.count("x") for line in output) == 100


def test_columns_that_have_no_room_are_named() -> None:
    output = " ".join(lines(alert_sheet([an_alert()], details=False), width=80))
    assert "Not shown at this width: composite_id" in output
    assert "hostname" in output.split("Not shown")[0]


def test_a_terminal_shows_times_to_the_second_and_says_once_that_they_are_in_utc() -> None:
    sheets = [alert_sheet([an_alert()], details=False) for _ in range(2)]
    output = "\n".join(lines(*sheets, width=120))
    assert output.count("2026-11-17 06:50:00 ") == 2
    assert output.count("UTC") == 1
    assert "UTC" not in "\n".join(lines(Sheet("", (Column("a"),), [("b",)]), width=120))


def test_what_all_rows_have_in_common_stands_above_once() -> None:
    alerts = [an_alert(number, name=f"name {number}", resolution=None) for number in range(3)]
    above, _, header, *_ = lines(alert_sheet(alerts, details=False), width=100)
    assert above.startswith("In all rows: severity_name High, status new, product epp")
    assert f"sha256 {SHA256}" in " ".join(lines(alert_sheet(alerts, details=False), width=100)[:3])
    assert "Empty: resolution." in " ".join(lines(alert_sheet(alerts, details=False), width=100)[:3])
    assert "status" not in header
    assert "status" in lines(alert_sheet(alerts[:1], details=False), width=100)[0]


def test_a_value_too_long_for_its_line_in_details_starts_at_the_edge_and_is_not_broken() -> None:
    output = lines(alert_sheet([an_alert()], details=True), width=80)
    place = output.index("composite_id")
    assert output[place + 1] == an_alert().composite_id
    assert LINK in output


@pytest.mark.parametrize(("links", "url"), [(True, LINK), (True, "https://evil.example/x"), (False, LINK)])
def test_names_and_hosts_are_links_to_the_console_where_the_terminal_has_them(links: bool, url: str) -> None:
    stream = io.StringIO()
    sheet = alert_sheet([an_alert(falcon_host_link=url)], details=False)
    render([sheet], Format.TABLE, stream, color=False, width=100, links=links)
    linked = f"\x1b]8;;{url}\x1b\\ACME-WKS-0142\x1b]8;;\x1b\\"
    assert (linked in stream.getvalue()) == (links and url == LINK)
    assert ("\x1b" in stream.getvalue()) == (links and url == LINK)


WIDTHS = (80, 100, 120, 200)
HOSTILE = st.one_of(
    st.text(max_size=300),
    st.text(alphabet="abc-漢 \u202e\x1b", min_size=30, max_size=300),
    st.sampled_from(
        [
            *filter(str.isascii, CORPUS.values()),
            CORPUS["wide"],
            CORPUS["bidi"],
            CORPUS["combining"],
            "h" * 63,
            "h" * 500,
            "ACME-WKS-0142.corp.acme.example",
            "漢字" * 60,
        ]
    ),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(HOSTILE, HOSTILE, HOSTILE), min_size=1, max_size=4), st.sampled_from(WIDTHS))
def test_no_id_hash_or_host_of_a_query_is_cut(values: list[tuple[str, str, str]], width: int) -> None:
    alerts = [
        an_alert(
            number,
            created_timestamp=f"2026-11-17T06:50:0{number}Z",
            device={"hostname": host},
            sha256=digest,
            name=name,
            filename=name,
            assigned_to_name=name,
            status=name,
        )
        for number, (host, digest, name) in enumerate(values)
    ]
    sheet = alert_sheet(alerts, details=False)
    rows = list(sheet.rows)
    output = lines(replace(sheet, rows=rows), width=width)
    left_out = set(re.findall(r"\w+", " ".join(output).rpartition("Not shown at this width:")[2].partition(".")[0]))
    rule = next(place for place, line in enumerate(output) if line.startswith("──"))
    header = next(line for line in output[:rule] if "created_timestamp" in line and "In all rows" not in line)
    above = _without_blanks(output[:rule])
    starts = [place for place, line in enumerate(output) if "2026-11-17 06:50:0" in line]
    last = next((place for place in range(starts[-1], len(output)) if not output[place]), len(output))
    for row, start, end in zip(rows, starts, [*starts[1:], last], strict=True):
        own_lines = [title for title in output[:rule] if " " not in title and title]
        values = {
            column.title: _without_blanks([format_cell(cell)])
            for column, cell in zip(sheet.columns, row, strict=True)
            if column.whole and column.title not in left_out
        }
        below = [values[title] for title in own_lines if values.get(title)]
        block = output[start : end - len(below)]
        assert [_without_blanks([line]) for line in output[end - len(below) : end]] == below
        for title, value in values.items():
            if title not in own_lines and f"{title}{value}" not in above:
                assert _without_blanks(_below(header, block, title)) == value


def _without_blanks(texts: list[str]) -> str:
    return re.sub(r"\s", "", "".join(texts))


def _below(header: str, block: list[str], title: str) -> list[str]:
    """Return what stands below a heading, line by line."""
    start = header.index(title)
    rest = header[start:].partition("  ")[2].lstrip()
    end = len(header) - len(rest) if rest else 10_000
    return [_cells_between(line, start, end) for line in block]


def _cells_between(line: str, start: int, end: int) -> str:
    place, found = 0, ""
    for character in line:
        found += character if start <= place < end else ""
        place += cell_len(character)
    return found


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


EMPTY = Sheet("none", (Column("a"), Column("b", style="time", drop_order=1)), [], ["why"], ["watch out"])


def test_a_sheet_without_rows_still_shows_its_columns_where_programs_may_read_them() -> None:
    assert lines(replace(EMPTY, title="", warnings=()), width=None)[0].split() == ["a", "b"]


@pytest.mark.parametrize("as_blocks", [False, True])
@pytest.mark.parametrize("rows", [[], iter(()), StoredRows(list)], ids=["list", "iterator", "stored"])
def test_of_a_sheet_without_rows_a_terminal_shows_its_title_warnings_and_notes(rows: Any, as_blocks: bool) -> None:
    shown = lines(replace(EMPTY, rows=rows, as_blocks=as_blocks), width=80)
    assert [line for line in shown if line] == ["none", "Warning: watch out", "why"]


@pytest.mark.parametrize("as_blocks", [False, True])
def test_no_row_of_an_iterator_is_lost_by_looking_whether_there_is_one(as_blocks: bool) -> None:
    shown = lines(Sheet("", (Column("a"),), iter([("first",), ("second",)]), as_blocks=as_blocks), width=80)
    assert [line.split()[-1] for line in shown if "first" in line or "second" in line] == ["first", "second"]


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
    beside = [("3,200", "███████████"), ("1,601", "██████"), ("4", "█")]
    assert [tuple(line.split()[:2]) for line in shown[5:10:2]] == beside
    assert not any("█" in line for line in lines(hash_summary_sheets(a_hash_summary(*hashes), None)[0]))


def test_severities_are_named_and_coloured() -> None:
    summary = a_hash_summary(a_hash_count(max_severity=90.0))
    assert any("Critical 90" in line for line in lines(*hash_summary_sheets(summary, None)))
    on_a_terminal = lines(*hash_summary_sheets(summary, None), width=200, color=True)
    assert any(re.search(r"\x1b\[1;31m *Critical 90", line) for line in on_a_terminal)
    details = lines(alert_sheet([an_alert(severity_name="High")], details=True), width=80, color=True)
    assert any("\x1b[31mHigh\x1b[0m" in line for line in details)


@pytest.mark.parametrize("width", [None, 40, 120])
@pytest.mark.parametrize("number", [0, 1, ROWS_AT_ONCE, 2 * ROWS_AT_ONCE + 1])
def test_stored_rows_look_like_rows_that_are_held(width: int | None, number: int) -> None:
    columns = (Column("name", min_width=4), Column("number", right=True, drop_order=1), Column("at", style="time"))
    rows = [("漢" * (row % 9), row * 1_000, f"2026-11-24T08:00:{row % 60:02}Z") for row in range(number)]
    held = lines(Sheet("Title", columns, rows, ["note"]), width=width)
    assert lines(Sheet("Title", columns, StoredRows(lambda: iter(rows)), ["note"]), width=width) == held
    assert lines(Sheet("Title", columns, iter(rows), ["note"]), width=width) == held


def test_what_was_chosen_and_identifies_something_is_never_left_out() -> None:
    fields = ("name", "composite_id", "sha256", "hostname", "cmdline")
    output = lines(field_sheet([a_document()], fields), width=80)
    assert {an_alert().composite_id, SHA256} <= set(output)
    assert "ACME-WKS-0142" in " ".join(output)
