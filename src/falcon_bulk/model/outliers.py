"""The result of comparing alerts within groups: the outliers, which differ from the other alerts of their group.

The structs are also the JSON of `outliers` in `run/1` and `summary/1`.
"""

from enum import StrEnum

import msgspec

PHRASES = {
    "user": "run by {}",
    "kind of account": "run by {}",
    "file name": "named {}",
    "folder": "in {}",
    "parent": "under {}",
    "disposition": "with the disposition “{}”",
    "tactic": "with the tactic {}",
    "command line": "with the command line {}",
}
"""How a difference in each compared field is described."""


def describe_difference(field: str, value: str) -> str:
    """Return a phrase such as `in C:\\Windows\\Temp` for a value of a compared field."""
    return PHRASES[field].format(value)


class GroupStatus(StrEnum):
    """The result for a group.

    INCONCLUSIVE: most fields vary, so the comparison says nothing. TOO_SMALL: too few alerts to say what is usual.
    """

    UNIFORM = "uniform"
    OUTLIERS = "outliers"
    INCONCLUSIVE = "inconclusive"
    TOO_SMALL = "too_small"


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A field in which an alert differs: its value, and the most usual value in its group."""

    field: str
    value: str
    usual: str

    @property
    def description(self) -> str:
        """The difference as a phrase."""
        return describe_difference(self.field, self.value)


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
