"""Charts as data: counts as bars, or as columns along time. The HTML page draws them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from falcon_bulk.model.vocabulary import SEVERITY_NAMES
from falcon_bulk.report.sheet import format_cell

REST = "rest"
MAX_BARS = 10
MAX_COLUMNS = 120
"""Three pixels each on a phone."""

# `fromisoformat` also accepts plain digits as a time.
_DATED = re.compile(r"\d{4}-\d\d-\d\d(?:T|$)", re.ASCII)

_STEPS = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
}


@dataclass(frozen=True)
class Bar:
    """A label and its number. accent: a severity's name, `rest` for everything without a bar of its own, or ''."""

    label: str
    number: int
    accent: str = ""


@dataclass(frozen=True)
class Chart:
    """Bars below each other, usually the longest first; with `step` columns along time.

    total: 100% of the shares; 0 shows no shares. step: second, minute, hour, day or month, the time span of a column;
    the bars are then in the order of time, without gaps. note: what the bars leave out.
    """

    title: str
    bars: tuple[Bar, ...]
    total: int = 0
    step: str = ""
    note: str = ""

    @property
    def largest(self) -> int:
        """The number of the longest bar, at least 1. The rest does not count."""
        return max((bar.number for bar in self.bars if bar.accent != REST), default=0) or 1

    @property
    def description(self) -> str:
        """Describe the chart in text, for screen readers."""
        if not self.bars:
            return "Nothing to count."
        if not self.step:
            return "; ".join(f"{bar.label} {format_cell(bar.number)}" for bar in self.bars) + "."
        peak = max(self.bars, key=lambda bar: bar.number)
        alerts = format_cell(sum(bar.number for bar in self.bars))
        span = f"{self.bars[0].label} to {self.bars[-1].label}, a column for each {self.step}"
        return f"{alerts} alerts from {span}. The maximum is {format_cell(peak.number)}, at {peak.label}."


def bars(title: str, counted: Iterable[Bar], total: int) -> Chart:
    """Return the first ten bars in the given order; all others become one bar of the rest."""
    every = list(counted)
    own = [bar for bar in every if bar.accent != REST]
    drawn = own[:MAX_BARS]
    if rest := sum(bar.number for bar in every) - sum(bar.number for bar in drawn):
        drawn.append(Bar("all others", rest, REST))
    return Chart(title, tuple(drawn), total)


def by_frequency(counts: Mapping[str, int]) -> list[Bar]:
    """Return a bar for each count, the most frequent first, then by name."""
    return [Bar(name or "none", counts[name]) for name in sorted(counts, key=lambda name: (-counts[name], name))]


def severities(counts: Mapping[str, int]) -> list[Bar]:
    """Return a bar for each severity, the highest first, in its colour; then those with another name or none."""
    known = [severity_bar(name, counts[name]) for name in SEVERITY_NAMES if name in counts]
    return known + by_frequency({name: number for name, number in counts.items() if name not in SEVERITY_NAMES})


def severity_bar(name: str, number: int) -> Bar:
    """Return a bar in the severity's colour."""
    return Bar(name, number, name if name in SEVERITY_NAMES else "")


def timeline(title: str, counts: Mapping[str, int], finest: str) -> Chart:
    """Return columns along time, with the finest step that needs no more than MAX_COLUMNS of them.

    counts: by UTC time, RFC 3339 or a prefix of it that has the day. Other values are not drawn but noted.
    """
    dated = [(moment, number) for time, number in counts.items() if (moment := _moment(time))]
    if not dated:
        return Chart(title, (), step=finest, note=_without_date(sum(counts.values())))
    first, last = min(dated)[0], max(dated)[0]
    names = list(_STEPS)
    step = next((name for name in names[names.index(finest) :] if _columns(first, last, name) <= MAX_COLUMNS), "month")
    columns = {_label(moment, step): 0 for moment in _moments(first, last, step)}
    earlier = 0
    for moment, number in dated:
        if (label := _label(moment, step)) in columns:
            columns[label] += number
        else:
            earlier += number
    notes = [f"{format_cell(earlier)} earlier ones are not drawn."] if earlier else []
    notes.append(_without_date(sum(counts.values()) - sum(number for _, number in dated)))
    drawn = tuple(Bar(label, number) for label, number in columns.items())
    return Chart(title, drawn, step=step, note=" ".join(filter(None, notes)))


def _without_date(number: int) -> str:
    return f"{format_cell(number)} have no date." if number else ""


def _moment(time: str) -> datetime | None:
    if not _DATED.match(time):
        return None
    try:
        moment = datetime.fromisoformat(time)
        return (moment.astimezone(UTC) if moment.tzinfo else moment).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None


def _label(moment: datetime, step: str) -> str:
    text = moment.isoformat(" ", timespec="seconds")
    lengths = {"second": 19, "minute": 16, "hour": 13, "day": 10, "month": 7}
    return text[: lengths[step]] + (":00" if step == "hour" else "")


def _floor(moment: datetime, step: str) -> datetime:
    return datetime.min + (moment - datetime.min) // _STEPS[step] * _STEPS[step]


def _columns(first: datetime, last: datetime, step: str) -> int:
    return (_floor(last, step) - _floor(first, step)) // _STEPS[step] + 1


def _moments(first: datetime, last: datetime, step: str) -> Iterator[datetime]:
    """Yield a moment in each column; only the latest columns if there are too many."""
    if step != "month":
        yield from (_floor(first, step) + number * _STEPS[step] for number in range(_columns(first, last, step)))
        return
    end = last.year * 12 + last.month - 1
    for month in range(max(first.year * 12 + first.month - 1, end - MAX_COLUMNS + 1), end + 1):
        yield datetime(month // 12, month % 12 + 1, 1)
