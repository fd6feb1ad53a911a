"""What is done about each thing that can happen to a request, by the number of requests that leave."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
import urllib3

from falcon_bulk.errors import (
    AnswerLost,
    BadFilter,
    ExitCode,
    LoginRefused,
    MissingScope,
    Rejected,
    Stopped,
    Unreachable,
)
from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.model.plan import Action
from tests.support.fake_clock import FakeClock
from tests.support.scripted_falcon import (
    COMBINED,
    ENTITIES,
    LOGIN_PATH,
    PATCH,
    QUERY,
    Reply,
    ScriptedFalcon,
    an_envelope,
    broken,
    good,
    logged_in,
    refused,
)

WAY = (Action("update_status", "closed"), Action("append_comment", "Set to closed"))

not_connected = urllib3.exceptions.NewConnectionError(urllib3.connection.HTTPConnection("acme"), "refused")
REFUSED_CONNECTION = requests.ConnectionError(urllib3.exceptions.MaxRetryError(None, "/", not_connected))  # type: ignore[arg-type]
CONNECT_TIMEOUT = requests.ConnectTimeout("too slow")
NO_NAME = requests.ConnectionError(
    urllib3.exceptions.MaxRetryError(  # type: ignore[arg-type]
        None,
        "/",
        urllib3.exceptions.NameResolutionError("acme", urllib3.connection.HTTPConnection("acme"), OSError()),  # type: ignore[arg-type]
    )
)
RESET = requests.ConnectionError(urllib3.exceptions.ProtocolError("Connection aborted.", ConnectionResetError(104)))
READ_TIMEOUT = requests.ReadTimeout("too slow")
CUT = requests.exceptions.ChunkedEncodingError(urllib3.exceptions.IncompleteRead(3, 9))
TLS_BROKE_OFF = requests.exceptions.SSLError(
    urllib3.exceptions.MaxRetryError(None, "/", urllib3.exceptions.SSLError("EOF occurred in violation of protocol"))  # type: ignore[arg-type]
)
PROXY_BROKE_OFF = requests.exceptions.ProxyError(
    urllib3.exceptions.MaxRetryError(  # type: ignore[arg-type]
        None, "/", urllib3.exceptions.ProxyError("Unable to connect to proxy", ConnectionResetError(104))
    )
)
PROXY_AWAY = requests.exceptions.ProxyError(
    urllib3.exceptions.MaxRetryError(None, "/", urllib3.exceptions.ProxyError("Unable to connect", not_connected))  # type: ignore[arg-type]
)
PROXY_REFUSES = requests.exceptions.ProxyError(
    urllib3.exceptions.MaxRetryError(  # type: ignore[arg-type]
        None, "/", urllib3.exceptions.ProxyError("no", OSError("Tunnel connection failed: 503 Service Unavailable"))
    )
)

NEVER_LEFT = {
    "connection refused": REFUSED_CONNECTION,
    "connect timeout": CONNECT_TIMEOUT,
    "unknown host": NO_NAME,
    "proxy away": PROXY_AWAY,
    "proxy opens no tunnel": PROXY_REFUSES,
}
PERHAPS_APPLIED = {
    "500": refused(500),
    "502": Reply(502, "<html>Bad Gateway</html>"),
    "503": refused(503),
    "504": Reply(504, ""),
    "reset": broken(RESET),
    "read timeout": broken(READ_TIMEOUT),
    "cut": broken(CUT),
    "TLS broke off": broken(TLS_BROKE_OFF),
    "proxy broke off": broken(PROXY_BROKE_OFF),
    "empty 200": Reply(200, ""),
    "half of the JSON": Reply(200, '{"meta": {"trace_id": "t"}, "resou'),
    "HTML with 200": Reply(200, "<html>Please log in to the network</html>"),
    "JSON of something else": Reply(200, {"ok": True}),
    "JSON that is no object": Reply(200, "[]"),
    "not UTF-8": Reply(200, b'{"meta": {"trace_id": "\xff"}}'),
}


def by_name(cases: dict[str, Any]) -> Any:
    return pytest.mark.parametrize("event", cases.values(), ids=cases.keys())


# What can be sent again


@by_name(NEVER_LEFT)
def test_a_request_that_was_not_sent_is_retried_for_reads_and_changes(
    event: Exception, falcon: ScriptedFalcon, tenant: Tenant
) -> None:
    falcon.answer(QUERY, broken(event), broken(event), good(total=7))
    falcon.answer(PATCH, broken(event), Reply(200, an_envelope(writes={"resources_affected": 1})))
    assert tenant.alerts.count("") == 7
    assert tenant.alerts.update(["a"], WAY).affected == 1
    assert len(falcon.to(QUERY)) == 3
    assert len(falcon.to(PATCH)) == 2


@by_name(PERHAPS_APPLIED)
def test_a_read_without_a_usable_answer_is_retried(event: Reply, falcon: ScriptedFalcon, tenant: Tenant) -> None:
    for path, read in {
        QUERY: lambda: tenant.alerts.count("") == 1,
        COMBINED: lambda: tenant.alerts.page("").total == 1,
        ENTITIES: lambda: len(tenant.alerts.by_id(["a"])) == 1,
    }.items():
        falcon.answer(path, event, good([{"composite_id": "a"}], total=1))
        assert read()
        assert len(falcon.to(path)) == 2


@by_name(PERHAPS_APPLIED)
def test_a_change_without_a_usable_answer_is_sent_once_and_reported_lost(
    event: Reply, falcon: ScriptedFalcon, tenant: Tenant, timing: FakeClock
) -> None:
    falcon.answer(PATCH, event)
    with pytest.raises(AnswerLost):
        tenant.alerts.update(["a"], WAY)
    assert len(falcon.to(PATCH)) == 1
    assert timing.waits == []


def test_a_lost_answer_keeps_its_status_and_trace_id_for_support(falcon: ScriptedFalcon, tenant: Tenant) -> None:
    falcon.answer(PATCH, Reply(500, an_envelope(), {"X-Cs-Traceid": "trace-9"}))
    with pytest.raises(AnswerLost) as caught:
        tenant.alerts.update(["a"], WAY)
    assert (caught.value.status, caught.value.trace_id) == (500, "trace-9")


# Bounds


@by_name({name: reply for name, reply in PERHAPS_APPLIED.items() if name in ("503", "reset", "empty 200")})
def test_a_server_that_never_answers_well_gets_five_requests_and_exit_5(
    event: Reply, falcon: ScriptedFalcon, tenant: Tenant
) -> None:
    falcon.answer(QUERY, event)
    with pytest.raises(Unreachable) as caught:
        tenant.alerts.count("")
    assert caught.value.exit_code == ExitCode.UNREACHABLE
    assert len(falcon.to(QUERY)) == 5


def test_many_calls_share_one_budget_of_retries(falcon: ScriptedFalcon, tenant: Tenant) -> None:
    falcon.answer(QUERY, refused(503))
    calls = 40
    for _ in range(calls):
        with pytest.raises(Unreachable):
            tenant.alerts.count("")
    assert len(falcon.to(QUERY)) <= calls + 10


def test_good_answers_earn_retries_back(falcon: ScriptedFalcon, tenant: Tenant) -> None:
    one_in_three = (good(), good(), refused(503))
    falcon.answer(QUERY, *one_in_three * 20, good())
    for _ in range(40):
        tenant.alerts.count("")
    assert len(falcon.to(QUERY)) == 59


def test_backoff_grows_with_full_jitter_up_to_its_cap(
    falcon: ScriptedFalcon, tenant: Tenant, timing: FakeClock
) -> None:
    falcon.answer(QUERY, refused(503))
    with pytest.raises(Unreachable):
        tenant.alerts.count("")
    assert timing.waits == [0.5, 1.0, 2.0, 4.0]  # the fake's chance is 1: the upper ends


def test_a_stop_ends_the_wait_for_the_next_try(falcon: ScriptedFalcon, tenant: Tenant, timing: FakeClock) -> None:
    falcon.answer(QUERY, refused(503))
    timing.stop_in_wait = True
    with pytest.raises(Stopped):
        tenant.alerts.count("")
    assert len(falcon.to(QUERY)) == 1


def test_after_a_stop_no_request_is_sent(falcon: ScriptedFalcon, tenant: Tenant, timing: FakeClock) -> None:
    falcon.answer(QUERY, good())
    timing.stopping = True
    with pytest.raises(Stopped):
        tenant.alerts.count("")
    assert falcon.to(QUERY) == []


# Final words


@pytest.mark.parametrize(
    ("call", "path", "scope"),
    [
        (lambda tenant: tenant.alerts.count(""), QUERY, "Alerts: Read"),
        (lambda tenant: tenant.alerts.page(""), COMBINED, "Alerts: Read"),
        (lambda tenant: tenant.alerts.by_id(["a"]), ENTITIES, "Alerts: Read"),
        (lambda tenant: tenant.alerts.update(["a"], WAY), PATCH, "Alerts: Write"),
    ],
)
def test_a_403_stops_at_once_and_names_the_missing_scope(
    call: Callable[[Tenant], object], path: str, scope: str, falcon: ScriptedFalcon, tenant: Tenant
) -> None:
    falcon.answer(path, refused(403, "access denied, authorization failed"))
    with pytest.raises(MissingScope) as caught:
        call(tenant)
    assert scope in caught.value.message
    assert scope in caught.value.hint
    assert caught.value.exit_code == ExitCode.ACCESS
    assert len(falcon.to(path)) == 1


@pytest.mark.parametrize("status", [400, 404, 413])
def test_a_rejected_change_is_not_retried(status: int, falcon: ScriptedFalcon, tenant: Tenant) -> None:
    falcon.answer(PATCH, refused(status, "request too large"))
    with pytest.raises(Rejected) as caught:
        tenant.alerts.update(["a"], WAY)
    assert not isinstance(caught.value, BadFilter)
    assert (caught.value.status, caught.value.trace_id) == (status, "trace-1")
    assert "request too large" in caught.value.message
    assert len(falcon.to(PATCH)) == 1


@pytest.mark.parametrize("status", [404, 413])
def test_a_rejected_read_is_not_retried(status: int, falcon: ScriptedFalcon, tenant: Tenant) -> None:
    falcon.answer(QUERY, refused(status))
    with pytest.raises(Rejected):
        tenant.alerts.count("")
    assert len(falcon.to(QUERY)) == 1


def test_a_400_to_a_search_is_about_its_filter_and_a_usage_error(falcon: ScriptedFalcon, tenant: Tenant) -> None:
    falcon.answer(QUERY, refused(400, "unparsable filter near 'x'"))
    with pytest.raises(BadFilter) as caught:
        tenant.alerts.count("status:")
    assert caught.value.exit_code == ExitCode.USAGE
    assert "unparsable filter near 'x'" in caught.value.message
    assert len(falcon.to(QUERY)) == 1


@pytest.mark.parametrize("path", [QUERY, PATCH])
def test_a_redirect_of_anything_but_the_login_is_not_followed(
    path: str, falcon: ScriptedFalcon, tenant: Tenant
) -> None:
    falcon.answer(path, Reply(308, "", {"Location": f"https://api.crowdstrike.com{path}"}))
    with pytest.raises(Rejected) as caught:
        tenant.alerts.count("") if path == QUERY else tenant.alerts.update(["a"], WAY)
    assert "region" in caught.value.hint
    assert len(falcon.to(path)) == 1
    assert {call.host for call in falcon.calls} == {"api.us-2.crowdstrike.com"}


def test_an_html_error_is_shown_without_its_markup(falcon: ScriptedFalcon, tenant: Tenant) -> None:
    falcon.answer(QUERY, Reply(403, "<html><script>alert(1)</script></html>"))
    with pytest.raises(MissingScope) as caught:
        tenant.alerts.count("")
    assert "<" not in caught.value.message


# Errors inside of a 200


@pytest.mark.parametrize("errors", [None, [], "absent"])
def test_errors_may_be_null_empty_or_absent(errors: Any, falcon: ScriptedFalcon, tenant: Tenant) -> None:
    body = an_envelope(["id-1"], total=1)
    if errors == "absent":
        del body["errors"]
    else:
        body["errors"] = errors
    falcon.answer(QUERY, Reply(200, body))
    assert tenant.alerts.ids("") == (["id-1"], 1)


@pytest.mark.parametrize("code", [429, 500])
def test_a_200_with_a_transient_error_and_no_resources_is_retried(
    falcon: ScriptedFalcon, tenant: Tenant, code: int
) -> None:
    falcon.answer(QUERY, good([], errors=[{"code": code, "message": "shard failure"}]), good(total=5))
    assert tenant.alerts.count("") == 5


def test_a_200_that_reports_a_bad_filter_is_a_bad_filter(falcon: ScriptedFalcon, tenant: Tenant) -> None:
    falcon.answer(QUERY, good([], errors=[{"code": 400, "message": "bad"}]))
    with pytest.raises(BadFilter):
        tenant.alerts.count("x")


def test_unknown_ids_are_missing_whether_falcon_names_them_or_not(falcon: ScriptedFalcon, tenant: Tenant) -> None:
    named = [{"code": 404, "message": "alert not found", "id": "b"}]
    falcon.answer(ENTITIES, good([{"composite_id": "a"}], errors=named))
    assert [bytes(raw) for raw in tenant.alerts.by_id(["a", "b"])] == [b'{"composite_id": "a"}']
    falcon.answer(ENTITIES, good([], errors=named))
    assert tenant.alerts.by_id(["b"]) == []
    falcon.answer(ENTITIES, good([]))
    assert tenant.alerts.by_id(["b"]) == []


@pytest.mark.parametrize("code", [429, 503])
def test_alerts_missing_because_of_a_transient_error_are_an_error(
    falcon: ScriptedFalcon, tenant: Tenant, code: int
) -> None:
    falcon.answer(ENTITIES, good([{"composite_id": "a"}], errors=[{"code": code, "message": "shard failure"}]))
    with pytest.raises(Unreachable, match="shard failure"):
        tenant.alerts.by_id(["a", "b"])


@pytest.mark.parametrize(
    ("meta", "affected"),
    [
        ({"writes": {"resources_affected": 0}}, 0),
        ({"writes": {}}, None),
        ({"writes": None}, None),
        ({}, None),
        ({"writes": {"resources_affected": "two"}}, None),
    ],
)
def test_a_change_reports_how_many_alerts_it_wrote_or_none(
    meta: dict[str, Any], affected: int | None, falcon: ScriptedFalcon, tenant: Tenant
) -> None:
    falcon.answer(PATCH, Reply(200, an_envelope(errors=[{"code": 400, "message": "no", "id": "b"}], **meta)))
    written = tenant.alerts.update(["a", "b"], WAY)
    assert written.affected == affected
    assert [(problem.status, problem.text, problem.id) for problem in written.problems] == [(400, "no", "b")]


def test_an_error_of_a_change_without_code_or_text_is_kept(falcon: ScriptedFalcon, tenant: Tenant) -> None:
    falcon.answer(PATCH, Reply(200, an_envelope(errors=[{"code": "x", "message": {"a": 1}}, {}])))
    problems = tenant.alerts.update(["a"], WAY).problems
    assert [problem.status for problem in problems] == [0, 0]
    assert problems[1].text == ""


# Logging in


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_wrong_secret_costs_one_login_and_nothing_else(
    status: int, falcon: ScriptedFalcon, timing: FakeClock
) -> None:
    falcon.answer(LOGIN_PATH, refused(status, "Failed to issue access token - Client authentication failed"))
    with pytest.raises(LoginRefused) as caught, logged_in(timing):
        pass
    assert caught.value.exit_code == ExitCode.ACCESS
    assert [call.path for call in falcon.calls] == [LOGIN_PATH]


def test_a_login_from_an_address_that_is_not_allowed_hints_at_the_allow_list(
    falcon: ScriptedFalcon, timing: FakeClock
) -> None:
    falcon.answer(LOGIN_PATH, refused(403, "access denied, authorization failed"))
    with pytest.raises(LoginRefused) as caught, logged_in(timing):
        pass
    assert "allow-list" in caught.value.hint


@by_name(
    {
        "503": refused(503),
        "HTML": Reply(201, "<html>"),
        "no token": Reply(201, {}),
        "blank token": Reply(201, {"access_token": "", "expires_in": 1799}),
        "reset": broken(RESET),
    }
)
def test_a_login_without_a_usable_answer_is_tried_five_times(
    event: Reply, falcon: ScriptedFalcon, timing: FakeClock
) -> None:
    falcon.answer(LOGIN_PATH, event)
    with pytest.raises(Unreachable) as caught, logged_in(timing):
        pass
    assert caught.value.exit_code == ExitCode.UNREACHABLE
    assert falcon.logins == 5
    assert len(falcon.calls) == 5
