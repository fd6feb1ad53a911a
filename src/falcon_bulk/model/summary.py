"""The result of summary: alerts counted by one or more fields."""

from typing import Literal

import msgspec

from falcon_bulk.model.outliers import OutlierReport

Value = str | None | tuple[str | None, ...]


class Count(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A value and its alerts. None: the alerts that have none; a tuple for a pair. rest: all further values."""

    value: Value
    alerts: int
    rest: bool = False


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """For each field asked for, its values, most frequent first. alerts_read = shown in the console + hidden.

    source: whether the alerts were read, or counted by Falcon, which gives the same. outliers: which alerts differ
    from their like, if that was asked for.
    """

    customer: str
    generated_at: str
    filter: str
    alerts_read: int
    hidden: int
    by: dict[str, tuple[Count, ...]]
    source: Literal["reading", "aggregates"] = "reading"
    outliers: OutlierReport | None = None
