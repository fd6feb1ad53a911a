"""Performs the requests that FalconPy makes: timeouts, pacing, retries, redirects, the token.

FalconPy (1.6.6) turns a connection reset into `status_code: 500`, truncated JSON into a 200 with errors, and has
no timeout, retry or pooling of its own. So its session (`falconpy_session.py`) calls the transport, which classifies,
waits and retries, and hands the decoded answer past FalconPy to the caller; what FalconPy makes of it is ignored.
"""

import threading
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any
from urllib.parse import urlsplit

import requests

from falcon_bulk.config.regions import redirect_target, region_target
from falcon_bulk.errors import AnswerLost, FalconBulkError, LoginRefused, MissingScope, Unreachable
from falcon_bulk.falcon.body import fetch_body
from falcon_bulk.falcon.concurrency import ConcurrencyLimiter
from falcon_bulk.falcon.falconpy_session import FalconPyResponse, FalconSession, PendingCall
from falcon_bulk.falcon.http_log import CallLog
from falcon_bulk.falcon.proxy import RETRIED, ProxyRefusals, tunnel_refusal
from falcon_bulk.falcon.rate_limit import RequestPacer, RetryBudget, backoff, clock_offset, retry_after_seconds
from falcon_bulk.falcon.response_classifier import (
    LOGIN,
    RateLimited,
    RequestNotSent,
    RequestType,
    ResponseLost,
    TokenRejected,
    classify_network_error,
    classify_response,
)
from falcon_bulk.model.clock import Clock

MAX_RATE_LIMITED = 8
MAX_REDIRECTS = 3


