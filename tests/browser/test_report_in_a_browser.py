"""The HTML reports as a browser shows them: the numbers of the JSON, readable, and nothing in them alive."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from falcon_bulk.model.hash_summary import HashCount, HashSummary
from falcon_bulk.report import html_page as html
from falcon_bulk.report.hash_summary import hash_summary_page
from falcon_bulk.textsafe import printable
from falcon_emulator import Server, Tenant
from tests.support.chrome import Page
from tests.support.command import CommandResult, CommandRunner
from tests.support.rendered_page import charts, contrasts, cut, named_rows, number, overlaps, rows

pytestmark = pytest.mark.slow

ALERTS = 13_500  # of which more than 10,000 are changed
LIMIT = 3_000_000
SEVERITIES = ("Critical", "High", "Medium", "Low", "Informational")
HOSTILE = (
    "<script>alert('script')</script>",
    "\"><img src=x onerror=alert('img')>",
    "</svg><svg onload=alert('svg')>",
    "</title></style><iframe src=javascript:alert('frame')>",
    "<a href=\"javascript:alert('link')\">click</a>",
    "<style>@import url(http://acme.example/x.css)</style>",
    "<meta http-equiv=refresh content=0;url=http://acme.example/>",
    "]]><!-- {{ 7 * 7 }} {% raw %}",
    "\u202etxt.exe\u2066 \x1b[31m \u0000",
    "فاتورة.exe חשבונית 請求書 " + "W" * 300,
)


class Report(NamedTuple):
    path: Path
    document: dict[str, Any]


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandRunner]:
    with Server(Tenant(alerts=ALERTS, seed=5)) as server:
        yield CommandRunner(tmp_path_factory.mktemp("acme"), server)


def report(shell: CommandRunner, name: str, *argv: str) -> Report:
    document = shell.json(*argv, "-o", name)
    return Report(shell.folder / name, document)


@pytest.fixture(scope="module")
def hashes(acme: CommandRunner) -> Report:
    return report(acme, "hashes.html", "hash-summary")


@pytest.fixture(scope="module")
def counted(acme: CommandRunner) -> Report:
    return report(acme, "summary.html", "summary", "--by", "severity,status,name*host,day", "--top", "150")


@pytest.fixture(scope="module")
def run(acme: CommandRunner, hashes: Report, counted: Report) -> Report:
    """After the others were made: it changes every alert."""
    selection = ("--since", "4000d", "--status", "new,in_progress,reopened,closed")
    argv = ("--set-status", "in_progress", "--yes", "--max", str(ALERTS), "--batch-delay", "0")
    freely = ("--override", "all,closed")
    done: CommandResult = acme("bulk-close", *selection, *argv, *freely, "--format", "json")
    assert done.code == 0, done
    return report(acme, "run.html", "runs", "show", done.document["run_id"])


@pytest.fixture
def hostile(tmp_path: Path) -> Report:
    """A summary in which every text that can be an attacker's is one."""
    found = tuple(
        HashCount(
            sha256=f"{place:064x}",
            alerts=100 - place,
            by_status={text: 100 - place},
            by_product={text: 100 - place},
            hosts=1,
            max_severity=10.0 * place,
            first_seen=text,
            last_seen=text,
            names=(text,),
            filenames=(text,),
            fields=(),
        )
        for place, text in enumerate(HOSTILE)
    )
    every = dict.fromkeys(HOSTILE, 10)
    summary = HashSummary(
        customer="acme",
        generated_at="2026-11-24T08:00:00Z",
        filter=HOSTILE[0],
        alerts_read=1000,
        alerts_with_hash=900,
        hashes=found,
        by_severity=every,
        by_product=every,
        by_day={**every, "2026-11-24": 1},
    )
    path = tmp_path / "hostile.html"
    with path.open("w", encoding="utf-8") as stream:
        html.write(hash_summary_page(summary, None), stream)
    return Report(path, {})


