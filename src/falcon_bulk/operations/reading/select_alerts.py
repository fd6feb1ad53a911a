"""From a selection to its alerts: by filter, by hash (checked on every hit), or by exact ids."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Protocol

from falcon_bulk.errors import Rejected
from falcon_bulk.falcon.alerts import PAGE
from falcon_bulk.falcon.fql import HIDDEN, HOST_FIELDS, NAME_FIELDS, SHOWN, VISIBILITY_UNSET, base_filter
from falcon_bulk.model.alert import AlertView, BriefAlert, decode_document, text
from falcon_bulk.model.selection import Selection
from falcon_bulk.operations.changes.planner import check_tenant
from falcon_bulk.operations.reading.by_hash import read_by_hashes
from falcon_bulk.operations.reading.read_all import (
    WINDOW,
    AlertDocument,
    AlertReader,
    ReadProgress,
    decode_found,
    read_all,
)

NEWEST_FIRST = "created_timestamp|desc"


class AlertCounter(Protocol):
    """The part of `falcon.alerts.Alerts` that a filter is put together with."""

    def count(self, fql: str) -> int: ...


def read_selection(
    alerts: AlertReader, selection: Selection, watch: ReadProgress, view: type[AlertView], *, readers: int = 1
) -> Iterator[list[AlertDocument[AlertView]]]:
    """All alerts of the selection, each once, as they come. view: how much of each is decoded.

    Raises the errors of the client; BadFilter for a filter that Falcon refuses.
    """
    if selection.ids:
        pages = _by_ids(alerts, selection.ids, watch, view)
    elif selection.hashes:
        pages = read_by_hashes(alerts, build_filter(alerts, selection), selection.hashes, watch, view, readers=readers)
    else:
        pages = read_all(alerts, build_filter(alerts, selection), watch, view, readers=readers)
    for page in pages:
        watch.look(page)
        yield page
    watch.conclude()


def read_sorted(
    alerts: AlertReader, selection: Selection, watch: ReadProgress, *, limit: int | None, sort: str, readers: int = 1
) -> Iterator[list[AlertDocument[BriefAlert]]]:
    """The alerts of a selection in an order (`field|asc`, `field|desc`), at most `limit` of them.

    Without a limit and without an order they come as they are read. Hashes and ids are ordered here.
    """
    for page in _chosen(alerts, selection, watch, limit, sort, readers):
        watch.look(page)
        yield page


def _chosen(
    alerts: AlertReader, selection: Selection, watch: ReadProgress, limit: int | None, sort: str, readers: int
) -> Iterator[list[AlertDocument[BriefAlert]]]:
    if limit is None and not sort:
        yield from read_selection(alerts, selection, watch, BriefAlert, readers=readers)
    elif selection.hashes or selection.ids:
        found = [
            item for page in read_selection(alerts, selection, watch, BriefAlert, readers=readers) for item in page
        ]
        watch.matching = len(found)
        found.sort(key=lambda item: _sort_key(item, sort), reverse=not sort.endswith("|asc"))
        yield found[:limit]
    elif limit is None or limit > WINDOW:
        yield from _in_order(alerts, selection, watch, limit, sort or NEWEST_FIRST)
    else:
        yield from _first(alerts, build_filter(alerts, selection), watch, limit, sort or NEWEST_FIRST)


def build_filter(alerts: AlertCounter, selection: Selection) -> str:
    """The selection without its hashes as FQL; '' for all alerts.

    A clause on a field that a tenant does not know may empty a whole OR, so of the fields in which a host or a name
    can stand only those are asked that find it. Whether `!` finds alerts that lack the field is not known, so where
    it does not, those without show_in_ui are asked for too.
    """
    return base_filter(
        selection,
        host_fields=_finding(alerts, HOST_FIELDS, selection.host),
        name_fields=_finding(alerts, NAME_FIELDS, selection.name),
        shown=_shown(alerts) if selection.visible_only else (),
    )


def _shown(alerts: AlertCounter) -> Sequence[str]:
    """Those without show_in_ui are asked for only where the three kinds add up, so that no hidden alert comes along."""
    missing = alerts.count("") - alerts.count(SHOWN) - alerts.count(HIDDEN)
    try:
        return (SHOWN, VISIBILITY_UNSET) if missing > 0 and alerts.count(VISIBILITY_UNSET) == missing else (SHOWN,)
    except Rejected:
        return (SHOWN,)


def _finding(alerts: AlertCounter, fields: Sequence[str], value: str) -> Sequence[str]:
    found = [field for field in fields if value and alerts.count(f"{field}:'{value}'")]
    return found or fields[:1]


def check_cids(
    pages: Iterable[list[AlertDocument[AlertView]]], cids: Iterable[str]
) -> Iterator[list[AlertDocument[AlertView]]]:
    """The pages, if all their alerts belong to the CIDs; to none in particular where none is given.

    Raises WrongTenant for an alert of another CID.
    """
    allowed = frozenset(cids)
    for page in pages:
        for item in page if allowed else ():
            if item.alert.cid not in allowed:
                check_tenant(item.alert, allowed)
        yield page


def _sort_key(item: AlertDocument[BriefAlert], sort: str) -> tuple[bool, float, str, str]:
    """Numbers by size, texts by letter, missing values lowest; the id decides between equals."""
    value: object = decode_document(item.document)
    for part in (sort.partition("|")[0] or "created_timestamp").split("."):
        value = value.get(part) if isinstance(value, dict) else None
    number = value if isinstance(value, int | float) else 0.0
    return value is not None, float(number), text(value), item.alert.composite_id


def _in_order(
    alerts: AlertReader, selection: Selection, watch: ReadProgress, limit: int | None, sort: str
) -> Iterator[list[AlertDocument[BriefAlert]]]:
    """Beyond 10,000 in an order of the server's; alerts that change meanwhile may not come twice."""
    fql = build_filter(alerts, selection)
    counted = watch.matching = alerts.count(fql)
    watch.expect(counted if limit is None else min(limit, counted))
    seen: set[str] = set()
    after = ""
    while limit is None or len(seen) < limit:
        page = alerts.page(fql, after=after, sort=sort)
        found = [
            item
            for item in map(partial(decode_found, BriefAlert), page.documents)
            if item.alert.composite_id not in seen
        ]
        found = found if limit is None else found[: limit - len(seen)]
        seen.update(item.alert.composite_id for item in found)
        watch.saw(len(found))
        yield found
        after = page.after
        if not after or not found:
            break
    watch.conclude()


