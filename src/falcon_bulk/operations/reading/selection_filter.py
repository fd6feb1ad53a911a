"""Make the FQL of a selection, from what counts show of how this tenant searches."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from falcon_bulk.errors import Rejected
from falcon_bulk.falcon.fql import (
    HIDDEN,
    HOST_FIELDS,
    HOST_LISTS,
    NAME_FIELDS,
    SHOWN,
    VISIBILITY_UNSET,
    base_filter,
    host_fields,
)
from falcon_bulk.model.selection import Selection
from falcon_bulk.operations.reading.counts import count_each


class AlertCounter(Protocol):
    """The part of `falcon.alerts.Alerts` that building a filter needs."""

    def count(self, fql: str) -> int: ...


def build_filter(alerts: AlertCounter, selection: Selection, *, in_host_lists: bool = True) -> str:
    """Return the selection without its hashes as FQL; '' for all alerts. in_host_lists: see `read_selection`.

    A clause on a field that a tenant does not know may empty a whole OR, so a host or a name is searched only in the
    fields that find it. It is not known whether `!` matches alerts that lack the field; if it does not, alerts without
    show_in_ui are added.
    """
    return base_filter(
        selection,
        host_fields=_matching_fields(
            alerts, host_fields(selection.host) if in_host_lists else HOST_FIELDS, selection.host
        ),
        name_fields=_matching_fields(alerts, NAME_FIELDS, selection.name),
        shown=_visible_clauses(alerts) if selection.visible_only else (),
    )


def notes_on_listed_hosts(alerts: AlertCounter, host: str) -> Iterator[str]:
    """Yield a note if lists of hosts name the host: such an alert may be about the other hosts."""
    lists = () if "*" in host else HOST_LISTS
    try:
        counts = count_each(alerts.count, [f"{field}:'{host}'" for field in lists])
    except Rejected:
        return
    if found := [field for field, number in zip(lists, counts, strict=True) if number]:
        clauses = ",".join(f"{field}:'{host}'" for field in found)
        yield (
            f"Alerts that name {host} only in a list of hosts are left out, since other hosts may be meant; "
            f'--filter "{clauses}" selects them.'
        )


def _visible_clauses(alerts: AlertCounter) -> Sequence[str]:
    """Return the clauses for visible alerts; those without show_in_ui only if the counts prove that none is hidden."""
    total, shown, hidden = count_each(alerts.count, ["", SHOWN, HIDDEN])
    missing = total - shown - hidden
    try:
        return (SHOWN, VISIBILITY_UNSET) if missing > 0 and alerts.count(VISIBILITY_UNSET) == missing else (SHOWN,)
    except Rejected:
        return (SHOWN,)


def _matching_fields(alerts: AlertCounter, fields: Sequence[str], value: str) -> Sequence[str]:
    """Return the fields in which the value is found; the first one if there are none."""
    counts = count_each(alerts.count, [f"{field}:'{value}'" for field in fields] if value else [])
    return [field for field, number in zip(fields, counts, strict=False) if number] or fields[:1]
