"""One customer's tenant: an explicit login, one token for all threads, and the services that use it."""

import threading
from collections.abc import Callable
from datetime import timedelta

import msgspec

from falcon_bulk.config.regions import region_name
from falcon_bulk.config.secret import register_secret
from falcon_bulk.config.setting_readers import CID
from falcon_bulk.config.settings import Settings
from falcon_bulk.errors import BadEnvFile, LoginRefused, Refused, Unreachable, WrongTenant
from falcon_bulk.falcon.alerts import Alerts
from falcon_bulk.falcon.concurrency import INITIAL_CHANGES, INITIAL_READS, MAX_READS, ConcurrencyLimiter
from falcon_bulk.falcon.flight_control import FlightControl
from falcon_bulk.falcon.fql import check_word
from falcon_bulk.falcon.indicators import Indicators
from falcon_bulk.falcon.observer import AlertObserver
from falcon_bulk.falcon.proxy import ProxyRefusals, check_proxy
from falcon_bulk.falcon.rate_limit import RequestPacer
from falcon_bulk.falcon.response_classifier import LOGIN
from falcon_bulk.falcon.responses import Token
from falcon_bulk.falcon.shared_logins import Login, LoginKey, SharedLogins
from falcon_bulk.falcon.transport import Transport
from falcon_bulk.model.alert_decoder import decode_alert
from falcon_bulk.model.clock import Clock, rfc3339

RENEW_BEFORE_EXPIRY = 120.0
MAX_CLOCK_DIFFERENCE = 300.0
"""Seconds between this machine's clock and Falcon's beyond which times that are counted from now mean others."""
CID_SAMPLE = 100
"""How many of the newest alerts are checked for CIDs beyond the expected one."""


