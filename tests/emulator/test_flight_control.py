"""A parent's children by Flight Control's endpoints."""

import json
from typing import Any

import pytest
import requests

from falcon_emulator.catalog import HOSTILE
from tests.support.http_caller import Caller, message

from .conftest import Start

QUERIES = "/mssp/queries/children/v1"
ENTITIES = "/mssp/entities/children/GET/v2"


def children(caller: Caller, **params: Any) -> dict[str, Any]:
    answer = caller.send("GET", QUERIES, params=params)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def look_up(caller: Caller, ids: list[str]) -> requests.Response:
    return caller.send("POST", ENTITIES, json={"ids": ids})


def test_children_are_listed_ten_at_a_time(start: Start) -> None:
    caller = start(children=12)
    first, second = children(caller), children(caller, offset=10)
    assert (len(first["resources"]), len(second["resources"])) == (10, 2)
    assert {*first["resources"], *second["resources"]} == {*caller.tenant.children}
    assert first["meta"]["pagination"] == {"offset": 0, "limit": 10, "total": 12}
    assert children(caller, limit=1000, sort="last_modified_timestamp|asc")["resources"] == [*caller.tenant.children]


def test_children_are_filtered_by_their_cid(start: Start) -> None:
    caller = start(children=3)
    wanted = caller.tenant.children[1]
    assert children(caller, filter=f"cid:'{wanted}'")["resources"] == [wanted]
    assert children(caller, filter="name:'x'")["resources"] == []
    for wrong in ({"filter": "cid"}, {"limit": 0}, {"limit": 1001}, {"sort": "name|asc"}):
        assert caller.send("GET", QUERIES, params=wrong).status_code == 400


def test_a_child_has_a_name_a_checksum_and_a_parent(start: Start) -> None:
    caller = start(children=5)
    ids = [*caller.tenant.children]
    found = look_up(caller, [*ids, "f" * 32]).json()["resources"]
    assert [one["child_cid"] for one in found] == ids
    keys = {"checksum", "child_cid", "child_gcid", "child_of", "domains", "name", "status"}
    assert all(one.keys() == keys and one["child_of"] == caller.tenant.cid for one in found)
    assert len({one["name"] for one in found}) == 5


@pytest.mark.parametrize("body", ["{", "[]", '{"ids": "x"}', '{"ids": []}', "{}"])
def test_a_look_up_without_ids_is_400(start: Start, body: str) -> None:
    assert start(children=1).send("POST", ENTITIES, data=body).status_code == 400


def test_children_may_have_hostile_names(start: Start) -> None:
    caller = start(children=3, child_names="hostile")
    found = look_up(caller, [*caller.tenant.children]).json()["resources"]
    assert [one["name"] for one in found] == json.loads(json.dumps(HOSTILE[:3]))


def test_a_tenant_without_children_has_an_empty_list(start: Start) -> None:
    assert children(start())["resources"] == []


def test_children_need_their_scope_and_the_parents_own_token(start: Start) -> None:
    refused = start(children=1, scopes="alerts:read").send("GET", QUERIES)
    assert (refused.status_code, message(refused)) == (403, "access denied, scope not permitted")
    parent = start(children=1)
    child = Caller(parent.server, parent.tenant, member_cid=parent.tenant.children[0])
    for answer in (child.send("GET", QUERIES), look_up(child, [*parent.tenant.children])):
        assert (answer.status_code, message(answer)) == (403, "access denied, authorization failed")
    child.session.close()
