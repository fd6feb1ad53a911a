"""Read all alerts that match a filter: past the limit of 10,000 results, each alert exactly once.

Combined v1 pages with `after`, oldest first. It is not known whether it returns hidden alerts: if it returned none,
they are counted and, if there are any, read by id.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Protocol

import msgspec

from falcon_bulk.errors import Rejected
from falcon_bulk.falcon.alerts import PAGE
from falcon_bulk.falcon.fql import HIDDEN, MAX_TERMS, RESERVED_TERMS, all_of, is_instant
from falcon_bulk.falcon.fql_scanner import count_terms
from falcon_bulk.falcon.page import OLDEST_FIRST, Page
from falcon_bulk.model.alert import text
from falcon_bulk.model.alert_decoder import AlertView
from falcon_bulk.operations.reading.alert_document import AlertDocument, decode_result
from falcon_bulk.operations.reading.background import in_background, result_of
from falcon_bulk.operations.reading.page_chain import ChainDeduplicator, PageChain
from falcon_bulk.operations.reading.parallel import read_in_parallel
from falcon_bulk.operations.reading.read_ahead import read_ahead
from falcon_bulk.operations.reading.read_progress import ReadProgress
from falcon_bulk.operations.reading.time_slices import WHOLE, Interval, TimeSlice, count_hours, cut_slices

WINDOW = 10_000
THREADS_PER_READER = 2
"""While a thread waits to hand its page over, another one's request is in flight."""
_TO_HOUR = len("2026-11-24T08")
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


def read_all(
    alerts: AlertReader, fql: str, progress: ReadProgress, view: type[AlertView], *, readers: int = 1
) -> Iterator[list[AlertDocument[AlertView]]]:
    """Yield all matching alerts, page by page as they arrive; many alerts are read in parallel.

    Raises the client's errors, and Unreachable if the pages contradict each other.
    """
    hours: list[Interval] = []
    if readers > 1 and count_terms(fql) + RESERVED_TERMS <= MAX_TERMS:
        first, hours = _first_page_and_hours(alerts, fql)
        only = _only_page(alerts, fql, first, hours, view)
        del first
        if only is not None:
            progress.add_expected(len(only))
            progress.add_read(len(only))
            if only:
                yield only
            return
    hidden_seen = False
    for page in _read_pages(alerts, fql, progress, view, readers, hours):
        hidden_seen = hidden_seen or any(item.alert.hidden for item in page)
        progress.add_read(len(page))
        yield page
    if not hidden_seen and _has_hidden(alerts, fql):
        for page in _read_hidden(alerts, fql, view, readers):
            progress.add_read(len(page))
            yield page


def _first_page_and_hours(alerts: AlertReader, fql: str) -> tuple[Future[Page], list[Interval]]:
    """Ask for the first page beside the counts by hour: most selections have no other page.

    The page of a larger selection is not used, and is not waited for.
    """
    first = in_background(partial(alerts.page, fql))
    return first, count_hours(alerts, fql)


def _only_page(
    alerts: AlertReader, fql: str, first: Future[Page], hours: Sequence[Interval], view: type[AlertView]
) -> list[AlertDocument[AlertView]] | None:
    """Return the alerts of a selection that one page holds; None for any other.

    The counts include hidden alerts, so a page with the same number in each hour has all alerts there are.
    """
    counted = sum(hour.alerts for hour in hours)
    if counted > PAGE:
        return None
    page = result_of(first)
    if not page.total == len(page.documents) == counted:
        return None
    if not counted:  # counts that Falcon refuses look the same
        return [] if alerts.count(fql) == 0 else None
    items = [decode_result(view, document) for document in page.documents]
    by_hour = Counter(text(item.alert.created_timestamp)[:_TO_HOUR] for item in items)
    agree = by_hour == {f"{hour.start:%Y-%m-%dT%H}": hour.alerts for hour in hours}
    return items if agree and len({item.alert.composite_id for item in items}) == counted else None


def _has_hidden(alerts: AlertReader, fql: str) -> bool:
    """Return whether hidden alerts match. If Falcon refuses the filter for them, the totals show what is missing."""
    try:
        return alerts.count(all_of([_grouped(fql), HIDDEN])) > 0
    except Rejected:
        return False


