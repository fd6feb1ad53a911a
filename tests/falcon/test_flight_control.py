"""The children of a parent: every page is read, and what is no child's CID is refused."""

import pytest

from falcon_bulk.errors import MissingScope, Unreachable
from falcon_bulk.falcon.flight_control import PAGE
from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.model.customer import Child
from tests.support.scripted_falcon import Reply, ScriptedFalcon, good, refused

QUERIES, ENTITIES = "/mssp/queries/children/v1", "/mssp/entities/children/GET/v2"


def test_all_pages_are_read_and_a_child_without_details_is_kept(falcon: ScriptedFalcon, tenant: Tenant) -> None:
    ids = [f"{number:032x}" for number in range(PAGE + 5)]
    falcon.answer(QUERIES, good(ids[:PAGE], total=len(ids)), good(ids[PAGE:], total=len(ids)))
    details = [{"child_cid": f"{cid.upper()}-0F", "name": f"Child {cid}", "status": "active"} for cid in ids[1:]]
    falcon.answer(ENTITIES, good(details[: PAGE - 1]), good(details[PAGE - 1 :]))
    children = tenant.flight_control.children()
    assert children[0] == Child(cid=ids[0])
    assert {child.cid for child in children} == set(ids)
    assert children[1] == Child(cid=ids[1], name=f"Child {ids[1]}", status="active")
    assert [call.query["offset"] for call in falcon.to(QUERIES)] == [["0"], [str(PAGE)]]


def test_a_login_without_children_asks_for_no_details(falcon: ScriptedFalcon, tenant: Tenant) -> None:
    falcon.answer(QUERIES, good([], total=0))
    assert tenant.flight_control.children() == []
    assert not falcon.to(ENTITIES)


@pytest.mark.parametrize(
    "page",
    [
        good(["a" * 32], total=3),
        good([{"child_cid": "x"}], total=1),
        good(["../../etc"], total=1),
        good([""], total=1),
    ],
)
def test_an_answer_that_is_not_whole_or_no_cid_is_an_error(falcon: ScriptedFalcon, tenant: Tenant, page: Reply) -> None:
    falcon.answer(QUERIES, page, good([], total=3))
    with pytest.raises(Unreachable):
        tenant.flight_control.children()


def test_the_scope_is_named(falcon: ScriptedFalcon, tenant: Tenant) -> None:
    falcon.answer(QUERIES, refused(403, "access denied, scope not permitted"))
    with pytest.raises(MissingScope, match="Flight Control: Read"):
        tenant.flight_control.children()
