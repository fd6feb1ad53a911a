"""Let Falcon count alerts instead of reading them, if that gives the same counts.

Falcon's counts are checked: those of a field must add up to the number of alerts, and must include the values of the
newest alerts, which are read. If anything does not fit, the counts are not used and all alerts are read.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple, Protocol

from falcon_bulk.errors import FalconAnswer, MissingScope
from falcon_bulk.falcon.aggregates import AggregateCounts, AggregateQuery
from falcon_bulk.falcon.fql import HIDDEN, MAX_TERMS, all_of, equals_any
from falcon_bulk.falcon.fql_scanner import count_terms
from falcon_bulk.falcon.page import Page
from falcon_bulk.model.alert import Alert
from falcon_bulk.model.clock import rfc3339
from falcon_bulk.model.summary import Value
from falcon_bulk.model.vocabulary import severity_band
from falcon_bulk.operations.reading.alert_document import AlertDocument, decode_result
from falcon_bulk.operations.reading.select_alerts import NEWEST_FIRST, check_cids

SAMPLE = 100
MAX_ADDED_TERMS = 3
"""Maximum number of terms that a count adds to the filter."""


class AlertCounter(Protocol):
    """The counting part of `falcon.alerts.Alerts`."""

    def count(self, fql: str) -> int: ...
    def page(self, fql: str, *, after: str = "", sort: str = NEWEST_FIRST, limit: int = SAMPLE) -> Page: ...
    def count_by_value(self, queries: Sequence[AggregateQuery]) -> list[AggregateCounts]: ...


class CountedField(NamedTuple):
    """A field of the documents. value: converts a label of Falcon's as reading does; raises ValueError if it cannot."""

    field: str
    value: Callable[[Any], str]
    interval: str = ""


class ServerCount(NamedTuple):
    """How Falcon counts a value that reading takes from the first of `fields` that an alert has.

    may_be_missing: alerts without any of the fields count as having no value. This is only for fields whose values are
    short and certainly indexed; with others, a value that is too long to be indexed would seem to be missing.
    """

    fields: tuple[CountedField, ...]
    may_be_missing: bool = False

    def queries(self, fql: str) -> Iterator[AggregateQuery]:
        """Yield the aggregates to request: each field, of the alerts without the fields before it."""
        for number, field in enumerate(self.fields):
            yield AggregateQuery(field.field, all_of([fql, *self._without(number)]), field.interval)

    @property
    def missing_filter(self) -> str:
        """The filter for alerts without any of the fields; '' if they may not be missing."""
        return all_of(self._without(len(self.fields))) if self.may_be_missing else ""

    def _without(self, number: int) -> list[str]:
        return [f"{field.field}:!'*'" for field in self.fields[:number]]


class ServerCounts(NamedTuple):
    """The number of alerts, of hidden alerts, and of alerts with each value of each field."""

    alerts: int
    hidden: int
    by: dict[str, Counter[Value]]


def _text_label(label: Any) -> str:
    if not isinstance(label, str) or not label:
        raise ValueError(f"{label!r} is not text")
    return label


def _severity_label(label: Any) -> str:
    return severity_band(float(label))


def _time_label(ending: str, label: Any) -> str:
    moment = rfc3339(label) if isinstance(label, datetime) else ""
    if not moment.endswith(ending):
        raise ValueError(f"{label!r} is not the start of an interval")
    return moment.removesuffix(ending)


def _field(name: str, *, may_be_missing: bool = False) -> ServerCount:
    return ServerCount((CountedField(name, _text_label),), may_be_missing)


