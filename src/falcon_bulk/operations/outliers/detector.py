"""Alike or not: the few alerts of a group that differ from the rest of it. A report, not a rail.

The rule, for each field on its own, among the alerts of a group that have it:

* A value is usual if at least one in three has it; a user, or a kind of account, only if more than half have it.
* Few are at most one in ten, and of more than a hundred at most the square root.
* A field is steady if all alerts but few have a usual value, and those few have at most ten others.
* An alert differs where it has another value in a steady field. What is missing is never a difference.

Fewer than twenty are not judged; a group is mixed if most of its fields vary. Values are compared by their shapes.
"""

from collections import Counter
from collections.abc import Iterable
from math import isqrt
from typing import NamedTuple

from falcon_bulk.model.alert import Alert, text
from falcon_bulk.model.hashes import own_hashes
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
)

MIN_GROUP = 20
USUAL_FRACTION = 3
OUTLIER_FRACTION = 10
MAX_OTHER_VALUES = 10
REASONS_SHOWN = 3
MAX_VALUE_LENGTH = 300
MAX_PROFILES = 50_000

_NAMES = [field.name for field in COMPARED_FIELDS]
_USER, _ACCOUNT, _COMMAND_LINE = map(_NAMES.index, ("user", "kind of account", "command line"))


class OutlierDetector:
    """Compares alerts as they come.

    hashes: compare the alerts of each of these; without them those of each own hash, and alerts that have none by
    their name and product.
    """

    def __init__(self, hashes: frozenset[str] | None = None) -> None:
        self._hashes = hashes
        self._groups: dict[tuple[str, str], GroupProfiles] = {}
        self._profiles = 0
        self._left_out = 0

    def add(self, alert: Alert, own: Iterable[str] | None = None) -> None:
        """Compare an alert with those of its groups. own: its own hashes, if they are known already."""
        full = alert_profile(alert)
        for key in self._keys(alert, own_hashes(alert) if own is None else own):
            group = self._groups.get(key) or self._groups.setdefault(key, GroupProfiles())
            before = len(group.same)
            if not group.add(full, alert, may_grow=self._profiles < MAX_PROFILES):
                self._left_out += 1
            self._profiles += len(group.same) - before

    def comparison(self, most: int) -> OutlierReport:
        """What was found: the groups with most alerts that differ first, then the largest; at most so many."""
        groups = [_assess(*key, group) for key, group in self._groups.items() if group.same]
        groups.sort(key=lambda group: (-group.differ, -group.alerts, group.sha256, group.name))
        return OutlierReport(
            groups=tuple(groups[:most]),
            by_likeness=dict(Counter(str(group.likeness) for group in groups)),
            left_out=self._left_out,
        )

    def _keys(self, alert: Alert, own: Iterable[str]) -> Iterable[tuple[str, str]]:
        if self._hashes is not None:
            return [(digest, "") for digest in own if digest in self._hashes]
        product = text(alert.product)
        named = f"{alert.title} ({product})" if product else alert.title
        return [(digest, "") for digest in own] or [("", named)]


class _SteadyField(NamedTuple):
    """A field that is steady in a group: its position in the profiles, the values that are not usual, one that is."""

    position: int
    field: int
    others: frozenset[str]
    usual: str


_Deviations = tuple[tuple[_SteadyField, str], ...]
"""In which steady fields a profile differs, and by which shape."""


def _assess(sha256: str, name: str, group: GroupProfiles) -> AlertGroup:
    alerts = sum(same.alerts for same in group.same.values())
    counts = [group.counts(position) for position in range(len(group.fields))]
    name = name or min(same.oldest[0] for same in group.same.values()).looks.filename
    if alerts < MIN_GROUP:
        same = len(group.fields) == len(COMPARED_FIELDS) and all(len(values) < 2 for values in counts)
        likeness = GroupStatus.ALIKE if same and alerts > 1 else GroupStatus.SMALL
        return AlertGroup(sha256=sha256, name=name, alerts=alerts, differ=0, likeness=likeness)
    steady = [found for position in range(len(counts)) if (found := _steady(group, position, counts[position]))]
    odd = [(same, ways) for key, same in group.same.items() if (ways := _deviations(key, steady))]
    differ = sum(same.alerts for same, _ in odd)
    compared = [found.field for found in steady]
    absent = [field for field, values in zip(group.fields, counts, strict=True) if not values]
    varied = [field for field in range(len(COMPARED_FIELDS)) if field not in (*compared, *absent)]
    return AlertGroup(
        sha256=sha256,
        name=name,
        alerts=alerts,
        differ=differ,
        likeness=GroupStatus.DIFFER
        if differ
        else GroupStatus.MIXED
        if len(varied) > len(compared)
        else GroupStatus.ALIKE,
        steady=tuple(_NAMES[field] for field in compared),
        varied=tuple(_NAMES[field] for field in varied),
        reasons=_reasons(odd),
        few=_examples(group, odd),
    )


