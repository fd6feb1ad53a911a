"""What the client layer leans on in FalconPy, and the traps it steps around.

A new FalconPy that fails one of these may well be fine; read falcon/transport.py and falcon/tenant.py against it.
"""

import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import falconpy
import pytest
import requests

BASE = "https://api.us-2.crowdstrike.com"
PATCH_BODY = {"composite_ids": ["a"], "action_parameters": [{"name": "update_status", "value": "closed"}]}


class Answer:
    """All that a response needs to have: headers, status_code, json()."""

    def __init__(self, status_code: int, body: dict[str, Any]) -> None:
        self.status_code = status_code
        self.headers = {"Content-Type": "application/json"}
        self._body = body

    def json(self) -> dict[str, Any]:
        return self._body


class Session:
    """A session that FalconPy is given: it remembers the calls, and answers or raises."""

    def __init__(self, expires_in: int = 10**9) -> None:
        self.calls: list[tuple[str, str, dict[str, Any]]] = []
        self.expires_in = expires_in
        self.fails: BaseException | None = None
        self.closed = False

    def request(self, method: str, url: str, **options: Any) -> Answer:
        self.calls.append((method, url, options))
        if self.fails:
            raise self.fails
        if url.endswith("/oauth2/token"):
            return Answer(201, {"access_token": "token", "expires_in": self.expires_in})
        return Answer(200, {})

    def close(self) -> None:
        self.closed = True


def an_auth(session: Any, **fields: Any) -> Any:
    usual = {"client_id": "acme-id", "client_secret": "acme-secret", "member_cid": None, "base_url": BASE}
    return falconpy.OAuth2(**usual | fields, user_agent="falcon-bulk/test", session=session)


def an_api(session: Session) -> falconpy.Alerts:
    auth = an_auth(session)
    auth.login()
    api = falconpy.Alerts(auth_object=auth)
    session.calls.clear()
    return api


def test_the_installed_falconpy_is_the_version_these_tests_are_for() -> None:
    assert version("crowdstrike-falconpy").startswith("1.6.")


def test_making_the_objects_sends_nothing_and_a_login_sends_one_form() -> None:
    session = Session()
    auth = an_auth(session)
    assert session.calls == []
    auth.login()
    falconpy.Alerts(auth_object=auth)
    ((method, url, options),) = session.calls
    assert (method, url) == ("POST", f"{BASE}/oauth2/token")
    assert options["data"] == {"client_id": "acme-id", "client_secret": "acme-secret"}
    assert options["json"] in (None, {})


def test_credentials_given_directly_win_over_those_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FALCON_CLIENT_ID", "globex-id")
    monkeypatch.setenv("FALCON_CLIENT_SECRET", "globex-secret")
    auth = an_auth(Session())
    assert auth.auth_style == "DIRECT"
    assert auth.creds == {"client_id": "acme-id", "client_secret": "acme-secret"}