class Transport:
    """Perform FalconPy's calls for one customer: timeouts, pacing, retries, the token.

    customer: its name in the log. reads: bounds the reads in flight; changes: told what becomes of changes, if set.
    token: returns the current token. renew: logs in again unless the given token has been replaced already.
    redirected_base_url: where the last login was redirected to; '' for nowhere.
    named_region: the region that the last login named; '' for none. deprecations: what Falcon says of paths that are
    to go, by path. proxy_refusals: shared by all customers of a command.
    clock_ahead: seconds by which Falcon's clock is ahead of this machine's; None if the last answer had no date.
    """

    def __init__(
        self,
        clock: Clock,
        pacer: RequestPacer,
        *,
        reads: ConcurrencyLimiter,
        connections: int = 16,
        customer: str = "",
        proxy_refusals: ProxyRefusals | None = None,
    ) -> None:
        self._clock = clock
        self._customer = customer
        self._retry_budget = RetryBudget()
        self._thread = threading.local()
        self.pacer = pacer
        self._reads = reads
        self.changes: ConcurrencyLimiter | None = None
        self.session = FalconSession(self._perform, connections)
        self.token: Callable[[], str] = _no_token
        self.renew: Callable[[str], str] = lambda _: _no_token()
        self.redirected_base_url = ""
        self.named_region = ""
        self.deprecations: dict[str, str] = {}
        self.proxy_refusals = proxy_refusals or ProxyRefusals()
        self._answering: set[str] = set()
        self.clock_ahead: float | None = None

    def call(self, request_type: RequestType, operation: Callable[..., Any], **keywords: Any) -> Any:
        """Return the decoded answer of a FalconPy operation.

        Raises the errors of `falcon_bulk.errors`: Unreachable (a read, or nothing sent), AnswerLost (a change),
        Rejected, BadFilter, MissingScope, LoginRefused, Stopped.
        """
        outer = getattr(self._thread, "call", None)
        call = self._thread.call = PendingCall(request_type)
        try:
            operation(**keywords)
        finally:
            self._thread.call = outer
        if call.error is not None:
            raise call.error
        return call.body

    def mark_logged_in(self, login: Callable[[], Any]) -> None:
        """Let FalconPy take itself as logged in without a request, where the token is that of another transport.

        login: FalconPy's operation, which it would else call itself before the next request.
        """
        outer = getattr(self._thread, "call", None)
        self._thread.call = PendingCall(LOGIN, is_known=True)
        try:
            login()
        finally:
            self._thread.call = outer

    def _perform(self, method: str, url: str, **options: Any) -> FalconPyResponse:
        call: PendingCall = self._thread.call
        if call.is_known:
            return FalconPyResponse(LOGIN)
        log = CallLog(self._clock, self._customer, method)
        try:
            call.body = self._send_with_retries(call.request_type, method, url, options, log)
        except BaseException as error:  # noqa: BLE001 - `call` raises it, past FalconPy
            call.error = error
            log.decision(f"{type(error).__name__}: {error}", getattr(error, "trace_id", ""))
        else:
            log.decision("answered", getattr(call.body, "trace_id", ""))
        return FalconPyResponse(call.request_type)

    def _send_with_retries(
        self, request_type: RequestType, method: str, url: str, options: dict[str, Any], log: CallLog
    ) -> Any:
        failed = rate_limited = 0
        token_rejected = False
        while True:
            token = "" if request_type is LOGIN else self.token()
            try:
                body = self._send_attempt(request_type, method, url, options, token, log)
            except RequestNotSent as error:
                failed += 1
                seconds = self._retry_delay(request_type, error, failed)
                log.decision(f"not sent, {error}; retry in {seconds:.1f} s")
                self._clock.wait(seconds)
            except ResponseLost as error:
                self._troubled(request_type)
                if request_type.is_change:
                    raise AnswerLost(
                        f"The answer to a change was lost: {error}.", status=error.status, trace_id=error.trace_id
                    ) from None
                failed += 1
                seconds = self._retry_delay(request_type, error, failed)
                log.decision(f"answer lost, {error}; retry in {seconds:.1f} s", error.trace_id)
                self._clock.wait(seconds)
            except RateLimited as error:
                self._troubled(request_type)
                is_told = retry_after_seconds(error.headers, self._clock.now().timestamp()) is not None
                self.pacer.refused(self._thread.call.sent, is_told=is_told)
                rate_limited += 1
                seconds = self._rate_limit_delay(request_type, error, rate_limited)
                log.decision(f"rate limit reached; retry in {seconds:.1f} s")
                self.pacer.cool_down(seconds, "Falcon's rate limit is reached")
            except TokenRejected as error:
                if token_rejected:
                    raise self._refused_token(request_type, url, error) from None
                token_rejected = True
                log.decision(f"token rejected, {error}; log in again and retry")
                self.renew(token)
            else:
                self._retry_budget.give_back()
                if request_type is not LOGIN:
                    self._answering.add(urlsplit(url).path)
                return body

    def _send_attempt(
        self, request_type: RequestType, method: str, url: str, options: dict[str, Any], token: str, log: CallLog
    ) -> Any:
        """Send the request once, following the redirects of a login, and return the decoded body."""
        options = {**options, "timeout": request_type.timeout, "allow_redirects": False, "stream": True}
        if token:
            options["headers"] = {**options["headers"], "Authorization": f"Bearer {token}"}
        for _ in range(MAX_REDIRECTS):
            self.proxy_refusals.check()
            with nullcontext() if request_type.is_change or request_type is LOGIN else self._reads.slot():
                self.pacer.before_request()
                log.request(url, options.get("params") or {})
                sent = self._thread.call.sent = self._clock.monotonic()
                try:
                    response = self.session.send_once(method, url, **options)
                    body = fetch_body(
                        response, self._clock, request_type.deadline, stoppable=not request_type.is_change
                    )
                except OSError as error:
                    raise self._network_error(error, url) from None
                took = self._clock.monotonic() - sent
            if request_type is not LOGIN and response.status_code < 400:
                size = max(body.size, len(response.request.body or b""))
                self._limiter(request_type).answered(sent, took, (urlsplit(url).path, method, size.bit_length()))
            try:
                content = body.unpack()
            except OSError as error:
                raise self._network_error(error, url) from None
            log.response(response, content)
            if request_type is not LOGIN and response.status_code != 429:
                self.pacer.answered()
            if response.status_code == 407:
                raise self.proxy_refusals.refuse(url, 407)
            self._note_deprecation(url, response.headers)
            self.clock_ahead = clock_offset(response.headers.get("Date", ""), self._clock.now())
            if request_type is not LOGIN:
                # The token endpoint has a limit of its own: 300 a minute per address.
                self.pacer.after_answer(response.headers)
            target = self._redirect_base_url(request_type, url, response)
            if not target:
                return classify_response(response, content, request_type)
            self.redirected_base_url = target
            url = f"{target}/oauth2/token"
            log.decision(f"redirected to {target}")
        raise Unreachable("The token endpoint redirects in a loop.", "Check FALCON_BASE_URL.")

    def _limiter(self, request_type: RequestType) -> ConcurrencyLimiter:
        return self.changes or self._reads if request_type.is_change else self._reads

    def _troubled(self, request_type: RequestType) -> None:
        """Report an overload or a lost answer. A server error to what is asked for only once is a refusal."""
        if request_type is not LOGIN and request_type.max_tries > 1:
            self._limiter(request_type).troubled(self._thread.call.sent)

    def _redirect_base_url(self, request_type: RequestType, url: str, response: requests.Response) -> str:
        """Return the base URL that a login is to move to; '' for none. Only known Falcon hosts are followed.

        A login at another commercial region is redirected, or answered with 201 and the right region in X-Cs-Region.
        """
        if request_type is not LOGIN or response.status_code >= 400:
            return ""
        if response.status_code < 300:
            self.named_region = response.headers.get("X-Cs-Region", "").strip().lower()
            return region_target(url.removesuffix("/oauth2/token"), self.named_region) or ""
        target = redirect_target(url.removesuffix("/oauth2/token"), response.headers.get("Location", ""))
        if not target:
            raise LoginRefused(
                "The token endpoint redirects to a host that is not a known Falcon host.", "Check FALCON_BASE_URL."
            )
        return target

    def _network_error(self, error: OSError, url: str) -> Exception:
        """Return the exception to raise for one that requests raised. A proxy's final refusal is remembered."""
        status = tunnel_refusal(error)
        if status and status not in RETRIED:
            return self.proxy_refusals.refuse(url, status)
        return classify_network_error(error)

    def _note_deprecation(self, url: str, headers: Mapping[str, str]) -> None:
        texts = [value for name, value in headers.items() if name.lower().startswith("x-api-deprecation") and value]
        if texts:
            self.deprecations[urlsplit(url).path] = "; ".join(texts)

    def _refused_token(self, request_type: RequestType, url: str, error: TokenRejected) -> FalconBulkError:
        """Return the error for a second 401 after a fresh login: a missing scope, or the wrong region.

        Falcon often answers a missing scope with 401; if other requests are answered, the region is right.
        """
        message = f"Falcon refuses a fresh token (401): {error}."
        named = f"; the login names {self.named_region}" if self.named_region else ""
        scope = f"the API client lacks the scope {request_type.scope!r}"
        region = f"FALCON_BASE_URL names a different region than the one that gave the token{named}"
        if self._answering - {urlsplit(url).path}:
            hint = f"Other requests are answered, so probably {scope}; else {region}."
            return MissingScope(f"{message} It is about {request_type.scope!r}.", hint, trace_id=error.trace_id)
        return LoginRefused(message, f"Either {region}, or {scope}.", trace_id=error.trace_id)

    def _retry_delay(self, request_type: RequestType, error: Exception, failed: int) -> float:
        """Return the seconds to wait before the next try. Raises Unreachable if there is no next try."""
        status = getattr(error, "status", None)
        max_tries = 2 if request_type.shrinkable and status == 504 else request_type.max_tries
        if failed >= max_tries or not self._retry_budget.take():
            raise Unreachable(
                f"Cannot reach Falcon to {request_type.action}: {error} ({failed} tries).",
                "Check the network and FALCON_BASE_URL, then run the command again.",
                status=status,
                trace_id=getattr(error, "trace_id", ""),
            )
        return backoff(failed, self._clock.chance())

    def _rate_limit_delay(self, request_type: RequestType, error: RateLimited, rate_limited: int) -> float:
        """Return the seconds to wait after a 429. Raises Unreachable after too many of them."""
        if rate_limited > MAX_RATE_LIMITED:
            raise Unreachable(
                f"Falcon keeps refusing to {request_type.action}: {error} ({rate_limited} times).",
                "Other integrations may be using up the customer's rate limit; try again in a few minutes.",
                status=429,
                trace_id=error.trace_id,
            )
        requested = retry_after_seconds(error.headers, self._clock.now().timestamp())
        return requested if requested is not None else 1.0 + backoff(rate_limited, self._clock.chance(), cap=60.0)


def _no_token() -> str:
    raise LoginRefused("There is no token: log in first.")
