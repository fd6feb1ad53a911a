"""Compute aggregates over alerts: one specification in, one result out.

Known from the swagger and falcon-mcp PR #483: buckets have a `label`, single values are in `value`, an unsupported
field gives no buckets and no error; a time's label is in
milliseconds and its `key_as_string` ends in .000Z; single values carry `count`. Assumptions: the labels of numbers and
bools are Elasticsearch's keys (bools as 0 and 1), with `key_as_string` beside them.
"""

import math
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from falcon_emulator.aggregate_specs import OPAQUE_ERROR, Spec
from falcon_emulator.alert_records import Alert
from falcon_emulator.fields import Field, field
from falcon_emulator.histogram_intervals import starts, unit_of
from falcon_emulator.switches import Switches
from falcon_emulator.timestamps import MILLISECOND, in_milliseconds, parse, rfc3339

DEFAULT_SIZE = 10
PERCENTS = (1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0)

Bucket = dict[str, Any]
Groups = dict[Any, list[Alert]]


class Aggregation:
    """Computes aggregates under a tenant's switches, at the moment `now` (ns)."""

    def __init__(self, switches: Switches, now: int) -> None:
        self.switches = switches
        self.now = now
        self._kinds: dict[str, Callable[[Spec, Field, Sequence[Alert]], Bucket]] = {
            "terms": self._terms,
            "date_histogram": self._date_histogram,
            "date_range": self._date_range,
            "range": self._range,
            "percentiles": self._percentiles,
        }

    def result(self, spec: Spec, alerts: Sequence[Alert]) -> Bucket:
        """Return the result of a checked specification over `alerts`."""
        found = self._field(spec.field)
        result: Bucket = {"buckets": []} if found is None else self._compute(spec, found, alerts)
        return {"name": spec.name} | result

    def _compute(self, spec: Spec, found: Field, alerts: Sequence[Alert]) -> Bucket:
        return self._kinds.get(spec.type, self._single_value)(spec, found, alerts)

    def _field(self, name: str) -> Field | None:
        if name == "entities.sha256" and not self.switches.aggregate_entities:
            return None
        found = field(name, self.switches)
        return None if found is None or found.type == "terms" else found

    def _terms(self, spec: Spec, found: Field, alerts: Sequence[Alert]) -> Bucket:
        groups = _group_by_value(found, alerts, spec.missing)
        if self.switches.aggregates_mode == "lower_case":
            groups = _in_lower_case(groups)
        if spec.include is not None:
            groups = _included(groups, spec.include)
        sort, _, direction = (spec.sort or "_count|desc").partition("|")
        ranked = sorted(groups, key=str, reverse=sort == "_key" and direction == "desc")
        if sort == "_count":
            ranked.sort(key=lambda value: len(groups[value]), reverse=direction == "desc")
        kept = ranked[: min(spec.size or DEFAULT_SIZE, self.switches.aggregates_max_size)]
        others = sum(len(groups[value]) for value in ranked[len(kept) :])
        buckets = [self._bucket(_labels(found, value), spec, groups[value]) for value in kept]
        shown = {"sum_other_doc_count": others} if self.switches.sum_other == "shown" else {}
        return {"buckets": buckets, **shown}

    def _date_histogram(self, spec: Spec, found: Field, alerts: Sequence[Alert]) -> Bucket:
        """Return every interval from the first to the last with alerts, including empty ones in between."""
        if found.type != "time" or spec.interval is None:
            return {"buckets": []}
        unit, offset = unit_of(spec.interval), spec.offset()
        by_unit: Groups = defaultdict(list)
        for alert in alerts:
            if (moment := found.value(alert)) is not None:
                by_unit[(moment + offset) // unit].append(alert)
        buckets = []
        for start, units in starts(by_unit, spec.interval).items():
            inside = [alert for number in units for alert in by_unit[number]]
            buckets.append(self._bucket(_labels(found, start - offset), spec, inside))
        return {"buckets": buckets}

    def _date_range(self, spec: Spec, found: Field, alerts: Sequence[Alert]) -> Bucket:
        if found.type != "time":
            return {"buckets": []}
        buckets = []
        ordered = _SortedAlerts(found, alerts)
        for interval in spec.date_ranges or []:
            try:
                bounds = [None if text is None else parse(text, self.now) for text in (interval.start, interval.end)]
            except ValueError:
                raise OPAQUE_ERROR from None
            texts = [None if moment is None else rfc3339(moment) for moment in bounds]
            name = "-".join(text or "*" for text in texts)
            label = {"label": name, "string_from": texts[0], "string_to": texts[1]}
            buckets.append(self._bucket(label, spec, ordered.within(bounds[0], bounds[1])))
        return {"buckets": buckets}

    def _range(self, spec: Spec, found: Field, alerts: Sequence[Alert]) -> Bucket:
        if found.type != "number":
            return {"buckets": []}
        buckets = []
        ordered = _SortedAlerts(found, alerts)
        for interval in spec.ranges or []:
            label = "-".join("*" if bound is None else str(bound) for bound in (interval.start, interval.end))
            bounds = {"label": label, "from": interval.start, "to": interval.end}
            buckets.append(self._bucket(bounds, spec, ordered.within(interval.start, interval.end)))
        return {"buckets": buckets}

    def _percentiles(self, spec: Spec, found: Field, alerts: Sequence[Alert]) -> Bucket:
        values = sorted(_numbers(found, alerts))
        percents = spec.percents or PERCENTS
        if not all(0 < percent <= 100 for percent in percents):
            raise OPAQUE_ERROR
        ranks = [(percent, math.ceil(percent / 100 * len(values)) - 1) for percent in percents if values]
        count = len(values)
        return {"buckets": [{"label": str(percent), "count": count, "value": values[at]} for percent, at in ranks]}

    def _single_value(self, spec: Spec, found: Field, alerts: Sequence[Alert]) -> Bucket:
        if spec.type == "cardinality":
            groups = _group_by_value(found, alerts, spec.missing)
            return {"buckets": [{"count": len(alerts), "value": len(groups)}]}
        values = _numbers(found, alerts)
        if not values:
            return {"buckets": []}
        compute: dict[str, Callable[[list[float]], float]] = {
            "min": min,
            "max": max,
            "sum": sum,
            "avg": _average,
        }
        bucket: Bucket = {"count": len(values), "value": compute[spec.type](values)}
        if found.type == "time":
            bucket["key_as_string"] = in_milliseconds(int(bucket["value"]) * MILLISECOND)
        return {"buckets": [bucket]}

    def _bucket(self, label: Bucket, spec: Spec, alerts: list[Alert]) -> Bucket:
        count = len(alerts)
        if self.switches.aggregates_mode == "undercount":
            count = count * 9 // 10
        below = [self.result(sub, alerts) for sub in spec.sub_aggregates]
        return label | {"count": count} | ({"sub_aggregates": below} if below else {})


def _group_by_value(found: Field, alerts: Sequence[Alert], missing: str | None) -> Groups:
    """Group alerts by the field's value: under each element of a list, under `missing` (if set) without a value."""
    groups: Groups = defaultdict(list)
    get = found.value
    for alert in alerts:
        value = get(alert)
        if type(value) is tuple:
            for element in dict.fromkeys(value):
                groups[element].append(alert)
        elif value is not None:
            groups[value].append(alert)
        elif missing is not None:
            groups[missing].append(alert)
    return groups


def _included(groups: Groups, pattern: str) -> Groups:
    """Return the groups whose value matches the regular expression as a whole. Raises ApiError 500 for a bad one."""
    try:
        matches = re.compile(pattern).fullmatch
    except re.error:
        raise OPAQUE_ERROR from None
    return {value: alerts for value, alerts in groups.items() if matches(str(value))}


def _in_lower_case(groups: Groups) -> Groups:
    """Merge groups whose texts differ only in case, as an index with a lower-case normalizer does."""
    folded: Groups = defaultdict(list)
    for value, alerts in groups.items():
        folded[value.lower() if isinstance(value, str) else value] += alerts
    return folded


def _labels(found: Field, value: Any) -> Bucket:
    if type(value) is bool:
        return {"label": int(value), "key_as_string": str(value).lower()}
    if found.type == "time" and isinstance(value, int):
        return {"label": value // MILLISECOND, "key_as_string": in_milliseconds(value)}
    return {"label": value}


class _SortedAlerts:
    """The alerts that have a field, sorted by its value, so that many ranges need only one sort."""

    def __init__(self, found: Field, alerts: Sequence[Alert]) -> None:
        valued = [(value, alert) for alert in alerts if (value := found.value(alert)) is not None]
        valued.sort(key=lambda pair: pair[0])
        self._values = [value for value, _ in valued]
        self._alerts = [alert for _, alert in valued]

    def within(self, start: float | None, end: float | None) -> list[Alert]:
        """Return the alerts with `start` <= value < `end`; None means unbounded."""
        low = 0 if start is None else bisect_left(self._values, start)
        high = len(self._values) if end is None else bisect_left(self._values, end)
        return self._alerts[low:high]


def _numbers(found: Field, alerts: Sequence[Alert]) -> list[float]:
    """Return the field's numbers, times in ms; an empty list for a field of another type."""
    if found.type not in ("number", "time"):
        return []
    values = [value for alert in alerts if (value := found.value(alert)) is not None]
    return [value // MILLISECOND for value in values] if found.type == "time" else values


def _average(values: list[float]) -> float:
    return sum(values) / len(values)