class Tenant:
    """A login to one customer's tenant, with its `alerts` and `indicators`.

    connections: how many are kept. readers: maximum reads in flight. quota: share of the customer's rate limit to use,
    0 to 1. on_wait: called with the reason for a wait of over two seconds. proxy_refusals, logins: shared by the
    customers of a command.
    Raises BadEnvFile for blank credentials, before any request; LoginRefused, Unreachable.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        *,
        connections: int = 16,
        readers: int = MAX_READS,
        quota: float = 0.5,
        user_agent: str = "falcon-bulk",
        on_wait: Callable[[str], None] = lambda _: None,
        proxy_refusals: ProxyRefusals | None = None,
        logins: SharedLogins | None = None,
    ) -> None:
        from falconpy import IOC, OAuth2
        from falconpy import Alerts as AlertsService

        secret = settings.client_secret.reveal(clock.check)
        if not settings.client_id.strip() or not secret.strip():
            raise BadEnvFile("FALCON_CLIENT_ID or FALCON_CLIENT_SECRET is blank.")
        self.customer = settings.customer
        self.cids = settings.cids
        self.pacer = RequestPacer(clock, quota=quota, on_wait=on_wait)
        self._clock = clock
        self._lock = threading.Lock()
        self._token = Token("")
        self._renew_at = 0.0
        self._logins = logins or SharedLogins()
        self._login_key = LoginKey(settings.client_id, settings.client_secret, settings.member_cid, settings.base_url)
        self._member_cid = settings.member_cid
        self._configured = settings.base_url
        self._transport = Transport(
            clock,
            self.pacer,
            reads=ConcurrencyLimiter(clock, initial=INITIAL_READS, maximum=readers, headroom=self.pacer.headroom),
            connections=connections,
            customer=settings.customer,
            proxy_refusals=proxy_refusals,
        )
        self._transport.token = self._current_token
        self._transport.renew = self._renew_token
        self._auth = OAuth2(
            client_id=settings.client_id,
            client_secret=secret,
            member_cid=settings.member_cid or None,
            base_url=settings.base_url,
            user_agent=user_agent,
            session=self._transport.session,
        )
        if self._auth.auth_style != "DIRECT":
            raise LoginRefused(
                "FalconPy did not use the credentials it was given.", "This is a defect; please report it."
            )
        check_proxy(settings.base_url)
        self._renew_token("")
        self._alerts_service = AlertsService(auth_object=self._auth)
        self.alerts = Alerts(self._transport, self._alerts_service)
        self.indicators = Indicators(self._transport, IOC(auth_object=self._auth))

    @property
    def flight_control(self) -> FlightControl:
        """The children of a parent's login."""
        from falconpy import FlightControl as FlightControlService

        return FlightControl(self._transport, FlightControlService(auth_object=self._auth))

    @property
    def cloud(self) -> str:
        """The base URL in use, after any redirect to the right region."""
        return str(self._auth.base_url)

    @property
    def moved(self) -> str:
        """A sentence about a login that moved to another region than the configured one; '' if it did not."""
        configured, actual = region_name(self._configured), region_name(self.cloud)
        if configured == actual:
            return ""
        return f"This customer's region is {actual}, not {configured}: FALCON_BASE_URL={actual} saves a request."

    def limit_changes(self, workers: int) -> ConcurrencyLimiter:
        """Return what bounds the changes in flight of a run, at most `workers`; it follows their answers."""
        limiter = ConcurrencyLimiter(
            self._clock, initial=INITIAL_CHANGES, maximum=workers, headroom=self.pacer.headroom
        )
        self._transport.changes = limiter
        return limiter

    def observer(self) -> AlertObserver:
        """Return what reads single answers as they come."""
        return AlertObserver(self._transport, self._alerts_service, self._clock)

    @property
    def deprecations(self) -> dict[str, str]:
        """What Falcon says of the endpoints that it will take away, by path; {} as a rule."""
        return dict(self._transport.deprecations)

    @property
    def clock_ahead(self) -> float | None:
        """Seconds by which Falcon's clock is ahead of this machine's; None if its last answer had no date."""
        return self._transport.clock_ahead

    def clock_difference(self) -> str:
        """Return both times if this machine's clock and Falcon's differ by more than five minutes, else ''."""
        ahead = self.clock_ahead
        if ahead is None or abs(ahead) <= MAX_CLOCK_DIFFERENCE:
            return ""
        now = self._clock.now()
        return f"This machine's clock says {rfc3339(now)}, Falcon's {rfc3339(now + timedelta(seconds=ahead))}."

    def check_clock(self) -> None:
        """Raise Refused if this machine's clock and Falcon's differ too much for times that are counted from now."""
        if difference := self.clock_difference():
            raise Refused(
                f"{difference} Times counted from now would mean others. Nothing was changed.",
                "Set the clock, or give dates: --since 2026-11-01T08:00:00Z.",
            )

    def home_cid(self) -> str:
        """Return the CID that this customer's runs are recorded for: the first in FALCON_CID, else the newest alert's.

        Raises WrongTenant if the newest alert belongs to none of the expected CIDs. Returns '' if there is neither.
        """
        return self._home_of(self.newest_cid())

    def newest_cid(self) -> str:
        """Return the CID of the newest alert, '' if there is no alert. Raises WrongTenant if it is not a valid CID."""
        return next(iter(self._newest_cids(1)), "")

    def single_cid(self) -> str:
        """Return the only CID that these credentials see. A change for a parent CID would apply to its children too.

        Raises WrongTenant if they see several, or if neither an alert nor FALCON_CID tells which one it is.
        """
        newest = self._newest_cids(CID_SAMPLE)
        home = self._home_of(next(iter(newest), ""))
        if not home:
            raise WrongTenant("The CID of these credentials is not known.", "Set FALCON_CID in the env file.")
        others = self.alerts.page(f"cid:!'{check_word(home, 'CID')}'", limit=1).documents
        seen = {*newest, *map(_cid_of, others), *self.cids}
        if len(seen) > 1:
            raise WrongTenant(
                f"These credentials see several CIDs: {', '.join(sorted(seen))}.",
                "A change for a parent CID applies to its children too. Use the child's own credentials, or set "
                "FALCON_MEMBER_CID and FALCON_CID to it.",
            )
        return home

    def _newest_cids(self, number: int) -> dict[str, None]:
        """Return the CIDs of the newest alerts, the newest first. Raises WrongTenant if that one's is no valid CID."""
        newest = self.alerts.page("", sort="created_timestamp|desc", limit=number).documents
        cids = dict.fromkeys(map(_cid_of, newest))
        cid = next(iter(cids), "")
        if cid and not CID.fullmatch(cid):
            raise WrongTenant(f"The newest alert says it belongs to {cid!r}, which is no CID.", "Nothing was changed.")
        return cids

    def _home_of(self, cid: str) -> str:
        """Return the CID that runs are recorded for, where the newest alert has this one. Raises as `home_cid`."""
        self.check_cid(cid)
        return self.cids[0] if self.cids else cid

    def check_cid(self, cid: str) -> None:
        """Raise WrongTenant if FALCON_CID names CIDs and `cid` is none of them."""
        if cid and self.cids and cid not in self.cids:
            raise WrongTenant(
                f"These credentials belong to the CID {cid}; FALCON_CID expects {', '.join(self.cids)}.",
                "Check which customer's credentials the env file holds.",
            )

    def check_run_tenant(self, cids: tuple[str, ...], cloud: str) -> None:
        """Raise Refused unless a run recorded for these CIDs and this cloud belongs to this tenant."""
        home = self.home_cid()
        if home not in cids or cloud != self.cloud:
            raise Refused(
                f"The run belongs to {', '.join(cids)} at {cloud}, these credentials to {home} at {self.cloud}.",
                "Use the env file of the customer that the run was made for.",
            )

    def close(self) -> None:
        """Close the connections."""
        self._transport.session.close()

    def _current_token(self) -> str:
        """Return the token. One thread renews it before it expires, even if Falcon gives the same token again."""
        if self._clock.monotonic() >= self._renew_at:
            with self._lock:
                if self._clock.monotonic() >= self._renew_at:
                    self._log_in("")
        return self._token.access_token

    def _renew_token(self, stale: str) -> str:
        """Log in again and return the new token; once for all threads that hold the stale one."""
        with self._lock:
            if self._token.access_token == stale:
                self._log_in(stale)
            return self._token.access_token

    def _log_in(self, stale: str) -> None:
        login = self._logins.get(self._login_key, stale, self._clock, self._request_token)
        self._token, self._renew_at, self._auth.base_url, clock_ahead = login
        if self._transport.clock_ahead is None:
            self._transport.clock_ahead = clock_ahead
        if not self._auth.authenticated():
            self._transport.mark_logged_in(self._auth.login)

    def _request_token(self) -> Login:
        try:
            token: Token = self._transport.call(LOGIN, self._auth.login)
        except LoginRefused as error:
            if error.status != 403 or not self._member_cid:
                raise
            raise LoginRefused(
                error.message,
                f"FALCON_MEMBER_CID={self._member_cid} may not be a child of this API client's CID; it is written in "
                f"lower case and without the checksum. {error.hint}",
                status=error.status,
                trace_id=error.trace_id,
            ) from None
        register_secret(token.access_token)
        renew_at = self._clock.monotonic() + max(1.0, token.expires_in - RENEW_BEFORE_EXPIRY)
        return Login(token, renew_at, self._transport.redirected_base_url or self.cloud, self._transport.clock_ahead)


def _cid_of(document: msgspec.Raw) -> str:
    """Return the CID of an alert. Raises Unreachable for what is no alert: it proves nothing about the tenant."""
    try:
        return decode_alert(document).tenant
    except (msgspec.MsgspecError, RecursionError):
        raise Unreachable(
            "Falcon answers with an alert that cannot be read, so it is not known whose alerts these are.",
            "Run the command again; nothing was changed.",
        ) from None
