"""What an aggregate is asked for, and what of it is refused.

Known from the swagger and falcon-mcp PR #483: anything the service does not expect is an opaque 500, at any depth.
Assumption: a size out of range is a 400.
"""

import re

import msgspec

from falcon_emulator.histogram_intervals import INTERVALS
from falcon_emulator.http import ApiError
from falcon_emulator.switches import Switches
from falcon_emulator.timestamps import HOUR, MINUTE

OPAQUE_ERROR = ApiError(500, "Internal Server Error")
INVALID = "failed to validate aggregates query(s)"
_SORTS = ("_count|desc", "_count|asc", "_key|asc", "_key|desc")
_OFFSET = re.compile(r"([+-])(\d\d):(\d\d)")
_TYPES = ["terms", "date_histogram", "date_range", "range", "percentiles", "cardinality", "min", "max", "avg", "sum"]


class DateRange(msgspec.Struct):
    """A range from `start` (included) to `end` (excluded), both in FQL's notation of times."""

    start: str | None = msgspec.field(name="from", default=None)
    end: str | None = msgspec.field(name="to", default=None)


class NumberRange(msgspec.Struct):
    """A range from `start` (included) to `end` (excluded); the JSON keys are capitalised."""

    start: float | None = msgspec.field(name="From", default=None)
    end: float | None = msgspec.field(name="To", default=None)


class Spec(msgspec.Struct):
    """The specification of one aggregate.

    The swagger's other fields (from, exclude, min_doc_count, …) are ignored, as in Falcon.
    """

    type: str
    field: str
    name: str = ""
    size: int | None = None
    filter: str = ""
    q: str = ""
    sort: str = ""
    missing: str | None = None
    interval: str | None = None
    time_zone: str | None = None
    percents: list[float] | None = None
    include: str | None = None
    date_ranges: list[DateRange] | None = None
    ranges: list[NumberRange] | None = None
    sub_aggregates: list["Spec"] = []

    def offset(self) -> int:
        """Return the time zone of date buckets as an offset in ns. Raises ApiError 500 for one that is no offset."""
        found = _OFFSET.fullmatch(self.time_zone or "+00:00")
        if found is None:
            raise OPAQUE_ERROR
        sign, hours, minutes = found.groups()
        return int(f"{sign}1") * (int(hours) * HOUR + int(minutes) * MINUTE)


def check(spec: Spec, switches: Switches) -> None:
    """Raise ApiError for a specification that cannot be run: 400 for size and sort, else the opaque 500.

    A size above the limit is a 400, or the limit is used, as the switch says.
    """
    over = switches.aggregates_over_size == "refused" and (spec.size or 1) > switches.aggregates_max_size
    if spec.sort not in ("", *_SORTS) or (spec.size is not None and spec.size < 1) or over:
        raise ApiError(400, INVALID)
    companions = {"date_histogram": spec.interval, "date_range": spec.date_ranges, "range": spec.ranges}
    if spec.type not in _TYPES or not companions.get(spec.type, True):
        raise OPAQUE_ERROR
    if spec.type == "date_histogram" and not _has_interval(spec.interval, switches):
        raise OPAQUE_ERROR
    spec.offset()
    for below in spec.sub_aggregates:
        check(below, switches)


def _has_interval(name: str | None, switches: Switches) -> bool:
    return name in INTERVALS and (name != "minute" or switches.minute_histogram == "works")
