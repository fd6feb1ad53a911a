"""Reading all alerts of one filter, beyond the 10,000 wall, none lost and none twice.

Combined v1 pages with `after`, oldest first. Whether it returns hidden alerts is not known: where it showed
none, they are counted and, if there are any, read by id.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Generic, NamedTuple, Protocol

import msgspec

from falcon_bulk.errors import Unreachable
from falcon_bulk.falcon.alerts import OLDEST_FIRST, PAGE, Page
from falcon_bulk.falcon.fql import HIDDEN, MAX_TERMS, RESERVED_TERMS, all_of
from falcon_bulk.falcon.fql_scanner import count_terms
from falcon_bulk.model.alert import AlertView, BriefAlert, decode_as, decode_document, text
from falcon_bulk.model.clock import Clock
from falcon_bulk.model.field_path import value_at
from falcon_bulk.operations.reading.parallel import read_in_parallel
from falcon_bulk.operations.reading.time_slices import WHOLE, TimeSlice, cut_slices

WINDOW = 10_000
_TO_SECONDS = len("2026-11-24T08:00:00")
_TO_MILLISECONDS = len("2026-11-24T08:00:00.000")
TIMED = "created_timestamp:>='1970-01-01T00:00:00Z'"


class AlertReader(Protocol):
    """The reading half of `falcon.alerts.Alerts`."""

    def count(self, fql: str) -> int: ...
    def ids(
        self, fql: str, *, offset: int = 0, limit: int = PAGE, sort: str = OLDEST_FIRST
    ) -> tuple[list[str], int]: ...
    def page(self, fql: str, *, after: str = "", sort: str = OLDEST_FIRST, limit: int = PAGE) -> Page: ...
    def by_id(self, ids: Sequence[str]) -> list[msgspec.Raw]: ...
    def count_by_hour(self, fql: str) -> list[tuple[datetime, int]]: ...
    def count_by_range(self, fql: str, edges: Sequence[datetime]) -> list[tuple[datetime, int]]: ...


class AlertDocument(NamedTuple, Generic[AlertView]):
    """An alert and the bytes it came as."""

    alert: AlertView
    document: msgspec.Raw


@dataclass
class ReadProgress:
    """Follows a reading: what the server counted, what was read, what is to be said about it.

    progress: called with the number of alerts read so far and the number expected.
    sought: fields that may not exist, with what is to be said if no alert has them.
    matching: how many alerts are of the selection, where a limit may cut them.
    """

    timing: Clock
    progress: Callable[[int, int], None] = lambda _read, _expected: None
    counted: int = 0
    read: int = 0
    notes: list[str] = field(default_factory=list)
    sought: dict[str, str] = field(default_factory=dict)
    matching: int = 0

    def expect(self, number: int) -> None:
        """The server counts that many alerts."""
        self.counted += number
        self.progress(self.read, self.counted)

    def saw(self, number: int) -> None:
        """That many more alerts were read. Raises Stopped when a stop was asked for."""
        self.read += number
        self.progress(self.read, self.counted)
        self.timing.check()

    def look(self, found: "Iterable[AlertDocument[Any]]") -> None:
        """Strike out the fields sought that one of the alerts has."""
        for item in found if self.sought else ():
            document = decode_document(item.document)
            for name in [name for name in self.sought if value_at(document, name.split(".")) is not None]:
                del self.sought[name]

    def conclude(self) -> None:
        """Say where what was read differs from what the server counted."""
        if self.read != self.counted:
            self.notes.append(
                f"Falcon counted {self.counted:,} alerts and {self.read:,} were read; "
                "alerts that arrive or change meanwhile make such a difference."
            )


def read_all(
    alerts: AlertReader, fql: str, watch: ReadProgress, view: type[AlertView], *, readers: int = 1
) -> Iterator[list[AlertDocument[AlertView]]]:
    """All alerts that match, page by page, as they come; a large number by several readers side by side.

    Raises the errors of the client, and Unreachable if the pages contradict each other.
    """
    hidden_seen = False
    for found in _shown_by_the_search(alerts, fql, watch, view, readers):
        hidden_seen = hidden_seen or any(item.alert.hidden for item in found)
        watch.saw(len(found))
        yield found
    if not hidden_seen and alerts.count(all_of([_grouped(fql), HIDDEN])):
        for found in _hidden(alerts, fql, view):
            watch.saw(len(found))
            yield found


def _shown_by_the_search(
    alerts: AlertReader, fql: str, watch: ReadProgress, view: type[AlertView], readers: int
) -> Iterator[list[AlertDocument[AlertView]]]:
    """The pages of combined v1, in slices of time where that is worth it and sure to lose nothing.

    What Falcon counts by hour is known before the totals are, so the readers begin by it; none of their pages is handed
    on before the totals agree that all alerts have a time and that about as many lie in the slices.
    """
    if readers > 1 and count_terms(fql) + RESERVED_TERMS <= MAX_TERMS:
        with ThreadPoolExecutor(2) as pool:
            total = pool.submit(alerts.count, fql)
            timed = pool.submit(alerts.count, all_of([_grouped(fql), TIMED]))
            slices = cut_slices(alerts, fql, readers)
            with _pages(alerts, fql, view, slices, readers) as pages:
                counted = total.result()
                watch.expect(counted)
                sliced = sum(one.alerts for one in slices)
                if len(slices) == 1 or (timed.result() == counted and abs(sliced - counted) <= counted / 10):
                    yield from pages
                    return
    else:
        watch.expect(alerts.count(fql))
    with _pages(alerts, fql, view, WHOLE, 1) as pages:
        yield from pages


@contextmanager
def _pages(
    alerts: AlertReader, fql: str, view: type[AlertView], slices: Sequence[TimeSlice], readers: int
) -> Iterator[Iterator[list[AlertDocument[AlertView]]]]:
    """Gives the alerts of one chain, or of slices of time read side by side."""
    chains = [partial(_chain, alerts, all_of([_grouped(fql) if one.fql else fql, *one.fql])) for one in slices]
    with read_in_parallel(chains, readers) as pages:
        yield _decoded(view, pages, [ChainDeduplicator() for _ in chains])


def _decoded(
    view: type[AlertView], pages: Iterator[tuple[int, Page]], once: Sequence["ChainDeduplicator"]
) -> Iterator[list[AlertDocument[AlertView]]]:
    """Decoded here, not between two requests. once: what each chain has seen."""
    for number, page in pages:
        found = [item for item in map(partial(decode_found, view), page.documents) if once[number].is_new(item.alert)]
        if found:
            yield found
        elif page.after:
            raise Unreachable("Falcon repeats the same page of alerts.", "Run the command again.")


def _chain(alerts: AlertReader, fql: str) -> Iterator[Page]:
    page = alerts.page(fql)
    yield page
    while page.after and page.documents:
        page = alerts.page(fql, after=page.after)
        yield page


def _hidden(alerts: AlertReader, fql: str, view: type[AlertView]) -> Iterator[list[AlertDocument[AlertView]]]:
    """Hidden alerts, by id. Beyond 10,000 the window moves on to the last created_timestamp."""
    seen: set[str] = set()
    start = ""
    while True:
        window = all_of([_grouped(fql), HIDDEN, f"created_timestamp:>='{start}'" if start else ""])
        before = len(seen)
        last = start
        for offset in range(0, WINDOW, PAGE):
            ids, _ = alerts.ids(window, offset=offset)
            fresh = [composite_id for composite_id in ids if composite_id not in seen]
            seen.update(fresh)
            if fresh:
                found = [decode_found(view, raw) for raw in alerts.by_id(fresh)]
                last = max([last, *(text(item.alert.created_timestamp) for item in found)])
                yield found
            if len(ids) < PAGE:
                return
        if len(seen) == before or last == start:
            return
        start = last


def decode_found(view: type[AlertView], document: msgspec.Raw) -> AlertDocument[AlertView]:
    """A document with the view of it that the tool decides by. Raises Unreachable for what is no alert."""
    try:
        return AlertDocument(decode_as(view, document), document)
    except msgspec.MsgspecError:
        raise Unreachable("Falcon sent a document that is no alert: it has no composite_id.") from None


class ChainDeduplicator:
    """Lets each alert of an oldest-first chain through once, remembering no more than one instant of it.

    The server sorts by millisecond and then by id, so that what shares a millisecond may come in any order.
    """

    def __init__(self) -> None:
        self._instant = ""
        self._ids: set[str] = set()

    def is_new(self, alert: BriefAlert) -> bool:
        """False for an alert that came before. Raises Unreachable if the order is broken."""
        instant = _millisecond(text(alert.created_timestamp))
        if instant < self._instant:
            raise Unreachable("Falcon's pages are not in the order asked for.", "Run the command again.")
        if instant > self._instant:
            self._instant, self._ids = instant, set()
        new = alert.composite_id not in self._ids
        self._ids.add(alert.composite_id)
        return new


def _millisecond(timestamp: str) -> str:
    """A timestamp cut or filled to milliseconds; alerts without one sort last."""
    if timestamp[_TO_SECONDS : _TO_SECONDS + 1] == "." and len(timestamp) > _TO_MILLISECONDS:
        return timestamp[:_TO_MILLISECONDS]
    if not timestamp:
        return "~"
    seconds, _, fraction = timestamp.rstrip("Z").partition(".")
    return f"{seconds}.{fraction:0<3.3}"


def _grouped(fql: str) -> str:
    return f"({fql})" if fql else ""
