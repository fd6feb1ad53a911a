"""The newest alerts come once each and in number, whatever arrives while they are read."""

from collections import Counter

import pytest

from falcon_bulk.falcon.alerts import PAGE
from falcon_bulk.model.clock import SystemClock
from falcon_bulk.model.selection import Selection
from falcon_bulk.operations.reading.read_progress import ReadProgress
from falcon_bulk.operations.reading.select_alerts import read_sorted
from falcon_emulator import Server, Tenant
from tests.support.clients import client_for


def read_while_arriving(tenant: Tenant, limit: int, arriving: int) -> tuple[Counter[str], ReadProgress]:
    """Read the newest alerts; more arrive after the first page."""
    progress, found = ReadProgress(SystemClock()), Counter[str]()
    with Server(tenant) as server:
        client = client_for(tenant, server, cids=(tenant.cid,))
        for number, page in enumerate(read_sorted(client.alerts, Selection(), progress, limit=limit, sort="")):
            found.update(item.alert.composite_id for item in page)
            if not number:
                server.call(lambda: tenant.arrive(arriving))
        client.close()
    return found, progress


def test_alerts_that_arrive_between_pages_repeat_none_and_displace_none() -> None:
    tenant = Tenant(alerts=3 * PAGE, seed=4)
    newest = [alert.composite_id for alert in tenant.store.newest_first]
    limit = PAGE + 200
    found, progress = read_while_arriving(tenant, limit, 7)
    assert found == Counter(newest[:limit])
    assert progress.incomplete == []


def test_so_many_arrivals_that_a_page_brings_nothing_new_are_reported() -> None:
    tenant = Tenant(alerts=3 * PAGE, seed=4)
    limit = PAGE + 200
    found, progress = read_while_arriving(tenant, limit, PAGE)
    assert (found.total(), len(found)) == (PAGE, PAGE)
    assert progress.incomplete == [
        f"Falcon found {limit:,} alerts but returned {PAGE:,}; the others may be gone by now."
    ]


@pytest.mark.parametrize("order", ["created_timestamp|asc", "created_timestamp|desc", "severity|asc", "severity|desc"])
@pytest.mark.parametrize("limit", [1, 7, 250])
def test_the_first_alerts_of_ids_are_those_of_all_in_the_same_order(order: str, limit: int) -> None:
    tenant = Tenant(alerts=200, seed=4)
    with Server(tenant) as server:
        client = client_for(tenant, server, cids=(tenant.cid,))
        selection = Selection(ids=tuple(tenant.store.by_id))

        def read(number: int | None) -> list[str]:
            progress = ReadProgress(SystemClock())
            pages = list(read_sorted(client.alerts, selection, progress, limit=number, sort=order))
            assert progress.matching == 200
            return [item.alert.composite_id for page in pages for item in page]

        assert read(limit) == read(None)[:limit]
        client.close()
