"""Finds outliers among what one rule would close, compared also with what it closed before."""

from collections.abc import Iterable

import msgspec

from falcon_bulk.model.alert import Alert
from falcon_bulk.model.outliers import GroupStatus
from falcon_bulk.operations.outliers.detector import GroupComparison
from falcon_bulk.operations.outliers.profile_counts import (
    ComparedValues,
    GroupProfiles,
    alert_profile,
    compared_values,
)

_TOLD = {
    GroupStatus.TOO_SMALL: "too few alerts to compare",
    GroupStatus.INCONCLUSIVE: "too varied to compare",
}


class RuleOutliers:
    """The group of one rule: first all alerts are added, then each is asked about."""

    def __init__(self, closed_before: Iterable[tuple[str, ...]]) -> None:
        """Begin with what the rule closed before: compared values, as `compared_of` returns them."""
        self._group = GroupProfiles()
        self._comparison: GroupComparison | None = None
        for values in closed_before:
            self._group.add_known(ComparedValues(*values))

    def add(self, alert: Alert) -> None:
        """Add an alert that the rule would close."""
        self._group.add(alert_profile(alert), alert, may_grow=True)

    def is_outlier(self, alert: Alert) -> bool:
        """Return whether an alert is unlike the others of the group, once all were added."""
        return bool(self._compared().differences(alert))

    @property
    def why_not_judged(self) -> str:
        """Why the check could not judge the group, '' if it could."""
        return _TOLD.get(self._compared().status, "")

    def _compared(self) -> GroupComparison:
        if self._comparison is None:
            self._comparison = GroupComparison(self._group)
        return self._comparison


def compared_of(alert: Alert) -> tuple[str, ...]:
    """Return the compared values of an alert, to keep."""
    return msgspec.structs.astuple(compared_values(alert))