def _first(
    alerts: AlertReader, fql: str, watch: ReadProgress, limit: int, sort: str
) -> Iterator[list[AlertDocument[BriefAlert]]]:
    """At most 10,000 alerts in an order of the server's, hidden ones included."""
    listed = given = 0
    for offset in range(0, limit, PAGE):
        size = min(PAGE, limit - offset)
        ids, watch.matching = alerts.ids(fql, offset=offset, limit=size, sort=sort)
        found = _given(alerts, ids, BriefAlert) if ids else []
        listed += len(ids)
        given += len(found)
        yield found
        if len(ids) < size:
            break
    if given < listed:
        watch.notes.append(f"Falcon found {listed:,} alerts and gave {given:,} of them; the others may be gone by now.")


def _by_ids(
    alerts: AlertReader, ids: Sequence[str], watch: ReadProgress, view: type[AlertView]
) -> Iterator[list[AlertDocument[AlertView]]]:
    distinct = iter(dict.fromkeys(ids))
    watch.expect(len(set(ids)))
    while chunk := list(islice(distinct, PAGE)):
        found = _given(alerts, chunk, view)
        watch.saw(len(found))
        yield found


def _given(alerts: AlertReader, ids: Sequence[str], view: type[AlertView]) -> list[AlertDocument[AlertView]]:
    """Those of the alerts that Falcon gives by their ids, in the order of the ids; of no others."""
    answered = {item.alert.composite_id: item for item in map(partial(decode_found, view), alerts.by_id(ids))}
    return [answered[composite_id] for composite_id in ids if composite_id in answered]
