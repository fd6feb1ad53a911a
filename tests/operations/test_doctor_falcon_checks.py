"""The checks of doctor that ask Falcon, on a tenant with unusual answers."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from falcon_bulk.config.secret import Secret
from falcon_bulk.config.settings import Settings
from falcon_bulk.errors import BadEnvFile, ExitCode, LoginRefused, Rejected, Stopped, Unreachable, WrongTenant
from falcon_bulk.falcon.page import Page
from falcon_bulk.model.doctor import Check, CheckStatus
from falcon_bulk.operations.doctor.falcon_checks import check_falcon, run_check

CID, MEMBER = "c" * 32, "d" * 32
SETTINGS = Settings(
    customer="acme",
    client_id="1234567890abcdef",
    client_secret=Secret("a-secret-that-is-never-shown"),
    base_url="https://api.crowdstrike.com",
    member_cid="",
    cids=(CID,),
    operator="alice",
    source="acme.env",
    named=True,
)
ALL = ["login", "clock", "reading", "aggregates", "hidden alerts", "quota", "writing"]


@dataclass
class FakeAlerts:
    """Counts and pages. `trouble`: what the method of that name raises."""

    total: int = 10
    hidden: int = 2
    hours: int = 10
    pages_have_hidden: bool = True
    trouble: dict[str, BaseException] = field(default_factory=dict)

    def count(self, fql: str) -> int:
        self._meet("count")
        return self.hidden if fql else self.total

    def page(self, fql: str, *, limit: int) -> Page:
        self._meet("page")
        return Page([msgspec.Raw(b"{}")] if self.pages_have_hidden else [], total=self.hidden, after="")

    def count_by_hour(self, fql: str) -> Sequence[tuple[datetime, int]]:
        self._meet("count_by_hour")
        return [(datetime(2026, 11, 24, tzinfo=UTC), self.hours)]

    def _meet(self, method: str) -> None:
        if method in self.trouble:
            raise self.trouble[method]


@dataclass
class FakePacer:
    limit: int | None = 6_000
    lowest_remaining: int | None = 5_990


@dataclass
class FakeTenant:
    """The part of `falcon.tenant.Tenant` that the self-check looks at."""

    alerts: FakeAlerts = field(default_factory=FakeAlerts)
    pacer: FakePacer = field(default_factory=FakePacer)
    cloud: str = SETTINGS.base_url
    cids: tuple[str, ...] = SETTINGS.cids
    clock_ahead: float | None = 0.4
    newest: str = CID
    deprecations: dict[str, str] = field(default_factory=dict)

    def newest_cid(self) -> str:
        return self.newest

    def check_cid(self, cid: str) -> None:
        if cid and cid not in self.cids:
            raise WrongTenant(f"These credentials belong to the CID {cid}.")


def checks_of(tenant: Any, settings: Settings = SETTINGS) -> dict[str, Check]:
    @contextmanager
    def login() -> Iterator[Any]:
        if isinstance(tenant, BaseException):
            raise tenant
        yield tenant

    return {check.name: check for check in check_falcon(lambda: settings, login)}


def test_without_problems_there_is_no_warning_and_writing_is_not_tried() -> None:
    seen = checks_of(FakeTenant())
    assert list(seen) == ALL
    assert [check.status for check in seen.values()] == [CheckStatus.OK] * 6 + [CheckStatus.SKIPPED]
    assert seen["login"].what == "us-1, client 1234…"
    assert "that would need a change" in seen["writing"].what


@pytest.mark.parametrize(
    ("tenant", "name", "status", "text"),
    [
        (FakeTenant(clock_ahead=None), "clock", CheckStatus.WARN, "no date to compare with"),
        (FakeTenant(clock_ahead=61.0), "clock", CheckStatus.WARN, "this machine is 61 s behind Falcon"),
        (FakeTenant(clock_ahead=-7_200.0), "clock", CheckStatus.WARN, "this machine is 7,200 s ahead of Falcon"),
        (FakeTenant(newest=""), "reading", CheckStatus.OK, "no alert to show the CID"),
        (FakeTenant(newest=MEMBER), "reading", CheckStatus.FAIL, MEMBER),
        (FakeTenant(FakeAlerts(hours=7)), "aggregates", CheckStatus.WARN, "the hours add up to 7 of 10 alerts"),
        (FakeTenant(FakeAlerts(hidden=0)), "hidden alerts", CheckStatus.OK, "none to check with"),
        (FakeTenant(FakeAlerts(pages_have_hidden=False)), "hidden alerts", CheckStatus.OK, "2, left out of pages"),
        (FakeTenant(pacer=FakePacer(None, None)), "quota", CheckStatus.WARN, "do not show the rate limit"),
        (
            FakeTenant(pacer=FakePacer(6_000, 2_999)),
            "quota",
            CheckStatus.WARN,
            "2,999 of 6,000 requests per minute are left",
        ),
    ],
)
def test_a_problem_is_reported_by_its_own_check_and_stops_no_other(
    tenant: FakeTenant, name: str, status: CheckStatus, text: str
) -> None:
    seen = checks_of(tenant)
    assert list(seen) == ALL
    assert seen[name].status is status
    assert text in seen[name].what
    assert {check.status for other, check in seen.items() if other not in (name, "writing")} == {CheckStatus.OK}


def test_without_an_expected_cid_the_line_to_set_it_is_suggested() -> None:
    tenant = FakeTenant(cids=())
    tenant.check_cid = lambda cid: None  # type: ignore[method-assign]
    reading = checks_of(tenant, replace(SETTINGS, cids=()))["reading"]
    assert reading.status is CheckStatus.WARN
    assert f"FALCON_CID={CID}" in reading.hint


def test_a_redirected_login_is_a_warning_with_the_line_that_avoids_it() -> None:
    login = checks_of(FakeTenant(cloud="https://api.eu-1.crowdstrike.com"), replace(SETTINGS, member_cid=MEMBER))[
        "login"
    ]
    assert login.status is CheckStatus.WARN
    assert login.what == f"eu-1, client 1234…, member {MEMBER}, redirected from us-1"
    assert "FALCON_BASE_URL=eu-1" in login.hint


def test_a_read_only_customer_is_reported() -> None:
    assert "FALCON_BULK_READ_ONLY" in checks_of(FakeTenant(), replace(SETTINGS, read_only=True))["writing"].what


def test_refused_aggregates_are_a_warning_because_everything_works_without_them() -> None:
    refusal = Rejected("Falcon refuses aggregates.")
    seen = checks_of(FakeTenant(FakeAlerts(trouble={"count_by_hour": refusal})))
    assert seen["aggregates"].status is CheckStatus.WARN
    assert refusal.message in seen["aggregates"].what


def test_a_refused_login_fails_and_checks_that_need_it_are_not_tried() -> None:
    seen = checks_of(LoginRefused("Falcon refuses the login.", "Check the secret."))
    assert (seen["login"].status, seen["login"].exit_code) == (CheckStatus.FAIL, ExitCode.ACCESS)
    assert {check.status for name, check in seen.items() if name not in ("login", "writing")} == {CheckStatus.SKIPPED}


def test_without_settings_no_login_is_tried() -> None:
    def settings() -> Settings:
        raise BadEnvFile("There is no customer acme.")

    def login() -> Any:
        raise AssertionError("a login was tried")

    checks = list(check_falcon(settings, login))
    assert {check.status for check in checks} == {CheckStatus.SKIPPED}
    assert "login" in [check.name for check in checks]


@pytest.mark.parametrize("method", ["count", "count_by_hour", "page"])
def test_a_stop_ends_the_checks_at_any_point(method: str) -> None:
    with pytest.raises(Stopped):
        checks_of(FakeTenant(FakeAlerts(trouble={method: Stopped()})))
    with pytest.raises(Stopped):
        checks_of(Stopped())


def test_a_failed_check_keeps_its_exit_code_and_a_defect_does_not_show_its_text() -> None:
    def unreachable() -> Check:
        raise Unreachable("Falcon does not answer.", "Is there a proxy?")

    def defect() -> Check:
        raise KeyError("a-secret-that-is-never-shown")

    failed = run_check("reading", unreachable)
    assert (failed.status, failed.exit_code, failed.hint) == (
        CheckStatus.FAIL,
        ExitCode.UNREACHABLE,
        "Is there a proxy?",
    )
    broken = run_check("reading", defect)
    assert (broken.status, broken.exit_code) == (CheckStatus.FAIL, ExitCode.UNEXPECTED)
    assert broken.what == "Unexpected KeyError."
