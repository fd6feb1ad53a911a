"""A page is one file, the same structure whatever the texts say, and nothing in it lives."""

import io
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falcon_bulk.report import html_page as html
from falcon_bulk.report.chart import Bar, Chart, timeline
from falcon_bulk.report.page import Page
from falcon_bulk.report.sheet import Column, Sheet

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}{% raw %}",
    "</td></tr></table><a href='http://example.com'>x</a>",
    "\x1b[31m\u202egpj.exe",
    "--></style>",
]


class Structure(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not any(name.startswith("on") or name in ("src", "href") for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def a_page(text: str) -> str:
    stream = io.StringIO()
    columns = (Column("alerts", right=True), Column(text))
    sheet = Sheet(f"acme: {text}", columns, [(1234, text), (None, text * 50)], notes=(text,))
    bars = Chart(text, (Bar(text, 1234), Bar(text * 50, 5, "Critical"), Bar(text, 9, "rest")), total=9999, note=text)
    times = timeline(text, {"2026-11-24": 3, "2026-11-20": 1, f"no time: {text}": 7}, "day")
    html.write(Page([sheet], facts={"filter": text}, charts=[bars, times]), stream)
    return stream.getvalue()


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_changes_no_structure(text: str) -> None:
    assert Structure(a_page(text)).tags == Structure(a_page("harmless")).tags
    assert "\x1b" not in a_page(text)
    assert "\u202e" not in a_page(text)


@given(st.text(min_size=1))
@settings(deadline=None)
def test_no_text_changes_the_structure(text: str) -> None:
    assert Structure(a_page(text)).tags == Structure(a_page("harmless")).tags


def test_numbers_have_separators_and_nothing_is_fetched() -> None:
    page = a_page("EICAR")
    assert "1,234" in Structure(page).texts
    assert {"script", "img", "link", "a", "iframe"}.isdisjoint(Structure(page).tags)
    assert "http://" not in page
    assert "https://" not in page
    assert "default-src 'none'" in page


def test_a_page_of_nothing_says_so_where_charts_and_rows_would_stand() -> None:
    stream = io.StringIO()
    sheet = Sheet("Hashes", (Column("alerts", right=True), Column("sha256", style="hash")), [])
    html.write(Page([sheet], charts=[Chart("By severity", ()), timeline("By day", {}, "day")]), stream)
    page = Structure(stream.getvalue())
    texts = [text.strip() for text in page.texts]
    assert (texts.count("Nothing to count."), texts.count("none")) == (2, 1)
    assert {"svg", "details"}.isdisjoint(page.tags)
    assert page.tags.count("td") == 1