def _read_pages(
    alerts: AlertReader,
    fql: str,
    progress: ReadProgress,
    view: type[AlertView],
    readers: int,
    hours: Sequence[Interval],
) -> Iterator[list[AlertDocument[AlertView]]]:
    """Yield the pages of combined v1, in time slices if that is faster and certain to lose nothing.

    hours: Falcon's counts. The readers start with them. Their pages are yielded only after the totals confirm that all
    alerts have a timestamp and that the slices hold about as many alerts.
    """
    slices = cut_slices(alerts, fql, hours)
    if len(slices) > 1:
        with ThreadPoolExecutor(2) as pool:
            total = pool.submit(alerts.count, fql)
            timed = pool.submit(alerts.count, all_of([_grouped(fql), TIMED]))
            with _pages(alerts, fql, view, slices, readers) as pages:
                counted = total.result()
                progress.add_expected(counted)
                sliced = sum(time_slice.alerts for time_slice in slices)
                if _counts_all(timed, counted) and abs(sliced - counted) <= counted / 10:
                    yield from pages
                    return
    else:
        progress.add_expected(alerts.count(fql))
    with _pages(alerts, fql, view, WHOLE, 1) as pages:
        yield from pages


def _counts_all(number: Future[int], total: int) -> bool:
    """Return whether a count of a clause equals the total; not if Falcon refuses the clause."""
    try:
        return number.result() == total
    except Rejected:
        return False


@contextmanager
def _pages(
    alerts: AlertReader, fql: str, view: type[AlertView], slices: Sequence[TimeSlice], readers: int
) -> Iterator[Iterator[list[AlertDocument[AlertView]]]]:
    """Start reading the time slices, in parallel if there are several, and yield an iterator over their pages."""
    chains = [PageChain(alerts, fql, part).pages for part in slices]
    with read_in_parallel(chains, THREADS_PER_READER * readers) as pages:
        yield _decode_pages(view, pages, [ChainDeduplicator() for _ in chains])


def _decode_pages(
    view: type[AlertView], pages: Iterator[tuple[int, Page]], deduplicators: Sequence[ChainDeduplicator]
) -> Iterator[list[AlertDocument[AlertView]]]:
    """Decode pages in the consuming thread, so that readers send their next request at once."""
    for number, page in pages:
        is_new = deduplicators[number].is_new
        new = [item for item in map(partial(decode_result, view), page.documents) if is_new(item.alert)]
        if new:
            yield new


def _read_hidden(
    alerts: AlertReader, fql: str, view: type[AlertView], readers: int
) -> Iterator[list[AlertDocument[AlertView]]]:
    """Yield hidden alerts, read by id. After 10,000 the next window starts at the last created_timestamp."""
    seen: set[str] = set()
    is_end = False

    def new_ids(window: str) -> Iterator[list[str]]:
        nonlocal is_end
        for offset in range(0, WINDOW, PAGE):
            ids, _ = alerts.ids(window, offset=offset)
            if new := [composite_id for composite_id in dict.fromkeys(ids) if composite_id not in seen]:
                seen.update(new)
                yield new
            if is_end := len(ids) < PAGE:
                return

    read = partial(read_by_ids, alerts, view=view)
    start = last = ""
    while not is_end:
        window = all_of([_grouped(fql), HIDDEN, f"created_timestamp:>='{start}'" if start else ""])
        for _, page in read_ahead(new_ids(window), read, readers=readers):
            last = max([last, *filter(is_instant, (text(item.alert.created_timestamp) for item in page))])
            yield page
        is_end = is_end or last == start
        start = last


def read_by_ids(alerts: AlertReader, ids: Sequence[str], view: type[AlertView]) -> list[AlertDocument[AlertView]]:
    """Return the alerts that Falcon returns for the ids, each once, in the order of the ids; others are ignored."""
    returned = {item.alert.composite_id: item for item in map(partial(decode_result, view), alerts.by_id(ids))}
    return [returned[composite_id] for composite_id in ids if composite_id in returned]


def _grouped(fql: str) -> str:
    return f"({fql})" if fql else ""
