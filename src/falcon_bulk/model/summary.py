"""The result of summary: alerts counted by one or more fields."""

from typing import Literal

import msgspec

from falcon_bulk.model.outliers import OutlierReport

Value = str | None | tuple[str | None, ...]


class Count(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The number of alerts with a value: None for no value, a tuple for a pair. rest: the count of all other values."""

    value: Value
    alerts: int
    rest: bool = False


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The values of each requested field, most frequent first. alerts_read = visible + hidden.

    filter: a description of the selection. source: whether the alerts were read or counted by Falcon. outliers: None if
    they were not requested. incomplete: why fewer alerts were read than match.
    """

    customer: str
    generated_at: str
    filter: str
    alerts_read: int
    hidden: int
    by: dict[str, tuple[Count, ...]]
    source: Literal["reading", "aggregates"] = "reading"
    outliers: OutlierReport | None = None
    incomplete: tuple[str, ...] = ()