def test_the_rows_of_the_hashes_are_those_of_the_json(page: Page, hashes: Report) -> None:
    page.open(hashes.path)
    shown = named_rows(page)
    expected = hashes.document["hashes"]
    assert len(expected) > 500
    assert [row["SHA256"] for row in shown] == [entry["sha256"] for entry in expected]
    for row, entry in zip(shown, expected, strict=True):
        assert number(row["Alerts"]) == entry["alerts"]
        assert number(row["Hosts"]) == entry["hosts"]
        assert row["Highest severity"].split()[-1:] == ([f"{entry['max_severity']:g}"] if entry["max_severity"] else [])
        assert (row["First seen"], row["Last seen"]) == (entry["first_seen"], entry["last_seen"])
        for column, key in (("Status", "by_status"), ("Product", "by_product")):
            pairs = (pair.rpartition(" ") for pair in row[column].split(", "))
            assert {"" if name == "none" else name: int(of) for name, _, of in pairs} == entry[key]
        for column, key in (("File names", "filenames"), ("Alert names", "names")):
            assert row[column] == " ".join(", ".join(map(printable, entry[key])).split())


def test_the_charts_of_the_hashes_have_the_numbers_of_the_json(page: Page, hashes: Report) -> None:
    drawn = charts(page.open(hashes.path))
    document = hashes.document
    by_severity = {name or "none": of for name, of in document["by_severity"].items()}
    assert drawn["Alerts by severity"].counts == by_severity
    assert list(drawn["Alerts by severity"].counts)[:5] == list(SEVERITIES)
    by_product = drawn["Alerts by product"].counts
    others = by_product.pop("all others", 0)
    assert by_product.items() <= document["by_product"].items()
    assert sum(by_product.values()) + others == document["alerts_read"]
    days = drawn["Alerts by day (created, UTC)"].counts
    assert {day: of for day, of in days.items() if of} == document["by_day"]
    top = [(entry["sha256"][:12], entry["alerts"]) for entry in document["hashes"][:10]]
    assert [(label[:12], of) for label, of in drawn["The most frequent hashes"].counts.items()] == top


def test_bars_are_as_long_as_their_numbers_say(page: Page, hashes: Report, counted: Report, run: Report) -> None:
    for path in (hashes.path, counted.path, run.path):
        for title, (counts, lengths) in charts(page.open(path)).items():
            numbers = [of for label, of in counts.items() if label != "all others"]
            unit = max(lengths) / max(numbers)
            assert max(lengths) > 50, title
            assert lengths == pytest.approx([of * unit for of in numbers], abs=1), title


def test_a_summary_has_a_chart_and_a_table_for_each_field(page: Page, counted: Report) -> None:
    page.open(counted.path)
    drawn = charts(page)
    for table, (field, counts) in enumerate(counted.document["by"].items(), 1):
        if field == "severity":
            counts = sorted(counts, key=lambda count: [*SEVERITIES, None].index(count["value"]))
        labels = ["all others" if count.get("rest") else label(count["value"]) for count in counts]
        numbers = [count["alerts"] for count in counts]
        assert [(text, number(of)) for of, text in rows(page, table)] == list(zip(labels, numbers, strict=True))
        shown = drawn[f"Alerts by {field.replace('*', ' × ')}"].counts
        assert sum(shown.values()) == counted.document["alerts_read"]
        if field == "day":
            assert list(shown) == sorted(shown)
            assert {day: of for day, of in shown.items() if of} == dict(zip(labels, numbers, strict=True))
        else:
            assert list(shown.items())[:10] == list(zip(labels, numbers, strict=True))[:10]


def label(value: str | list[str | None] | None) -> str:
    values = value if isinstance(value, list) else [value]
    return " × ".join("none" if value is None else printable(value) for value in values)


def test_a_run_is_shown_with_each_of_its_alerts(page: Page, run: Report) -> None:
    page.open(run.path)
    tables = page.ask("document.querySelectorAll('table[id]').length")
    shown = rows(page, tables)
    alerts = run.document["alerts"]
    assert len(alerts) > 10_000
    assert [(row[1], row[0], row[2]) for row in shown] == [
        (alert["composite_id"], alert["outcome"], alert["before"]["status"]) for alert in alerts
    ]
    drawn = charts(page)
    assert drawn["Outcomes"].counts == {"changed": run.document["changed"]}
    assert sum(drawn["Status before"].counts.values()) == run.document["planned"]
    assert sum(drawn["Alerts sent (UTC)"].counts.values()) == run.document["planned"]
    assert drawn["Selected and left alone"].counts == {"skipped: already": run.document["skipped"]["already"]}


