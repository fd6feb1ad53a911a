"""What the operations on indicators send, and how they read what comes back."""

from typing import Any

import pytest

from falcon_bulk.errors import AnswerLost, MissingScope, Rejected, UsageProblem
from falcon_bulk.falcon.indicators import IDS_PER_REQUEST, MAX_SINGLE_CHECKS, Indicators
from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.model.indicator import IndicatorSpec
from tests.support.scripted_falcon import Reply, ScriptedFalcon, an_envelope, good, refused

SEARCH = "/iocs/queries/indicators/v1"
ENTITIES = "/iocs/entities/indicators/v1"
FIRST, SECOND = "ab" * 32, "cd" * 32
ALLOWANCE = IndicatorSpec(platforms=("windows", "mac"), expiration="2027-02-22T00:00:00Z", description="Vetted")


@pytest.fixture
def indicators(tenant: Tenant) -> Indicators:
    return tenant.indicators


def an_indicator(value: str, **fields: Any) -> dict[str, Any]:
    return {"id": f"id-{value[:4]}", "type": "sha256", "value": value, "action": "allow"} | fields


# Looking up


def test_hashes_are_looked_up_together_and_what_is_found_is_read_by_id(
    falcon: ScriptedFalcon, indicators: Indicators
) -> None:
    falcon.answer(SEARCH, good(["id-abab", "id-cdcd"], total=2))
    falcon.answer(ENTITIES, good([an_indicator(FIRST.upper(), id="id-abab"), an_indicator(SECOND)]))
    found = indicators.find([FIRST, SECOND.upper()])
    assert {digest: [indicator.id for indicator in ones] for digest, ones in found.items()} == {
        FIRST: ["id-abab"],
        SECOND: ["id-cdcd"],
    }
    (search,) = falcon.to(SEARCH)
    assert search.query["filter"] == [f"type:'sha256'+value:['{FIRST}','{SECOND}']"]
    (read,) = falcon.to(ENTITIES)
    assert read.query["ids"] == ["id-abab", "id-cdcd"]


