"""Many hashes are read in groups or among all alerts, whichever takes fewer requests, and always exactly."""

import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise, product

import pytest

from falcon_bulk.falcon.fql import hash_groups
from falcon_bulk.model.alert import Alert
from falcon_bulk.model.clock import SystemClock
from falcon_bulk.model.hashes import SEARCHED_FIELDS
from falcon_bulk.model.selection import Selection
from falcon_bulk.operations.reading import by_hash
from falcon_bulk.operations.reading.read_progress import ReadProgress
from falcon_bulk.operations.reading.select_alerts import read_selection
from falcon_emulator import Server, Switches, Tenant
from falcon_emulator.control import describe_alert
from falcon_emulator.request_log import Request
from tests.support.clients import client_for

MADE_UP = tuple(f"{number:064x}" for number in range(5_000))


class Reading:
    """A tenant, and what is read of it."""

    def __init__(self, tenant: Tenant, server: Server) -> None:
        self.tenant = tenant
        self.client = client_for(tenant, server, cids=(tenant.cid,))
        self.client.alerts.count("")
        self.progress = ReadProgress(SystemClock())
        self.owners: dict[str, set[str]] = {}
        for alert in map(describe_alert, tenant.store.newest_first):
            for digest in alert["hashes"]:
                self.owners.setdefault(digest, set()).add(alert["composite_id"])

    @property
    def known(self) -> tuple[str, ...]:
        """The hashes that are some alert's own."""
        return tuple(sorted(self.owners))

    def ids(self, selection: Selection, readers: int = 1) -> Counter[str]:
        pages = read_selection(self.client.alerts, selection, self.progress, Alert, readers=readers)
        return Counter(item.alert.composite_id for page in pages for item in page)

    def exactly(self, *hashes: str) -> Counter[str]:
        """Each alert that owns one of the hashes, once."""
        return Counter(set().union(*(self.owners.get(digest, set()) for digest in hashes)))

    @property
    def requests(self) -> list[Request]:
        return self.tenant.request_log.requests[2:]  # after the login and the first count


@contextmanager
def reading(alerts: int, **switches: str) -> Iterator[Reading]:
    tenant = Tenant(
        alerts=alerts, seed=3, switches=Switches.of(*(f"{name}={value}" for name, value in switches.items()))
    )
    with Server(tenant, port=0) as server:
        one = Reading(tenant, server)
        yield one
        one.client.close()


def terms_of(fql: str) -> int:
    """The terms of a filter by a lexer of the test's own: each value of a list is one."""
    bare = re.sub(r"'[^']*'", "v", fql)
    return len(re.findall(r"[a-z0-9_.]+:", bare)) + sum(listed.count(",") for listed in re.findall(r"\[[^]]*\]", bare))


def test_the_fields_that_may_hold_a_hash_are_counted_side_by_side() -> None:
    """Each count waits for the others."""
    with reading(200) as one:
        digest = one.known[0]
        counting = threading.Barrier(len(SEARCHED_FIELDS))
        count = one.client.alerts.count

        def count_together(fql: str) -> int:
            if f":'{digest}'" in fql and "(" not in fql:
                counting.wait(30)
            return count(fql)

        one.client.alerts.count = count_together  # type: ignore[method-assign]
        assert one.ids(Selection(hashes=(digest,))) == one.exactly(digest)
        assert not counting.broken


def test_five_thousand_hashes_take_no_more_requests_than_all_alerts() -> None:
    with reading(2_500) as one:
        hashes = one.known[::3] + MADE_UP[: 5_000 - len(one.known[::3])]
        assert one.ids(Selection(hashes=hashes), readers=8) == one.exactly(*hashes)
        assert len(one.requests) <= 10
        assert all(terms_of(request.filter) <= 20 for request in one.requests)


def test_a_few_hashes_are_searched_by_hash() -> None:
    with reading(600) as one:
        hashes = one.known[:20]
        assert one.ids(Selection(hashes=hashes)) == one.exactly(*hashes)
        asked = [request for request in one.requests if request.endpoint == "combined"]
        assert all("sha256:[" in request.filter or "product:'xdr'" in request.filter for request in asked)


def test_hashes_without_alerts_cost_only_a_count_of_each_field(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_hash, "ALWAYS_GROUPED_HASHES", 60)
    with reading(300) as one:
        assert one.ids(Selection(hashes=MADE_UP[:60], products=("epp",))) == Counter()
        counts = [request for request in one.requests if request.endpoint == "queries"]
        assert len(counts) <= 12 * 3 + 1
        assert len(one.requests) <= len(counts) + 1


def test_a_selection_narrows_many_hashes_as_it_narrows_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with reading(900) as one:
        narrow = Selection(hashes=one.known[:200], statuses=("new",), severities=("High", "Medium"))
        among_all = one.ids(narrow)
        assert len(among_all) > 10
        monkeypatch.setattr(by_hash, "ALWAYS_GROUPED_HASHES", 5_000)
        assert one.ids(narrow) == among_all
        assert all(terms_of(request.filter) <= 20 for request in one.requests)


def test_if_a_filter_leaves_no_room_for_hashes_all_its_alerts_are_read() -> None:
    with reading(300) as one:
        raw = "+".join(["created_timestamp:>'2020-01-01T00:00:00Z'"] * 17)
        hashes = one.known[:3]
        assert one.ids(Selection(hashes=hashes, filter=raw)) == one.exactly(*hashes)
        assert all(terms_of(request.filter) <= 20 for request in one.requests)


def test_an_alert_with_hashes_of_two_groups_is_read_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(by_hash, "ALWAYS_GROUPED_HASHES", 5_000)
    with reading(600) as one:
        groups = [one.exactly(*group).keys() for group in hash_groups("", one.known)]
        assert any(here & there for here, there in pairwise(groups))
        assert one.ids(Selection(hashes=one.known)) == one.exactly(*one.known)
        assert one.progress.notes == []


HABITS = [
    {"unknown_field": unknown, "entities_sha256": entities, "combined_hidden": hidden}
    for unknown, entities, hidden in product(
        ("empty_filter", "empty_clause"), ("unknown_field", "no_match", "matches"), ("omitted", "included")
    )
]


@pytest.mark.parametrize("habits", HABITS[:1], ids=lambda habits: "-".join(habits.values()))
def test_groups_find_what_reading_all_finds(habits: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert_groups_and_reading_all_agree(habits, monkeypatch, alerts=400)


@pytest.mark.slow
@pytest.mark.parametrize("habits", HABITS, ids=lambda habits: "-".join(habits.values()))
def test_groups_find_what_reading_all_finds_whatever_the_search_supports(
    habits: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_groups_and_reading_all_agree(habits, monkeypatch, alerts=1_200)


def assert_groups_and_reading_all_agree(habits: dict[str, str], monkeypatch: pytest.MonkeyPatch, alerts: int) -> None:
    with reading(alerts, **habits) as one:
        hashes = one.known[::2]
        assert len(hashes) > by_hash.ALWAYS_GROUPED_HASHES
        monkeypatch.setattr(by_hash, "ALWAYS_GROUPED_HASHES", 0)
        monkeypatch.setattr(by_hash, "REQUESTS_PER_GROUP", 10_000)
        assert one.ids(Selection(hashes=hashes), readers=4) == one.exactly(*hashes)
        monkeypatch.setattr(by_hash, "ALWAYS_GROUPED_HASHES", 5_000)
        assert one.ids(Selection(hashes=hashes), readers=4) == one.exactly(*hashes)
        assert one.ids(Selection(hashes=hashes[:1])) == one.exactly(*hashes[:1])
