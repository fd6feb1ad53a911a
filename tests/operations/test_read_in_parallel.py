"""Parallel readers read exactly what one reader reads, whatever the server counts."""

import re
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falcon_bulk.errors import Rejected, Unreachable
from falcon_bulk.falcon.alerts import PAGE
from falcon_bulk.falcon.page import Page
from falcon_bulk.falcon.tenant import Tenant as Client
from falcon_bulk.model.alert import Alert
from falcon_bulk.model.clock import SystemClock, rfc3339
from falcon_bulk.model.selection import Selection
from falcon_bulk.operations.reading.parallel import read_in_parallel
from falcon_bulk.operations.reading.read_all import read_all
from falcon_bulk.operations.reading.read_progress import ReadProgress
from falcon_bulk.operations.reading.select_alerts import read_selection
from falcon_bulk.operations.reading.time_slices import MAX_DIVISIONS, Interval, count_hours, cut_slices
from falcon_emulator import Fault, Server, Switches, Tenant
from tests.support.clients import client_for
from tests.support.command import PATIENCE
from tests.support.sampling import quick_first

START = datetime(2026, 11, 1, tzinfo=UTC)


def ids_read(client: Client, selection: Selection, readers: int) -> Counter[str]:
    progress = ReadProgress(SystemClock())
    return Counter(
        item.alert.composite_id
        for page in read_selection(client.alerts, selection, progress, Alert, readers=readers)
        for item in page
    )


@pytest.mark.parametrize("mode", quick_first("correct", "undercount", "refuse_500", "refuse_403", "empty", quick=2))
def test_parallel_readers_read_what_one_reader_reads(mode: str) -> None:
    tenant = Tenant(alerts=4_000, burst=2_500, seed=5, switches=Switches.of(f"aggregates_mode={mode}"))
    with Server(tenant, port=0) as server:
        client = client_for(tenant, server, cids=(tenant.cid,))
        read = ids_read(client, Selection(), readers=4)
        client.close()
    assert read == Counter(tenant.store.by_id.keys())


@pytest.mark.parametrize("hidden", ["included", "omitted"])
def test_hidden_alerts_are_read_whether_or_not_the_search_returns_them(hidden: str) -> None:
    values = Switches.of(f"combined_hidden={hidden}")
    tenant = Tenant(alerts=3_500, seed=6, switches=values)
    with Server(tenant, port=0) as server:
        client = client_for(tenant, server, cids=(tenant.cid,))
        read = ids_read(client, Selection(), readers=4)
        client.close()
    assert read == Counter(tenant.store.by_id.keys())


def test_alerts_that_arrive_in_the_meantime_are_read_at_most_once_and_displace_none() -> None:
    tenant = Tenant(alerts=5_000, seed=7)
    before = set(tenant.store.by_id)
    with Server(tenant, port=0) as server:
        client = client_for(tenant, server, cids=(tenant.cid,))
        read: Counter[str] = Counter()
        for page in read_all(client.alerts, "", ReadProgress(SystemClock()), Alert, readers=4):
            read.update(item.alert.composite_id for item in page)
            server.call(lambda: tenant.arrive(3))
        client.close()
    assert before <= set(read)
    assert set(read.values()) == {1}


def test_a_reader_that_keeps_failing_fails_the_read() -> None:
    tenant = Tenant(alerts=5_000, seed=8)
    with Server(tenant, port=0) as server:
        client = client_for(tenant, server, cids=(tenant.cid,))
        server.call(lambda: tenant.faults.add(Fault(kind="status", status=400, endpoint="combined", skip=2)))
        with pytest.raises(Rejected):
            ids_read(client, Selection(), readers=4)
        client.close()


def test_transient_faults_lose_nothing_and_repeat_nothing() -> None:
    tenant = Tenant(alerts=5_000, seed=9)
    with Server(tenant, port=0) as server:
        client = client_for(tenant, server, cids=(tenant.cid,))
        for kind in ("truncate", "html", "empty", "drop"):
            server.call(lambda kind=kind: tenant.faults.add(Fault(kind=kind, endpoint="combined")))
        read = ids_read(client, Selection(), readers=4)
        client.close()
    assert read == Counter(tenant.store.by_id.keys())


