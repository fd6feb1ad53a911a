"""The intervals of a date histogram.

Each takes a whole minute and returns the start of its interval and of the next one.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from falcon_emulator.timestamps import HOUR, MINUTE, SECOND

Interval = Callable[[datetime], tuple[datetime, datetime]]


def _minute(at: datetime) -> tuple[datetime, datetime]:
    return at, at + timedelta(minutes=1)


def _hour(at: datetime) -> tuple[datetime, datetime]:
    start = at.replace(minute=0)
    return start, start + timedelta(hours=1)


def _day(at: datetime) -> tuple[datetime, datetime]:
    start = at.replace(hour=0, minute=0)
    return start, start + timedelta(days=1)


def _week(at: datetime) -> tuple[datetime, datetime]:
    start = at.replace(hour=0, minute=0) - timedelta(days=at.weekday())
    return start, start + timedelta(days=7)


def _months(count: int) -> Interval:
    """Return an interval of `count` months; `count` divides 12."""

    def interval(at: datetime) -> tuple[datetime, datetime]:
        start = at.replace(hour=0, minute=0, day=1, month=(at.month - 1) // count * count + 1)
        later = start.month - 1 + count
        return start, start.replace(year=start.year + later // 12, month=later % 12 + 1)

    return interval


INTERVALS: dict[str, Interval] = {
    "minute": _minute,
    "hour": _hour,
    "day": _day,
    "week": _week,
    "month": _months(1),
    "quarter": _months(3),
    "year": _months(12),
}


def unit_of(name: str) -> int:
    """Return the longest span (ns) that never crosses a boundary of the interval."""
    return MINUTE if name == "minute" else HOUR


def starts(units: Iterable[int], name: str) -> dict[int, list[int]]:
    """Group `units` (counted since 1970) by the start (ns) of their interval, including empty intervals in between."""
    interval, unit = INTERVALS[name], unit_of(name)
    found: dict[int, list[int]] = {}
    upcoming: datetime | None = None
    for number in sorted(units):
        start, following = interval(datetime.fromtimestamp(number * unit // SECOND, UTC))
        while upcoming is not None and upcoming < start:
            found[_ns(upcoming)] = []
            upcoming = interval(upcoming)[1]
        found.setdefault(_ns(start), []).append(number)
        upcoming = following
    return found


def _ns(moment: datetime) -> int:
    return int(moment.timestamp()) * SECOND
