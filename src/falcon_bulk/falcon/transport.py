"""The session that FalconPy sends its requests through, and what is done about each answer.

FalconPy (1.6.6) turns a connection reset into `status_code: 500`, truncated JSON into a 200 with errors, and has
no timeout, retry or pooling of its own. So the session below it classifies, waits and retries, and hands the
decoded answer past FalconPy to the caller; what FalconPy makes of it is not looked at.
"""

import threading
import zlib
from collections.abc import Callable
from contextlib import suppress
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from isal import igzip, isal_zlib
from requests.adapters import HTTPAdapter

from falcon_bulk.config.regions import redirect_target
from falcon_bulk.errors import AnswerLost, LoginRefused, Unreachable
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
NEVER_EXPIRES = 10**9
PLACEHOLDER = "held by the transport"

_decompress: Callable[[bytes], bytes] = igzip.decompress


class FalconPyResponse:
    """What FalconPy gets to see: always a success, so that it adds nothing of its own.

    For a login it is a stand-in for the token, said to live for ever: the token is the transport's business, since
    FalconPy renews without a lock, and logs in before every call once a login has failed.
    """

    def __init__(self, request_type: RequestType) -> None:
        self.status_code = 201 if request_type is LOGIN else 200
        self.headers = {"Content-Type": "application/json"}
        self._body = {"access_token": PLACEHOLDER, "expires_in": NEVER_EXPIRES} if request_type is LOGIN else {}

    def json(self) -> dict[str, Any]:
        """The body as FalconPy asks for it."""
        return self._body


class Call:
    """One call through FalconPy: why it is made, and what came of it."""

    def __init__(self, request_type: RequestType) -> None:
        self.request_type = request_type
        self.body: Any = None
        self.error: BaseException | None = None


class FalconSession(requests.Session):
    """A pooled session that passes every request to `carry`."""

    def __init__(self, carry: Callable[..., FalconPyResponse], connections: int) -> None:
        super().__init__()
        self._perform = carry
        self.auth = _no_auth
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = HTTPAdapter(pool_connections=4, pool_maxsize=connections, pool_block=False)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def request(self, method: str, url: str, **options: Any) -> Any:  # type: ignore[override]
        """Called by FalconPy."""
        return self._perform(method, url, **options)

    def send_once(self, method: str, url: str, **options: Any) -> requests.Response:
        """Really send it, once."""
        return super().request(method, url, **options)


