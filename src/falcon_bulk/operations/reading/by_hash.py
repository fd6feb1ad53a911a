"""Reading the alerts of hashes. Every alert read is checked for an own hash that is wanted; no OR is trusted."""

from collections.abc import Iterable, Iterator, Sequence

from falcon_bulk.falcon.alerts import PAGE
from falcon_bulk.falcon.fql import all_of, any_of, hash_clauses, hash_groups
from falcon_bulk.model.alert import AlertView, BriefAlert
from falcon_bulk.model.hashes import SEARCHED_FIELDS, own_hashes
from falcon_bulk.operations.reading.read_all import AlertDocument, AlertReader, ReadProgress, decode_found, read_all

FEW = 20
"""So many hashes are always asked for by group, however few alerts the customer has."""
REQUESTS_A_GROUP = 6
"""What a group costs at least: a count of each field, and a reading."""
REQUESTS_A_READING = 5
"""What a reading costs beside its pages."""

XDR = "product:'xdr'"
ENTITIES = "entities.sha256"
SAMPLE = 100


def read_by_hashes(
    alerts: AlertReader,
    base: str,
    hashes: Sequence[str],
    watch: ReadProgress,
    view: type[AlertView],
    *,
    readers: int = 1,
) -> Iterator[list[AlertDocument[AlertView]]]:
    """The alerts that `base` finds and that have one of the hashes as their own, each once.

    More than a few hashes are read in whichever way takes fewer requests: in groups small enough for a filter, or
    by reading all that `base` finds.
    """
    groups = hash_groups(base, hashes)
    few = len(hashes) <= FEW
    if groups and (few or len(groups) * REQUESTS_A_GROUP < REQUESTS_A_READING + alerts.count(base) // PAGE):
        yield from _by_groups(alerts, base, groups, watch, view, readers)
    else:
        sieve = _HashFilter(hashes)
        for found in read_all(alerts, base, watch, view, readers=readers):
            yield sieve.hits(found)


class _HashFilter:
    """Lets an alert through once, if a hash of its own is wanted."""

    def __init__(self, hashes: Iterable[str]) -> None:
        self._wanted = frozenset(hashes)
        self._seen: set[str] = set()

    def hits(self, found: Iterable[AlertDocument[AlertView]]) -> list[AlertDocument[AlertView]]:
        """Those of the alerts that are let through."""
        hits = [
            item
            for item in found
            if item.alert.composite_id not in self._seen and not self._wanted.isdisjoint(own_hashes(item.alert))
        ]
        self._seen.update(item.alert.composite_id for item in hits)
        return hits


def _by_groups(
    alerts: AlertReader,
    base: str,
    groups: Sequence[Sequence[str]],
    watch: ReadProgress,
    view: type[AlertView],
    readers: int,
) -> Iterator[list[AlertDocument[AlertView]]]:
    """Group by group. What the server counts for each field alone is held against what was read with a hash there:
    a field that a tenant does not know may empty the whole OR, and then the fields are read one by one.
    """
    sieve = _HashFilter(digest for group in groups for digest in group)
    counted_in = dict.fromkeys(SEARCHED_FIELDS, 0)
    missing_in = dict.fromkeys(SEARCHED_FIELDS, 0)

    def read(
        clause: str, group: frozenset[str], read_in: dict[str, set[str]]
    ) -> Iterator[list[AlertDocument[AlertView]]]:
        for found in read_all(alerts, all_of([base, clause]), watch, view, readers=readers):
            _note_fields(found, group, read_in)
            yield sieve.hits(found)

    for group in groups:
        clauses = hash_clauses(group)
        counts = {field: alerts.count(all_of([base, clause])) for field, clause in clauses.items()}
        read_in: dict[str, set[str]] = {field: set() for field in clauses}
        if any(counts.values()):
            yield from read(any_of(clauses.values()), frozenset(group), read_in)
        for field, clause in clauses.items():
            if len(read_in[field]) < counts[field]:
                yield from read(clause, frozenset(group), read_in)
        for field, count in counts.items():
            counted_in[field] += count
            missing_in[field] += max(0, count - len(read_in[field]))
    if not counted_in[ENTITIES] and not _entities_are_searched(alerts):
        for found in read_all(alerts, all_of([base, XDR]), watch, view, readers=readers):
            yield sieve.hits(found)
    for field, missing in missing_in.items():
        if missing:
            count = counted_in[field]
            watch.notes.append(f"Falcon counts {count:,} alerts by {field}, {count - missing:,} of them were read.")


def _note_fields(
    found: Iterable[AlertDocument[AlertView]], group: frozenset[str], read_in: dict[str, set[str]]
) -> None:
    """Note which of the alerts have a hash of the group in which field."""
    for item in found:
        for digest, fields in own_hashes(item.alert).items():
            if digest in group:
                for field in fields:
                    read_in[field].add(item.alert.composite_id)


def _entities_are_searched(alerts: AlertReader) -> bool:
    """False if this tenant's filter does not look into `entities.sha256`, shown by a hash known to be there."""
    for raw in alerts.page(XDR, limit=SAMPLE).documents:
        for digest, fields in own_hashes(decode_found(BriefAlert, raw).alert).items():
            if ENTITIES in fields:
                return alerts.count(f"{ENTITIES}:'{digest}'") > 0
    return True
