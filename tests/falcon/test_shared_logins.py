"""Logins of one command: the same one is made once, another is another, and the token endpoint's pace is kept."""

import pytest

from falcon_bulk.config.secret import Secret
from falcon_bulk.falcon.responses import Token
from falcon_bulk.falcon.shared_logins import MAX_LOGINS, WINDOW, Login, LoginKey, SharedLogins
from tests.support.fake_clock import FakeClock
from tests.support.scripted_falcon import (
    BASE,
    LOGIN_PATH,
    QUERY,
    ScriptedFalcon,
    a_token,
    good,
    logged_in,
    moved_to,
    refused,
    some_settings,
)


def key(client: str = "a", secret: str = "secret-of-a", member: str = "") -> LoginKey:
    return LoginKey(client, Secret(secret), member, BASE)


def test_two_clients_with_the_same_credentials_log_in_once(falcon: ScriptedFalcon, timing: FakeClock) -> None:
    falcon.answer(QUERY, good(total=3), good(total=4))
    logins = SharedLogins()
    with logged_in(timing, logins=logins) as first, logged_in(timing, logins=logins) as second:
        assert [first.alerts.count(""), second.alerts.count("")] == [3, 4]
    assert falcon.logins == 1
    assert len({call.headers["Authorization"] for call in falcon.to(QUERY)}) == 1


@pytest.mark.parametrize(
    "fields", [{"member_cid": "9" * 32}, {"client_id": "b"}, {"client_secret": Secret("another-one")}]
)
def test_another_member_client_or_secret_is_another_login(
    falcon: ScriptedFalcon, timing: FakeClock, fields: dict[str, str]
) -> None:
    logins = SharedLogins()
    with logged_in(timing, logins=logins), logged_in(timing, some_settings(**fields), logins=logins):
        assert falcon.logins == 2


def test_a_token_that_one_of_them_finds_rejected_is_renewed_for_both(falcon: ScriptedFalcon, timing: FakeClock) -> None:
    falcon.answer(QUERY, refused(401), good(total=1), refused(401), good(total=2))
    logins = SharedLogins()
    with logged_in(timing, logins=logins) as first, logged_in(timing, logins=logins) as second:
        assert [first.alerts.count(""), second.alerts.count("")] == [1, 2]
    assert falcon.logins == 2


def test_a_region_that_one_login_was_moved_to_is_that_of_all(falcon: ScriptedFalcon, timing: FakeClock) -> None:
    falcon.answer(LOGIN_PATH, moved_to(f"https://api.eu-1.crowdstrike.com{LOGIN_PATH}"), a_token())
    logins = SharedLogins()
    with logged_in(timing, logins=logins) as first, logged_in(timing, logins=logins) as second:
        assert first.cloud == second.cloud == "https://api.eu-1.crowdstrike.com"


def test_no_more_logins_are_made_in_a_minute_than_the_endpoint_takes() -> None:
    clock, logins = FakeClock(), SharedLogins()
    for number in range(MAX_LOGINS):
        logins.get(key(str(number)), "", clock, lambda: Login(Token("t"), clock.monotonic() + 999, BASE, None))
    assert clock.waits == []
    logins.get(key("one more"), "", clock, lambda: Login(Token("t"), clock.monotonic() + 999, BASE, None))
    assert clock.waits == [WINDOW]


def test_a_login_that_failed_is_made_again() -> None:
    clock, logins = FakeClock(), SharedLogins()

    def failing() -> Login:
        raise OSError("no network")

    with pytest.raises(OSError, match="no network"):
        logins.get(key(), "", clock, failing)
    wanted = Login(Token("t"), clock.monotonic() + 9, BASE, None)
    assert logins.get(key(), "", clock, lambda: wanted) == wanted
    assert logins.get(key(), "", clock, failing) == wanted
