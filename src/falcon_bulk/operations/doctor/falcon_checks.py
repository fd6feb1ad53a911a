"""The self-check: each check by itself, so that one that fails stops none of those that can still be tried."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

from falcon_bulk.config.regions import region_name
from falcon_bulk.config.settings import Settings
from falcon_bulk.errors import ExitCode, FalconBulkError, Stopped
from falcon_bulk.falcon.fql import HIDDEN
from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.model.doctor import Check, CheckStatus

MAX_CLOCK_SKEW = 60.0
SHOWN_OF_ID = 4
LOGGED_IN_CHECKS = ("clock", "reading", "aggregates", "hidden alerts", "quota")

Look = Callable[[], Check]
Login = Callable[[], AbstractContextManager[Tenant]]


def run_check(name: str, look: Look) -> Check:
    """The check, or what it raised as a failed one. Raises Stopped."""
    try:
        return look()
    except Stopped:
        raise
    except FalconBulkError as error:
        return _failed(name, error.message, error.hint, error.exit_code)
    except Exception as error:  # noqa: BLE001 - a defect in one check must not hide what the others see
        return _failed(name, f"Unexpected {type(error).__name__}.", "Please report it.", ExitCode.UNEXPECTED)


def check_falcon(settings: Callable[[], Settings], login: Login) -> Iterator[Check]:
    """Log in, and look without changing anything. Nothing is sent if the settings cannot be read."""
    try:
        known = settings()
    except FalconBulkError:
        yield from _skipped(("login", *LOGGED_IN_CHECKS), "not tried: the credentials cannot be read")
        return
    try:
        with login() as tenant:
            yield _login(tenant, known)
            looks: tuple[Callable[[Tenant], Check], ...] = (_clock, _reading, _aggregates, _hidden, _quota)
            for name, look in zip(LOGGED_IN_CHECKS, looks, strict=True):
                yield run_check(name, lambda look=look: look(tenant))  # type: ignore[misc]
    except Stopped:
        raise
    except FalconBulkError as error:
        yield _failed("login", error.message, error.hint, error.exit_code)
        yield from _skipped(LOGGED_IN_CHECKS, "not tried: there is no login")
        return
    said = "FALCON_BULK_READ_ONLY forbids it" if known.read_only else "not tested: that takes a change"
    yield Check(
        name="writing",
        status=CheckStatus.SKIPPED,
        what=said,
        hint="A change says so if the scope Alerts: Write is missing.",
    )


def _login(tenant: Tenant, settings: Settings) -> Check:
    here, there = region_name(settings.base_url), region_name(tenant.cloud)
    member = f", member {settings.member_cid}" if settings.member_cid else ""
    what = f"{there}, client {settings.client_id[:SHOWN_OF_ID]}…{member}"
    if here == there:
        return Check(name="login", status=CheckStatus.OK, what=what)
    hint = f"Set FALCON_BASE_URL={there}: {here} sends each login on to it."
    return Check(name="login", status=CheckStatus.WARN, what=f"{what}, redirected from {here}", hint=hint)


def _clock(tenant: Tenant) -> Check:
    ahead = tenant.clock_ahead
    if ahead is None:
        return Check(name="clock", status=CheckStatus.WARN, what="Falcon's answers carry no date to compare with")
    if abs(ahead) <= MAX_CLOCK_SKEW:
        return Check(name="clock", status=CheckStatus.OK, what="agrees with Falcon's within a minute")
    way = "behind" if ahead > 0 else "ahead of"
    return Check(
        name="clock",
        status=CheckStatus.WARN,
        what=f"this machine is {abs(ahead):,.0f} s {way} Falcon",
        hint="Set the clock (NTP): --since and --until, plans and waits for the rate limit go by it.",
    )


def _reading(tenant: Tenant) -> Check:
    seen = tenant.newest_cid()
    tenant.check_cid(seen)
    total = tenant.alerts.count("")
    if not seen:
        return Check(name="reading", status=CheckStatus.OK, what="works; there is no alert to tell the CID by")
    what = f"works; {total:,} alerts, the newest of CID {seen}"
    if tenant.cids:
        return Check(name="reading", status=CheckStatus.OK, what=f"{what}, as FALCON_CID says")
    hint = f"Set FALCON_CID={seen}: without it nothing tells when the credentials are another customer's."
    return Check(name="reading", status=CheckStatus.WARN, what=what, hint=hint)


def _aggregates(tenant: Tenant) -> Check:
    try:
        counted = sum(number for _, number in tenant.alerts.count_by_hour(""))
    except Stopped:
        raise
    except FalconBulkError as error:
        return Check(
            name="aggregates",
            status=CheckStatus.WARN,
            what=f"refused: {error.message}",
            hint="All works without them; many alerts are read one page after the other.",
        )
    total = tenant.alerts.count("")
    if counted == total:
        return Check(name="aggregates", status=CheckStatus.OK, what="work; the hours add up to all alerts")
    return Check(
        name="aggregates",
        status=CheckStatus.WARN,
        what=f"the hours add up to {counted:,} of {total:,} alerts",
        hint="Nothing is lost by that: a count that does not add up is not used, the alerts are read.",
    )


def _hidden(tenant: Tenant) -> Check:
    number = tenant.alerts.count(HIDDEN)
    if not number:
        return Check(name="hidden alerts", status=CheckStatus.OK, what="none to tell by")
    if tenant.alerts.page(HIDDEN, limit=1).documents:
        return Check(name="hidden alerts", status=CheckStatus.OK, what=f"{number:,}, read with the others")
    return Check(name="hidden alerts", status=CheckStatus.OK, what=f"{number:,}, left out of pages, so read by id")


def _quota(tenant: Tenant) -> Check:
    limit, left = tenant.pacer.limit, tenant.pacer.lowest_remaining
    if limit is None or left is None:
        return Check(name="quota", status=CheckStatus.WARN, what="Falcon's answers do not tell the rate limit")
    what = f"{left:,} of {limit:,} requests a minute are left"
    if left * 2 >= limit:
        return Check(name="quota", status=CheckStatus.OK, what=what)
    hint = "Other integrations use this customer's limit too; requests are spaced for it (--quota)."
    return Check(name="quota", status=CheckStatus.WARN, what=what, hint=hint)


def _failed(name: str, what: str, hint: str, exit_code: int) -> Check:
    return Check(name=name, status=CheckStatus.FAIL, what=what, hint=hint, exit_code=int(exit_code))


def _skipped(names: tuple[str, ...], why: str) -> Iterator[Check]:
    for name in names:
        yield Check(name=name, status=CheckStatus.SKIPPED, what=why)
