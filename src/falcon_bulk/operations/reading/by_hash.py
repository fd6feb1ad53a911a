"""Read the alerts of hashes. Each alert read is checked for an own hash that is wanted: no OR filter is trusted."""

from collections.abc import Iterable, Iterator, Sequence

from falcon_bulk.errors import Rejected
from falcon_bulk.falcon.alerts import PAGE
from falcon_bulk.falcon.fql import all_of, any_of, hash_clauses, hash_groups
from falcon_bulk.model.alert import BriefAlert
from falcon_bulk.model.alert_decoder import AlertView
from falcon_bulk.model.hashes import SEARCHED_FIELDS
from falcon_bulk.operations.reading.alert_document import AlertDocument, decode_result
from falcon_bulk.operations.reading.counts import count_each
from falcon_bulk.operations.reading.distinct_alerts import DistinctAlerts
from falcon_bulk.operations.reading.read_all import AlertReader, read_all
from falcon_bulk.operations.reading.read_progress import ReadProgress

ALWAYS_GROUPED_HASHES = 20
"""Up to this number, hashes are read by group however few alerts the customer has."""
REQUESTS_PER_GROUP = 6
"""Minimum cost of a group: a count of each field, and a read."""
REQUESTS_PER_READ = 5
"""Requests for a read besides its pages."""

XDR = "product:'xdr'"
ENTITIES = "entities.sha256"
SAMPLE = 100


def read_by_hashes(
    alerts: AlertReader,
    base: str,
    hashes: Sequence[str],
    progress: ReadProgress,
    view: type[AlertView],
    *,
    readers: int = 1,
) -> Iterator[list[AlertDocument[AlertView]]]:
    """Yield pages of the alerts that match the FQL `base` and have one of the hashes as their own, each alert once.

    Many hashes are read in whichever way takes fewer requests: in groups small enough for a filter, or by reading all
    that `base` matches.
    """
    groups = hash_groups(base, hashes)
    few = len(hashes) <= ALWAYS_GROUPED_HASHES
    hash_filter = _HashFilter(hashes)
    if groups and (few or len(groups) * REQUESTS_PER_GROUP < REQUESTS_PER_READ + alerts.count(base) // PAGE):
        try:
            yield from _read_groups(alerts, base, groups, progress, view, readers, hash_filter)
            return
        except Rejected:  # of a clause on a field that this tenant cannot search, or of `base`, which then shows
            progress.restart()
    for page in read_all(alerts, base, progress, view, readers=readers):
        yield hash_filter.new_matches(page)


class _HashFilter:
    """Keeps alerts that have a wanted hash as their own, each alert once."""

    def __init__(self, hashes: Iterable[str]) -> None:
        self._wanted = frozenset(hashes)
        self._distinct = DistinctAlerts()

    def new_matches(self, page: Iterable[AlertDocument[AlertView]]) -> list[AlertDocument[AlertView]]:
        """Return the alerts of the page that match and did not come before."""
        return self._distinct.new(item for item in page if not self._wanted.isdisjoint(item.own_hashes))


def _read_groups(
    alerts: AlertReader,
    base: str,
    groups: Sequence[Sequence[str]],
    progress: ReadProgress,
    view: type[AlertView],
    readers: int,
    hash_filter: "_HashFilter",
) -> Iterator[list[AlertDocument[AlertView]]]:
    """Read group by group. Raises Rejected if Falcon refuses the clause of a field.

    The server's count for each field alone is compared with the alerts read that have a hash there: a field that a
    tenant does not know may empty the whole OR, and then the fields are read one by one.
    """
    counted_by_field = dict.fromkeys(SEARCHED_FIELDS, 0)
    missing_by_field = dict.fromkeys(SEARCHED_FIELDS, 0)

    def read(
        clause: str, group: frozenset[str], ids_by_field: dict[str, set[str]]
    ) -> Iterator[list[AlertDocument[AlertView]]]:
        for page in read_all(alerts, all_of([base, clause]), progress, view, readers=readers):
            _note_fields(page, group, ids_by_field)
            yield hash_filter.new_matches(page)

    for group in groups:
        clauses = hash_clauses(group)
        numbers = count_each(alerts.count, [all_of([base, clause]) for clause in clauses.values()])
        counts = dict(zip(clauses, numbers, strict=True))
        ids_by_field: dict[str, set[str]] = {field: set() for field in clauses}
        if any(counts.values()):
            yield from read(any_of(clauses.values()), frozenset(group), ids_by_field)
        for field, clause in clauses.items():
            if len(ids_by_field[field]) < counts[field]:
                yield from read(clause, frozenset(group), ids_by_field)
        for field, count in counts.items():
            counted_by_field[field] += count
            missing_by_field[field] += max(0, count - len(ids_by_field[field]))
    if not counted_by_field[ENTITIES] and not _entities_are_searched(alerts):
        for page in read_all(alerts, all_of([base, XDR]), progress, view, readers=readers):
            yield hash_filter.new_matches(page)
    for field, missing in missing_by_field.items():
        if missing:
            count = counted_by_field[field]
            progress.incomplete.append(f"Falcon counts {count:,} alerts by {field} but returned {count - missing:,}.")


def _note_fields(
    page: Iterable[AlertDocument[AlertView]], group: frozenset[str], ids_by_field: dict[str, set[str]]
) -> None:
    """Note in which fields the alerts have a hash of the group."""
    for item in page:
        for digest, fields in item.own_hashes.items():
            if digest in group:
                for field in fields:
                    ids_by_field[field].add(item.alert.composite_id)


def _entities_are_searched(alerts: AlertReader) -> bool:
    """Return whether this tenant's filter searches `entities.sha256`, by trying a hash known to be there."""
    for raw in alerts.page(XDR, limit=SAMPLE).documents:
        for digest, fields in decode_result(BriefAlert, raw).own_hashes.items():
            if ENTITIES in fields:
                return alerts.count(f"{ENTITIES}:'{digest}'") > 0
    return True
