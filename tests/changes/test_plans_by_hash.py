"""What a plan by hash asks of Falcon: what does not need each other is asked side by side."""

import threading
from typing import Any

from falcon_bulk.falcon.aggregates import AggregateCounts
from falcon_bulk.model.selection import Selection
from falcon_bulk.operations.changes.operations import change_alerts
from falcon_emulator.control import describe_alert
from tests.support.run_harness import CLOSE, RunHarness, Start, TenantWithAlerts


class CountsBesidePages:
    """The alerts of a tenant, whose counts of resolutions wait until a page is asked for."""

    def __init__(self, alerts: Any) -> None:
        self._alerts = alerts
        self._asked = threading.Event()

    def page(self, *arguments: Any, **options: Any) -> Any:
        self._asked.set()
        return self._alerts.page(*arguments, **options)

    def count_by_value(self, queries: Any) -> list[AggregateCounts]:
        assert self._asked.wait(30), "the alerts are not read meanwhile"
        return list(self._alerts.count_by_value(queries))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._alerts, name)


def test_earlier_resolutions_are_counted_while_the_alerts_are_read(start: Start) -> None:
    harness: RunHarness = start()
    alerts = map(describe_alert, harness.tenant.store.newest_first)
    digest = next(digest for alert in alerts if alert["status"] == "new" for digest in alert["hashes"])
    tenant: Any = TenantWithAlerts(harness.falcon, CountsBesidePages(harness.falcon.alerts))
    operation = change_alerts(
        harness.context()._replace(tenant=tenant),
        Selection(hashes=(digest,)),
        CLOSE,
        harness._origin("ann"),
        command="close-hash",
    )
    plan = harness._begin(operation)
    assert harness.carry_out(plan).changed > 0
