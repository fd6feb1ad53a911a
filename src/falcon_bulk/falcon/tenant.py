"""One customer's Falcon: an explicit login, one token for all threads, and the services that use it."""

import threading
from collections.abc import Callable

from falcon_bulk.config.secret import register_secret
from falcon_bulk.config.settings import CID, Settings
from falcon_bulk.errors import BadEnvFile, LoginRefused, Refused, WrongTenant
from falcon_bulk.falcon.alerts import Alerts
from falcon_bulk.falcon.fql import check_word
from falcon_bulk.falcon.indicators import Indicators
from falcon_bulk.falcon.rate_limit import RequestPacer
from falcon_bulk.falcon.response_classifier import LOGIN
from falcon_bulk.falcon.responses import Token
from falcon_bulk.falcon.transport import Transport
from falcon_bulk.model.alert import decode_alert
from falcon_bulk.model.clock import Clock

RENEW_BEFORE_EXPIRY = 120.0
CID_SAMPLE = 100
"""Alerts that are looked at to see whether the credentials reach beyond one CID."""


class Tenant:
    """Logged in to one customer. `alerts` and `indicators` are what the operations work with.

    connections: how many requests may be in flight. quota: the part of the customer's rate limit to use.
    Raises BadEnvFile for blank credentials, before any request; LoginRefused, Unreachable.
    """

    def __init__(
        self,
        settings: Settings,
        timing: Clock,
        *,
        connections: int = 16,
        quota: float = 0.5,
        user_agent: str = "falcon-bulk",
        on_wait: Callable[[str], None] = lambda _: None,
    ) -> None:
        from falconpy import IOC, OAuth2
        from falconpy import Alerts as AlertsService

        secret = settings.client_secret.reveal()
        if not settings.client_id.strip() or not secret.strip():
            raise BadEnvFile("FALCON_CLIENT_ID or FALCON_CLIENT_SECRET is blank.")
        self.customer = settings.customer
        self.cids = settings.cids
        self.pacer = RequestPacer(timing, quota=quota, on_wait=on_wait)
        self._timing = timing
        self._lock = threading.Lock()
        self._token = Token("")
        self._renew_at = 0.0
        self._transport = Transport(timing, self.pacer, connections=connections, customer=settings.customer)
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
            raise LoginRefused("The credentials given were not the ones used.", "This is a defect; please report it.")
        self._renew_token("")
        self.alerts = Alerts(self._transport, AlertsService(auth_object=self._auth))
        self.indicators = Indicators(self._transport, IOC(auth_object=self._auth))

    @property
    def cloud(self) -> str:
        """The base URL in use, after any redirect to the right region."""
        return str(self._auth.base_url)

    @property
    def clock_ahead(self) -> float | None:
        """By how many seconds Falcon's clock is ahead of this one's; None if its last answer did not tell."""
        return self._transport.clock_ahead

    def home_cid(self) -> str:
        """The CID whose journal records this customer's runs: the first expected one, else the newest alert's.

        Raises WrongTenant if the newest alert belongs to none of the expected CIDs; '' if there is no alert.
        """
        seen = self.newest_cid()
        self.check_cid(seen)
        return self.cids[0] if self.cids else seen

    def newest_cid(self) -> str:
        """The CID of the newest alert; '' if there is no alert. Raises WrongTenant for what cannot be a CID."""
        newest = self.alerts.page("", sort="created_timestamp|desc", limit=1).documents
        cid = decode_alert(newest[0]).tenant if newest else ""
        if cid and not CID.fullmatch(cid):
            raise WrongTenant(f"The newest alert says it belongs to {cid!r}, which is no CID.", "Nothing was changed.")
        return cid

    def single_cid(self) -> str:
        """The one CID that these credentials see, for a change that a parent CID would hand down to its children.

        Raises WrongTenant if they see several, or if no alert and no FALCON_CID tells which one it is.
        """
        if not (home := self.home_cid()):
            raise WrongTenant("Which CID these credentials belong to is not known.", "Set FALCON_CID in the env file.")
        newest = self.alerts.page("", sort="created_timestamp|desc", limit=CID_SAMPLE).documents
        others = self.alerts.page(f"cid:!'{check_word(home, 'CID')}'", limit=1).documents
        seen = {decode_alert(document).tenant for document in (*newest, *others)} | set(self.cids)
        if len(seen) > 1:
            raise WrongTenant(
                f"These credentials see several CIDs: {', '.join(sorted(seen))}.",
                "What is set for a parent CID holds for its children. Use the child's own credentials, or set "
                "FALCON_MEMBER_CID and FALCON_CID to it.",
            )
        return home

    def check_cid(self, cid: str) -> None:
        """Raises WrongTenant for a CID that is none of those in FALCON_CID, if it names some."""
        if cid and self.cids and cid not in self.cids:
            raise WrongTenant(
                f"These credentials belong to the CID {cid}; FALCON_CID expects {', '.join(self.cids)}.",
                "Check which customer's credentials the env file holds.",
            )

    def check_run_tenant(self, cids: tuple[str, ...], cloud: str) -> None:
        """Raises Refused unless these are the credentials for a run recorded for those CIDs and that cloud."""
        home = self.home_cid()
        if home not in cids or cloud != self.cloud:
            raise Refused(
                f"The run belongs to {', '.join(cids)} at {cloud}, these credentials to {home} at {self.cloud}.",
                "Use the env file of the customer that the run was made for.",
            )

    def close(self) -> None:
        """Give the connections back."""
        self._transport.session.close()

    def _current_token(self) -> str:
        """The token, renewed before it expires: once for all threads, also where Falcon gives the same one again."""
        if self._timing.monotonic() >= self._renew_at:
            with self._lock:
                if self._timing.monotonic() >= self._renew_at:
                    self._log_in()
        return self._token.access_token

    def _renew_token(self, stale: str) -> str:
        """Log in anew, once for all threads that hold the stale token."""
        with self._lock:
            if self._token.access_token == stale:
                self._log_in()
            return self._token.access_token

    def _log_in(self) -> None:
        self._token = self._transport.call(LOGIN, self._auth.login)
        register_secret(self._token.access_token)
        self._renew_at = self._timing.monotonic() + max(1.0, self._token.expires_in - RENEW_BEFORE_EXPIRY)
        if self._transport.redirected_base_url:
            self._auth.base_url = self._transport.redirected_base_url
