"""The result of comparing alerts with their like: which of a group are alike, and which few differ."""

from enum import StrEnum

import msgspec


class GroupStatus(StrEnum):
    """What can be said of a group. MIXED: most fields vary; SMALL: too few alerts to say what is usual."""

    ALIKE = "alike"
    DIFFER = "differ"
    MIXED = "mixed"
    SMALL = "small"


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A field in which an alert differs: its value, and the one that most of its group have.

    words: the value as it is said, like `in C:\\Windows\\Temp`.
    """

    field: str
    value: str
    usual: str
    words: str


class Outlier(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that differs from its group."""

    composite_id: str
    created: str
    host: str
    differences: tuple[Difference, ...]


class OutlierReason(msgspec.Struct, frozen=True, kw_only=True):
    """How many alerts differ in one way, and in which: `in C:\\Windows\\Temp, under powershell.exe`."""

    alerts: int
    words: str


class AlertGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Alerts of one own hash or, without one, of one name and product.

    sha256 is '' for a group by name; name is the file's or the alert's. differ: how many of the alerts do; reasons
    has the most frequent ways, few the oldest of the alerts, and both may leave some out. steady and varied: the
    fields that were compared, and those in which the alerts are unlike each other anyway.
    """

    sha256: str
    name: str
    alerts: int
    differ: int
    likeness: GroupStatus
    steady: tuple[str, ...] = ()
    varied: tuple[str, ...] = ()
    reasons: tuple[OutlierReason, ...] = ()
    few: tuple[Outlier, ...] = ()


class OutlierReport(msgspec.Struct, frozen=True, kw_only=True):
    """The groups that have alerts that differ, most first, then the largest others; by_likeness counts all groups.

    left_out: alerts that were not compared, since there were too many different ones to remember.
    """

    groups: tuple[AlertGroup, ...] = ()
    by_likeness: dict[str, int] = {}
    left_out: int = 0
