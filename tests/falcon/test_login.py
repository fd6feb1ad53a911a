"""One token for all threads: when it is got, renewed and given up."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
import responses

from falcon_bulk.config.secret import Secret
from falcon_bulk.errors import BadEnvFile, ExitCode, LoginRefused, Refused, Unreachable, WrongTenant
from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.model.plan import Action
from tests.support.fake_clock import FakeClock
from tests.support.scripted_falcon import (
    BASE,
    CID,
    COMBINED,
    LOGIN_PATH,
    PATCH,
    QUERY,
    SECRET,
    TOKEN,
    Reply,
    ScriptedFalcon,
    a_token,
    good,
    logged_in,
    moved_to,
    refused,
    some_settings,
)


def bearers(falcon: ScriptedFalcon, path: str = QUERY) -> list[str]:
    return [call.headers["Authorization"].removeprefix(f"Bearer {TOKEN}-") for call in falcon.to(path)]


def test_the_login_sends_the_credentials_as_a_form_and_names_no_member_unless_told(
    falcon: ScriptedFalcon, timing: FakeClock
) -> None:
    with logged_in(timing):
        pass
    (login,) = falcon.calls
    assert (login.method, login.url) == ("POST", BASE + LOGIN_PATH)
    assert login.form == {"client_id": ["acme-id"], "client_secret": [SECRET]}
    assert "Authorization" not in login.headers


def test_a_member_cid_goes_along_with_the_login(falcon: ScriptedFalcon, timing: FakeClock) -> None:
    with logged_in(timing, some_settings(member_cid="9" * 32)):
        pass
    assert falcon.calls[0].form["member_cid"] == ["9" * 32]


@pytest.mark.parametrize(
    "fields", [{"client_secret": Secret("")}, {"client_secret": Secret(" \t")}, {"client_id": " "}]
)
def test_blank_credentials_send_nothing_whatever_is_in_the_process_environment(
    fields: dict[str, Any], falcon: ScriptedFalcon, timing: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FALCON_CLIENT_ID", "globex-id")
    monkeypatch.setenv("FALCON_CLIENT_SECRET", "globex-secret")
    with pytest.raises(BadEnvFile) as caught, logged_in(timing, some_settings(**fields)):
        pass
    assert caught.value.exit_code == ExitCode.ACCESS
    assert falcon.calls == []


def test_the_credentials_of_another_tenant_in_the_environment_are_never_used(
    falcon: ScriptedFalcon, timing: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in {"CLIENT_ID": "globex-id", "CLIENT_SECRET": "globex-secret", "MEMBER_CID": "8" * 32}.items():
        monkeypatch.setenv(f"FALCON_{key}", value)
    monkeypatch.setenv("FALCON_BASE_URL", "https://api.eu-1.crowdstrike.com")
    monkeypatch.setenv("CS_CLOUD", "eu-1")
    falcon.answer(QUERY, refused(401), good())
    with logged_in(timing) as tenant:
        tenant.alerts.count("")
    assert falcon.logins == 2
    assert "globex" not in repr(falcon.calls)
    assert "8" * 32 not in repr(falcon.calls)
    assert {call.host for call in falcon.calls} == {"api.us-2.crowdstrike.com"}


def test_a_401_logs_in_again_once_and_retries_with_the_new_token(falcon: ScriptedFalcon, timing: FakeClock) -> None:
    falcon.answer(QUERY, refused(401, "access denied, invalid bearer token"), good(total=3))
    with logged_in(timing) as tenant:
        assert tenant.alerts.count("") == 3
    assert falcon.logins == 2
    assert bearers(falcon) == ["1", "2"]


def test_a_change_that_got_a_401_is_sent_again_with_the_new_token(falcon: ScriptedFalcon, timing: FakeClock) -> None:
    falcon.answer(PATCH, refused(401), good())
    with logged_in(timing) as tenant:
        tenant.alerts.update(["a"], (Action("update_status", "closed"),))
    assert falcon.logins == 2
    assert bearers(falcon, PATCH) == ["1", "2"]


def test_a_401_with_a_fresh_token_is_an_error(falcon: ScriptedFalcon, timing: FakeClock) -> None:
    falcon.answer(QUERY, refused(401, "access denied, invalid bearer token"))
    with logged_in(timing) as tenant, pytest.raises(LoginRefused) as caught:
        tenant.alerts.count("")
    assert caught.value.exit_code == ExitCode.ACCESS
    assert (falcon.logins, len(falcon.to(QUERY))) == (2, 2)


def test_threads_whose_token_is_rejected_together_log_in_once(timing: FakeClock) -> None:
    threads = 8
    together = threading.Barrier(threads)
    lock = threading.Lock()
    logins = 0

    def log_in(request: requests.PreparedRequest) -> Any:
        nonlocal logins
        with lock:
            logins += 1
            return a_token(f"token-{logins}").as_responses()

    def answer(request: requests.PreparedRequest) -> Any:
        if request.headers["Authorization"] == "Bearer token-1":
            together.wait(10)
            return refused(401).as_responses()
        return good(total=1).as_responses()

    with responses.RequestsMock() as network:
        network.add_callback("POST", BASE + LOGIN_PATH, log_in)
        network.add_callback("GET", BASE + QUERY, answer)
        with logged_in(timing) as tenant, ThreadPoolExecutor(threads) as pool:
            assert list(pool.map(lambda _: tenant.alerts.count(""), range(threads))) == [1] * threads
    assert logins == 2


def test_the_token_is_renewed_before_it_expires_and_not_earlier(falcon: ScriptedFalcon, timing: FakeClock) -> None:
    with logged_in(timing) as tenant:
        timing.wait(1_600)
        tenant.alerts.count("")
        assert falcon.logins == 1
        timing.wait(100)
        tenant.alerts.count("")
        tenant.alerts.count("")
    assert falcon.logins == 2
    assert bearers(falcon) == ["1", "2", "2"]


class WatchedTiming(FakeClock):
    """Knows which threads have looked at the clock."""

    def __init__(self) -> None:
        super().__init__()
        self.looked: set[int] = set()
        self._changed = threading.Condition()

    def monotonic(self) -> float:
        moment = super().monotonic()
        with self._changed:
            self.looked.add(threading.get_ident())
            self._changed.notify_all()
        return moment

    def until_looked_at_by(self, threads: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.looked) >= threads, 10)


def test_threads_renew_the_token_once_even_if_falcon_gives_the_same_one_again() -> None:
    threads = 8
    timing = WatchedTiming()
    logins = 0

    def log_in(request: requests.PreparedRequest) -> Any:
        nonlocal logins
        logins += 1
        if logins > 1:
            timing.until_looked_at_by(threads)  # all of them have seen that the token is old
        return a_token("same").as_responses()

    with responses.RequestsMock() as network:
        network.add_callback("POST", BASE + LOGIN_PATH, log_in)
        network.add_callback("GET", BASE + QUERY, lambda request: good(total=1).as_responses())
        with logged_in(timing) as tenant, ThreadPoolExecutor(threads) as pool:
            timing.wait(1_700)
            timing.looked.clear()
            assert list(pool.map(lambda _: tenant.alerts.count(""), range(threads))) == [1] * threads
    assert logins == 2


@pytest.mark.parametrize("lifetime", [0, 1, -5])
def test_a_short_lived_token_does_not_cause_a_login_per_request(
    lifetime: int, falcon: ScriptedFalcon, timing: FakeClock
) -> None:
    falcon.answer(LOGIN_PATH, a_token(expires_in=lifetime))
    with logged_in(timing) as tenant:
        for _ in range(5):
            tenant.alerts.count("")
    assert falcon.logins == 1


def test_after_a_failed_renewal_the_next_costs_one_login_and_calls_one_request(
    falcon: ScriptedFalcon, timing: FakeClock
) -> None:
    with logged_in(timing) as tenant:
        timing.wait(1_700)
        falcon.answer(LOGIN_PATH, refused(503))
        with pytest.raises(Unreachable):
            tenant.alerts.count("")
        assert falcon.to(QUERY) == []
        falcon.calls.clear()
        falcon.answer(LOGIN_PATH, a_token("fresh"))
        for _ in range(3):
            tenant.alerts.count("")
    assert [call.path for call in falcon.calls] == [LOGIN_PATH, QUERY, QUERY, QUERY]
    assert {call.headers["Authorization"] for call in falcon.to(QUERY)} == {"Bearer fresh"}


# Where a login may be sent on to


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_login_to_the_wrong_region_follows_the_redirect_and_stays_there(
    status: int, falcon: ScriptedFalcon, timing: FakeClock
) -> None:
    falcon.answer(LOGIN_PATH, moved_to("https://api.eu-1.crowdstrike.com/oauth2/token", status), a_token())
    with logged_in(timing) as tenant:
        assert tenant.cloud == "https://api.eu-1.crowdstrike.com"
        tenant.alerts.count("")
    assert [call.host for call in falcon.calls] == [
        "api.us-2.crowdstrike.com",
        "api.eu-1.crowdstrike.com",
        "api.eu-1.crowdstrike.com",
    ]
    assert falcon.calls[1].form["client_secret"] == [SECRET]


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example/oauth2/token",
        "https://api.crowdstrike.com.evil.example/oauth2/token",
        "http://api.crowdstrike.com/oauth2/token",
        "https://api.laggar.gcw.crowdstrike.com/oauth2/token",
        "https://user@api.crowdstrike.com/oauth2/token",
        "https://api.crowdstrike.com/elsewhere",
        "http://127.0.0.1:9/oauth2/token",
        "",
    ],
)
def test_a_login_is_never_redirected_to_an_unknown_host(
    location: str, falcon: ScriptedFalcon, timing: FakeClock
) -> None:
    falcon.answer(LOGIN_PATH, moved_to(location))
    with pytest.raises(LoginRefused), logged_in(timing):
        pass
    assert len(falcon.calls) == 1


def test_a_redirect_loop_of_a_login_ends(falcon: ScriptedFalcon, timing: FakeClock) -> None:
    falcon.answer(LOGIN_PATH, moved_to("https://api.eu-1.crowdstrike.com/oauth2/token"))
    with pytest.raises(Unreachable, match="loop"), logged_in(timing):
        pass
    assert len(falcon.calls) <= 4


# Whose alerts these credentials see


def newest(cid: str) -> Reply:
    return good([{"composite_id": f"{cid}:ind:1:2-3-4", "cid": cid}], total=1)


def home_of(tenant: Tenant, falcon: ScriptedFalcon, reply: Reply) -> str:
    falcon.answer(COMBINED, reply)
    return tenant.home_cid()


def test_the_home_cid_is_the_expected_one_or_that_of_the_newest_alert(
    falcon: ScriptedFalcon, timing: FakeClock
) -> None:
    with logged_in(timing) as tenant:
        assert home_of(tenant, falcon, newest(CID.upper())) == CID
        assert home_of(tenant, falcon, good([])) == CID
    with logged_in(timing, some_settings(cids=())) as tenant:
        assert home_of(tenant, falcon, newest("9" * 32)) == "9" * 32
        assert home_of(tenant, falcon, good([])) == ""


@pytest.mark.parametrize("cid", ["../../etc/cron.d/acme", "a/b", "\x1b[2J", "a" * 65, ".."])
def test_what_cannot_be_a_cid_names_no_journal(cid: str, falcon: ScriptedFalcon, timing: FakeClock) -> None:
    with logged_in(timing, some_settings(cids=())) as tenant, pytest.raises(WrongTenant, match="is no CID"):
        home_of(tenant, falcon, newest(cid))


def test_credentials_of_another_customer_are_noticed_before_anything_is_changed(
    falcon: ScriptedFalcon, timing: FakeClock
) -> None:
    with logged_in(timing) as tenant, pytest.raises(WrongTenant) as caught:
        home_of(tenant, falcon, newest("9" * 32))
    assert caught.value.exit_code == ExitCode.ACCESS
    assert "9" * 32 in caught.value.message
    assert CID in caught.value.message


def test_a_run_of_another_cid_or_cloud_is_refused(falcon: ScriptedFalcon, timing: FakeClock) -> None:
    falcon.answer(COMBINED, newest(CID))
    with logged_in(timing) as tenant:
        tenant.check_run_tenant((CID,), BASE)
        for cids, cloud in [(("9" * 32,), BASE), ((CID,), "https://api.eu-1.crowdstrike.com")]:
            with pytest.raises(Refused):
                tenant.check_run_tenant(cids, cloud)


def in_region(region: str) -> Reply:
    reply = a_token()
    reply.headers = {"X-Cs-Region": region}
    return reply


def hosts(falcon: ScriptedFalcon) -> list[str]:
    return [call.host for call in falcon.to(LOGIN_PATH)]


def test_a_201_that_names_another_commercial_region_is_followed_and_told(
    falcon: ScriptedFalcon, timing: FakeClock
) -> None:
    falcon.answer(LOGIN_PATH, in_region("us-1"), in_region("us-1"))
    falcon.answer(QUERY, good(total=3))
    with logged_in(timing) as tenant:
        assert tenant.alerts.count("") == 3
        assert tenant.cloud == "https://api.crowdstrike.com"
        assert tenant.moved == "This customer's region is us-1, not us-2: FALCON_BASE_URL=us-1 saves a request."
    assert hosts(falcon) == ["api.us-2.crowdstrike.com", "api.crowdstrike.com"]
    assert falcon.to(QUERY)[0].host == "api.crowdstrike.com"


@pytest.mark.parametrize(
    ("base_url", "region"),
    [
        (BASE, "us-gov-1"),
        (BASE, "us-2"),
        (BASE, "us-9"),
        (BASE, ""),
        ("https://api.laggar.gcw.crowdstrike.com", "us-1"),
        ("https://falcon.example.test", "us-1"),
        ("http://127.0.0.1:9", "us-1"),
    ],
)
def test_no_login_moves_to_or_from_a_government_cloud_or_another_host(
    base_url: str, region: str, falcon: ScriptedFalcon, timing: FakeClock
) -> None:
    falcon.answer(LOGIN_PATH, in_region(region))
    with logged_in(timing, some_settings(base_url=base_url)) as tenant:
        assert tenant.moved == ""
    assert falcon.logins == 1


def test_regions_that_name_each_other_end_the_login(falcon: ScriptedFalcon, timing: FakeClock) -> None:
    falcon.answer(LOGIN_PATH, in_region("us-1"), in_region("us-2"), in_region("us-1"), in_region("us-2"))
    with pytest.raises(Unreachable, match="in a loop"), logged_in(timing):
        pass
    assert falcon.logins == 3