class Transport:
    """Carries FalconPy's calls for one customer: timeouts, pacing, retries, the token.

    renew: logs in anew unless the given token is no longer the current one, and returns the current token.
    """

    def __init__(self, timing: Clock, pacer: RequestPacer, *, connections: int = 16) -> None:
        self._timing = timing
        self._budget = RetryBudget()
        self._local = threading.local()
        self.pacer = pacer
        self.session = FalconSession(self._perform, connections)
        self.token: Callable[[], str] = _no_token
        self.renew: Callable[[str], str] = lambda _: _no_token()
        self.redirected_base_url = ""
        self.clock_ahead: float | None = None

    def call(self, request_type: RequestType, operation: Callable[..., Any], **keywords: Any) -> Any:
        """The decoded answer of a FalconPy operation.

        Raises the errors of `falcon_bulk.errors`: Unreachable (a read, or nothing sent), AnswerLost (a change),
        Rejected, BadFilter, MissingScope, LoginRefused, Stopped.
        """
        outer = getattr(self._local, "exchange", None)
        exchange = self._local.exchange = Call(request_type)
        try:
            operation(**keywords)
        finally:
            self._local.exchange = outer
        if exchange.error is not None:
            raise exchange.error
        return exchange.body

    def _perform(self, method: str, url: str, **options: Any) -> FalconPyResponse:
        exchange: Call = self._local.exchange
        try:
            exchange.body = self._send_with_retries(exchange.request_type, method, url, options)
        except BaseException as error:  # noqa: BLE001 - `call` raises it, past FalconPy
            exchange.error = error
        return FalconPyResponse(exchange.request_type)

    def _send_with_retries(self, request_type: RequestType, method: str, url: str, options: dict[str, Any]) -> Any:
        failed = rate_limited = 0
        token_rejected = False
        while True:
            token = "" if request_type is LOGIN else self.token()
            try:
                body = self._send_attempt(request_type, method, url, options, token)
            except RequestNotSent as error:
                failed += 1
                self._wait_before_retry(request_type, error, failed)
            except ResponseLost as error:
                self.pacer.record_failure()
                if request_type.is_change:
                    raise AnswerLost(
                        f"The answer to a change was lost: {error}.", status=error.status, trace_id=error.trace_id
                    ) from None
                failed += 1
                self._wait_before_retry(request_type, error, failed)
            except RateLimited as error:
                self.pacer.record_failure()
                rate_limited += 1
                self._wait_for_rate_limit(request_type, error, rate_limited)
            except TokenRejected as error:
                if token_rejected:
                    raise LoginRefused(
                        f"Falcon refuses a fresh token (401): {error}.",
                        "The base URL may name another region than the one that gave the token.",
                    ) from None
                token_rejected = True
                self.renew(token)
            else:
                self._budget.give_back()
                return body

    def _send_attempt(
        self, request_type: RequestType, method: str, url: str, options: dict[str, Any], token: str
    ) -> Any:
        options = {**options, "timeout": request_type.timeout, "allow_redirects": False, "stream": True}
        if token:
            options["headers"] = {**options["headers"], "Authorization": f"Bearer {token}"}
        for _ in range(MAX_REDIRECTS):
            self.pacer.before_request()
            try:
                response = self.session.send_once(method, url, **options)
                content = _read_body(response)
            except OSError as error:
                raise classify_network_error(error) from None
            self.clock_ahead = clock_offset(response.headers.get("Date", ""), self._timing.now())
            if request_type is not LOGIN:
                # The token endpoint has a limit of its own: 300 a minute per address.
                self.pacer.after_answer(response.headers)
            target = self._redirect_base_url(request_type, url, response)
            if not target:
                return classify_response(response, content, request_type)
            self.redirected_base_url = target
            url = f"{target}/oauth2/token"
        raise Unreachable("The token endpoint redirects in a circle.", "Check FALCON_BASE_URL.")

    def _redirect_base_url(self, request_type: RequestType, url: str, response: requests.Response) -> str:
        """The base URL to go on with, for a login only, and only to a host that is known to be Falcon's."""
        if request_type is not LOGIN or not 300 <= response.status_code < 400:
            return ""
        target = redirect_target(url.removesuffix("/oauth2/token"), response.headers.get("Location", ""))
        if not target:
            raise LoginRefused(
                "The token endpoint redirects to a host that is not known to be Falcon's.", "Check FALCON_BASE_URL."
            )
        return target

    def _wait_before_retry(self, request_type: RequestType, error: Exception, failed: int) -> None:
        if failed >= request_type.max_tries or not self._budget.take():
            raise Unreachable(
                f"Falcon cannot be reached to {request_type.action}: {error} ({failed} tries).",
                "Check the network and FALCON_BASE_URL, then run the command again.",
                status=getattr(error, "status", None),
                trace_id=getattr(error, "trace_id", ""),
            )
        self._timing.wait(backoff(failed, self._timing.chance()))

    def _wait_for_rate_limit(self, request_type: RequestType, error: RateLimited, rate_limited: int) -> None:
        if rate_limited > MAX_RATE_LIMITED:
            raise Unreachable(
                f"Falcon does not let this client {request_type.action}: {error} ({rate_limited} times).",
                "Other integrations may use up the customer's limit; try again in some minutes.",
                status=429,
            )
        told = retry_after_seconds(error.headers, self._timing.now().timestamp())
        seconds = told if told is not None else 1.0 + backoff(rate_limited, self._timing.chance(), cap=60.0)
        self.pacer.cool_down(seconds, "Falcon's rate limit is reached")


def _read_body(response: requests.Response) -> bytes:
    """The whole body, a gzipped one unpacked: here and not by urllib3, which takes twice the time and memory.

    `identity` in a list of encodings is left out: urllib3 takes it for deflate. Raises OSError if the body breaks off
    or is no gzip.
    """
    named = response.raw.headers.pop("Content-Encoding", "")  # urllib3 does not unpack what it does not see
    encodings = [one for part in named.lower().split(",") if (one := part.strip()) not in ("", "identity")]
    if encodings and encodings != ["gzip"]:
        response.raw.headers["Content-Encoding"] = ", ".join(encodings)
    content = b"".join(response.iter_content(None))
    return _gunzip(content) if encodings == ["gzip"] else content


def _gunzip(packed: bytes) -> bytes:
    """What was packed, whatever stands behind its end, as urllib3 and so the vendor's SDK reads it. Raises OSError."""
    try:
        return _decompress(packed)
    except (EOFError, igzip.BadGzipFile, isal_zlib.error) as error:  # type: ignore[misc]  # its stub takes the class for an instance
        with suppress(zlib.error):
            member = zlib.decompressobj(wbits=zlib.MAX_WBITS + 16)
            content = member.decompress(packed)
            if member.eof:
                return content
        raise requests.exceptions.ContentDecodingError(error) from None


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """An `auth` that does nothing: with one set, requests does not look into ~/.netrc."""
    return request


def _no_token() -> str:
    raise LoginRefused("There is no token: log in first.")
