"""Count the alerts that wait at a tenant, with few requests and without reading them."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import msgspec

from falcon_bulk.falcon.fql import all_of, any_of, base_filter
from falcon_bulk.falcon.page import OLDEST_FIRST
from falcon_bulk.model.alert import Alert, text
from falcon_bulk.model.overview import NewAlerts, WaitingAlerts
from falcon_bulk.model.selection import Selection
from falcon_bulk.model.vocabulary import Status
from falcon_bulk.operations.reading.alert_document import decode_result
from falcon_bulk.operations.reading.select_alerts import NEWEST_FIRST
from falcon_bulk.operations.reading.tenant_check import check_tenant

_ASSIGNEE_FIELDS = ("assigned_to_name", "assigned_to_uid", "assigned_to_uuid")
_NEW = base_filter(Selection(statuses=(Status.NEW,)))
_ASSIGNED = all_of([_NEW, any_of(f"{field}:'*'" for field in _ASSIGNEE_FIELDS)])
_UNASSIGNED = all_of([_NEW, *(f"{field}:!'*'" for field in _ASSIGNEE_FIELDS)])


class AlertCounter(Protocol):
    """The part of `falcon.alerts.Alerts` that counts, and reads single alerts."""

    def count(self, fql: str) -> int: ...
    def ids(self, fql: str, *, offset: int = 0, limit: int = 1, sort: str = OLDEST_FIRST) -> tuple[list[str], int]: ...
    def by_id(self, ids: Sequence[str]) -> list[msgspec.Raw]: ...


def count_waiting_alerts(alerts: AlertCounter, cids: Sequence[str], *, in_flight: int) -> WaitingAlerts:
    """Count the new alerts by severity and assignee, those in progress and those reopened; find the oldest new one.

    Takes nine requests, and two more if alerts changed in between. cids: those that the newest and the oldest new alert
    must belong to, if any are given. in_flight: concurrent requests.
    Raises the client's errors, and WrongTenant for an alert of another CID.
    """
    with ThreadPoolExecutor(in_flight) as pool:
        oldest = pool.submit(alerts.ids, _NEW, limit=1, sort=OLDEST_FIRST)
        newest = pool.submit(alerts.ids, "", limit=1, sort=NEWEST_FIRST)
        severities = [
            pool.submit(alerts.count, base_filter(Selection(statuses=(Status.NEW,), severities=(name,))))
            for name in ("Critical", "High")
        ]
        assignments = [pool.submit(alerts.count, fql) for fql in (_ASSIGNED, _UNASSIGNED)]
        statuses = [
            pool.submit(alerts.count, base_filter(Selection(statuses=(status,))))
            for status in (Status.IN_PROGRESS, Status.REOPENED)
        ]
    (oldest_ids, total), (newest_ids, _) = oldest.result(), newest.result()
    assigned, unassigned = (count.result() for count in assignments)
    if assigned + unassigned != total:
        total, unassigned = alerts.count(_NEW), alerts.count(_UNASSIGNED)
    critical, high = (count.result() for count in severities)
    in_progress, reopened = (count.result() for count in statuses)
    by_id = _read(alerts, {*oldest_ids, *newest_ids}, cids)
    oldest_read = [by_id[composite_id] for composite_id in oldest_ids if composite_id in by_id]
    newest_read = [by_id[composite_id] for composite_id in newest_ids if composite_id in by_id]
    return WaitingAlerts(
        cid=next((alert.tenant for alert in newest_read), ""),
        new=NewAlerts(critical=critical, high=high, other=max(0, total - critical - high)),
        unassigned=unassigned if assigned + unassigned == total else None,
        in_progress=in_progress,
        reopened=reopened,
        oldest_new=next((text(alert.created_timestamp) or None for alert in oldest_read), None),
    )


def _read(alerts: AlertCounter, ids: set[str], cids: Sequence[str]) -> dict[str, Alert]:
    """Return the alerts by id. Raises WrongTenant for one of another CID, unless `cids` is empty."""
    found = [decode_result(Alert, document).alert for document in (alerts.by_id(sorted(ids)) if ids else ())]
    for alert in found if cids else ():
        check_tenant(alert, frozenset(cids))
    return {alert.composite_id: alert for alert in found}
