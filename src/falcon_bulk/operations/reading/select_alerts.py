"""Read the alerts of a selection: by filter, by hash (each result is checked), or by exact ids."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from heapq import nlargest, nsmallest

from falcon_bulk.errors import Unreachable
from falcon_bulk.falcon.alerts import PAGE, fits_in_url
from falcon_bulk.model.alert import BriefAlert, text
from falcon_bulk.model.alert_decoder import AlertView, decode_document
from falcon_bulk.model.plural import counted
from falcon_bulk.model.selection import Selection
from falcon_bulk.operations.reading.alert_document import AlertDocument, decode_result
from falcon_bulk.operations.reading.by_hash import read_by_hashes
from falcon_bulk.operations.reading.distinct_alerts import DistinctAlerts
from falcon_bulk.operations.reading.page_chain import MAX_RESTARTS, PageChain
from falcon_bulk.operations.reading.read_ahead import parts_of, read_ahead
from falcon_bulk.operations.reading.read_all import WINDOW, AlertReader, read_all, read_by_ids
from falcon_bulk.operations.reading.read_progress import ReadProgress
from falcon_bulk.operations.reading.selection_filter import build_filter, notes_on_listed_hosts
from falcon_bulk.operations.reading.tenant_check import check_tenant
from falcon_bulk.operations.reading.time_slices import ALL_TIME
from falcon_bulk.operations.reading.zero_reasons import zero_reasons

MAX_MISSING_NAMED = 5
"""Ids and hashes that were not found are named up to this number."""
NEWEST_FIRST = "created_timestamp|desc"


def read_selection(
    alerts: AlertReader,
    selection: Selection,
    progress: ReadProgress,
    view: type[AlertView],
    *,
    readers: int = 1,
    in_host_lists: bool = True,
) -> Iterator[list[AlertDocument[AlertView]]]:
    """Yield pages of all alerts of the selection, each alert once. view: which fields are decoded.

    in_host_lists: whether a host is also searched in lists of hosts; if it is not, a note tells of alerts there.
    An alert that Falcon sends with two values of created_timestamp, which no other reader notices, also comes once.
    Raises the client's errors; BadFilter for a filter that Falcon refuses.
    """
    distinct = DistinctAlerts()
    for page in _stream_selection(alerts, selection, progress, view, readers, in_host_lists=in_host_lists):
        yield distinct.new(page)
    if selection.host and not in_host_lists:
        progress.explain(notes_on_listed_hosts(alerts, selection.host))


def _stream_selection(
    alerts: AlertReader,
    selection: Selection,
    progress: ReadProgress,
    view: type[AlertView],
    readers: int,
    *,
    in_host_lists: bool = True,
) -> Iterator[list[AlertDocument[AlertView]]]:
    """Yield pages of all alerts of the selection, without remembering which came before."""
    if selection.ids:
        pages = _read_distinct_ids(alerts, selection, progress, view, readers)
    else:
        fql = build_filter(alerts, selection, in_host_lists=in_host_lists)
        if selection.hashes:
            pages = read_by_hashes(alerts, fql, selection.hashes, progress, view, readers=readers)
        else:
            pages = read_all(alerts, fql, progress, view, readers=readers)
    missing_hashes = dict.fromkeys(selection.hashes)
    found = False
    for page in pages:
        found = found or bool(page)
        progress.remove_seen_fields(page)
        if missing_hashes:
            for item in page:
                for digest in item.own_hashes:
                    missing_hashes.pop(digest, None)
        yield page
    if 0 < len(missing_hashes) < len(set(selection.hashes)):
        progress.notes.append(
            f"No selected alert has {len(missing_hashes):,} of the {len(selection.hashes):,} hashes given: "
            f"{_named(list(missing_hashes))}."
        )
    if not selection.ids:
        progress.note_difference()
    elif progress.read < progress.expected:
        progress.notes.append(f"Falcon knows {progress.read:,} of the {progress.expected:,} ids.")
    if not found:
        progress.explain(zero_reasons(alerts, selection, progress.clock.now()))


def read_sorted(
    alerts: AlertReader, selection: Selection, progress: ReadProgress, *, limit: int | None, sort: str, readers: int = 1
) -> Iterator[list[AlertDocument[BriefAlert]]]:
    """Yield pages of the selection's alerts in the order `sort` (`field|asc`, `field|desc`), at most `limit` alerts.

    Without a limit and an order they come as they are read. Alerts selected by hash or id are sorted here.
    """
    found = False
    for page in _read_sorted(alerts, selection, progress, limit, sort, readers):
        found = found or bool(page)
        progress.remove_seen_fields(page)
        yield page
    if not found:
        progress.explain(zero_reasons(alerts, selection, progress.clock.now()))


def _read_sorted(
    alerts: AlertReader, selection: Selection, progress: ReadProgress, limit: int | None, sort: str, readers: int
) -> Iterator[list[AlertDocument[BriefAlert]]]:
    if limit is None and not sort:
        yield from _stream_selection(alerts, selection, progress, BriefAlert, readers)
    elif selection.hashes or selection.ids:
        pages = read_selection(alerts, selection, progress, BriefAlert, readers=readers)
        yield _first_in_order(pages, progress, limit, sort)
    elif limit is None or limit > WINDOW or not fits_in_url(selection.filter):
        yield from _read_sorted_pages(alerts, selection, progress, limit, sort or NEWEST_FIRST)
    else:
        fql = build_filter(alerts, selection)
        yield from _read_sorted_ids(alerts, fql, progress, limit, sort or NEWEST_FIRST, readers)


def check_cids(
    pages: Iterable[list[AlertDocument[AlertView]]], cids: Iterable[str]
) -> Iterator[list[AlertDocument[AlertView]]]:
    """Yield the pages. Raises WrongTenant for an alert of another CID, unless `cids` is empty."""
    allowed = frozenset(cids)
    for page in pages:
        for item in page if allowed else ():
            if item.alert.cid not in allowed:
                check_tenant(item.alert, allowed)
        yield page


def _first_in_order(
    pages: Iterable[list[AlertDocument[BriefAlert]]], progress: ReadProgress, limit: int | None, sort: str
) -> list[AlertDocument[BriefAlert]]:
    """Return the first alerts in the order, at most `limit`. Only these are kept while all are read."""

    def items() -> Iterator[AlertDocument[BriefAlert]]:
        for page in pages:
            progress.matching += len(page)
            for item in page:
                item.document = item.document.copy()  # a view would keep the whole page in memory
                yield item

    is_ascending, key = sort.endswith("|asc"), partial(_sort_key, sort=sort)
    if limit is None:
        return sorted(items(), key=key, reverse=not is_ascending)
    return (nsmallest if is_ascending else nlargest)(limit, items(), key=key)


def _sort_key(item: AlertDocument[BriefAlert], sort: str) -> tuple[bool, float, str, str]:
    """Return a sort key: missing values first, then numbers and text; ties are sorted by id."""
    value: object = decode_document(item.document)
    for part in (sort.partition("|")[0] or "created_timestamp").split("."):
        value = value.get(part) if isinstance(value, dict) else None
    number = value if isinstance(value, int | float) else 0.0
    return value is not None, float(number), text(value), item.alert.composite_id


def _read_sorted_pages(
    alerts: AlertReader, selection: Selection, progress: ReadProgress, limit: int | None, sort: str
) -> Iterator[list[AlertDocument[BriefAlert]]]:
    """Read any number of alerts, sorted by Falcon. An alert that changes in the meantime is not repeated."""
    fql = build_filter(alerts, selection)
    total = progress.matching = alerts.count(fql)
    progress.add_expected(total if limit is None else min(limit, total))
    distinct = DistinctAlerts()
    repeated = 0
    for page in PageChain(alerts, fql, ALL_TIME, sort=sort).pages():
        before = len(distinct)
        new = distinct.new(map(partial(decode_result, BriefAlert), page.documents))
        repeated += len(page.documents) - len(new)
        if repeated > PAGE + before * (MAX_RESTARTS + 1):
            raise Unreachable("Falcon repeats the same alerts.", "Run the command again.")
        new = new if limit is None else new[: limit - before]
        progress.add_read(len(new))
        yield new
        if limit is not None and len(distinct) >= limit:
            break
    progress.note_difference()


def _read_sorted_ids(
    alerts: AlertReader, fql: str, progress: ReadProgress, limit: int, sort: str, readers: int
) -> Iterator[list[AlertDocument[BriefAlert]]]:
    """Read at most 10,000 alerts, sorted by Falcon, hidden ones included.

    An alert that arrives meanwhile may push others from one page to the next: these come once, and the read goes on
    until the limit is reached.
    """

    def new_ids() -> Iterator[list[str]]:
        seen: set[str] = set()
        offset = 0
        while len(seen) < limit and offset < WINDOW:
            size = min(PAGE, limit - len(seen), WINDOW - offset)
            ids, progress.matching = alerts.ids(fql, offset=offset, limit=size, sort=sort)
            new = [composite_id for composite_id in dict.fromkeys(ids) if composite_id not in seen]
            seen.update(new)
            if new:
                yield new
            if len(ids) < size or not new:
                return
            offset += size

    read = 0
    for _, page in read_ahead(new_ids(), partial(read_by_ids, alerts, view=BriefAlert), readers=readers):
        read += len(page)
        yield page
    found = min(limit, progress.matching)
    if read < found:
        progress.incomplete.append(
            f"Falcon found {counted(found, 'alert')} but returned {read:,}; the others may be gone by now."
        )


def _read_distinct_ids(
    alerts: AlertReader, selection: Selection, progress: ReadProgress, view: type[AlertView], readers: int
) -> Iterator[list[AlertDocument[AlertView]]]:
    """Read the alerts of ids, of the selected statuses, and note the ids without an alert and how many are left out."""
    distinct = dict.fromkeys(selection.ids)
    total, others = len(distinct), 0
    progress.add_expected(total)
    missing: list[str] = []
    for chunk, page in read_ahead(parts_of(distinct, PAGE), partial(read_by_ids, alerts, view=view), readers=readers):
        progress.add_read(len(page))
        found = {item.alert.composite_id for item in page}
        missing += (composite_id for composite_id in chunk if composite_id not in found)
        wanted = [item for item in page if not selection.statuses or item.alert.status_name in selection.statuses]
        others += len(page) - len(wanted)
        yield wanted
    progress.expected = progress.read
    if others:
        progress.notes.append(f"{others:,} of the {total:,} alerts given by id left out: another status.")
    if missing:
        progress.notes.append(
            f"Falcon has no alert for {len(missing):,} of the {total:,} ids given: {_named(missing)}."
        )


def _named(values: Sequence[str]) -> str:
    """Return the first of the values, and how many there are besides."""
    rest = len(values) - MAX_MISSING_NAMED
    return ", ".join(values[:MAX_MISSING_NAMED]) + (f", and {rest:,} more" if rest > 0 else "")
