"""Parts that are read before their turn: in order, in bounds, and at once where it matters."""

import threading
from collections.abc import Callable, Iterator, Sequence

import msgspec
import pytest

from falcon_bulk.errors import Unreachable
from falcon_bulk.falcon import body
from falcon_bulk.model.clock import SystemClock
from falcon_bulk.model.selection import Selection
from falcon_bulk.operations.changes import alert_target
from falcon_bulk.operations.reading import select_alerts
from falcon_bulk.operations.reading.parallel import MAX_ITEMS
from falcon_bulk.operations.reading.read_ahead import parts_of, read_ahead
from falcon_bulk.operations.reading.read_progress import ReadProgress
from falcon_bulk.operations.reading.select_alerts import read_sorted
from falcon_emulator import Server, Tenant
from tests.support.clients import client_for
from tests.support.waiting import wait_until

PATIENCE = 30.0


def test_parts_have_so_many_items_and_the_last_the_rest() -> None:
    assert list(parts_of(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(parts_of([], 2)) == []


@pytest.mark.parametrize("readers", [1, 3, 10])
def test_parts_come_in_their_order_whichever_is_read_first(readers: int) -> None:
    """Of those read at a time, each waits for the one after it."""
    done = [threading.Event() for _ in range(10)]

    def read(number: int) -> int:
        if number % readers < readers - 1 and number < 9:
            assert done[number + 1].wait(PATIENCE)
        done[number].set()
        return number * number

    assert list(read_ahead(range(10), read, readers=readers)) == [(number, number * number) for number in range(10)]


def test_no_more_parts_are_read_at_a_time_than_there_are_readers() -> None:
    reading = threading.Semaphore(0)
    busy: list[int] = []
    most: list[int] = []

    def read(number: int) -> None:
        busy.append(number)
        most.append(len(busy))
        assert reading.acquire(timeout=PATIENCE)
        busy.remove(number)

    parts = read_ahead(iter(range(12)), read, readers=4)
    taker = threading.Thread(target=lambda: list(parts))
    taker.start()
    for _ in range(12):
        wait_until(lambda: bool(busy))
        reading.release()
    taker.join(PATIENCE)
    assert not taker.is_alive()
    assert max(most) <= 4


def test_a_part_is_asked_for_only_when_it_can_be_read_and_no_first_part_waits_for_the_last() -> None:
    asked: list[int] = []

    def parts() -> Iterator[int]:
        for number in range(10):
            asked.append(number)
            yield number

    read = read_ahead(parts(), lambda number: number, readers=3)
    assert next(read) == (0, 0)
    assert len(asked) <= 3
    read.close()  # type: ignore[attr-defined]
    assert len(asked) <= 3


def test_an_error_is_raised_when_its_turn_comes() -> None:
    def read(number: int) -> int:
        if number == 2:
            raise Unreachable("Falcon is away.")
        return number

    parts = read_ahead(range(6), read, readers=6)
    assert [next(parts), next(parts)] == [(0, 0), (1, 1)]
    with pytest.raises(Unreachable, match="away"):
        next(parts)


def test_what_is_received_long_before_its_turn_stays_packed() -> None:
    unpacked: set[int] = set()
    received = threading.Semaphore(0)

    def read(number: int) -> int:
        received.release()
        body._thread.wait()  # as for each large body, before it is unpacked
        unpacked.add(number)
        return number

    parts = read_ahead(range(12), read, readers=12)

    def take() -> None:
        for part, _ in parts:
            assert unpacked <= set(range(part + MAX_ITEMS))

    taker = threading.Thread(target=take)
    taker.start()
    for _ in range(12):
        assert received.acquire(timeout=PATIENCE), "all are received at once"
    taker.join(PATIENCE)
    assert not taker.is_alive()
    assert unpacked == set(range(12))


def test_what_waits_to_be_unpacked_is_let_go_at_the_end() -> None:
    waiting = threading.Semaphore(0)

    def read(number: int) -> int:
        if number:
            waiting.release()
            body._thread.wait()
        else:
            for _ in range(9):
                assert waiting.acquire(timeout=PATIENCE)
        return number

    parts = read_ahead(range(10), read, readers=10)
    assert next(parts) == (0, 0)
    parts.close()  # type: ignore[attr-defined]
    wait_until(lambda: not [thread for thread in threading.enumerate() if thread.name == "reader"])


@pytest.fixture
def together() -> Callable[[Callable[..., list[msgspec.Raw]]], Callable[[Sequence[str]], list[msgspec.Raw]]]:
    """Returns what makes three reads by id wait for each other."""
    reading = threading.Barrier(3)

    def of(by_id: Callable[..., list[msgspec.Raw]]) -> Callable[[Sequence[str]], list[msgspec.Raw]]:
        def read(ids: Sequence[str]) -> list[msgspec.Raw]:
            reading.wait(PATIENCE)
            return by_id(ids)

        return read

    return of


def test_alerts_given_by_id_are_read_side_by_side_and_come_in_their_order(
    monkeypatch: pytest.MonkeyPatch,
    together: Callable[[Callable[..., list[msgspec.Raw]]], Callable[[Sequence[str]], list[msgspec.Raw]]],
) -> None:
    monkeypatch.setattr(select_alerts, "PAGE", 10)
    tenant = Tenant(alerts=30)
    with Server(tenant, port=0) as server:
        client = client_for(tenant, server, cids=(tenant.cid,))
        client.alerts.by_id = together(client.alerts.by_id)  # type: ignore[method-assign]
        ids = tuple(sorted(tenant.store.by_id))
        pages = read_sorted(
            client.alerts, Selection(ids=ids), ReadProgress(SystemClock()), limit=None, sort="", readers=3
        )
        assert [item.alert.composite_id for page in pages for item in page] == list(ids)
        client.close()


def test_the_alerts_of_a_saved_plan_are_read_side_by_side(
    monkeypatch: pytest.MonkeyPatch,
    together: Callable[[Callable[..., list[msgspec.Raw]]], Callable[[Sequence[str]], list[msgspec.Raw]]],
) -> None:
    monkeypatch.setattr(alert_target, "PAGE", 10)
    tenant = Tenant(alerts=30)
    with Server(tenant, port=0) as server:
        client = client_for(tenant, server, cids=(tenant.cid,))
        client.alerts.by_id = together(client.alerts.by_id)  # type: ignore[method-assign]
        ids = list(tenant.store.by_id)
        parts = alert_target.read_rows(ids, str, client.alerts, {tenant.cid}, 3)
        assert [one for part, found in parts for one in part if one in found] == ids
        client.close()
