"""The IOC endpoints."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import requests

from tests.support.http_caller import Caller, message

from .conftest import Start

QUERIES = "/iocs/queries/indicators/v1"
ENTITIES = "/iocs/entities/indicators/v1"
HASH = "ab" * 32


def an_indicator(**changes: Any) -> dict[str, Any]:
    allow = {"type": "sha256", "value": HASH, "action": "allow", "platforms": ["windows"], "applied_globally": True}
    return allow | changes


def create(caller: Caller, *indicators: dict[str, Any], **params: str) -> requests.Response:
    return caller.send("POST", ENTITIES, json={"comment": "c", "indicators": list(indicators)}, params=params)


def found(caller: Caller, filter: str = "", **params: Any) -> list[str]:  # noqa: A002  the parameter's name
    answer = caller.send("GET", QUERIES, params={"filter": filter} | params)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["resources"])


def documents(caller: Caller, ids: list[str]) -> list[dict[str, Any]]:
    return list(caller.send("GET", ENTITIES, params={"ids": ids}).json()["resources"])


def test_an_indicator_is_created_found_and_read(start: Start) -> None:
    caller = start()
    answer = create(caller, an_indicator(value=HASH.upper(), tags=["x"], metadata={"filename": "a.exe"}))
    assert answer.status_code == 201
    (made,) = answer.json()["resources"]
    assert (made["value"], made["severity_number"], made["expired"]) == (HASH, 0, False)
    assert found(caller, f"type:'sha256'+value:'{HASH}'") == [made["id"]]
    assert found(caller, f"value:'{HASH}'+action:'detect'") == []
    assert found(caller, "nothing:'x'") == []
    assert documents(caller, [made["id"], "f" * 64]) == [made]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"type": "sha1", "value": "a" * 40}, "type: 'sha1' is not supported"),
        ({"value": "ab"}, "is not a valid sha256"),
        ({"type": "ipv4", "value": "::1", "action": "no_action"}, "is not a valid ipv4"),
        ({"type": "domain", "value": "no domain", "action": "no_action"}, "is not a valid domain"),
        ({"action": "none"}, "action: 'none' is not valid"),
        ({"type": "domain", "value": "a.example"}, "for hashes only"),
        ({"action": "prevent"}, "cannot be empty for this 'action' and 'mobile_action' combination"),
        ({"action": "detect", "severity": "High"}, "severity: 'High' is not valid"),
        ({"platforms": []}, "at least one"),
        ({"platforms": ["amiga"]}, "not valid"),
        ({"applied_globally": False}, "either this or host_groups"),
        ({"host_groups": ["a" * 32]}, "either this or host_groups"),
        ({"applied_globally": False, "host_groups": ["servers"]}, "must be group ids"),
        ({"source": "x" * 257}, "longer than 256"),
        ({"expiration": "2020-01-01T00:00:00Z"}, "a future time"),
        ({"expiration": "2999-01-01T00:00:00+02:00"}, "a future time"),
        ({"expiration": "tomorrow"}, "a future time"),
    ],
)
def test_a_problem_is_in_resources_and_nothing_is_created(start: Start, changes: dict[str, Any], says: str) -> None:
    caller = start()
    answer = create(caller, an_indicator(value="cd" * 32), an_indicator(**changes))
    assert answer.status_code == 400
    (problem,) = answer.json()["resources"]
    assert (problem["row"], problem["message_type"]) == (2, "error")
    assert says in problem["message"]
    assert found(caller) == []


def test_a_duplicate_is_a_warning_that_can_be_ignored(start: Start) -> None:
    caller = start()
    (made,) = create(caller, an_indicator(action="prevent", severity="high")).json()["resources"]
    answer = create(caller, an_indicator())
    assert answer.status_code == 400
    (problem,) = answer.json()["resources"]
    assert problem["message_type"] == "warning"
    assert problem["message"].startswith("Warning: Duplicate type: 'sha256' and value: ")
    assert documents(caller, [made["id"]])[0]["action"] == "prevent"
    assert create(caller, an_indicator(), ignore_warnings="true").status_code == 201
    (replaced,) = documents(caller, found(caller))
    assert (replaced["id"], replaced["action"]) == (made["id"], "allow")


def test_a_duplicate_within_one_request_is_a_warning_too(start: Start) -> None:
    caller = start()
    assert create(caller, an_indicator(), an_indicator()).status_code == 400
    assert found(caller) == []


def test_only_the_invalid_indicator_may_be_refused(start: Start) -> None:
    caller = start(bad_indicator="only_itself")
    create(caller, an_indicator())
    answer = create(caller, an_indicator(value="cd" * 32), an_indicator(), an_indicator(value="ef" * 32, platforms=[]))
    assert answer.status_code == 201
    made, bad, duplicate = answer.json()["resources"]
    assert (made["value"], duplicate["message_type"], bad["message_type"]) == ("cd" * 32, "warning", "error")
    assert len(found(caller)) == 2


def test_an_indicator_is_updated_and_deleted(start: Start) -> None:
    caller = start()
    (made,) = create(caller, an_indicator()).json()["resources"]
    change = {"id": made["id"], "action": "detect", "severity": "low", "value": "cd" * 32}
    answer = caller.send("PATCH", ENTITIES, json={"indicators": [change]})
    assert answer.status_code == 200
    (after,) = documents(caller, [made["id"]])
    assert (after["action"], after["severity_number"], after["value"]) == ("detect", 30, HASH)
    wrong = {"id": made["id"], "severity": ""}
    assert caller.send("PATCH", ENTITIES, json={"indicators": [wrong]}).status_code == 400
    assert caller.send("PATCH", ENTITIES, json={"indicators": [{"id": "x"}]}).status_code == 404
    assert caller.send("DELETE", ENTITIES, params={"ids": [made["id"], "x"]}).status_code == 404
    deleted = caller.send("DELETE", ENTITIES, params={"ids": [made["id"]], "comment": "c"})
    assert (deleted.status_code, deleted.json()["resources"]) == (200, [made["id"]])
    assert found(caller) == []
    assert caller.send("DELETE", ENTITIES).status_code == 400


def test_an_expired_indicator_stays_without_its_action(start: Start) -> None:
    caller = start(token_seconds=10**6)
    caller.use(caller.login().json()["access_token"])
    now = datetime.fromisoformat(caller.control("POST", "advance", {"seconds": 0}).json()["now"])
    soon = (now + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    (made,) = create(caller, an_indicator(expiration=soon)).json()["resources"]
    caller.control("POST", "advance", {"seconds": 86_400})
    (after,) = documents(caller, [made["id"]])
    assert (after["action"], after["expired"]) == ("no_action", True)
    assert found(caller, "expired:true") == [made["id"]]


def test_indicators_are_paged_by_offset_or_after(start: Start) -> None:
    caller = start()
    assert create(caller, *(an_indicator(value=f"{number:064x}") for number in range(25))).status_code == 201
    first = caller.send("GET", QUERIES, params={"limit": 10}).json()
    seen, after = first["resources"], first["meta"]["pagination"]["after"]
    assert found(caller, limit=10, offset=10) == found(caller, limit=10, after=after)
    while after:
        page = caller.send("GET", QUERIES, params={"limit": 10, "after": after}).json()
        seen, after = seen + page["resources"], page["meta"]["pagination"].get("after")
    assert sorted(seen) == sorted(caller.tenant.indicators.by_id)
    for params, status in (({"offset": 1, "after": "x"}, 400), ({"offset": 10_001}, 500), ({"limit": 501}, 400)):
        assert caller.send("GET", QUERIES, params=params).status_code == status


def test_indicators_have_their_own_scopes(start: Start) -> None:
    caller = start(scopes="alerts:read alerts:write ioc:read")
    assert found(caller) == []
    answer = create(caller, an_indicator())
    assert (answer.status_code, message(answer)) == (403, "access denied, scope not permitted")
    caller.tenant.switches.scopes = "alerts:read"
    assert caller.send("GET", QUERIES).status_code == 403


def test_each_cid_has_its_own_indicators(start: Start) -> None:
    parent = start(children=1)
    create(parent, an_indicator())
    child = Caller(parent.server, parent.tenant, member_cid=parent.tenant.children[0])
    assert found(child) == []
    assert create(child, an_indicator()).status_code == 201
    assert len(parent.control("GET", "indicators").text.splitlines()) == 2
    child.session.close()


def test_a_batch_has_at_most_2000_indicators_and_must_be_readable(start: Start) -> None:
    caller = start()
    assert create(caller).status_code == 400
    assert create(caller, *[an_indicator()] * 2001).status_code == 400
    assert create(caller, an_indicator(platforms="windows")).status_code == 400
    assert caller.send("POST", ENTITIES, data="{").status_code == 400


def test_indicators_are_sorted_and_paged_in_that_order(start: Start) -> None:
    caller = start()
    severities = ("high", "low", "critical", "medium") * 5
    drafts = [
        an_indicator(value=f"{number:064x}", action="detect", severity=severity, source=f"s{number % 3}")
        for number, severity in enumerate(severities)
    ]
    assert create(caller, *drafts, an_indicator(value="f" * 64)).status_code == 201
    for sort, name, down in (
        ("severity_number.desc", "severity_number", True),
        ("severity_number|asc", "severity_number", False),
        ("value.desc", "value", True),
        ("source|desc", "source", True),
        ("modified_on.asc", "modified_on", False),
        ("expiration.asc", "id", False),
        ("nothing.desc", "id", False),
    ):
        seen: list[str] = []
        after = ""
        while True:
            params = {"limit": 4, "sort": sort} | ({"after": after} if after else {})
            page = caller.send("GET", QUERIES, params=params).json()
            seen += page["resources"]
            if not (after := page["meta"]["pagination"].get("after", "")):
                break
        assert sorted(seen) == sorted(caller.tenant.indicators.by_id)
        by_id = {document["id"]: document for document in documents(caller, seen)}
        values = [by_id[indicator_id][name] for indicator_id in seen]
        assert values == sorted(values, reverse=down)


def test_indicators_are_filtered_by_the_name_of_their_file(start: Start) -> None:
    caller = start()
    create(caller, an_indicator(metadata={"filename": "a.exe"}), an_indicator(value="c" * 64))
    assert len(found(caller, "metadata.filename.raw:'a.exe'")) == 1
    assert len(found(caller, "*")) == 2


def test_indicators_are_deleted_by_a_filter_which_beats_ids(start: Start) -> None:
    caller = start()
    create(caller, an_indicator(source="mcp"), an_indicator(value="c" * 64))
    (kept,) = found(caller, f"value:'{'c' * 64}'")
    (gone,) = found(caller, "source:'mcp'")
    answer = caller.send("DELETE", ENTITIES, params={"filter": "source:'mcp'", "ids": [kept], "comment": "x"})
    assert (answer.status_code, answer.json()["resources"]) == (200, [gone])
    assert found(caller) == [kept]
    assert caller.send("DELETE", ENTITIES, params={"filter": "source"}).status_code == 400


@pytest.mark.parametrize("mode", ["hidden", "shown"])
def test_a_child_sees_its_parents_indicators_with_from_parent(start: Start, mode: str) -> None:
    parent = start(children=1, parent_indicators=mode)
    create(parent, an_indicator())
    child = Caller(parent.server, parent.tenant, member_cid=parent.tenant.children[0])
    (theirs,) = found(child, from_parent="true")
    assert found(child) == ([theirs] if mode == "shown" else [])
    assert found(child, from_parent="false") == []
    assert [document["from_parent"] for document in documents(child, [theirs])] == [True]
    assert [document["from_parent"] for document in documents(parent, [theirs])] == [False]
    assert found(parent, from_parent="true") == []
    assert child.send("DELETE", ENTITIES, params={"ids": [theirs]}).status_code == 404
    assert child.send("DELETE", ENTITIES, params={"ids": [theirs], "from_parent": "true"}).status_code == 404
    child.session.close()


@pytest.mark.parametrize("mode", ["resources", "errors"])
def test_a_refused_creation_names_its_problems_in_resources_or_errors(start: Start, mode: str) -> None:
    caller = start(indicator_problems=mode)
    create(caller, an_indicator())
    answer = create(caller, an_indicator(value="c" * 64), an_indicator()).json()
    problems = answer[mode]
    assert [problem["row"] for problem in problems] == [2]
    assert "Duplicate type: 'sha256'" in problems[0]["message"]
    assert ("resources" in answer) is (mode == "resources")
