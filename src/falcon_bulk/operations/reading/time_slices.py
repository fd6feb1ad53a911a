"""Cutting a selection into slices of time that can be read side by side.

The server's counts only say where to cut: together the slices cover all time whatever it counts, so that a
wrong count makes a slice longer and loses nothing.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from falcon_bulk.errors import FalconAnswer, MissingScope
from falcon_bulk.falcon.alerts import PAGE
from falcon_bulk.model.clock import rfc3339

MAX_SLICE_PAGES = 16
"""Pages of a slice at most, so that a large reading stays even however slow one reader is."""
MIN_ALERTS_TO_SLICE = 3_000

# How an interval is cut further when too much lies in it: an hour into minutes, a minute into seconds.
FINER = {timedelta(hours=1): timedelta(minutes=1), timedelta(minutes=1): timedelta(seconds=1)}


class Interval(NamedTuple):
    """How many alerts were created in a span of time that begins there."""

    start: datetime
    length: timedelta
    alerts: int


class TimeSlice(NamedTuple):
    """The alerts created from `start` on and before `end` (RFC 3339; '' for open)."""

    start: str
    end: str
    alerts: int

    @property
    def fql(self) -> list[str]:
        """The slice as filter parts."""
        return [
            *([f"created_timestamp:>='{self.start}'"] if self.start else []),
            *([f"created_timestamp:<'{self.end}'"] if self.end else []),
        ]


WHOLE = [TimeSlice("", "", 0)]
"""All time in one slice."""


class TimeCounter(Protocol):
    """The counting part of `falcon.alerts.Alerts`."""

    def count_by_hour(self, fql: str) -> list[tuple[datetime, int]]: ...
    def count_by_range(self, fql: str, edges: Sequence[datetime]) -> list[tuple[datetime, int]]: ...


def cut_slices(alerts: TimeCounter, fql: str, readers: int) -> list[TimeSlice]:
    """Slices of about the same number of alerts, largest first, by what Falcon counts in each hour.

    WHOLE where cutting is not worth it, and where it does not count.
    """
    try:
        hours = [Interval(start, timedelta(hours=1), number) for start, number in alerts.count_by_hour(fql)]
        counted = sum(hour.alerts for hour in hours)
        if counted < MIN_ALERTS_TO_SLICE:
            return WHOLE
        size = PAGE * min(MAX_SLICE_PAGES, -(-counted // (PAGE * readers)))
        intervals = _fine_enough(alerts, fql, hours, size)
    except (FalconAnswer, MissingScope):
        return WHOLE
    return sorted(_slices(intervals, size), key=lambda one: -one.alerts)


def _fine_enough(alerts: TimeCounter, fql: str, intervals: list[Interval], size: int) -> list[Interval]:
    """The intervals, with those that hold more than a slice cut further, down to the second."""
    fine: list[Interval] = []
    for interval in intervals:
        finer = FINER.get(interval.length)
        if interval.alerts <= size or finer is None:
            fine.append(interval)
            continue
        edges = [interval.start + finer * step for step in range(interval.length // finer + 1)]
        parts = [Interval(start, finer, number) for start, number in alerts.count_by_range(fql, edges)]
        fine += _fine_enough(alerts, fql, parts, size)
    return fine


def _slices(intervals: list[Interval], size: int) -> list[TimeSlice]:
    """Neighbouring intervals joined up to the size; the first slice is open to the past, the last to the future."""
    edges, numbers = [""], [0]
    for interval in sorted(intervals):
        if numbers[-1] and numbers[-1] + interval.alerts > size:
            edges.append(rfc3339(interval.start))
            numbers.append(0)
        numbers[-1] += interval.alerts
    return [TimeSlice(*one) for one in zip(edges, [*edges[1:], ""], numbers, strict=True)]