def test_a_page_of_ten_thousand_alerts_is_small(hashes: Report, counted: Report, run: Report) -> None:
    assert max(report.path.stat().st_size for report in (hashes, counted, run)) < LIMIT


def test_who_made_it_when_and_with_which_filter_is_said(page: Page, acme: CommandRunner) -> None:
    made = report(acme, "filtered.html", "hash-summary", "--severity", "high", "--since", "30d")
    page.open(made.path)
    titles, values = (
        page.ask(f"Array.from(document.querySelectorAll('{tag}'), one => one.textContent)") for tag in ("dt", "dd")
    )
    facts = dict(zip(titles, values, strict=True))
    assert facts["Customer"] == "acme"
    assert facts["Filter"] == made.document["filter"]
    assert number(facts["Alerts read"]) == made.document["alerts_read"]
    assert facts["Made by"]
    assert facts["Made at"][:13] >= made.document["generated_at"][:13].replace("T", " ")
    assert facts["Made at"].endswith(" UTC")


@pytest.fixture(scope="module")
def runs(acme: CommandRunner, run: Report) -> Report:
    assert run.path.exists()
    return report(acme, "runs.html", "runs", "list")


@pytest.mark.parametrize("width", [1200, 1400])
def test_no_column_is_clipped(
    page: Page, hashes: Report, counted: Report, run: Report, runs: Report, hostile: Report, width: int
) -> None:
    for path in (hashes.path, counted.path, run.path, runs.path, hostile.path):
        page.open(path, width=width)
        frames = page.ask("Array.from(document.querySelectorAll('.scroll'), one => [one.scrollWidth, one.clientWidth])")
        assert frames
        assert all(needed <= there for needed, there in frames), path


def test_the_title_names_customer_and_period(
    page: Page, hashes: Report, counted: Report, run: Report, runs: Report
) -> None:
    for report in (hashes, counted, run, runs):
        title = page.open(report.path).ask("document.querySelector('h1').textContent")
        assert "acme" in title
        assert re.search(r"\d{4}-\d\d-\d\d$", title), title


def test_nothing_on_a_page_speaks_of_options_or_field_names(
    page: Page, hashes: Report, counted: Report, run: Report, runs: Report
) -> None:
    for report in (hashes, counted, run, runs):
        page.open(report.path)
        headings = page.ask("Array.from(document.querySelectorAll('th, dt, h1, h2'), one => one.textContent)")
        assert not [heading for heading in headings if "_" in heading]
        assert "--override" not in page.ask("document.body.textContent")
        assert "--status" not in page.ask("document.body.textContent")


def test_a_legend_explains_the_terms_and_the_order_of_severities(page: Page, hashes: Report, run: Report) -> None:
    legend = "document.querySelector('.legend').textContent"
    text = page.open(hashes.path).ask(legend).partition("from the highest to the lowest")[2]
    assert [text.index(name) for name in SEVERITIES] == sorted(text.index(name) for name in SEVERITIES)
    assert "UTC" in text
    assert "guardrail" in page.open(run.path).ask(legend)


def test_severities_stand_in_one_order_everywhere(page: Page, hashes: Report, counted: Report) -> None:
    for report in (hashes, counted):
        drawn = charts(page.open(report.path))
        assert list(drawn["Alerts by severity"].counts)[:5] == list(SEVERITIES)
    shown = [text for _, text in rows(page)]
    assert shown[:5] == list(SEVERITIES)


def test_a_hash_is_selected_whole_by_one_click(page: Page, hashes: Report) -> None:
    page.open(hashes.path)
    cell = page.chrome.find_element("css selector", "#t1 tbody td:nth-child(2)")
    cell.click()
    assert page.ask("getSelection().toString().trim()") == hashes.document["hashes"][0]["sha256"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400])
