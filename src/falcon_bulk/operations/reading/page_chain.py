"""Follow `after` from page to page to the end, and begin again where a token has expired or a page came empty.

How long an `after` of this API lives is not known; those of Spotlight and Discover expire after 120 s.
"""

from collections.abc import Iterator
from typing import Protocol

import msgspec

from falcon_bulk.errors import SearchExpired, Unreachable
from falcon_bulk.falcon.alerts import PAGE
from falcon_bulk.falcon.fql import all_of, is_instant
from falcon_bulk.falcon.page import OLDEST_FIRST, Page
from falcon_bulk.model.alert import BriefAlert, text
from falcon_bulk.model.alert_decoder import decode_as
from falcon_bulk.operations.reading.time_slices import TimeSlice

MAX_RESTARTS = 3
"""Restarts in a row that may bring nothing new."""

_TO_SECONDS = len("2026-11-24T08:00:00")
_TO_MILLISECONDS = len("2026-11-24T08:00:00.000")
_NO_TIME = "~"


class PageReader(Protocol):
    """The part of `falcon.alerts.Alerts` that reads pages."""

    def page(self, fql: str, *, after: str = "", sort: str = OLDEST_FIRST, limit: int = PAGE) -> Page: ...


class PageChain:
    """The pages of a filter in one order, in a time slice if one is given.

    Falcon sorts by millisecond and then by id. After a restart oldest first the pages begin with the last millisecond
    seen, in another order with the first alert: alerts may come again, and the consumer drops those it has.
    """

    def __init__(self, alerts: PageReader, fql: str, time_slice: TimeSlice, *, sort: str = OLDEST_FIRST) -> None:
        self._alerts = alerts
        self._fql = fql
        self._slice = time_slice
        self._sort = sort
        self._last: msgspec.Raw | None = None
        self._read = self._most_read = self._idle_restarts = 0

    def pages(self) -> Iterator[Page]:
        """Yield the pages that are not empty.

        An empty page that has a token is the end once its total is read. Else it is asked for again, then treated as
        an expired token; if it stays empty, the chain ends, and the alerts read are fewer than Falcon counts.
        Raises the client's errors, SearchExpired after three restarts without anything new, and Unreachable if Falcon
        repeats a page.
        """
        after = ""
        empty = 0
        while True:
            try:
                page = self._alerts.page(self._filter, after=after, sort=self._sort)
            except SearchExpired as error:
                if not after or not self._restart():
                    raise SearchExpired(
                        f"{error.message.rstrip('.')}, again and again before the next page is read.",
                        "Run it again later, or select fewer alerts with --since and --until.",
                        status=error.status,
                        trace_id=error.trace_id,
                    ) from None
                after = ""
                continue
            number, total, next_after = len(page.documents), page.total, page.after
            if number:
                self._add(page, is_first=not after)
                yield page
                empty = 0
            elif next_after and self._read < total:
                empty += 1
                if empty > 1:
                    if not self._restart():
                        return
                    after, empty = "", 0
                continue
            del page  # or it would stay in memory until the next one is there
            is_all = self._idle_restarts and not after and number >= total
            if is_all or not next_after or not number:
                return
            after = next_after

    @property
    def _filter(self) -> str:
        return all_of([f"({self._fql})" if self._fql else "", *self._slice.fql]) if self._slice.fql else self._fql

    def _add(self, page: Page, *, is_first: bool) -> None:
        """Count a page's alerts, and keep its last. Raises Unreachable if it is the page before once more."""
        last = page.documents[-1]
        if not is_first and self._last is not None and bytes(last) == bytes(self._last):
            raise Unreachable("Falcon repeats the same page of alerts.", "Run the command again.")
        self._last = last.copy()  # a view would keep the whole page in memory
        self._read += len(page.documents)

    def _restart(self) -> bool:
        """Begin again; return False if that has brought nothing new three times in a row."""
        start = self._last_time() or self._slice.start
        if start != self._slice.start:
            self._slice = self._slice._replace(start=start)
            self._most_read = 0
            self._idle_restarts = 0
        elif self._read > self._most_read:
            self._idle_restarts = 0
        self._most_read = max(self._read, self._most_read)
        self._idle_restarts += 1
        self._read = 0
        return self._idle_restarts <= MAX_RESTARTS

    def _last_time(self) -> str:
        """Return the last millisecond read, oldest first; '' in another order or without one that is a time."""
        if self._sort != OLDEST_FIRST or self._last is None:
            return ""
        created = text(decode_as(BriefAlert, self._last).created_timestamp)
        return f"{millisecond(created)}Z" if is_instant(created) else ""


class ChainDeduplicator:
    """Recognizes repeated alerts in pages sorted oldest first; remembers only the ids of the last millisecond.

    Falcon sorts by millisecond and then by id, so alerts of one millisecond may come in any order.
    """

    def __init__(self) -> None:
        self._instant = ""
        self._ids: set[str] = set()
        self._new = self._repeated = 0

    def is_new(self, alert: BriefAlert) -> bool:
        """Return False for a repeated alert. Raises Unreachable if the pages are not in order, or repeat too much."""
        instant = millisecond(text(alert.created_timestamp))
        if instant < self._instant:
            raise Unreachable("Falcon's pages are not in the requested order.", "Run the command again.")
        if instant > self._instant:
            self._instant, self._ids = instant, set()
        if alert.composite_id in self._ids:
            self._repeated += 1
            if self._repeated > PAGE + self._new * (MAX_RESTARTS + 1):
                raise Unreachable("Falcon repeats the same alerts.", "Run the command again.")
            return False
        self._new += 1
        self._ids.add(alert.composite_id)
        return True


def millisecond(timestamp: str) -> str:
    """Return a timestamp cut or padded to milliseconds, without zone; '~', which sorts last, if there is none."""
    if timestamp[_TO_SECONDS : _TO_SECONDS + 1] == "." and len(timestamp) > _TO_MILLISECONDS:
        return timestamp[:_TO_MILLISECONDS]
    if not timestamp:
        return _NO_TIME
    seconds, _, fraction = timestamp.rstrip("Z").partition(".")
    return f"{seconds}.{fraction:0<3.3}"