def _steady(group: GroupProfiles, position: int, counts: Counter[str]) -> _SteadyField | None:
    """The field at that position if it is steady, else None. A short name (8.3) counts as one it can stand for."""
    number = group.fields[position]
    alerts = counts.total()
    usual = {value for value in counts if _is_usual(counts[value], alerts, COMPARED_FIELDS[number])}
    others = {
        value for value in counts if value not in usual and not any(is_short_name_of(value, one) for one in usual)
    }
    different = sum(counts[value] for value in others)
    few = min(alerts // OUTLIER_FRACTION, isqrt(alerts))
    if alerts < MIN_GROUP or not usual or different > few or len(others) > MAX_OTHER_VALUES:
        return None
    return _SteadyField(position, number, frozenset(others), min(usual, key=lambda value: (-counts[value], value)))


def _is_usual(number: int, alerts: int, field: ComparedField) -> bool:
    return number * 2 > alerts if field.alone else number * USUAL_FRACTION >= alerts


def _deviations(key: Profile, steady: list[_SteadyField]) -> _Deviations:
    """Where a profile differs. A user who differs is not named a second time by the kind of account."""
    ways = tuple((found, key[found.position]) for found in steady if key[found.position] in found.others)
    fields = {found.field for found, _ in ways}
    return tuple(way for way in ways if way[0].field != _ACCOUNT or _USER not in fields)


def _reasons(odd: list[tuple[ProfileCount, _Deviations]]) -> tuple[OutlierReason, ...]:
    """The most frequent ways to differ; who ran it and its command line are said only where nothing else differs."""
    alike: dict[tuple[tuple[int, str], ...], list[ProfileCount]] = {}
    for same, ways in odd:
        all_ways = tuple((found.field, shape) for found, shape in ways)
        short = tuple(way for way in all_ways if way[0] not in (_USER, _ACCOUNT, _COMMAND_LINE))
        alike.setdefault(short or all_ways, []).append(same)
    numbers = {way: sum(same.alerts for same in found) for way, found in alike.items()}
    most = sorted(alike, key=lambda way: (-numbers[way], way))[:REASONS_SHOWN]
    return tuple(OutlierReason(alerts=numbers[way], words=_describe_all(way, alike[way])) for way in most)


def _describe_all(way: tuple[tuple[int, str], ...], found: list[ProfileCount]) -> str:
    oldest = min(same.oldest[0] for same in found)
    return ", ".join(_describe(oldest, field) for field, _ in way)


def _describe(seen: ExampleAlert, field: int) -> str:
    return COMPARED_FIELDS[field].words.format(_value(seen, field))


def _value(seen: ExampleAlert, field: int) -> str:
    return COMPARED_FIELDS[field].value(seen.looks)[:MAX_VALUE_LENGTH]


def _examples(group: GroupProfiles, odd: list[tuple[ProfileCount, _Deviations]]) -> tuple[Outlier, ...]:
    """The oldest of the alerts that differ."""
    oldest = sorted(((seen, ways) for same, ways in odd for seen in same.oldest), key=lambda pair: pair[0])
    usual = {found: _usual_value(group, found) for _, ways in oldest for found, _ in ways}
    return tuple(
        Outlier(
            composite_id=seen.composite_id,
            created=seen.created,
            host=seen.host,
            differences=tuple(
                Difference(
                    field=COMPARED_FIELDS[found.field].name,
                    value=_value(seen, found.field),
                    usual=usual[found],
                    words=_describe(seen, found.field),
                )
                for found, _ in ways
            ),
        )
        for seen, ways in oldest[:MAX_EXAMPLES]
    )


def _usual_value(group: GroupProfiles, steady: _SteadyField) -> str:
    """The most usual value of a field as it stands in the oldest alert of the commonest profile that has it."""
    having = [same for key, same in group.same.items() if key[steady.position] == steady.usual]
    return _value(min(having, key=lambda same: (-same.alerts, same.oldest[0])).oldest[0], steady.field)
