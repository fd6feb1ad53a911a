"""The page that a customer is handed, and the overview, as a browser shows and prints them."""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from falcon_emulator import Server, Tenant
from tests.support.chrome import Page
from tests.support.command import CommandRunner
from tests.support.rendered_page import charts, contrasts, cut, named_rows, number, overlaps

pytestmark = pytest.mark.slow

PERIOD = ("--since", "60d")
PAGES = ("report.html", "one.html", "none.html", "overview.html")


class Pages(NamedTuple):
    """The folder of the pages, and the document of the first."""

    folder: Path
    document: dict[str, Any]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    """A period of many alerts, of one, and of none; and an overview of three customers, one of which is down."""
    tenants = [Tenant(alerts=3_000, seed=5), Tenant(alerts=0, customer="globex"), Tenant(alerts=0, customer="initech")]
    with Server(tenants) as server:
        shell = CommandRunner(tmp_path_factory.mktemp("pages"), server)
        shell.server.call(lambda: tenants[1].arrive(1))
        closing = ("bulk-close", "--severity", "low,informational", "--status", "new", "--resolution", "false_positive")
        done = shell(*closing, "--yes", "--max", "3000", "--batch-delay", "0")
        assert done.code == 0, done
        document = shell.json("report", *PERIOD, "-o", "report.html")
        assert shell("report", *PERIOD, "-o", "one.html", customer="globex").code == 0
        assert shell("report", *PERIOD, "-o", "none.html", customer="initech").code == 0
        shell.write_customer("initech", FALCON_CLIENT_SECRET="wrong" * 8)
        assert shell.bare("overview", "--all-customers", "-o", "overview.html").code == 6
        yield Pages(shell.folder, document)


def test_the_charts_have_the_numbers_of_the_json_and_a_table_behind_each(page: Page, pages: Pages) -> None:
    drawn = charts(page.open(pages.folder / "report.html"))
    document = pages.document
    assert drawn["Alerts by severity"].counts == {name or "none": of for name, of in document["by_severity"].items()}
    became = dict(drawn["What became of them"].counts)
    assert became.pop("Still open") == document["open"]["alerts"]
    assert list(became.values()) == list(document["by_resolution"].values())
    days = drawn["Alerts by day (created, UTC)"].counts
    assert {day: of for day, of in days.items() if of} == document["by_day"]
    behind = page.ask(
        """Array.from(document.querySelectorAll("figure"), figure => [
          figure.querySelector("figcaption").textContent,
          Array.from(figure.querySelectorAll("details tbody tr"), row => [row.cells[0].textContent.trim(),
                                                                         row.cells[1].textContent.trim()]),
        ])"""
    )
    assert {title: {label: number(of) for label, of in rows} for title, rows in behind} == {
        title: chart.counts for title, chart in drawn.items()
    }


def test_the_tables_have_the_numbers_of_the_json(page: Page, pages: Pages) -> None:
    page.open(pages.folder / "report.html")
    names = named_rows(page, 3)
    assert [(row["Name"], number(row["Alerts"]), number(row["Open"])) for row in names] == [
        (name["value"], name["alerts"], name["open"]) for name in pages.document["names"]
    ]
    hashes = named_rows(page, 5)
    assert [(row["SHA256"], number(row["False positive"])) for row in hashes] == [
        (entry["sha256"], entry["closed_as"]["false_positive"]) for entry in pages.document["hashes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1200])
@pytest.mark.parametrize("name", PAGES)
def test_it_is_readable(page: Page, pages: Pages, name: str, width: int, scheme: str) -> None:
    page.open(pages.folder / name, width=width, scheme=scheme)
    assert page.ask("document.documentElement.scrollWidth") <= page.ask("innerWidth") == width
    assert not overlaps(page)
    assert not cut(page)
    assert not page.complaints
    assert [request.partition(":")[0] for request in page.requests] == ["file"]
    assert min(contrasts(page, "h1, h2, p, dt, dd, td, th, figcaption, summary").values()) >= 4.5
    levels = page.ask("Array.from(document.querySelectorAll('h1, h2, h3'), one => +one.tagName[1])")
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))


@pytest.mark.parametrize("name", PAGES)
def test_in_print_nothing_is_cut_and_nothing_is_left_that_cannot_be_opened(page: Page, pages: Pages, name: str) -> None:
    width = 1032  # A4 across, without the margins
    page.open(pages.folder / name, width=width, media="print")
    edges = page.ask("Array.from(document.querySelectorAll('table[id]'), one => one.getBoundingClientRect().right)")
    assert all(edge <= width for edge in edges)
    assert not overlaps(page)
    assert page.ask("document.querySelectorAll('details').length") == page.ask(
        "Array.from(document.querySelectorAll('details')).filter(one => getComputedStyle(one).display == 'none').length"
    )
    assert page.pdf().startswith(b"%PDF")


def test_a_page_without_alerts_has_no_empty_chart_and_one_with_one_alert_has_it(page: Page, pages: Pages) -> None:
    page.open(pages.folder / "none.html")
    assert page.ask("document.querySelectorAll('svg').length") == 0
    assert "No alert was created in this period." in page.ask("document.body.textContent")
    drawn = charts(page.open(pages.folder / "one.html"))
    assert all(sum(chart.counts.values()) == 1 for chart in drawn.values())


def test_the_overview_names_the_customer_that_is_down_first(page: Page, pages: Pages) -> None:
    page.open(pages.folder / "overview.html")
    rows = named_rows(page)
    assert [row["Customer"] for row in rows] == ["initech", "acme", "globex", "total"]
    assert "initech: Falcon refuses the login" in json.dumps(
        page.ask("Array.from(document.querySelectorAll('.warning'), one => one.textContent)")
    )


def test_small_tables_need_no_scrolling_on_a_phone(page: Page, pages: Pages) -> None:
    page.open(pages.folder / "report.html", width=390)
    hidden = page.ask(
        """Object.fromEntries(Array.from(document.querySelectorAll(".scroll"), region => [
          region.getAttribute("aria-label"), region.scrollWidth - region.clientWidth]))"""
    )
    assert [title for title in ("Key figures", "What was decided", "Still open, by age") if hidden[title] > 0] == []
    page.open(pages.folder / "overview.html", width=390)
    first = page.ask("document.querySelector('.scroll th').getBoundingClientRect().width")
    assert first < 150, "the customers leave room for their numbers"


def test_a_name_is_not_broken_on_a_wide_screen(page: Page, pages: Pages) -> None:
    page.open(pages.folder / "report.html", width=1200)
    heights = page.ask(
        """Array.from(document.querySelectorAll("[aria-label^='What recurs'] tbody td:first-child"), cell => {
          const range = document.createRange();
          range.selectNodeContents(cell);
          return range.getClientRects().length;
        })"""
    )
    assert heights
    assert set(heights) == {1}