class FakeAlerts:
    """Alerts in memory, found by a time window; its counts may be wrong."""

    def __init__(self, seconds: Sequence[int], hours: dict[int, int]) -> None:
        self.moments = sorted(START + timedelta(seconds=second) for second in seconds)
        self.hours = hours

    def count(self, fql: str) -> int:
        return 0 if "show_in_ui" in fql else len(self._found(fql))

    def ids(self, fql: str, **_: object) -> tuple[list[str], int]:
        return [], 0

    def by_id(self, ids: Sequence[str]) -> list[msgspec.Raw]:
        return []

    def page(self, fql: str, *, after: str = "", **_: object) -> Page:
        found = self._found(fql)
        start = int(after or 0)
        documents = [
            msgspec.Raw(msgspec.json.encode({"composite_id": f"{number}", "created_timestamp": rfc3339(moment)}))
            for number, moment in found[start : start + PAGE]
        ]
        end = start + len(documents)
        return Page(documents, len(found), str(end) if end < len(found) else "")

    def count_by_hour(self, fql: str) -> list[tuple[datetime, int]]:
        return [(START + timedelta(hours=hour), number) for hour, number in self.hours.items()]

    def count_by_range(self, fql: str, edges: Sequence[datetime]) -> list[tuple[datetime, int]]:
        return [(start, sum(start <= moment < end for moment in self.moments)) for start, end in pairwise(edges)]

    def _found(self, fql: str) -> list[tuple[int, datetime]]:
        found = list(enumerate(self.moments))
        for operator, text in re.findall(r"created_timestamp:(>=|<)'([^']+)'", fql):
            edge = datetime.fromisoformat(text)
            found = [(n, moment) for n, moment in found if (moment >= edge) == (operator == ">=")]
        return found


