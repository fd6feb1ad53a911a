"""Counting by Falcon itself instead of reading, where that gives what reading would.

Falcon's counts are checked, not believed: those of a field must add up to the number of alerts, and the newest alerts,
which are read, must be found among them. Where anything does not fit, there is no count, and the alerts are read.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple, Protocol

from falcon_bulk.errors import FalconAnswer, MissingScope
from falcon_bulk.falcon.alerts import AggregateCounts, AggregateQuery, Page
from falcon_bulk.falcon.fql import HIDDEN, MAX_TERMS, all_of, equals_any
from falcon_bulk.falcon.fql_scanner import count_terms
from falcon_bulk.model.alert import Alert
from falcon_bulk.model.clock import rfc3339
from falcon_bulk.model.summary import Value
from falcon_bulk.model.vocabulary import severity_band
from falcon_bulk.operations.reading.read_all import AlertDocument, decode_result
from falcon_bulk.operations.reading.select_alerts import NEWEST_FIRST, check_cids

SAMPLE = 100
MOST_OWN_TERMS = 3


class AlertCounter(Protocol):
    """The part of `falcon.alerts.Alerts` that counts."""

    def count(self, fql: str) -> int: ...
    def page(self, fql: str, *, after: str = "", sort: str = NEWEST_FIRST, limit: int = SAMPLE) -> Page: ...
    def count_by_value(self, asked: Sequence[AggregateQuery]) -> list[AggregateCounts]: ...


class CountedField(NamedTuple):
    """A field of the documents, and what reading makes of a value there. Raises ValueError for what cannot be one."""

    field: str
    value: Callable[[Any], str]
    interval: str = ""


class ServerCount(NamedTuple):
    """How Falcon counts what reading finds in the first of some places that an alert has.

    may_lack: whether alerts that have none of them count as none. Only fields of which each value is short and
    surely indexed may; of another one a value that is too long to be indexed would seem to be missing.
    """

    places: tuple[CountedField, ...]
    may_lack: bool = False

    def asked(self, fql: str) -> Iterator[AggregateQuery]:
        """The aggregates to ask for: each place, of the alerts that lack all the former ones."""
        for number, place in enumerate(self.places):
            yield AggregateQuery(place.field, all_of([fql, *self._lacking(number)]), place.interval)

    @property
    def lacking(self) -> str:
        """The filter for alerts that have none of the places; '' if there may be none."""
        return all_of(self._lacking(len(self.places))) if self.may_lack else ""

    def _lacking(self, number: int) -> list[str]:
        return [f"{place.field}:!'*'" for place in self.places[:number]]


class ServerCounts(NamedTuple):
    """How many alerts there are, how many of them are hidden, and how many have each value of each field."""

    alerts: int
    hidden: int
    by: dict[str, Counter[Value]]


def _same(label: Any) -> str:
    if not isinstance(label, str) or not label:
        raise ValueError(f"{label!r} is no text")
    return label


def _band(label: Any) -> str:
    return severity_band(float(label))


def _interval(ending: str, label: Any) -> str:
    moment = rfc3339(label) if isinstance(label, datetime) else ""
    if not moment.endswith(ending):
        raise ValueError(f"{label!r} is no beginning of an interval")
    return moment.removesuffix(ending)


def _field(name: str, *, may_lack: bool = False) -> ServerCount:
    return ServerCount((CountedField(name, _same),), may_lack)


# Fields that live use shows to be aggregatable (falcon-mcp's list, but for `severity`), by the name to count by.
SERVER_COUNTS: dict[str, ServerCount] = {
    "severity": ServerCount((CountedField("severity_name", _same), CountedField("severity", _band)), may_lack=True),
    "status": _field("status"),
    "product": _field("product"),
    "type": _field("type"),
    "name": _field("name"),
    "host": _field("device.hostname"),
    "filename": _field("filename"),
    "cmdline": _field("cmdline"),
    "resolution": _field("resolution", may_lack=True),
    "day": ServerCount((CountedField("created_timestamp", partial(_interval, "T00:00:00Z"), "day"),)),
    "hour": ServerCount((CountedField("created_timestamp", partial(_interval, ":00:00Z"), "hour"),)),
    "severity_name": _field("severity_name", may_lack=True),
    "display_name": _field("display_name"),
    "device.hostname": _field("device.hostname"),
    "parent_details.filename": _field("parent_details.filename"),
    "sha256": _field("sha256", may_lack=True),
    "md5": _field("md5", may_lack=True),
    "ioc_type": _field("ioc_type", may_lack=True),
}

ValueReader = Callable[[AlertDocument[Alert]], Iterable[Value]]


def count_on_server(
    alerts: AlertCounter, fql: str, readers: dict[str, ValueReader], cids: Sequence[str], *, in_flight: int
) -> ServerCounts | None:
    """What Falcon counts for each field, None if that is not sure to be what reading would give.

    readers: for each field what an alert counts for, to hold the newest alerts against the counts. cids: those that
    all alerts must belong to, if there are any. in_flight: requests at the same time.
    Raises the errors of the client, and WrongTenant for an alert of another CID.
    """
    countings = [SERVER_COUNTS[field] for field in readers if field in SERVER_COUNTS]
    own = f"({fql})" if fql else ""
    if len(countings) < len(readers) or count_terms(fql) + MOST_OWN_TERMS + len(cids) > MAX_TERMS:
        return None
    with ThreadPoolExecutor(in_flight) as pool:
        counted = pool.submit(alerts.count_by_value, [asked for counting in countings for asked in counting.asked(own)])

        def count(more: str) -> Future[int]:
            return pool.submit(alerts.count, all_of([own, more]))

        total, hidden = count(""), count(HIDDEN)
        of_cids = count(equals_any("cid", cids)) if cids else total
        page = pool.submit(alerts.page, fql, sort=NEWEST_FIRST, limit=SAMPLE)
        lacking = [count(counting.lacking) if counting.may_lack else None for counting in countings]
    alerts_in_all = total.result()
    try:  # a refusal of what is asked here besides the selection says nothing about the selection
        if of_cids.result() != alerts_in_all:
            return None
        none = [number.result() if number else 0 for number in lacking]
        answers = iter(counted.result())
        found = [_counter(counting, answers, number) for counting, number in zip(countings, none, strict=True)]
    except (FalconAnswer, MissingScope, ValueError, TypeError):
        return None
    by = dict(zip(readers, found, strict=True))
    sample = [decode_result(Alert, document) for document in page.result().documents]
    fits = all(counter.total() == alerts_in_all for counter in found) and bool(sample) == bool(alerts_in_all)
    return ServerCounts(alerts_in_all, hidden.result(), by) if fits and _holds(sample, readers, by, cids) else None


def _counter(counting: ServerCount, answers: Iterator[AggregateCounts], none: int) -> Counter[Value]:
    """One field's counts. Raises ValueError where Falcon does not tell all values, or tells what can be none."""
    counter: Counter[Value] = Counter({None: none} if none else {})
    for place, counted in zip(counting.places, answers, strict=False):
        if counted.others:
            raise ValueError("there are too many values")
        for label, number in counted.values:
            counter[place.value(label)] += number
    if len(counting.places) > 1 and len({str(value).casefold() for value in counter}) < len(counter):
        raise ValueError("the same value comes in two cases: one place tells texts as they are, the other does not")
    return counter


def _holds(
    sample: list[AlertDocument[Alert]],
    readers: dict[str, ValueReader],
    by: dict[str, Counter[Value]],
    cids: Sequence[str],
) -> bool:
    """Whether all that is read in these alerts was counted."""
    return all(
        set(reader(found)) <= by[field].keys()
        for page in check_cids([sample], cids)
        for found in page
        for field, reader in readers.items()
    )
