"""Check a customer's login and what it can read, without changing anything. A failed check does not stop the others."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial

from falcon_bulk.config.regions import region_name
from falcon_bulk.config.settings import Settings
from falcon_bulk.errors import ExitCode, FalconBulkError, Stopped
from falcon_bulk.falcon.fql import HIDDEN
from falcon_bulk.falcon.proxy import find_proxy, try_proxy
from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.model.doctor import Check, CheckStatus
from falcon_bulk.model.plural import counted

MAX_CLOCK_SKEW = 60.0
CLIENT_ID_SHOWN = 4
"""Characters of the client id that are shown."""
LOGGED_IN_CHECKS = ("clock", "reading", "aggregates", "hidden alerts", "quota")

Login = Callable[[], AbstractContextManager[Tenant]]


def run_check(name: str, check: Callable[[], Check]) -> Check:
    """Run a check; an error becomes a failed check. Raises Stopped."""
    try:
        return check()
    except Stopped:
        raise
    except FalconBulkError as error:
        return _failed(name, error.traced_message, error.hint, error.exit_code)
    except Exception as error:  # noqa: BLE001 - a defect in one check must not hide the results of the others
        return _failed(name, f"Unexpected {type(error).__name__}.", "Please report it.", ExitCode.UNEXPECTED)


def check_falcon(
    settings: Callable[[], Settings], login: Login, then: Callable[[Tenant], object] = lambda _: None
) -> Iterator[Check]:
    """Yield the checks that need a login; nothing is sent if `settings` raises an error.

    then: called with the tenant after its checks, unless it cannot be read.
    """
    try:
        customer_settings = settings()
    except FalconBulkError:
        yield from _skipped(("login", *LOGGED_IN_CHECKS), "not tried: the credentials cannot be read")
        return
    if find_proxy(customer_settings.base_url):
        proxy = run_check("proxy", partial(_proxy, customer_settings.base_url))
        yield proxy
        if proxy.status is CheckStatus.FAIL:
            yield from _skipped(("login", *LOGGED_IN_CHECKS), "not tried: the proxy does not connect")
            return
    try:
        with login() as tenant:
            yield _login(tenant, customer_settings)
            checks: tuple[Callable[[Tenant], Check], ...] = (_clock, _reading, _aggregates, _hidden, _quota)
            failed = set()
            for name, check in zip(LOGGED_IN_CHECKS, checks, strict=True):
                result = run_check(name, partial(check, tenant))
                if result.status is CheckStatus.FAIL:
                    failed.add(name)
                yield result
            if tenant.deprecations:
                yield _deprecations(tenant)
            if "reading" not in failed:
                then(tenant)
    except Stopped:
        raise
    except FalconBulkError as error:
        yield _failed("login", error.traced_message, error.hint, error.exit_code)
        yield from _skipped(LOGGED_IN_CHECKS, "not tried: the login failed")
        return
    yield Check(
        name="writing",
        status=CheckStatus.SKIPPED,
        what="FALCON_BULK_READ_ONLY forbids it"
        if customer_settings.read_only
        else "not tested: that would need a change",
        hint="If the scope Alerts: Write is missing, a change says so.",
    )


def _proxy(base_url: str) -> Check:
    try_proxy(base_url)
    proxy = find_proxy(base_url)
    what = f"{proxy.address} of {proxy.variable} connects" if proxy else "none"
    return Check(name="proxy", status=CheckStatus.OK, what=what)


def _deprecations(tenant: Tenant) -> Check:
    what = "; ".join(f"{path}: {text}" for path, text in tenant.deprecations.items())
    hint = "Falcon will take these endpoints away: look for a newer falcon-bulk."
    return Check(name="deprecations", status=CheckStatus.WARN, what=what, hint=hint)


def _login(tenant: Tenant, settings: Settings) -> Check:
    configured, actual = region_name(settings.base_url), region_name(tenant.cloud)
    member = f", member {settings.member_cid}" if settings.member_cid else ""
    what = f"{actual}, client {settings.client_id[:CLIENT_ID_SHOWN]}…{member}"
    if configured == actual:
        return Check(name="login", status=CheckStatus.OK, what=what)
    hint = f"Set FALCON_BASE_URL={actual}: {configured} redirects each login to it."
    return Check(name="login", status=CheckStatus.WARN, what=f"{what}, redirected from {configured}", hint=hint)


def _clock(tenant: Tenant) -> Check:
    ahead = tenant.clock_ahead
    if ahead is None:
        return Check(name="clock", status=CheckStatus.WARN, what="Falcon's answers have no date to compare with")
    if abs(ahead) <= MAX_CLOCK_SKEW:
        return Check(name="clock", status=CheckStatus.OK, what="within a minute of Falcon's clock")
    direction = "behind" if ahead > 0 else "ahead of"
    return Check(
        name="clock",
        status=CheckStatus.WARN,
        what=f"this machine is {abs(ahead):,.0f} s {direction} Falcon",
        hint="Synchronize the clock (NTP): --since, --until, the age of plans and rate limit waits depend on it.",
    )


def _reading(tenant: Tenant) -> Check:
    cid = tenant.newest_cid()
    tenant.check_cid(cid)
    total = tenant.alerts.count("")
    if not cid:
        return Check(name="reading", status=CheckStatus.OK, what="works; there is no alert to show the CID")
    what = f"works; {counted(total, 'alert')}, the newest of CID {cid}"
    if tenant.cids:
        return Check(name="reading", status=CheckStatus.OK, what=f"{what}, as FALCON_CID says")
    hint = f"Set FALCON_CID={cid}, so that credentials of another customer are refused."
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
            hint="Everything works without them, but large reads are slower: one page after another.",
        )
    total = tenant.alerts.count("")
    if counted == total:
        return Check(name="aggregates", status=CheckStatus.OK, what="work; the hours add up to all alerts")
    return Check(
        name="aggregates",
        status=CheckStatus.WARN,
        what=f"the hours add up to {counted:,} of {total:,} alerts",
        hint="No alert is lost: counts that do not add up are not used, and the alerts are read instead.",
    )


def _hidden(tenant: Tenant) -> Check:
    number = tenant.alerts.count(HIDDEN)
    if not number:
        return Check(name="hidden alerts", status=CheckStatus.OK, what="there are none to check with")
    if tenant.alerts.page(HIDDEN, limit=1).documents:
        return Check(name="hidden alerts", status=CheckStatus.OK, what=f"{number:,}, in pages with the others")
    return Check(
        name="hidden alerts", status=CheckStatus.OK, what=f"{number:,}, left out of pages, so they are read by id"
    )


def _quota(tenant: Tenant) -> Check:
    limit, left = tenant.pacer.limit, tenant.pacer.lowest_remaining
    if limit is None or left is None:
        return Check(name="quota", status=CheckStatus.WARN, what="Falcon's answers do not show the rate limit")
    what = f"{left:,} of {limit:,} requests per minute are left"
    if left * 2 >= limit:
        return Check(name="quota", status=CheckStatus.OK, what=what)
    hint = "Other integrations use this customer's rate limit too; falcon-bulk keeps to its share (--quota)."
    return Check(name="quota", status=CheckStatus.WARN, what=what, hint=hint)


def _failed(name: str, what: str, hint: str, exit_code: int) -> Check:
    return Check(name=name, status=CheckStatus.FAIL, what=what, hint=hint, exit_code=int(exit_code))


def _skipped(names: tuple[str, ...], reason: str) -> Iterator[Check]:
    for name in names:
        yield Check(name=name, status=CheckStatus.SKIPPED, what=reason)
