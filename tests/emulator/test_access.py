"""Logging in, tokens, scopes and children."""

import base64

import pytest

from tests.support.http_caller import QUERIES, Caller, message

from .conftest import Start


def test_a_login_answers_201_and_a_token_that_lives_1799_seconds(shared: Caller) -> None:
    answer = shared.login()
    assert answer.status_code == 201
    assert answer.json().keys() == {"access_token", "expires_in", "token_type"}
    assert (answer.json()["expires_in"], answer.json()["token_type"]) == (1799, "bearer")
    assert answer.headers["X-Ratelimit-Limit"] == "300"


@pytest.mark.parametrize(
    ("wrong_secret", "text"),
    [(403, "Failed to issue access token - Client authentication"), (400, "Failed to generate access token")],
)
def test_a_wrong_secret_is_refused_in_both_wordings(start: Start, wrong_secret: int, text: str) -> None:
    answer = start(login=False, wrong_secret=wrong_secret).login(client_secret="no")
    assert answer.status_code == wrong_secret
    assert message(answer).startswith(text)
    assert answer.json()["meta"]["powered_by"] == "csam"


def test_a_login_without_a_form_or_a_field_is_malformed(shared: Caller) -> None:
    assert shared.send("POST", "/oauth2/token", json={"client_id": "a"}).status_code == 400
    assert shared.send("POST", "/oauth2/token", data={"client_id": "a"}).status_code == 400
    assert shared.login(client_secret="").status_code == 400


def test_an_address_outside_the_allow_list_cannot_log_in(start: Start) -> None:
    answer = start(login=False, ip_allowed=False).login()
    assert (answer.status_code, message(answer)) == (403, "access denied, authorization failed")


def test_a_call_without_a_valid_token_is_401(start: Start) -> None:
    caller = start(login=False)
    for value in ("Bearer None", "Bearer ", "Basic abc", ""):
        answer = caller.send("GET", QUERIES, headers={"Authorization": value})
        assert (answer.status_code, message(answer)) == (401, "access denied, invalid bearer token")


def test_a_token_expires(start: Start) -> None:
    caller = start()
    caller.control("POST", "advance", {"seconds": 1750})
    assert caller.query().status_code == 200
    caller.control("POST", "advance", {"seconds": 50})
    assert caller.query().status_code == 401


def test_a_revoked_token_is_invalid(start: Start) -> None:
    caller = start()
    token = caller.session.headers["Authorization"].split()[1]
    pair = base64.b64encode(f"{caller.tenant.client_id}:{caller.tenant.client_secret}".encode()).decode()
    for basic, status in (("Basic bm8=", 403), ("Basic ?", 403), (f"Basic {pair}", 200)):
        answer = caller.send("POST", "/oauth2/revoke", data={"token": token}, headers={"Authorization": basic})
        assert answer.status_code == status
    assert caller.query().status_code == 401


@pytest.mark.parametrize("scopes", ["alerts:read", "ioc:read ioc:write"])
def test_a_missing_scope_is_403(start: Start, scopes: str) -> None:
    caller = start(scopes=scopes)
    assert caller.query().status_code == (200 if "alerts:read" in scopes else 403)
    answer = caller.patch(["x"], ("update_status", "closed"))
    assert (answer.status_code, message(answer)) == (403, "access denied, scope not permitted")


@pytest.mark.parametrize(
    ("mode", "refusal"),
    [
        ("scope_403", (403, "access denied, scope not permitted")),
        ("authorization_403", (403, "access denied, authorization failed")),
        ("401", (401, "access denied, invalid bearer token")),
    ],
)
def test_a_missing_scope_is_answered_in_three_forms(start: Start, mode: str, refusal: tuple[int, str]) -> None:
    caller = start(scopes="alerts:read", missing_scope=mode)
    answer = caller.patch(["x"], ("update_status", "closed"))
    assert (answer.status_code, message(answer)) == refusal
    assert caller.query().status_code == 200


def test_a_client_that_is_not_authorized_is_403_in_spite_of_its_scopes(start: Start) -> None:
    answer = start(authorized=False).query()
    assert (answer.status_code, message(answer)) == (403, "access denied, authorization failed")


def test_a_login_may_name_another_region_with_a_token_that_is_refused_here(start: Start) -> None:
    caller = start(login_region="us-2")
    answer = caller.login()
    assert (answer.status_code, answer.headers["X-Cs-Region"]) == (201, "us-2")
    caller.use(answer.json()["access_token"])
    refused = caller.query()
    assert (refused.status_code, refused.headers["X-Cs-Region"]) == (401, "us-1")


def test_a_tenant_may_name_no_region(start: Start) -> None:
    caller = start(region="none")
    for answer in (caller.query(), caller.login(), caller.send("GET", "/nowhere")):
        assert "X-Cs-Region" not in answer.headers
        assert answer.headers["X-Cs-Traceid"]


def test_every_answer_names_its_region_and_trace(start: Start) -> None:
    caller = start(region="eu-1")
    good, refused, unknown = caller.query(), caller.query("status"), caller.send("GET", "/nowhere")
    for answer in (good, refused, unknown, caller.login(), caller.login(client_secret="no")):
        assert answer.headers["X-Cs-Region"] == "eu-1"
        trace = answer.headers["X-Cs-Traceid"]
        assert answer.json().get("meta", {"trace_id": trace})["trace_id"] == trace
    assert good.headers["X-Cs-Traceid"] != refused.headers["X-Cs-Traceid"]


def test_a_child_token_sees_only_its_child(start: Start) -> None:
    parent = start(children=2)
    tenant = parent.tenant
    everything = parent.ids()
    assert {composite_id.split(":")[0] for composite_id in everything} == {tenant.cid, *tenant.children}
    child = Caller(parent.server, tenant, member_cid=tenant.children[0])
    assert {composite_id.split(":")[0] for composite_id in child.ids()} == {tenant.children[0]}
    assert child.entities(everything[:1000]).json()["resources"]
    foreign = [composite_id for composite_id in everything if not composite_id.startswith(tenant.children[0])]
    assert child.entities(foreign).json()["resources"] == []
    assert child.patch(foreign[:1], ("update_status", "closed")).json()["errors"][0]["code"] == 404
    child.session.close()


@pytest.mark.parametrize(("mode", "status"), [("exact", 403), ("any_case", 201)])
def test_a_member_cid_may_have_to_be_exact(start: Start, mode: str, status: int) -> None:
    caller = start(login=False, children=1, member_cid=mode)
    assert caller.login(member_cid=caller.tenant.children[0].upper() + "-7F").status_code == status


def test_a_foreign_member_cid_is_403(start: Start) -> None:
    caller = start(login=False)
    assert caller.login(member_cid="f" * 32).status_code == 403


def test_a_parent_that_does_not_see_its_children_sees_itself(start: Start) -> None:
    caller = start(children=1, parent_sees_children=False)
    assert {composite_id.split(":")[0] for composite_id in caller.ids()} == {caller.tenant.cid}
