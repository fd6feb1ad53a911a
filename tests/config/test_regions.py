"""Which hosts are given credentials, and where a login may be sent on to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcon_bulk.config.regions import (
    CLOUDS,
    is_loopback,
    parse_base_url,
    redirect_target,
)
from falcon_bulk.errors import AccessProblem, ExitCode

US1, US2 = "https://api.crowdstrike.com", "https://api.us-2.crowdstrike.com"
GOV1 = "https://api.laggar.gcw.crowdstrike.com"


@pytest.mark.parametrize("name", CLOUDS)
def test_a_region_is_known_by_its_name_however_it_is_written(name: str) -> None:
    expected = f"https://{CLOUDS[name].api}"
    for written in (name, name.upper(), name.replace("-", ""), f" {name} ", CLOUDS[name].api, expected + "/"):
        assert parse_base_url(written, allow_custom=False) == expected


def test_a_blank_value_is_us_1() -> None:
    assert parse_base_url("", allow_custom=False) == parse_base_url("  ", allow_custom=False) == US1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("HTTPS://API.CrowdStrike.com", US1),
        ("https://api.crowdstrike.com:443", US1),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://localhost:80/", "http://localhost"),
        ("https://localhost:8443", "https://localhost:8443"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_falcon_hosts_and_loopback_are_taken(value: str, expected: str) -> None:
    assert parse_base_url(value, allow_custom=False) == expected


@pytest.mark.parametrize(
    "value",
    [
        "us-9",
        "localhost:8000",
        "http://api.crowdstrike.com",
        "https://api.crowdstrike.com:8443",
        "https://api.crowdstrike.com.",
        "https://user@api.crowdstrike.com",
        "https://user:pass@127.0.0.1",
        "https://api.crowdstrike.com/oauth2",
        "https://api.crowdstrike.com?x",
        "https://api.crowdstrike.com#",
        "https://api.crowdstrike.com\\@acme.example",
        "https://api.crowdstrike.com\t.acme.example",
        "https://api.crowdstrike.com .acme.example",
        "https://api\uff0ecrowdstrike.com",
        "https://127.0.0.1:99999",
        "https://127.0.0.1:0",
        "https://[::1",
        "https://",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "//127.0.0.1",
        "http://acme.example",
    ],
)
@pytest.mark.parametrize("allow_custom", [False, True])
def test_other_values_are_refused_even_where_custom_hosts_are_allowed(value: str, allow_custom: bool) -> None:
    if allow_custom and value.endswith(".com."):
        return  # a host of its own
    with pytest.raises(AccessProblem) as caught:
        parse_base_url(value, allow_custom=allow_custom)
    assert caught.value.exit_code == ExitCode.ACCESS
    assert caught.value.hint


@pytest.mark.parametrize(
    "value",
    [
        "https://acme.example",
        "https://acme.example:8443",
        "https://api.crowdstrike.com.acme.example",
        "https://falcon.crowdstrike.com",
        "https://127.0.0.1.acme.example",
        "https://127.1",
        "https://10.0.0.1",
        "https://0.0.0.0",
    ],
)
def test_a_host_that_is_not_falcons_needs_permission(value: str) -> None:
    with pytest.raises(AccessProblem) as caught:
        parse_base_url(value, allow_custom=False)
    assert "FALCON_BULK_ALLOW_CUSTOM_BASE_URL" in caught.value.hint
    assert parse_base_url(value, allow_custom=True) == value


def test_an_error_shows_at_most_the_host() -> None:
    for value in ("https://u:s3ntinel@acme.example", "https://acme.example/s3ntinel", "s3ntinel"):
        with pytest.raises(AccessProblem) as caught:
            parse_base_url(value, allow_custom=False)
        assert "s3ntinel" not in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize(
    ("base", "location", "target"),
    [
        (US1, f"{US2}/oauth2/token", US2),
        (US2, "https://api.eu-1.crowdstrike.com:443/oauth2/token", "https://api.eu-1.crowdstrike.com"),
        (US1, "//api.us-2.crowdstrike.com/oauth2/token", US2),
        (US1, "/oauth2/token", US1),
        ("http://127.0.0.1:1", "http://127.0.0.1:2/oauth2/token", "http://127.0.0.1:2"),
        ("http://127.0.0.1:1", "https://localhost:2/oauth2/token", "https://localhost:2"),
    ],
)
def test_a_login_follows_to_a_cloud_of_the_same_kind(base: str, location: str, target: str) -> None:
    assert redirect_target(base, location) == target


@pytest.mark.parametrize(
    ("base", "location"),
    [
        (US1, ""),
        (US1, "http://api.us-2.crowdstrike.com/oauth2/token"),
        (US1, "https://api.us-2.crowdstrike.com:8443/oauth2/token"),
        (US1, "https://acme.example/oauth2/token"),
        (US1, "//acme.example/oauth2/token"),
        (US1, "https://falcon.crowdstrike.com/oauth2/token"),
        (US1, "https://api.us-2.crowdstrike.com@acme.example/oauth2/token"),
        (US1, "https://x@api.us-2.crowdstrike.com/oauth2/token"),
        (US1, f"{US2}/oauth2/token?next=x"),
        (US1, f"{US2}/oauth2/token#x"),
        (US1, f"{US2}/oauth2/token/"),
        (US1, f"{US2}/alerts"),
        (US1, f"{US2}\\oauth2/token"),
        (US1, f"{US2}/oauth2/token\r\n"),
        (US1, f"{GOV1}/oauth2/token"),
        (GOV1, f"{US1}/oauth2/token"),
        (US1, "http://127.0.0.1:1/oauth2/token"),
        ("http://127.0.0.1:1", f"{US1}/oauth2/token"),
        ("https://127.0.0.1:1", "http://127.0.0.1:1/oauth2/token"),
        ("https://acme.example", f"{US1}/oauth2/token"),
        ("https://acme.example", "https://acme.example/oauth2/token"),
        ("nonsense", f"{US1}/oauth2/token"),
        (US1, "https://[::1/oauth2/token"),
        (US1, "https://api.us-2.crowdstrike.com:x/oauth2/token"),
    ],
)
def test_no_other_redirect_is_followed(base: str, location: str) -> None:
    assert redirect_target(base, location) is None


@given(st.text())
def test_any_text_gives_a_checked_url_or_an_error(value: str) -> None:
    redirect_target(US1, value)
    try:
        url = parse_base_url(value, allow_custom=False)
    except AccessProblem:
        return
    assert parse_base_url(url, allow_custom=False) == url


def test_loopback_is_detected_without_a_dns_lookup() -> None:
    assert all(is_loopback(host) for host in ("localhost", "LOCALHOST", "127.0.0.1", "127.255.0.9", "::1"))
    assert not any(is_loopback(host) for host in ("127.1", "0.0.0.0", "::ffff:127.0.0.1", "localhost.acme.example", ""))
