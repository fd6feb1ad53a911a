"""Divide a selection into time slices that can be read in parallel.

Falcon's counts only decide where to divide. Together the slices cover all time, so a wrong count makes a slice longer
and loses nothing.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from falcon_bulk.errors import FalconAnswer, MissingScope
from falcon_bulk.falcon.alerts import PAGE
from falcon_bulk.model.clock import rfc3339

MAX_SLICES = 200
"""Up to so many pages a slice is one page. Of more pages slices have several, and all readers are busy to the end."""
MAX_DIVISIONS = 16
"""Intervals of one length that are divided further: each costs a request."""

# How an interval that has too many alerts is divided further: an hour into minutes, a minute into seconds.
FINER = {timedelta(hours=1): timedelta(minutes=1), timedelta(minutes=1): timedelta(seconds=1)}


class Interval(NamedTuple):
    """How many alerts were created in the interval that begins at `start`."""

    start: datetime
    length: timedelta
    alerts: int


class TimeSlice(NamedTuple):
    """The alerts created at or after `start` and before `end` (RFC 3339; '' for open)."""

    start: str
    end: str
    alerts: int

    @property
    def fql(self) -> list[str]:
        """The slice as FQL clauses."""
        return [
            *([f"created_timestamp:>='{self.start}'"] if self.start else []),
            *([f"created_timestamp:<'{self.end}'"] if self.end else []),
        ]


ALL_TIME = TimeSlice("", "", 0)
WHOLE = [ALL_TIME]
"""All time in one slice."""


class TimeCounter(Protocol):
    """The counting part of `falcon.alerts.Alerts`."""

    def count_by_hour(self, fql: str) -> list[tuple[datetime, int]]: ...
    def count_by_range(self, fql: str, edges: Sequence[datetime]) -> list[tuple[datetime, int]]: ...


def count_hours(alerts: TimeCounter, fql: str) -> list[Interval]:
    """Return Falcon's counts by hour, [] if it refuses to count."""
    try:
        return [Interval(start, timedelta(hours=1), number) for start, number in alerts.count_by_hour(fql)]
    except (FalconAnswer, MissingScope):
        return []


def cut_slices(alerts: TimeCounter, fql: str, hours: Sequence[Interval]) -> list[TimeSlice]:
    """Return slices with about the same number of alerts, largest first, based on Falcon's counts by hour.

    Return WHOLE for alerts that fit on a page, and if Falcon refuses to count.
    """
    pages = -(-sum(hour.alerts for hour in hours) // PAGE)
    if pages <= 1:
        return WHOLE
    size = PAGE * -(-pages // MAX_SLICES)
    try:
        intervals = _divide(alerts, fql, hours, size)
    except (FalconAnswer, MissingScope):
        return WHOLE
    return sorted(_join(intervals, size), key=lambda part: -part.alerts)


def _divide(alerts: TimeCounter, fql: str, intervals: Sequence[Interval], size: int) -> list[Interval]:
    """Return the intervals; the largest of those that hold more than a slice are divided, down to seconds."""
    large = [interval for interval in intervals if interval.alerts > size and interval.length in FINER]
    large = sorted(large, key=lambda interval: -interval.alerts)[:MAX_DIVISIONS]
    if not large:
        return list(intervals)

    def parts_of(interval: Interval) -> list[Interval]:
        finer = FINER[interval.length]
        edges = [interval.start + finer * step for step in range(interval.length // finer + 1)]
        parts = [Interval(start, finer, number) for start, number in alerts.count_by_range(fql, edges)]
        return parts if interval.alerts <= size * 2 else _divide(alerts, fql, parts, size)

    divided = set(large)
    with ThreadPoolExecutor(len(large)) as pool:
        fine = [part for parts in pool.map(parts_of, large) for part in parts]
    return [*(interval for interval in intervals if interval not in divided), *fine]


def _join(intervals: list[Interval], size: int) -> list[TimeSlice]:
    """Join adjacent intervals up to the size; the first slice has no start, the last has no end."""
    edges, numbers = [""], [0]
    for interval in sorted(intervals):
        if numbers[-1] and numbers[-1] + interval.alerts > size:
            edges.append(rfc3339(interval.start))
            numbers.append(0)
        numbers[-1] += interval.alerts
    return [TimeSlice(*bounds) for bounds in zip(edges, [*edges[1:], ""], numbers, strict=True)]
