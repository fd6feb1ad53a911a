"""Reads that Falcon answers in part, too late or not at all: asked for again, in smaller parts, or elsewhere."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from falcon_bulk.errors import FailingFilter, MissingScope, Rejected, SearchExpired, Unreachable
from falcon_bulk.falcon.alerts import MAX_URL_FILTER
from falcon_bulk.falcon.page import OLDEST_FIRST
from falcon_bulk.falcon.pages_by_id import WINDOW, PagesById
from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.model.alert_decoder import composite_id_of
from falcon_bulk.model.clock import rfc3339
from tests.support.plan_builders import HASH, a_document
from tests.support.scripted_falcon import COMBINED, ENTITIES, QUERY, Reply, ScriptedFalcon, an_envelope, good, refused

FIND = "/iocs/queries/indicators/v1"
GET = "/iocs/entities/indicators/v1"
START = datetime(2026, 11, 24, tzinfo=UTC)


def alert(name: str) -> dict[str, str]:
    return {"composite_id": name}


def in_part(code: int, *resources: object, message: str = "shard failure", **error: object) -> Reply:
    return good(list(resources), total=2, errors=[{"code": code, "message": message, **error}])


# Errors beside part of the resources


@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_passing_error_beside_part_is_asked_again(code: int, falcon: ScriptedFalcon, tenant: Tenant) -> None:
    falcon.answer(QUERY, in_part(code, "a"), good(["a", "b"], total=2))
    falcon.answer(COMBINED, in_part(code, alert("a")), good([alert("a"), alert("b")], total=2))
    falcon.answer(ENTITIES, in_part(code, alert("a")), good([alert("a"), alert("b")]))
    assert tenant.alerts.ids("") == (["a", "b"], 2)
    assert len(tenant.alerts.page("").documents) == 2
    assert len(tenant.alerts.by_id(["a", "b"])) == 2


@pytest.mark.parametrize("code", [400, 404, 409])
def test_another_error_beside_part_ends_the_read_with_falcon_s_words(
    code: int, falcon: ScriptedFalcon, tenant: Tenant
) -> None:
    for path, resource in ((QUERY, "a"), (COMBINED, alert("a")), (ENTITIES, alert("a"))):
        falcon.answer(path, in_part(code, resource, message="bad shard"))
    for read in (
        lambda: tenant.alerts.ids(""),
        lambda: tenant.alerts.page(""),
        lambda: tenant.alerts.by_id(["id-1", "id-2"]),
    ):
        with pytest.raises(Unreachable, match=r"only part of the data, and the error .*bad shard"):
            read()


def test_a_403_beside_part_is_a_missing_scope(falcon: ScriptedFalcon, tenant: Tenant) -> None:
    falcon.answer(ENTITIES, in_part(403, alert("a")))
    with pytest.raises(MissingScope):
        tenant.alerts.by_id(["a", "b"])


@pytest.mark.parametrize("error", [{"id": "b"}, {"message": "alert b not found"}])
def test_a_404_that_names_an_id_asked_for_is_the_answer_for_it(
    error: dict[str, str], falcon: ScriptedFalcon, tenant: Tenant
) -> None:
    falcon.answer(ENTITIES, in_part(404, alert("a"), **error))
    assert len(tenant.alerts.by_id(["a", "b"])) == 1
    assert len(falcon.to(ENTITIES)) == 1


def test_a_404_without_an_id_and_without_an_alert_does_not_say_that_the_alert_is_gone(
    falcon: ScriptedFalcon, tenant: Tenant
) -> None:
    falcon.answer(ENTITIES, in_part(404))
    with pytest.raises(Unreachable, match="only part of the data"):
        tenant.alerts.by_id(["id-1"])
    falcon.answer(GET, in_part(404))
    with pytest.raises(Unreachable, match="only part of the data"):
        tenant.indicators.by_id(["a" * 64])


@pytest.mark.parametrize("error", [{"id": "c"}, {"id": ["b"]}, {}])
def test_a_404_that_names_none_of_them_is_an_error(
    error: dict[str, object], falcon: ScriptedFalcon, tenant: Tenant
) -> None:
    falcon.answer(ENTITIES, in_part(404, alert("a"), **error))
    with pytest.raises(Unreachable):
        tenant.alerts.by_id(["a", "b"])


def test_indicators_in_part_are_asked_again_or_an_error(falcon: ScriptedFalcon, tenant: Tenant) -> None:
    found = {"id": "i", "value": HASH, "type": "sha256", "action": "allow"}
    falcon.answer(FIND, in_part(500, "i"), good(["i"], total=1))
    falcon.answer(GET, in_part(500, found), good([found]))
    assert set(tenant.indicators.find([HASH])) == {HASH}
    falcon.answer(GET, in_part(400, found))
    with pytest.raises(Unreachable, match="only part of the data"):
        tenant.indicators.by_id(["i", "j"])
    falcon.answer(FIND, good(["i"], total=2), good([], total=2))
    with pytest.raises(Unreachable, match="counts 2 indicators and lists 1"):
        tenant.indicators.find([HASH])


# Less at a time


def test_a_413_by_id_is_halved_and_later_requests_are_as_small(falcon: ScriptedFalcon, tenant: Tenant) -> None:
    falcon.answer(ENTITIES, refused(413, "request too large"), refused(413), good([alert("a")]))
    ids = [f"id-{number}" for number in range(1_000)]
    tenant.alerts.by_id(ids)
    sizes = [len(call.json["composite_ids"]) for call in falcon.to(ENTITIES)]
    assert sizes[:2] == [1_000, 500]
    assert max(sizes[2:]) == 250


def test_a_413_for_a_single_id_is_an_error(falcon: ScriptedFalcon, tenant: Tenant) -> None:
    falcon.answer(ENTITIES, refused(413, "request too large"))
    with pytest.raises(Rejected, match="request too large"):
        tenant.alerts.by_id(["id-1"])


def test_a_second_504_to_a_large_page_asks_for_fewer_alerts(falcon: ScriptedFalcon, tenant: Tenant) -> None:
    falcon.answer(COMBINED, refused(504), refused(504), refused(504), refused(504), good([alert("a")], total=1))
    assert tenant.alerts.page("").total == 1
    assert [call.json["limit"] for call in falcon.to(COMBINED)] == [1_000, 1_000, 500, 500, 250]


def test_ids_are_put_together_from_smaller_pages(falcon: ScriptedFalcon, tenant: Tenant) -> None:
    names = [f"id-{number}" for number in range(700)]
    falcon.answer(
        QUERY,
        *(refused(504), refused(504)),
        *(good(names[:500], total=700), good(names[500:], total=700)),
    )
    assert tenant.alerts.ids("status:'new'") == (names, 700)
    asked = [(call.query["offset"], call.query["limit"]) for call in falcon.to(QUERY)[2:]]
    assert asked == [(["0"], ["500"]), (["500"], ["500"])]


def test_a_504_to_a_small_page_is_tried_five_times(falcon: ScriptedFalcon, tenant: Tenant) -> None:
    falcon.answer(QUERY, refused(504))
    with pytest.raises(Unreachable):
        tenant.alerts.count("")
    assert len(falcon.to(QUERY)) == 5


# Another filter, another endpoint


def test_a_500_on_a_filter_while_others_are_answered_is_the_filter_s(falcon: ScriptedFalcon, tenant: Tenant) -> None:
    falcon.answer(QUERY, *[refused(500)] * 5, good(total=9))
    with pytest.raises(FailingFilter, match="Falcon fails on this filter") as caught:
        tenant.alerts.count("cmdline:'x'")
    assert caught.value.status == 500
    assert "network" not in caught.value.hint
    assert "filter" not in falcon.to(QUERY)[-1].query


def test_a_500_on_every_search_is_falcon_s(falcon: ScriptedFalcon, tenant: Tenant) -> None:
    falcon.answer(QUERY, refused(500))
    with pytest.raises(Unreachable) as caught:
        tenant.alerts.count("cmdline:'x'")
    assert not isinstance(caught.value, FailingFilter)


@pytest.mark.parametrize("status", [404, 200])
def test_an_expired_token_is_told_from_other_refusals(status: int, falcon: ScriptedFalcon, tenant: Tenant) -> None:
    body = an_envelope([], errors=[{"code": 404, "message": "Search context expired, 'after' key no longer valid"}])
    falcon.answer(COMBINED, Reply(status, body))
    with pytest.raises(SearchExpired):
        tenant.alerts.page("", after="b64")
    assert len(falcon.to(COMBINED)) == 1


def test_without_combined_ids_stand_in_and_a_403_is_no_reason_to(falcon: ScriptedFalcon, tenant: Tenant) -> None:
    falcon.answer(COMBINED, refused(403, "access denied"))
    with pytest.raises(MissingScope):
        tenant.alerts.page("")
    assert falcon.to(QUERY) == []
    falcon.answer(COMBINED, refused(404, "404: Page Not Found"))
    falcon.answer(QUERY, good(["a", "b"], total=2))
    falcon.answer(ENTITIES, good([alert("b"), alert("a")]))
    page = tenant.alerts.page("status:'new'")
    assert ([composite_id_of(raw) for raw in page.documents], page.total, page.after) == (["a", "b"], 2, "")
    tenant.alerts.page("status:'new'")
    assert len(falcon.to(COMBINED)) == 2


def test_a_long_filter_is_counted_by_post_if_that_finds_hidden_alerts(falcon: ScriptedFalcon, tenant: Tenant) -> None:
    long = f"name:'{'x' * MAX_URL_FILTER}'"
    falcon.answer(QUERY, good(total=3))
    falcon.answer(COMBINED, good([], total=0))
    with pytest.raises(Rejected, match="leaves out hidden alerts"):
        tenant.alerts.count(long)


def test_a_long_filter_is_counted_by_post(falcon: ScriptedFalcon, tenant: Tenant) -> None:
    falcon.answer(COMBINED, good([alert("a")], total=7))
    assert tenant.alerts.count(f"name:'{'x' * MAX_URL_FILTER}'") == 7


# Windows


class Ids:
    """A search for ids that shows 10,000, and the documents of ids. times: created, oldest first."""

    def __init__(self, times: Sequence[str]) -> None:
        self.documents = {f"id-{number:05}": at for number, at in enumerate(times)}

    def ids(self, fql: str, *, offset: int, limit: int, sort: str) -> tuple[list[str], int]:
        assert offset + limit <= WINDOW
        since = fql.partition(">='")[2].partition("'")[0]
        found = [name for name, at in self.documents.items() if at >= since]
        return found[offset : offset + limit], len(found)

    def by_id(self, ids: Sequence[str]) -> list[msgspec.Raw]:
        return [
            msgspec.Raw(a_document(composite_id=composite_id, created_timestamp=self.documents[composite_id]))
            for composite_id in ids
        ]


def read(search: Ids, sort: str = OLDEST_FIRST) -> set[str]:
    pages, after, found = PagesById(search.ids, search.by_id), "", set()
    while True:
        page = pages.page("status:'new'", after=after, sort=sort, limit=1_000)
        found |= {composite_id_of(raw) for raw in page.documents}
        after = page.after
        if not after:
            return found


@pytest.mark.parametrize("number", [0, 999, 1_000, WINDOW, WINDOW + 1, 2 * WINDOW + 500])
def test_windows_of_time_reach_beyond_ten_thousand(number: int) -> None:
    search = Ids([rfc3339(START + timedelta(seconds=one // 3)) for one in range(number)])
    assert read(search) == set(search.documents)


def test_what_no_window_can_reach_is_an_error() -> None:
    with pytest.raises(Rejected, match="more than 10,000 alerts"):
        read(Ids([rfc3339(START)] * (WINDOW + 1)))
    with pytest.raises(Rejected, match="more than 10,000"):
        read(Ids([rfc3339(START + timedelta(seconds=one)) for one in range(WINDOW + 1)]), "severity|desc")