@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_slices_cover_every_alert_exactly_once_whatever_the_server_counts(data: st.DataObject) -> None:
    crowded = data.draw(st.integers(0, 3_000), label="alerts in one second")
    spread = data.draw(st.lists(st.integers(0, 72 * 3600), max_size=300), label="seconds")
    filler = list(range(0, 3600 * 40, 37))
    seconds = [*spread, *[data.draw(st.integers(0, 72 * 3600), label="the second")] * crowded, *filler]
    truth = Counter(second // 3600 for second in seconds)
    lies = data.draw(st.dictionaries(st.integers(-5, 80), st.integers(1, 40), max_size=8), label="wrong counts")
    alerts = FakeAlerts(seconds, {**truth, **lies} if data.draw(st.booleans(), label="lies") else dict(truth))

    pages = read_all(
        alerts, "", ReadProgress(SystemClock()), Alert, readers=data.draw(st.integers(2, 8), label="readers")
    )
    read = Counter(item.alert.composite_id for page in pages for item in page)

    assert read == Counter(str(number) for number in range(len(seconds)))


def test_an_alert_without_a_timestamp_is_in_no_slice_but_is_read() -> None:
    alerts = FakeAlerts(range(0, 40_000, 10), dict.fromkeys(range(11), 360) | {11: 40})
    untimed = msgspec.Raw(b'{"composite_id":"untimed"}')
    in_slices = FakeAlerts.page

    def page(fql: str, *, after: str = "", **_: object) -> Page:
        found = in_slices(alerts, fql, after=after)
        last_of_all = not (found.after or "created_timestamp" in fql)
        return replace(found, documents=[*found.documents, untimed]) if last_of_all else found

    alerts.page = page  # type: ignore[method-assign]
    alerts.count = lambda fql: 0 if "show_in_ui" in fql else 4_000 if "created_timestamp" in fql else 4_001  # type: ignore[method-assign]
    progress = ReadProgress(SystemClock())
    read = Counter(
        item.alert.composite_id for page in read_all(alerts, "", progress, Alert, readers=4) for item in page
    )
    assert read == Counter(["untimed", *map(str, range(4_000))])
    assert (progress.expected, progress.read) == (4_001, 4_001)


def test_a_second_with_many_alerts_is_one_slice_and_the_others_are_even() -> None:
    seconds = [*[5_000] * 12_000, *range(0, 36_000, 3)]
    alerts = FakeAlerts(seconds, dict(Counter(second // 3600 for second in seconds)))
    slices = cut_slices(alerts, "", count_hours(alerts, ""))
    assert slices[0].alerts >= 12_000
    assert all(interval.alerts <= PAGE for interval in slices[1:])
    assert sum(interval.alerts for interval in slices) == len(seconds)


class CountingAlerts(FakeAlerts):
    """Alerts in memory that count their requests by kind. With `hours` left out their counts are right."""

    def __init__(self, seconds: Sequence[int], hours: dict[int, int] | None = None) -> None:
        super().__init__(seconds, dict(Counter(second // 3600 for second in seconds)) if hours is None else hours)
        self.requests: Counter[str] = Counter()

    def count(self, fql: str) -> int:
        self.requests["count"] += 1
        return super().count(fql)

    def page(self, fql: str, *, after: str = "", **more: object) -> Page:
        self.requests["page"] += 1
        return super().page(fql, after=after, **more)

    def count_by_hour(self, fql: str) -> list[tuple[datetime, int]]:
        self.requests["hours"] += 1
        return super().count_by_hour(fql)


def numbers_read(alerts: FakeAlerts) -> Counter[str]:
    pages = read_all(alerts, "", ReadProgress(SystemClock()), Alert, readers=32)
    return Counter(item.alert.composite_id for page in pages for item in page)


@pytest.mark.parametrize("number", [1, 999, PAGE])
def test_a_selection_that_a_page_holds_costs_one_request_more_than_the_page(number: int) -> None:
    alerts = CountingAlerts(range(0, number * 60, 60))
    assert numbers_read(alerts) == Counter(map(str, range(number)))
    assert alerts.requests == {"hours": 1, "page": 1}


def test_the_first_page_and_the_counts_do_not_wait_for_each_other() -> None:
    class Meeting(CountingAlerts):
        both_asked = threading.Barrier(2, timeout=PATIENCE)

        def page(self, fql: str, *, after: str = "", **more: object) -> Page:
            self.both_asked.wait()
            return super().page(fql, after=after, **more)

        def count_by_hour(self, fql: str) -> list[tuple[datetime, int]]:
            self.both_asked.wait()
            return super().count_by_hour(fql)

    assert len(numbers_read(Meeting(range(100)))) == 100


def test_the_first_page_of_a_selection_that_has_more_is_not_waited_for() -> None:
    is_read = threading.Event()

    class Slow(CountingAlerts):
        def page(self, fql: str, *, after: str = "", **more: object) -> Page:
            assert "created_timestamp" in fql or is_read.wait(PATIENCE)
            return super().page(fql, after=after, **more)

    assert len(numbers_read(Slow(range(0, 600_000, 60)))) == 10_000
    is_read.set()


def test_a_selection_without_alerts_is_counted_once_more() -> None:
    alerts = CountingAlerts([])
    assert not numbers_read(alerts)
    assert alerts.requests == {"hours": 1, "page": 1, "count": 1}


def test_a_selection_of_which_only_the_count_knows_is_not_taken_for_empty() -> None:
    """Where the search leaves hidden alerts out and Falcon refuses to count by hour, both look empty."""
    alerts = CountingAlerts([])
    alerts.count = lambda _fql: 1  # type: ignore[method-assign]
    alerts.ids = lambda _fql, **_: (["hidden"], 1)  # type: ignore[method-assign]
    alerts.by_id = lambda ids: [msgspec.Raw(msgspec.json.encode({"composite_id": one})) for one in ids]  # type: ignore[method-assign]
    assert numbers_read(alerts) == Counter(["hidden"])


@pytest.mark.parametrize("hours", [{}, {0: 59, 1: 40}, {0: 60, 1: 41}, {0: 59, 1: 41}, {2: 100}])
def test_counts_that_a_page_does_not_agree_with_are_not_trusted(hours: dict[int, int]) -> None:
    alerts = CountingAlerts(range(0, 6_000, 60), hours)
    assert numbers_read(alerts) == Counter(map(str, range(100)))
    assert alerts.requests["count"]


def test_ten_thousand_alerts_are_ten_pages_side_by_side() -> None:
    alerts = CountingAlerts(range(0, 600_000, 60))
    slices = cut_slices(alerts, "", count_hours(alerts, ""))
    assert max(interval.alerts for interval in slices) <= PAGE
    assert len(slices) <= 11
    assert numbers_read(alerts) == Counter(map(str, range(10_000)))


def test_beyond_two_hundred_pages_there_are_about_two_hundred_slices() -> None:
    hours = [Interval(START + timedelta(hours=hour), timedelta(hours=1), 500) for hour in range(2_000)]
    slices = cut_slices(CountingAlerts([]), "", hours)
    assert 150 <= len(slices) <= 220
    assert max(interval.alerts for interval in slices) <= 5 * PAGE


def test_at_most_sixteen_intervals_of_a_length_are_divided_further() -> None:
    asked: list[int] = []
    alerts = CountingAlerts([])

    def count_by_range(_fql: str, edges: Sequence[datetime]) -> list[tuple[datetime, int]]:
        asked.append(1)
        return [(edge, 20) for edge in edges[:-1]]

    alerts.count_by_range = count_by_range  # type: ignore[method-assign]
    hours = [Interval(START + timedelta(hours=hour), timedelta(hours=1), 1_200) for hour in range(100)]
    assert sum(one.alerts for one in cut_slices(alerts, "", hours)) == 120_000
    assert len(asked) == MAX_DIVISIONS


def test_pages_out_of_order_are_an_error() -> None:
    alerts = FakeAlerts(range(1_500), {})
    alerts.moments.reverse()
    with pytest.raises(Unreachable, match="not in the requested order"):
        list(read_all(alerts, "", ReadProgress(SystemClock()), Alert))


def test_a_repeated_page_is_an_error() -> None:
    alerts = FakeAlerts([1] * 1_000, {})
    alerts.page = lambda fql, after="", **_: Page(FakeAlerts.page(alerts, fql).documents, 1_000, "again")  # type: ignore[method-assign]
    with pytest.raises(Unreachable, match="repeats"):
        list(read_all(alerts, "", ReadProgress(SystemClock()), Alert))


def test_an_error_in_a_chain_is_raised_and_its_items_keep_their_order() -> None:
    def numbers(start: int) -> Iterator[int]:
        yield from range(start, start + 50)

    def broken() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    with read_in_parallel([lambda start=start: numbers(start) for start in (0, 100, 200)], readers=2) as found:
        items = list(found)
    for chain in range(3):
        assert [item for number, item in items if number == chain] == list(range(chain * 100, chain * 100 + 50))
    with read_in_parallel([lambda: numbers(0), broken], readers=2) as found, pytest.raises(ValueError, match="broken"):
        list(found)


def test_only_requested_ids_are_read_and_each_once() -> None:
    alerts = FakeAlerts([], {})
    asked, foreign = (
        {"composite_id": name, "created_timestamp": rfc3339(START)} for name in ("cid:ind:1", "cid:ind:2")
    )
    alerts.by_id = lambda ids: [msgspec.Raw(msgspec.json.encode(one)) for one in (asked, asked, foreign)]  # type: ignore[method-assign]
    pages = read_selection(alerts, Selection(ids=("cid:ind:1",)), ReadProgress(SystemClock()), Alert)
    assert [item.alert.composite_id for page in pages for item in page] == ["cid:ind:1"]


def test_a_document_that_is_not_an_alert_is_an_error() -> None:
    alerts = FakeAlerts([], {})
    alerts.page = lambda fql, **_: Page([msgspec.Raw(b'{"cid":"a"}')], 1, "")  # type: ignore[method-assign]
    with pytest.raises(Unreachable, match="no composite_id"):
        list(read_all(alerts, "", ReadProgress(SystemClock()), Alert))