def test_hashes_a_list_does_not_find_are_searched_alone_and_all_are_once_one_is_found(
    falcon: ScriptedFalcon, indicators: Indicators
) -> None:
    hashes = [f"{number:064x}" for number in range(3 * MAX_SINGLE_CHECKS)]
    lists = -(-len(hashes) // 19)
    indicators.find(hashes)
    assert len(falcon.to(SEARCH)) == lists + MAX_SINGLE_CHECKS
    falcon.calls.clear()
    falcon.answer(SEARCH, *[good()] * lists, good(["id"], total=1), good())
    falcon.answer(ENTITIES, good([an_indicator(hashes[0], id="id")]))
    assert set(indicators.find(hashes)) == {hashes[0]}
    assert len(falcon.to(SEARCH)) == lists + len(hashes)


def test_if_a_list_is_rejected_each_hash_is_searched_alone(falcon: ScriptedFalcon, indicators: Indicators) -> None:
    hashes = [f"{number:064x}" for number in range(MAX_SINGLE_CHECKS + 10)]
    falcon.answer(SEARCH, refused(400, "unparsable filter"), good(["id"], total=1), good())
    falcon.answer(ENTITIES, good([an_indicator(hashes[0], id="id")]))
    assert set(indicators.find(hashes)) == {hashes[0]}
    assert len(falcon.to(SEARCH)) == 1 + len(hashes)


def test_a_search_is_read_to_its_last_page(falcon: ScriptedFalcon, indicators: Indicators) -> None:
    falcon.answer(SEARCH, good(["a"], total=2), good(["b"], total=2))
    falcon.answer(ENTITIES, good([an_indicator(FIRST, id="a"), an_indicator(FIRST, id="b", action="prevent")]))
    assert [indicator.action for indicator in indicators.find([FIRST])[FIRST]] == ["allow", "prevent"]
    assert [call.query["offset"] for call in falcon.to(SEARCH)] == [["0"], ["1"]]


def test_nothing_but_a_hash_gets_into_a_filter(falcon: ScriptedFalcon, indicators: Indicators) -> None:
    with pytest.raises(UsageProblem):
        indicators.find([f"{FIRST}'+action:'allow"])
    assert falcon.to(SEARCH) == []


@pytest.mark.parametrize("status", [400, 404])
def test_an_unknown_id_that_rejects_a_whole_request_is_isolated(
    falcon: ScriptedFalcon, indicators: Indicators, status: int
) -> None:
    falcon.answer(ENTITIES, refused(status), refused(status), good([an_indicator(FIRST, id="a")]))
    assert list(indicators.by_id(["a", "gone"])) == ["a"]


def test_ids_go_in_urls_that_stay_short(falcon: ScriptedFalcon, indicators: Indicators) -> None:
    indicators.by_id([f"{number:064x}" for number in range(2 * IDS_PER_REQUEST + 1)])
    assert sorted(len(call.query["ids"]) for call in falcon.to(ENTITIES)) == [1, IDS_PER_REQUEST, IDS_PER_REQUEST]
    assert max(len(call.url) for call in falcon.to(ENTITIES)) < 4_000


# Creating


def test_a_creation_sends_exactly_the_indicator_and_never_ignores_warnings(
    falcon: ScriptedFalcon, indicators: Indicators
) -> None:
    falcon.answer(ENTITIES, Reply(201, an_envelope([an_indicator(FIRST)])))
    response = indicators.create([FIRST], ALLOWANCE, "why")
    assert ([indicator.sha256 for indicator in response.created], response.refused, response.message) == (
        [FIRST],
        {},
        "",
    )
    (call,) = falcon.to(ENTITIES)
    assert (call.method, call.query) == ("POST", {})
    assert call.json == {
        "comment": "why",
        "indicators": [
            {
                "type": "sha256",
                "value": FIRST,
                "action": "allow",
                "platforms": ["windows", "mac"],
                "applied_globally": True,
                "expiration": "2027-02-22T00:00:00Z",
                "description": "Vetted",
            }
        ],
    }


def test_host_groups_take_the_place_of_global_and_no_end_is_none(
    falcon: ScriptedFalcon, indicators: Indicators
) -> None:
    falcon.answer(ENTITIES, Reply(201, an_envelope([])))
    indicators.create([FIRST], IndicatorSpec(platforms=("linux",), host_groups=("1" * 32,), description="x"), "why")
    (sent,) = falcon.to(ENTITIES)[0].json["indicators"]
    assert (sent["applied_globally"], sent["host_groups"]) == (False, ["1" * 32])
    assert "expiration" not in sent


@pytest.mark.parametrize("status", [201, 400])
def test_errors_of_single_indicators_are_reported_whatever_the_status(
    falcon: ScriptedFalcon, indicators: Indicators, status: int
) -> None:
    problem = {"row": 2, "value": SECOND.upper(), "message_type": "warning", "message": "Duplicate"}
    falcon.answer(ENTITIES, Reply(status, an_envelope([an_indicator(FIRST), problem], errors=[{"message": "some"}])))
    response = indicators.create([FIRST, SECOND], ALLOWANCE, "why")
    assert [indicator.sha256 for indicator in response.created] == [FIRST]
    assert (response.refused, response.message) == ({SECOND: "warning: Duplicate"}, "some")


def test_a_rejected_request_a_lost_answer_and_a_missing_scope_are_different_errors(
    falcon: ScriptedFalcon, indicators: Indicators
) -> None:
    for reply, error in (
        (refused(400, "bad platforms"), Rejected),
        (refused(500), AnswerLost),
        (Reply(201, ""), AnswerLost),
        (refused(403, "access denied, authorization failed"), MissingScope),
    ):
        falcon.answer(ENTITIES, reply)
        with pytest.raises(error) as raised:
            indicators.create([FIRST], ALLOWANCE, "why")
    assert "IOC Management: Write" in str(raised.value)


# Deleting


def test_a_deletion_names_its_ids_and_no_filter(falcon: ScriptedFalcon, indicators: Indicators) -> None:
    falcon.answer(ENTITIES, good(["a", "b"]))
    assert indicators.delete(["a", "b"], "why") == ""
    (call,) = falcon.to(ENTITIES)
    assert (call.method, call.query) == ("DELETE", {"ids": ["a", "b"], "comment": ["why"]})


@pytest.mark.parametrize("ids", [[], [""], ["a", ""]])
def test_a_deletion_without_an_id_is_never_sent(falcon: ScriptedFalcon, indicators: Indicators, ids: list[str]) -> None:
    with pytest.raises(ValueError, match="without an id"):
        indicators.delete(ids, "why")
    assert falcon.to(ENTITIES) == []
