"""Reads charts, tables and colours of an HTML report out of the browser."""

from typing import Any, NamedTuple

from tests.support.chrome import Page

CHARTS = """
Array.from(document.querySelectorAll("figure"), figure => {
  const own = figure.querySelector("svg");
  const texts = query => Array.from(figure.querySelectorAll(query), one => one.textContent);
  return {
    title: figure.querySelector("figcaption").textContent,
    timed: figure.classList.contains("timed"),
    labels: texts("svg g > title"),
    numbers: texts(".count"),
    widths: Array.from(own.querySelectorAll("rect.bar"), bar => bar.getBoundingClientRect().width),
    heights: Array.from(own.querySelectorAll("rect.bar"), bar => bar.getBoundingClientRect().height),
  };
})
"""
# Of each text in a chart the part that is seen, its whole box, and the chart's own box.
TEXTS = """
Array.from(document.querySelectorAll("figure > svg"), chart => {
  const box = one => { const at = one.getBoundingClientRect(); return [at.left, at.top, at.right, at.bottom]; };
  return {chart: box(chart), texts: Array.from(chart.querySelectorAll("text"), text => {
    const whole = box(text), frame = text.ownerSVGElement;
    // A label's frame cuts it off, which its box does not say.
    const edge = frame === chart ? whole[2] : box(chart)[0] + frame.width.baseVal.value;
    return {text: text.textContent, whole: whole, seen: [whole[0], whole[1], Math.min(whole[2], edge), whole[3]]};
  })};
})
"""
ROWS = """
Array.from(document.querySelectorAll("#t%d tbody tr"), row => Array.from(row.cells, cell => {
  const time = cell.querySelector("time");
  return time ? time.dateTime : cell.textContent.trim();
}))
"""
COLOURS = """
Array.from(document.querySelectorAll("%s"), one => {
  const style = getComputedStyle(one);
  return [one.textContent.trim().slice(0, 30), one.namespaceURI.endsWith("svg") ? style.fill : style.color];
})
"""


class Chart(NamedTuple):
    """A chart. counts: the numbers by label, in the order shown. lengths: those of the bars, in pixels."""

    counts: dict[str, int]
    lengths: list[float]


def charts(page: Page) -> dict[str, Chart]:
    """Return the page's charts by title, with the numbers that they show as text."""
    found = {}
    for drawn in page.ask(CHARTS):
        labels = [label.rpartition(": ")[0] for label in drawn["labels"]]
        counts = dict(zip(labels, map(number, drawn["numbers"]), strict=True))
        found[drawn["title"]] = Chart(counts, drawn["heights" if drawn["timed"] else "widths"])
    return found


def rows(page: Page, table: int = 1) -> list[list[str]]:
    """Return the cells of a table, by default the first of the page; times in full."""
    return [list(row) for row in page.ask(ROWS % table)]


def named_rows(page: Page, table: int = 1) -> list[dict[str, str]]:
    """Return the rows of a table by the titles of the columns."""
    titles = page.ask(f"Array.from(document.querySelectorAll('#t{table} th'), one => one.textContent)")
    return [dict(zip(titles, row, strict=True)) for row in rows(page, table)]


def number(text: str) -> int:
    return int(text.replace(",", ""))


def overlaps(page: Page) -> list[tuple[str, str]]:
    """Return the texts of a chart that overlap each other or the chart's edge."""
    bad = []
    for drawn in page.ask(TEXTS):
        texts = drawn["texts"]
        bad += [(text["text"], "the edge") for text in texts if _beyond(text["seen"], drawn["chart"])]
        for place, one in enumerate(texts):
            bad += [(one["text"], other["text"]) for other in texts[:place] if _meet(one["seen"], other["seen"])]
    return bad


def cut(page: Page) -> list[str]:
    """Return the labels that are cut off without an ellipsis."""
    texts = [text for drawn in page.ask(TEXTS) for text in drawn["texts"]]
    return [text["text"] for text in texts if text["whole"][2] > text["seen"][2] + 0.5]


def contrasts(page: Page, selector: str, on: str = "body") -> dict[str, float]:
    """Return the contrast (WCAG 2) of each selected element with its background, by its text."""
    (background,) = {colour for _, colour in page.ask(COLOURS % on)} if on != "body" else {_paper(page)}
    return {text: _contrast(colour, background) for text, colour in page.ask(COLOURS % selector)}


def _paper(page: Page) -> str:
    return str(page.ask("getComputedStyle(document.body).backgroundColor"))


def _contrast(one: str, other: str) -> float:
    lighter, darker = sorted(map(_luminance, (one, other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _meet(one: Any, other: Any) -> bool:
    return bool(one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3])


def _beyond(one: Any, frame: Any) -> bool:
    return bool(one[0] < frame[0] - 0.5 or one[2] > frame[2] + 0.5 or one[1] < frame[1] - 3 or one[3] > frame[3] + 3)