# Fields known from live use to be aggregatable (all but `severity` from falcon-mcp's list), by the name to count by.
SERVER_COUNTS: dict[str, ServerCount] = {
    "severity": ServerCount(
        (CountedField("severity_name", _text_label), CountedField("severity", _severity_label)), may_be_missing=True
    ),
    "status": _field("status"),
    "product": _field("product"),
    "type": _field("type"),
    "name": _field("name"),
    "host": _field("device.hostname"),
    "filename": _field("filename"),
    "cmdline": _field("cmdline"),
    "resolution": _field("resolution", may_be_missing=True),
    "day": ServerCount((CountedField("created_timestamp", partial(_time_label, "T00:00:00Z"), "day"),)),
    "hour": ServerCount((CountedField("created_timestamp", partial(_time_label, ":00:00Z"), "hour"),)),
    "severity_name": _field("severity_name", may_be_missing=True),
    "display_name": _field("display_name"),
    "device.hostname": _field("device.hostname"),
    "parent_details.filename": _field("parent_details.filename"),
    "sha256": _field("sha256", may_be_missing=True),
    "md5": _field("md5", may_be_missing=True),
    "ioc_type": _field("ioc_type", may_be_missing=True),
}

ValueReader = Callable[[AlertDocument[Alert]], Iterable[Value]]


def count_on_server(
    alerts: AlertCounter, fql: str, readers: dict[str, ValueReader], cids: Sequence[str], *, in_flight: int
) -> ServerCounts | None:
    """Return Falcon's counts for each field, or None if they are not certain to equal those of reading.

    readers: for each field a function that returns an alert's values, to check the counts by the newest alerts. cids:
    those that all alerts must belong to, if any are given. in_flight: concurrent requests.
    Raises the client's errors, and WrongTenant for an alert of another CID.
    """
    server_counts = [SERVER_COUNTS[field] for field in readers if field in SERVER_COUNTS]
    base = f"({fql})" if fql else ""
    if len(server_counts) < len(readers) or count_terms(fql) + MAX_ADDED_TERMS + len(cids) > MAX_TERMS:
        return None
    with ThreadPoolExecutor(in_flight) as pool:
        queries = [query for server_count in server_counts for query in server_count.queries(base)]
        counted = pool.submit(alerts.count_by_value, queries)

        def count(clause: str) -> Future[int]:
            return pool.submit(alerts.count, all_of([base, clause]))

        total, hidden = count(""), count(HIDDEN)
        expected = count(equals_any("cid", cids)) if cids else total
        page = pool.submit(alerts.page, fql, sort=NEWEST_FIRST, limit=SAMPLE)
        missing = [count(each.missing_filter) if each.may_be_missing else None for each in server_counts]
    alert_count = total.result()
    try:  # if Falcon refuses what is added to the selection here, the selection itself may be valid
        if expected.result() != alert_count:
            return None
        without_value = [number.result() if number else 0 for number in missing]
        answers = iter(counted.result())
        counters = [_counter(each, answers, number) for each, number in zip(server_counts, without_value, strict=True)]
    except (FalconAnswer, MissingScope, ValueError, TypeError):
        return None
    by = dict(zip(readers, counters, strict=True))
    sample = [decode_result(Alert, document) for document in page.result().documents]
    fits = all(counter.total() == alert_count for counter in counters) and bool(sample) == bool(alert_count)
    return ServerCounts(alert_count, hidden.result(), by) if fits and _includes(sample, readers, by, cids) else None


def _counter(server_count: ServerCount, answers: Iterator[AggregateCounts], without_value: int) -> Counter[Value]:
    """Return the counts of a field. Raises ValueError if Falcon does not return all values, or an impossible one."""
    counter: Counter[Value] = Counter({None: without_value} if without_value else {})
    for field, counted in zip(server_count.fields, answers, strict=False):
        if counted.others:
            raise ValueError("there are too many values")
        for label, number in counted.values:
            counter[field.value(label)] += number
    if len(server_count.fields) > 1 and len({str(value).casefold() for value in counter}) < len(counter):
        raise ValueError("a value differs only in case: one field keeps the case of its values, another does not")
    return counter


def _includes(
    sample: list[AlertDocument[Alert]],
    readers: dict[str, ValueReader],
    by: dict[str, Counter[Value]],
    cids: Sequence[str],
) -> bool:
    """Return whether the counts include all values of these alerts."""
    return all(
        set(reader(item)) <= by[field].keys()
        for page in check_cids([sample], cids)
        for item in page
        for field, reader in readers.items()
    )
