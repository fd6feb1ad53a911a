"""Headers, numbers and bodies without measure are an answer that cannot be read, never a crash."""

import pytest

from falcon_bulk.errors import Unreachable
from falcon_bulk.falcon.rate_limit import clock_offset
from falcon_bulk.falcon.tenant import Tenant
from tests.support.fake_clock import START, FakeClock
from tests.support.scripted_falcon import (
    LOGIN_PATH,
    QUERY,
    Reply,
    ScriptedFalcon,
    a_token,
    an_envelope,
    good,
    logged_in,
)

DIGITS = "9" * 400
NESTED = b'{"meta": {"trace_id": ' + b"[" * 100_000


@pytest.mark.parametrize(
    "date",
    [
        "Sat, 28 Nov 99999 07:00:00 GMT",
        f"Sat, 28 Nov {DIGITS} 07:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 -2359",
        f"Sat, 28 Nov 2026 07:00:00 +{DIGITS}",
        f"Sat, {DIGITS} Nov 2026 {DIGITS}:00:00 GMT",
    ],
)
def test_a_date_without_measure_is_no_date(date: str) -> None:
    clock_offset(date, START)


@pytest.mark.parametrize("digits", [DIGITS, "9" * 5_000, "-1", "١٢", "1e400"])
def test_counters_without_measure_in_headers_change_nothing(
    digits: str, falcon: ScriptedFalcon, tenant: Tenant
) -> None:
    headers = {"X-Ratelimit-Limit": digits, "X-Ratelimit-Remaining": digits}
    if not digits.isascii():
        headers = {name: digits.encode().decode("latin-1") for name in headers}
    falcon.answer(QUERY, Reply(200, an_envelope([], total=3), headers))
    assert tenant.alerts.count("") == 3


@pytest.mark.parametrize("body", [NESTED, NESTED.replace(b"[", b'{"a":'), b'{"resources": ' + b"[" * 100_000])
@pytest.mark.parametrize("status", [200, 400])
def test_nesting_without_end_is_an_answer_that_cannot_be_read(
    body: bytes, status: int, falcon: ScriptedFalcon, tenant: Tenant
) -> None:
    falcon.answer(QUERY, Reply(status, body), good(total=3))
    if status == 200:
        assert tenant.alerts.count("") == 3
    else:
        with pytest.raises(Exception, match="no reason given"):
            tenant.alerts.count("")


@pytest.mark.parametrize("token", ["tökén", "日本", "two words", "line\r\nX-Evil: 1", ""])
def test_a_token_that_cannot_go_into_a_header_is_no_login(token: str, falcon: ScriptedFalcon) -> None:
    falcon.answer(LOGIN_PATH, a_token(token))
    with pytest.raises(Unreachable, match="log in"), logged_in(FakeClock()):
        raise AssertionError("logged in")


@pytest.mark.parametrize("total", [10**400, 1e300, -(10**20)])
def test_a_total_without_measure_is_no_total(total: float, falcon: ScriptedFalcon, tenant: Tenant) -> None:
    falcon.answer(QUERY, Reply(200, an_envelope(["a"], total=total)), good(["a"], total=1))
    assert tenant.alerts.count("") == 1


@pytest.mark.parametrize("document", [None, 5, "x", [], {}, {"cid": "a" * 32}])
def test_a_newest_alert_that_is_none_does_not_prove_whose_tenant_it_is(
    document: object, falcon: ScriptedFalcon, tenant: Tenant
) -> None:
    falcon.answer("/alerts/combined/alerts/v1", good([document], total=1))
    with pytest.raises(Unreachable, match="not known whose"):
        tenant.newest_cid()
