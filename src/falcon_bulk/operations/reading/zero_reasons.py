"""Why a selection may have found nothing, where that is likely to be a mistake: zero rows look like good news."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Protocol

from falcon_bulk.errors import Rejected
from falcon_bulk.falcon.fql import HOST_FIELDS, equals_any, hash_clauses, host_fields
from falcon_bulk.model.clock import rfc3339
from falcon_bulk.model.hashes import RELATED_FIELDS
from falcon_bulk.model.selection import Selection
from falcon_bulk.operations.reading.counts import count_each

MAX_HASHES = 20
"""Of more hashes it is not asked where else they stand: each takes part in a request per field."""
_HOSTS = "Host names are compared with their case, and * stands for any text."


class AlertCounter(Protocol):
    """The part of `falcon.alerts.Alerts` that is asked."""

    def count(self, fql: str) -> int: ...


def zero_reasons(alerts: AlertCounter, selection: Selection, now: datetime) -> list[str]:
    """Return sentences on why no alert matches the selection; [] if nothing stands out.

    Asks Falcon for a few counts. now: UTC. Raises the client's errors, but for a clause that the tenant refuses.
    """
    return [*_times(selection, now), *_host(alerts, selection.host), *_hashes(alerts, selection.hashes)]


def _times(selection: Selection, now: datetime) -> Iterator[str]:
    since, until = selection.since, selection.until
    if since and until and since >= until:
        yield f"--since ({since}) is not before --until ({until}), so no alert can match."
    elif since > rfc3339(now):
        yield f"--since ({since}) is in the future."


def _host(alerts: AlertCounter, host: str) -> Iterator[str]:
    count = partial(_count, alerts)
    if not host or any(count_each(count, [f"{field}:'{host}'" for field in host_fields(host)])):
        return
    beginning = [] if "*" in host else [f"{host}*"]
    other_case = [cased for cased in (host.upper(), host.lower()) if cased != host]
    both = [f"{cased}*" for cased in other_case] if beginning else []
    near_misses = (*other_case, *beginning, *both)
    numbers = count_each(count, [f"{HOST_FIELDS[0]}:'{near}'" for near in near_misses])
    for near, number in zip(near_misses, numbers, strict=True):
        if number:
            yield f"No alert has the host {host}; {number:,} {_have(number)} {near}. {_HOSTS}"
            return
    part = host.strip("*")
    if number := _count(alerts, f"{HOST_FIELDS[0]}:~*'*{part}*'"):
        yield f"No alert has the host {host}; {number:,} {_have(number)} one with {part} in it, in any case. {_HOSTS}"


def _have(number: int) -> str:
    return "has" if number == 1 else "have"


def _hashes(alerts: AlertCounter, hashes: Sequence[str]) -> Iterator[str]:
    count = partial(_count, alerts)
    if not 0 < len(hashes) <= MAX_HASHES or any(count_each(count, list(hash_clauses(hashes).values()))):
        return
    numbers = count_each(count, [equals_any(field, hashes) for field in RELATED_FIELDS])
    found = {field: number for field, number in zip(RELATED_FIELDS, numbers, strict=True) if number}
    if found:
        which = "The hash stands" if len(hashes) == 1 else "These hashes stand"
        where = ", ".join(f"{field} ({number:,})" for field, number in found.items())
        yield f"{which} in alerts only as a related hash: {where}. --hash selects by an alert's own hash."


def _count(alerts: AlertCounter, fql: str) -> int:
    """Return the count of a clause, 0 if the tenant cannot search that field."""
    try:
        return alerts.count(fql)
    except Rejected:
        return 0
