"""Find outliers: the few alerts of a group that differ from the rest of it. They are reported and not held back.

The rule, for each field on its own, among the alerts of a group that have the field:

* A value is usual if at least one alert in three has it; a user or a kind of account only if more than half have it.
* Outliers are few: at most one alert in ten, and in groups of more than a hundred at most the square root.
* A field can be compared if all alerts but a few have a usual value, and those few have at most ten other values.
* An alert is an outlier if it has another value in a field that can be compared. A missing value is no difference.

Groups of fewer than twenty alerts are too small to compare. A group without outliers is inconclusive if most of its
fields vary. Values are compared after normalization.
"""

from collections import Counter
from collections.abc import Iterable
from math import isqrt
from typing import NamedTuple

from falcon_bulk.model import hashes
from falcon_bulk.model.alert import Alert, text
from falcon_bulk.model.outliers import AlertGroup, Difference, GroupStatus, Outlier, OutlierReason, OutlierReport
from falcon_bulk.operations.outliers.normalization import is_short_name_of
from falcon_bulk.operations.outliers.profile_counts import (
    COMPARED_FIELDS,
    MAX_EXAMPLES,
    ComparedField,
    ExampleAlert,
    GroupProfiles,
    Profile,
    ProfileCount,
    alert_profile,
    compared_values,
)

MIN_GROUP = 20
USUAL_FRACTION = 3
OUTLIER_FRACTION = 10
MAX_OTHER_VALUES = 10
MAX_REASONS = 3
MAX_VALUE_LENGTH = 300
MAX_PROFILES = 50_000

_NAMES = [field.name for field in COMPARED_FIELDS]
_USER, _ACCOUNT, _COMMAND_LINE = map(_NAMES.index, ("user", "kind of account", "command line"))


class OutlierDetector:
    """Compares alerts as they are read.

    selected: group the alerts by these hashes only. Without it, group them by each own hash, and alerts that have none
    by their name and product.
    """

    def __init__(self, selected: frozenset[str] | None = None) -> None:
        self._selected = selected
        self._groups: dict[tuple[str, str], GroupProfiles] = {}
        self._profiles = 0
        self._not_compared = 0

    def add(self, alert: Alert, own_hashes: Iterable[str] | None = None) -> None:
        """Add an alert to its groups. own_hashes: the alert's, if they are known already."""
        profile = alert_profile(alert)
        for key in self._group_keys(alert, hashes.own_hashes(alert) if own_hashes is None else own_hashes):
            group = self._groups.get(key) or self._groups.setdefault(key, GroupProfiles())
            before = len(group.profiles)
            if not group.add(profile, alert, may_grow=self._profiles < MAX_PROFILES):
                self._not_compared += 1
            self._profiles += len(group.profiles) - before

    def report(self, limit: int) -> OutlierReport:
        """Return at most `limit` groups: those with most outliers first, then the largest."""
        groups = [_assess(*key, group) for key, group in self._groups.items() if group.profiles]
        groups.sort(key=lambda group: (-group.outliers, -group.alerts, group.sha256 or "", group.name))
        counts = Counter(group.status for group in groups)
        return OutlierReport(
            groups=tuple(groups[:limit]),
            by_status={status: counts[status] for status in GroupStatus},
            not_compared=self._not_compared,
        )

    def _group_keys(self, alert: Alert, own_hashes: Iterable[str]) -> Iterable[tuple[str, str]]:
        if self._selected is not None:
            return [(digest, "") for digest in own_hashes if digest in self._selected]
        product = text(alert.product)
        name = f"{alert.title} ({product})" if product else alert.title
        return [(digest, "") for digest in own_hashes] or [("", name)]


class GroupComparison:
    """What is usual in a group, to hold single alerts against it.

    status: whether the group can be judged; `differences` is '' for every alert where it cannot.
    """

    def __init__(self, group: GroupProfiles) -> None:
        self.status = _assess("", "group", group).status if group.profiles else GroupStatus.TOO_SMALL
        self._group = group
        self._comparisons = [
            comparison
            for position in range(len(group.fields))
            if (comparison := _compare(group, position, group.value_counts(position)))
        ]

    def differences(self, alert: Alert) -> str:
        """Describe in what an alert is unlike the group: `in \\Temp, run by eve`; '' if in nothing."""
        values = ExampleAlert("", "", "", compared_values(alert))
        found = _deviations(self._group.reduced(alert_profile(alert)), self._comparisons)
        return ", ".join(_describe(values, comparison.field) for comparison, _ in found)


class _FieldComparison(NamedTuple):
    """A field that can be compared in a group.

    position: of the field in the profiles. unusual: its unusual values. usual: its most frequent usual value.
    """

    position: int
    field: int
    unusual: frozenset[str]
    usual: str


_Deviations = tuple[tuple[_FieldComparison, str], ...]
"""The fields in which a profile differs, each with its normalized value."""


