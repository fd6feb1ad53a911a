"""Whatever an attacker calls his file, every renderer shows it as text and keeps its shape."""

import csv
import io
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from falcon_bulk.model.preview import TopValues
from falcon_bulk.report.alerts import alert_sheet, field_sheet
from falcon_bulk.report.formats import Format
from falcon_bulk.report.hash_summary import hash_summary_sheets
from falcon_bulk.report.output import dump, render
from falcon_bulk.report.preview import preview_sheets
from falcon_bulk.report.run_result import result_document, result_sheets
from falcon_bulk.report.runs import alert_records_sheet, runs_sheet
from falcon_bulk.report.sheet import Column, Sheet
from tests.support.hostile_text import CORPUS as TEXTS
from tests.support.report_builders import (
    LINK,
    a_document,
    a_hash_count,
    a_hash_elsewhere,
    a_hash_summary,
    a_partial_result,
    a_plan,
    a_preview,
    a_problem,
    a_record,
    a_run_row,
    an_alert,
)
from tests.support.sampling import examples

# Half a character is decoded as a question mark and never gets here.
CORPUS = [*(text for kind, text in TEXTS.items() if kind != "surrogate"), "", " "]
HOSTILE = st.lists(st.sampled_from(CORPUS) | st.text(), max_size=3).map(" ".join)


def every_sheet(text: str) -> list[Sheet]:
    """Sheets of all kinds with the text in every place that Falcon or a person fills."""
    fields: dict[str, Any] = dict.fromkeys(
        ("name", "filename", "cmdline", "user_name", "status", "severity_name", "falcon_host_link"), text
    )
    alert = an_alert(device={"hostname": text}, tags=[text], **fields)
    sample = TopValues(title=text, counts=((text, 1),))
    return [
        alert_sheet([alert], details=False),
        alert_sheet([alert], details=True),
        field_sheet([a_document(name=[text, {"a": text}])], ("name", "name.a", text)),
        *hash_summary_sheets(
            a_hash_summary(
                a_hash_count(names=(text,), filenames=(text,)),
                customer=text,
                filter=text,
                related=(a_hash_elsewhere(filenames=(text,)),),
            ),
            None,
        ),
        *preview_sheets(
            a_plan(customer=text, selection=text, operator=text),
            a_preview(samples=(sample,), actions=(text,), warnings=(text,)),
        ),
        *result_sheets(a_partial_result(customer=text, errors=(a_problem(message=text, trace_id=text, ids=(text,)),))),
        runs_sheet([a_run_row(customer=text)]),
        alert_records_sheet(lambda: [a_record(reason=text, tags=[text])]),
        Sheet(text, (Column(text),), [(text,)], (text,)),
    ]


def rendered(sheets: list[Sheet], fmt: Format, width: int | None = None, *, color: bool = False) -> str:
    stream = io.StringIO()
    render(sheets, fmt, stream, color=color, width=width)
    return stream.getvalue()


def unseen(output: str) -> set[str]:
    return {char for char in output if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")} - {"\n"}


@settings(max_examples=30, deadline=None)
@given(HOSTILE, st.sampled_from([None, 1, 40, 80, 200]))
def test_a_table_shows_only_what_is_seen(text: str, width: int | None) -> None:
    assert not unseen(rendered(every_sheet(text), Format.TABLE, width))


@pytest.mark.parametrize("text", CORPUS)
def test_the_corpus_passes_through_every_renderer(text: str) -> None:
    for fmt in (Format.TABLE, Format.MARKDOWN, Format.CSV):
        assert not unseen(rendered(every_sheet(text), fmt))
    for width in (40, 80):
        assert not unseen(rendered(every_sheet(text), Format.TABLE, width))
    stream = io.BytesIO()
    dump(result_document(a_partial_result(customer=text)), stream)
    assert not unseen(stream.getvalue().decode())


def test_rich_markup_in_data_is_shown_as_it_stands() -> None:
    text = "[red]alarm[/red] [/] [link=http://evil.example]x[/link] :skull:"
    for color in (False, True):
        assert text in rendered([Sheet(text, (Column("a"),), [(text,)])], Format.TABLE, 100, color=color)


def test_in_colour_only_the_tables_own_styles_are_control_characters() -> None:
    output = rendered(every_sheet("\x1b[31mred\x1b]8;;http://evil.example\x07"), Format.TABLE, 120, color=True)
    assert unseen(output) == {"\x1b"}
    assert "\x1b]" not in output
    assert "\x1b[31mred" not in output


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(st.lists(HOSTILE, min_size=3, max_size=3), min_size=1, max_size=3))
def test_csv_keeps_its_rows_and_starts_no_formula(rows: list[list[str]]) -> None:
    columns = tuple(map(Column, "abc"))
    output = rendered([Sheet("", columns, rows)], Format.CSV)
    parsed = list(csv.reader(io.StringIO(output, newline="")))
    assert [len(row) for row in parsed] == [3] * (len(rows) + 1)
    assert output.count("\n") == len(rows) + 1
    for cell in (cell for row in parsed for cell in row):
        assert unicodedata.normalize("NFKC", cell.lstrip()[:1]) not in ("=", "+", "-", "@")


LIVE = {
    *("link_open", "image", "html_inline", "html_block", "code_inline", "code_block", "fence"),
    *("em_open", "strong_open", "s_open", "hr", "blockquote_open", "ordered_list_open"),
}


def tokens_of(source: str, preset: str) -> list[str]:
    def flat(tokens: list[Token]) -> Iterator[Token]:
        for token in tokens:
            yield token
            yield from flat(token.children or [])

    return [token.type for token in flat(MarkdownIt(preset, {"linkify": False}).parse(source))]


@settings(max_examples=examples(150), deadline=None)
@given(HOSTILE, HOSTILE)
def test_markdown_is_one_table_with_nothing_live_whatever_the_text(one: str, two: str) -> None:
    source = rendered([Sheet(one, (Column("a"), Column(two)), [(one, two), (two, one)], (one, two))], Format.MARKDOWN)
    seen = tokens_of(source, "gfm-like")
    assert not LIVE.intersection(seen)
    assert not LIVE.intersection(tokens_of(source, "commonmark"))
    expected = {
        "table_open": 1,
        "th_open": 2,
        "tr_open": 3,
        "td_open": 4,
        "bullet_list_open": 1,
        "list_item_open": 2,
    }
    assert {kind: seen.count(kind) for kind in expected} == expected


@pytest.mark.parametrize("text", ["plain", r"C:\x|y\\|", "*a* _b_ <c> &amp; `d`", "# - 1. > !"])
def test_markdown_shows_the_text_that_went_in(text: str) -> None:
    source = rendered([Sheet("", (Column("a"),), [(text,)])], Format.MARKDOWN)
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(source)
    cells = [
        "".join(child.content for child in after.children or [])
        for before, after in pairwise(tokens)
        if before.type == "td_open"
    ]
    assert cells == [text]


def test_the_one_link_that_lives_in_markdown_leads_to_the_falcon_console() -> None:
    details = alert_sheet([an_alert(), an_alert(falcon_host_link="https://evil.example/")], details=True)
    source = rendered([details], Format.MARKDOWN)
    assert f"<{LINK}>" in source
    assert tokens_of(source, "commonmark").count("link_open") == 1
    assert "evil" not in source
