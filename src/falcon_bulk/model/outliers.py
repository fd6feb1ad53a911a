"""The result of comparing alerts within groups: the outliers, which differ from the other alerts of their group."""

from enum import StrEnum

import msgspec


class GroupStatus(StrEnum):
    """The result for a group.

    INCONCLUSIVE: most fields vary, so the comparison says nothing. TOO_SMALL: too few alerts to say what is usual.
    """

    UNIFORM = "uniform"
    OUTLIERS = "outliers"
    INCONCLUSIVE = "inconclusive"
    TOO_SMALL = "too_small"


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A field in which an alert differs: its value, and the most usual value in its group.

    description: the value as a phrase, such as `in C:\\Windows\\Temp`.
    """

    field: str
    value: str
    usual: str
    description: str


class Outlier(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that differs from its group. created: RFC 3339, as Falcon sent it."""

    composite_id: str
    created: str
    host: str
    differences: tuple[Difference, ...]


class OutlierReason(msgspec.Struct, frozen=True, kw_only=True):
    """How many alerts differ in the same way, and how: `in C:\\Windows\\Temp, under powershell.exe`."""

    alerts: int
    description: str


class AlertGroup(msgspec.Struct, frozen=True, kw_only=True):
    """The alerts of one own hash or, if they have none, of one name and product.

    sha256: None for a group by name. name: of the file or the alert. outliers: how many of the alerts are outliers.
    compared_fields: the fields with usual values, in which alerts can differ; varied_fields: those with too many
    values to compare. reasons: the most frequent; examples: the oldest outliers. Both may be incomplete.
    """

    sha256: str | None
    name: str
    alerts: int
    status: GroupStatus
    outliers: int = 0
    compared_fields: tuple[str, ...] = ()
    varied_fields: tuple[str, ...] = ()
    reasons: tuple[OutlierReason, ...] = ()
    examples: tuple[Outlier, ...] = ()


class OutlierReport(msgspec.Struct, frozen=True, kw_only=True):
    """The groups, those with most outliers first, then the largest; by_status counts all groups.

    not_compared: alerts left out because there were too many different ones to remember.
    """

    groups: tuple[AlertGroup, ...] = ()
    by_status: dict[GroupStatus, int] = {}
    not_compared: int = 0