def test_it_is_readable(page: Page, hashes: Report, counted: Report, run: Report, width: int, scheme: str) -> None:
    for path in (hashes.path, counted.path, run.path):
        page.open(path, width=width, scheme=scheme)
        assert page.ask("document.documentElement.scrollWidth") <= page.ask("innerWidth") == width
        assert not overlaps(page)
        assert not cut(page)
        assert not page.complaints
        for selector in ("h1, h2, p, dt, dd, figcaption, summary", "svg text", "td:nth-child(-n+12)"):
            assert min(contrasts(page, selector).values()) >= 4.5, selector
        assert min(contrasts(page, "rect.bar", on="rect.track").values()) >= 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_severity_has_a_colour_of_its_own(page: Page, hashes: Report, scheme: str) -> None:
    page.open(hashes.path, scheme=scheme)
    colours = page.ask(
        f"{list(SEVERITIES)}.map(name => getComputedStyle(document.querySelector('rect.' + name.toLowerCase())).fill)"
    )
    assert len(set(colours)) == len(SEVERITIES)


def test_a_screen_reader_is_told_what_is_drawn(page: Page, hashes: Report) -> None:
    page.open(hashes.path)
    pictures = page.chrome.find_elements("css selector", "figure > svg")
    titles = page.ask("Array.from(document.querySelectorAll('figcaption'), one => one.textContent)")
    for picture, title in zip(pictures, titles, strict=True):
        assert picture.aria_role in ("img", "image")
        assert picture.accessible_name.startswith(title)
        assert any(digit in picture.accessible_name for digit in "123456789")
    levels = page.ask("Array.from(document.querySelectorAll('h1, h2, h3'), one => +one.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    region = page.chrome.find_element("css selector", "[role=region]")
    assert region.accessible_name == "Hashes"
    assert page.ask("document.querySelectorAll('th:not([scope])').length") == 0
    assert page.ask("document.documentElement.lang") == "en"


@pytest.mark.parametrize("width", [390, 1400])
def test_hostile_text_is_only_text(page: Page, hostile: Report, width: int) -> None:
    page.open(hostile.path, width=width)
    assert not page.dialog
    assert not page.complaints
    assert page.requests == [hostile.path.as_uri()]
    assert page.ask("performance.getEntriesByType('resource').length") == 0
    assert page.ask("location.href") == hostile.path.as_uri()
    alive = "script, img, iframe, a, link, object, embed, form, base, foreignObject, svg svg svg, [onload], [onerror]"
    assert page.ask(f"document.querySelectorAll({alive!r}).length") == 0
    assert [row["Alert names"] for row in named_rows(page)] == [" ".join(printable(text).split()) for text in HOSTILE]
    assert len(charts(page)) == 4
    assert page.ask("document.documentElement.scrollWidth") <= width
    assert not overlaps(page)


def test_a_script_that_got_in_all_the_same_would_be_stopped_and_seen(
    page: Page, hostile: Report, tmp_path: Path
) -> None:
    """What the test above relies on: the page's policy forbids it, and the console tells."""
    broken = tmp_path / "broken.html"
    source = hostile.path.read_text(encoding="utf-8")
    broken.write_text(source.replace("</main>", "<script>alert(1)</script><img src='x.png'></main>"), encoding="utf-8")
    page.open(broken)
    assert not page.dialog
    assert len(page.complaints) == 2


def test_in_print_the_whole_table_is_there(page: Page, hashes: Report) -> None:
    width = 1032  # A4 across, without the margins
    page.open(hashes.path, width=width, media="print")
    assert page.ask("getComputedStyle(document.querySelector('.scroll')).overflowX") == "visible"
    assert page.ask("document.querySelector('#t1').getBoundingClientRect().right") <= width
    assert not overlaps(page)


def test_it_can_be_printed(page: Page, hashes: Report) -> None:
    pdf = page.open(hashes.path).pdf()
    assert pdf.startswith(b"%PDF")
    assert pdf.count(b"/Type /Page\n") > 10