def _assess(sha256: str, name: str, group: GroupProfiles) -> AlertGroup:
    alerts = sum(count.alerts for count in group.profiles.values())
    counts = [group.value_counts(position) for position in range(len(group.fields))]
    name = name or min(count.oldest[0] for count in group.profiles.values()).values.filename
    if alerts < MIN_GROUP:
        same = len(group.fields) == len(COMPARED_FIELDS) and all(len(values) < 2 for values in counts)
        status = GroupStatus.UNIFORM if same and alerts > 1 else GroupStatus.TOO_SMALL
        return AlertGroup(sha256=sha256 or None, name=name, alerts=alerts, status=status)
    comparisons = [
        comparison for position, values in enumerate(counts) if (comparison := _compare(group, position, values))
    ]
    unusual = [
        (count, deviations)
        for profile, count in group.profiles.items()
        if (deviations := _deviations(profile, comparisons))
    ]
    outliers = sum(count.alerts for count, _ in unusual)
    compared = [comparison.field for comparison in comparisons]
    absent = [field for field, values in zip(group.fields, counts, strict=True) if not values]
    varied = [field for field in range(len(COMPARED_FIELDS)) if field not in (*compared, *absent)]
    if outliers:
        status = GroupStatus.OUTLIERS
    else:
        status = GroupStatus.INCONCLUSIVE if len(varied) > len(compared) else GroupStatus.UNIFORM
    return AlertGroup(
        sha256=sha256 or None,
        name=name,
        alerts=alerts,
        status=status,
        outliers=outliers,
        compared_fields=tuple(_NAMES[field] for field in compared),
        varied_fields=tuple(_NAMES[field] for field in varied),
        reasons=_reasons(unusual),
        examples=_examples(group, unusual),
    )


def _compare(group: GroupProfiles, position: int, counts: Counter[str]) -> _FieldComparison | None:
    """Return the comparison of the field at `position`, or None if the field varies.

    A short name (8.3) counts as the long name that it can stand for.
    """
    number = group.fields[position]
    alerts = counts.total()
    usual = {value for value in counts if _is_usual(counts[value], alerts, COMPARED_FIELDS[number])}
    unusual = {
        value for value in counts if value not in usual and not any(is_short_name_of(value, name) for name in usual)
    }
    different = sum(counts[value] for value in unusual)
    max_outliers = min(alerts // OUTLIER_FRACTION, isqrt(alerts))
    if alerts < MIN_GROUP or not usual or different > max_outliers or len(unusual) > MAX_OTHER_VALUES:
        return None
    return _FieldComparison(position, number, frozenset(unusual), min(usual, key=lambda value: (-counts[value], value)))


def _is_usual(number: int, alerts: int, field: ComparedField) -> bool:
    return number * 2 > alerts if field.needs_majority else number * USUAL_FRACTION >= alerts


def _deviations(profile: Profile, comparisons: list[_FieldComparison]) -> _Deviations:
    """Return where a profile differs. A different user is not listed again as another kind of account."""
    deviations = tuple(
        (comparison, profile[comparison.position])
        for comparison in comparisons
        if profile[comparison.position] in comparison.unusual
    )
    fields = {comparison.field for comparison, _ in deviations}
    return tuple(item for item in deviations if item[0].field != _ACCOUNT or _USER not in fields)


def _reasons(unusual: list[tuple[ProfileCount, _Deviations]]) -> tuple[OutlierReason, ...]:
    """Return the most frequent reasons. User and command line are listed only if nothing else differs."""
    profiles: dict[tuple[tuple[int, str], ...], list[ProfileCount]] = {}
    for count, deviations in unusual:
        reason = tuple((comparison.field, value) for comparison, value in deviations)
        main = tuple(item for item in reason if item[0] not in (_USER, _ACCOUNT, _COMMAND_LINE))
        profiles.setdefault(main or reason, []).append(count)
    alerts = {reason: sum(count.alerts for count in counts) for reason, counts in profiles.items()}
    frequent = sorted(profiles, key=lambda reason: (-alerts[reason], reason))[:MAX_REASONS]
    return tuple(
        OutlierReason(alerts=alerts[reason], description=_describe_reason(reason, profiles[reason]))
        for reason in frequent
    )


def _describe_reason(reason: tuple[tuple[int, str], ...], counts: list[ProfileCount]) -> str:
    oldest = min(count.oldest[0] for count in counts)
    return ", ".join(_describe(oldest, field) for field, _ in reason)


def _describe(alert: ExampleAlert, field: int) -> str:
    return COMPARED_FIELDS[field].phrase.format(_value(alert, field))


def _value(alert: ExampleAlert, field: int) -> str:
    return COMPARED_FIELDS[field].value(alert.values)[:MAX_VALUE_LENGTH]


def _examples(group: GroupProfiles, unusual: list[tuple[ProfileCount, _Deviations]]) -> tuple[Outlier, ...]:
    """Return the oldest outliers."""
    oldest = sorted(
        ((alert, deviations) for count, deviations in unusual for alert in count.oldest), key=lambda pair: pair[0]
    )
    usual = {comparison: _usual_value(group, comparison) for _, deviations in oldest for comparison, _ in deviations}
    return tuple(
        Outlier(
            composite_id=alert.composite_id,
            created=alert.created,
            host=alert.host,
            differences=tuple(
                Difference(
                    field=_NAMES[comparison.field],
                    value=_value(alert, comparison.field),
                    usual=usual[comparison],
                    description=_describe(alert, comparison.field),
                )
                for comparison, _ in deviations
            ),
        )
        for alert, deviations in oldest[:MAX_EXAMPLES]
    )


def _usual_value(group: GroupProfiles, comparison: _FieldComparison) -> str:
    """Return the most usual value as it is in the oldest alert of the most frequent profile that has it."""
    counts = [count for profile, count in group.profiles.items() if profile[comparison.position] == comparison.usual]
    return _value(min(counts, key=lambda count: (-count.alerts, count.oldest[0])).oldest[0], comparison.field)