@pytest.mark.parametrize("secret", ["", None])
def test_trap_a_blank_secret_takes_the_credentials_of_the_environment(
    secret: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FALCON_CLIENT_ID", "globex-id")
    monkeypatch.setenv("FALCON_CLIENT_SECRET", "globex-secret")
    auth = an_auth(Session(), client_secret=secret)
    assert auth.auth_style == "ENVIRONMENT"
    assert auth.creds["client_secret"] == "globex-secret"


@pytest.mark.parametrize(
    ("call", "method", "path", "params", "body"),
    [
        (
            lambda api: api.query_alerts_v2(limit=1, offset=0, include_hidden=True, sort="a|asc", filter="x:'1'"),
            "GET",
            "/alerts/queries/alerts/v2",
            {"limit": 1, "offset": 0, "include_hidden": "true", "sort": "a|asc", "filter": "x:'1'"},
            None,
        ),
        (
            lambda api: api.get_alerts_combined(body={"sort": "a|asc", "limit": 5, "after": "t", "filter": "x"}),
            "POST",
            "/alerts/combined/alerts/v1",
            None,
            {"sort": "a|asc", "limit": 5, "after": "t", "filter": "x"},
        ),
        (
            lambda api: api.get_alerts_v2(body={"composite_ids": ["a"]}, include_hidden=True),
            "POST",
            "/alerts/entities/alerts/v2",
            {"include_hidden": "true"},
            {"composite_ids": ["a"]},
        ),
        (
            lambda api: api.update_alerts_v3(body=PATCH_BODY, include_hidden=True),
            "PATCH",
            "/alerts/entities/alerts/v3",
            {"include_hidden": "true"},
            PATCH_BODY,
        ),
    ],
)
def test_each_operation_is_one_call_of_the_session_with_the_body_as_given(
    call: Callable[[Any], object], method: str, path: str, params: Any, body: Any
) -> None:
    session = Session()
    call(an_api(session))
    ((sent_method, url, options),) = session.calls
    assert (sent_method, url) == (method, BASE + path)
    assert (options["params"] or None) == params
    assert (options["json"] or None) == body
    assert options["headers"]["Authorization"] == "Bearer token"
    assert options["headers"]["User-Agent"] == "falcon-bulk/test"


def test_what_is_passed_along_is_what_the_transport_overrides_or_lets_pass() -> None:
    session = Session()
    an_api(session).query_alerts_v2(limit=1)
    ((_, _, options),) = session.calls
    assert options.keys() == {
        *("params", "headers", "json", "data", "files", "verify"),
        *("allow_redirects", "proxies", "timeout", "stream"),
    }
    assert options["verify"] is True
    assert not options["proxies"]
    assert options["timeout"] is None


def test_only_headers_status_and_json_of_a_response_are_used() -> None:
    assert an_api(Session()).query_alerts_v2(limit=1)["status_code"] == 200


def test_a_token_that_lives_far_ahead_is_never_renewed_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session()
    api = an_api(session)
    ten_years_on = time.time() + 10 * 365 * 86_400
    monkeypatch.setattr(time, "time", lambda: ten_years_on)
    api.query_alerts_v2(limit=1)
    assert len(session.calls) == 1


def test_trap_a_token_near_its_end_is_renewed_by_itself() -> None:
    session = Session(expires_in=60)
    an_api(session).query_alerts_v2(limit=1)
    assert [url.endswith("/oauth2/token") for _, url, _ in session.calls] == [True, False]


def test_trap_after_a_failed_login_every_call_logs_in_first() -> None:
    session = Session()
    api = an_api(session)
    session.fails = requests.ConnectionError()
    api.auth_object.login()
    session.fails = None
    session.expires_in = 0
    session.calls.clear()
    for _ in range(2):
        api.query_alerts_v2(limit=1)
    assert sum(url.endswith("/oauth2/token") for _, url, _ in session.calls) == 2


@pytest.mark.parametrize("error", [requests.ConnectionError("reset"), ValueError("anything"), OSError("anything")])
def test_trap_an_exception_of_the_session_becomes_a_dict_with_status_500(error: Exception) -> None:
    session = Session()
    api = an_api(session)
    session.fails = error
    assert api.query_alerts_v2(limit=1)["status_code"] == 500


def test_a_keyboard_interrupt_passes_through() -> None:
    session = Session()
    api = an_api(session)
    session.fails = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        api.query_alerts_v2(limit=1)


def test_trap_the_short_names_are_the_deprecated_operations() -> None:
    assert falconpy.Alerts.query_alerts is falconpy.Alerts.query_alerts_v1
    assert falconpy.Alerts.get_alerts is falconpy.Alerts.get_alerts_v1
    assert falconpy.Alerts.update_alerts is falconpy.Alerts.update_alerts_v2


def test_the_base_url_can_be_moved_after_the_login() -> None:
    session = Session()
    api = an_api(session)
    api.auth_object.base_url = "https://api.eu-1.crowdstrike.com"
    api.query_alerts_v2(limit=1)
    assert session.calls[0][1].startswith("https://api.eu-1.crowdstrike.com/")


def test_the_session_stays_the_callers_to_close() -> None:
    session = Session()
    an_api(session).query_alerts_v2(limit=1)
    assert not session.closed
