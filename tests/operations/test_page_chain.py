"""Following `after` to the end: through empty pages, expired tokens, and Falcons that do not get on."""

import re
from collections import Counter
from collections.abc import Callable

import msgspec
import pytest

from falcon_bulk.errors import SearchExpired, Unreachable
from falcon_bulk.falcon.page import OLDEST_FIRST, Page
from falcon_bulk.model.alert_decoder import composite_id_of, decode_alert
from falcon_bulk.operations.reading.page_chain import MAX_RESTARTS, ChainDeduplicator, PageChain
from falcon_bulk.operations.reading.time_slices import ALL_TIME, TimeSlice
from tests.support.plan_builders import a_document

SIZE = 3
EXPIRED = SearchExpired("Falcon answers 404: Search context expired.", status=404)


def times(number: int, alerts_a_millisecond: int = 1) -> list[str]:
    return [f"2026-11-24T06:00:00.{one // alerts_a_millisecond:03}{one % 7}Z" for one in range(number)]


class Pages:
    """A search that pages by three. answer: what becomes of the page, by the number of the request and its token."""

    def __init__(self, created: list[str], answer: Callable[[int, str, Page], Page] = lambda _n, _after, page: page):
        self.documents = [msgspec.Raw(a_document(number, created_timestamp=at)) for number, at in enumerate(created, 1)]
        self.answer = answer
        self.asked: list[tuple[str, str]] = []

    def page(self, fql: str, *, after: str = "", sort: str = OLDEST_FIRST, limit: int = 0) -> Page:
        self.asked.append((fql, after))
        since = re.search(r"created_timestamp:>='(.+?)Z'", fql)
        found = [raw for raw in self.documents if not since or str(decode_alert(raw).created_timestamp) >= since[1]]
        start = int(after or 0)
        end = start + SIZE
        page = Page(found[start:end], len(found), str(end) if end < len(found) else "")
        return self.answer(len(self.asked), after, page)


def read(pages: Pages, sort: str = OLDEST_FIRST, time_slice: TimeSlice = ALL_TIME) -> Counter[str]:
    is_new = ChainDeduplicator().is_new
    chain = PageChain(pages, "status:'new'", time_slice, sort=sort)
    alerts = (decode_alert(raw) for page in chain.pages() for raw in page.documents)
    if sort != OLDEST_FIRST:
        return Counter(set(map(composite_id_of, pages.documents)) & {alert.composite_id for alert in alerts})
    return Counter(alert.composite_id for alert in alerts if is_new(alert))


def whole(pages: Pages) -> Counter[str]:
    return Counter(map(composite_id_of, pages.documents))


def empty(page: Page, after: str) -> Page:
    return Page([], page.total, after)


@pytest.mark.parametrize("number", [0, 1, SIZE, SIZE + 1, 4 * SIZE])
def test_an_empty_page_with_a_token_is_the_end_once_the_total_is_read(number: int) -> None:
    def endless(_: int, after: str, page: Page) -> Page:
        return page if page.after or not page.documents else Page(page.documents, page.total, "9999")

    pages = Pages(times(number), endless)
    pages.answer = lambda n, after, page: empty(page, after) if after == "9999" else endless(n, after, page)
    assert read(pages) == whole(pages)
    assert len([after for _, after in pages.asked if after == "9999"]) <= 1


def test_an_empty_page_before_the_total_is_asked_for_again() -> None:
    pages = Pages(times(10), lambda n, after, page: empty(page, after) if n == 2 else page)
    assert read(pages) == whole(pages)
    assert [after for _, after in pages.asked] == ["", "3", "3", "6", "9"]


def test_a_page_that_stays_empty_is_treated_as_an_expired_token() -> None:
    pages = Pages(times(10), lambda n, after, page: empty(page, after) if n in (2, 3) else page)
    assert read(pages) == whole(pages)
    assert pages.asked[3] == ("(status:'new')+created_timestamp:>='2026-11-24T06:00:00.002Z'", "")


def test_pages_that_stay_empty_for_ever_end_the_chain_short() -> None:
    same = ["2026-11-24T06:00:00.000Z"] * 10
    pages = Pages(same, lambda _, after, page: empty(page, after) if after else page)
    assert read(pages).total() == SIZE
    assert len(pages.asked) == (MAX_RESTARTS + 1) * 3


@pytest.mark.parametrize("alerts_a_millisecond", [1, 2, 5])
def test_an_expired_token_starts_again_from_the_last_millisecond(alerts_a_millisecond: int) -> None:
    def expire(n: int, after: str, page: Page) -> Page:
        if after and n % 3 == 0:
            raise EXPIRED
        return page

    pages = Pages(times(40, alerts_a_millisecond), expire)
    assert read(pages) == whole(pages)
    assert len(pages.asked) < 80


def test_a_restart_stays_in_its_time_slice() -> None:
    def expire(n: int, after: str, page: Page) -> Page:
        if n == 2:
            raise EXPIRED
        return page

    pages = Pages(times(10), expire)
    read(pages, time_slice=TimeSlice("2026-11-24T06:00:00Z", "2026-11-24T07:00:00Z", 10))
    until = "created_timestamp:<'2026-11-24T07:00:00Z'"
    assert pages.asked[0][0] == f"(status:'new')+created_timestamp:>='2026-11-24T06:00:00Z'+{until}"
    assert pages.asked[2][0] == f"(status:'new')+created_timestamp:>='2026-11-24T06:00:00.002Z'+{until}"


@pytest.mark.parametrize("sort", [OLDEST_FIRST, "severity|desc"])
def test_three_restarts_without_anything_new_end_it(sort: str) -> None:
    def expire(_: int, after: str, page: Page) -> Page:
        if after:
            raise EXPIRED
        return page

    pages = Pages(["2026-11-24T06:00:00.000Z"] * 10, expire)
    with pytest.raises(SearchExpired, match="again and again"):
        read(pages, sort)
    assert len([after for _, after in pages.asked if after]) <= MAX_RESTARTS + 2


def test_another_order_begins_anew() -> None:
    def expire(n: int, after: str, page: Page) -> Page:
        if n == 3:
            raise EXPIRED
        return page

    pages = Pages(times(10), expire)
    assert read(pages, "severity|desc") == whole(pages)
    assert pages.asked[3] == ("status:'new'", "")


def test_a_page_that_comes_again_is_an_error() -> None:
    pages = Pages(times(10), lambda _, after, page: Page(pages.documents[:SIZE], 10, "3"))
    with pytest.raises(Unreachable, match="repeats the same page"):
        read(pages)


def test_pages_that_come_in_turn_are_an_error_and_no_endless_loop() -> None:
    same = ["2026-11-24T06:00:00.000Z"] * 6
    pages = Pages(same, lambda n, after, page: Page(pages.documents[:3] if n % 2 else pages.documents[3:], 9_999, "3"))
    with pytest.raises(Unreachable, match="repeats the same alerts"):
        read(pages)


@pytest.mark.parametrize("foreign", ["x'+status:'closed", "2026-11-24T06:00:00.001Z'+status:'closed", "~", "tomorrow"])
def test_a_time_that_falcon_sent_and_that_is_none_gets_into_no_filter(foreign: str) -> None:
    def expired_once(number: int, after: str, page: Page) -> Page:
        if number == 2:
            raise EXPIRED
        return page

    pages = Pages([*times(SIZE - 1), foreign, *times(SIZE)], expired_once)
    assert sum(len(page.documents) for page in PageChain(pages, "status:'new'", ALL_TIME).pages()) > SIZE
    assert {fql for fql, _ in pages.asked} == {"status:'new'"}
