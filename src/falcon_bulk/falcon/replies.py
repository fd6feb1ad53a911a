"""What one HTTP exchange came to: a usable answer, or one of four things a sender must react to.

The table is the one of docs/how-it-talks-to-falcon.md: was the request sent at all, was its answer lost, was it
throttled, was the token refused; everything else is an answer, good or bad.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import requests
import urllib3.exceptions

from falcon_bulk.errors import BadFilter, LoginRefused, MissingScope, Rejected, Unreachable
from falcon_bulk.falcon.responses import ApiResponse, decode_response, decode_token

CONNECT_TIMEOUT = 10.0


@dataclass(frozen=True)
class Purpose:
    """What a request is for: how long it may take (seconds), what it needs, how often it is
    tried, whether it changes anything, whether a filter of the user's goes with it, whether a 400 lists in
    `resources` what is wrong with each item of the request."""

    does: str
    scope: str
    read_timeout: float
    changes: bool = False
    filtered: bool = False
    itemized: bool = False
    tries: int = 5
    decode: Callable[[bytes], Any] = decode_response

    @property
    def timeout(self) -> tuple[float, float]:
        """Connect and read timeout in seconds."""
        return CONNECT_TIMEOUT, self.read_timeout


LOGIN = Purpose("log in", "", 60.0, decode=decode_token)
SEARCH = Purpose("read alerts", "Alerts: Read", 60.0, filtered=True)
READ = Purpose("read alerts", "Alerts: Read", 60.0)
AGGREGATE = Purpose("count alerts", "Alerts: Read", 60.0, tries=1)
CHANGE = Purpose("change alerts", "Alerts: Write", 180.0, changes=True)
FIND_INDICATORS = Purpose("read indicators", "IOC Management: Read", 60.0)
CREATE_INDICATORS = Purpose("create indicators", "IOC Management: Write", 180.0, changes=True, itemized=True)
DELETE_INDICATORS = Purpose("delete indicators", "IOC Management: Write", 180.0, changes=True)


class NotSent(Exception):
    """The request never left: it can be sent again without a thought."""


class Lost(Exception):
    """The request may have had its effect, but there is no usable answer."""

    def __init__(self, why: str, status: int | None = None, trace_id: str = "") -> None:
        super().__init__(why)
        self.status = status
        self.trace_id = trace_id


class Throttled(Exception):
    """429: nothing was done; the headers may tell how long to wait."""

    def __init__(self, response: requests.Response) -> None:
        super().__init__("Falcon answers 429, too many requests")
        self.headers = response.headers


class TokenRefused(Exception):
    """401 on an API call: the token is expired, revoked or invalid."""


def sent_or_not(error: OSError) -> Exception:
    """The signal that an exception of requests stands for (its exceptions are OSErrors; for a CA file it has none).

    What cannot be told to have never left counts as lost, so that a change is not sent twice.
    """
    if "CA certificate bundle" in str(error):
        return Unreachable("The file of TLS CA certificates is missing.", "Check REQUESTS_CA_BUNDLE.")
    reason = _reason(error)
    name = type(reason if isinstance(reason, Exception) else error).__name__
    if isinstance(error, requests.exceptions.SSLError) and "certificate verify failed" in str(error).casefold():
        return Unreachable(
            "The TLS certificate of the Falcon API cannot be verified.",
            "Behind an inspecting proxy, set REQUESTS_CA_BUNDLE to its CA file.",
        )
    if isinstance(error, requests.exceptions.ConnectTimeout) or isinstance(
        reason, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError
    ):
        return NotSent(f"no connection ({name})")
    if "Tunnel connection failed" in str(reason):
        return NotSent("the proxy does not connect to it")
    if isinstance(error, ValueError) and not isinstance(error, requests.exceptions.ContentDecodingError):
        return Unreachable(f"The request cannot be made ({type(error).__name__}).", "Check FALCON_BASE_URL.")
    return Lost(f"the connection broke ({name})")


def _reason(error: OSError) -> object:
    """What urllib3 raised. It says ProxyError also where a proxy broke off after the request had left."""
    cause = error.args[0] if error.args else error
    reason = getattr(cause, "reason", cause)
    return reason.original_error if isinstance(reason, urllib3.exceptions.ProxyError) else reason


def read_reply(response: requests.Response, content: bytes, purpose: Purpose) -> Any:
    """The decoded body of a good answer.

    Raises Lost, Throttled or TokenRefused for the sender to react to, and LoginRefused, MissingScope, BadFilter
    or Rejected where Falcon's word is final.
    """
    status = response.status_code
    trace_id = response.headers.get("X-Cs-Traceid", "")
    if status == 429:
        raise Throttled(response)
    if status >= 500:
        raise Lost(f"Falcon answers {status}", status, trace_id)
    if 300 <= status < 400:
        raise Rejected(
            f"Falcon redirects ({status}) instead of answering.",
            "FALCON_BASE_URL may name the wrong region.",
            status=status,
        )
    try:
        body = purpose.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        if status < 300:
            raise Lost(f"Falcon answers {status} with an incomplete body", status, trace_id) from None
        body = _lenient(content)
    if status < 300:
        return _checked(body, purpose)
    if purpose.itemized and status == 400 and isinstance(body, ApiResponse) and body.resources:
        return body
    raise _refusal(status, body if isinstance(body, ApiResponse) else _lenient(content), purpose)


def _lenient(content: bytes) -> ApiResponse:
    try:
        return decode_response(content)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ApiResponse()


def _checked(body: Any, purpose: Purpose) -> Any:
    """A 2xx may still carry errors; for a read without resources they are what it says."""
    if not isinstance(body, ApiResponse):
        return body
    if body.meta is None and not body.problems:
        raise Lost("Falcon answers 200 with JSON that is not an answer of its API")
    if not purpose.changes and body.problems and not body.resources:
        problem, number = body.problems[0], body.problems[0].number
        if problem.passing or number == 0:
            raise Lost(f"Falcon answers 200 with the error {problem.words!r}", number, body.trace_id)
        if number == 404 and not purpose.filtered:
            return body  # all ids asked for are unknown
        raise _refusal(number, body, purpose)
    if purpose.filtered and body.resources and not body.total:
        raise Lost("Falcon answers 200 with alerts and does not say how many match")
    return body


def _refusal(status: int, answer: ApiResponse, purpose: Purpose) -> Exception:
    words = "; ".join(problem.words for problem in answer.problems) or "no reason given"
    if purpose is LOGIN:
        hint = "Check FALCON_CLIENT_ID, FALCON_CLIENT_SECRET and FALCON_BASE_URL."
        if "authorization failed" in words:
            hint = "The API client's IP allow-list may not contain this machine, or its secret is wrong."
        return LoginRefused(f"Falcon refuses the login ({status}): {words}.", hint)
    if status == 401:
        return TokenRefused(words)
    if status == 403:
        return MissingScope(
            f"Falcon refuses to {purpose.does} (403): {words}. The API client lacks the scope {purpose.scope!r}.",
            f"Add the scope {purpose.scope!r} to the API client in the Falcon console.",
        )
    if status == 400 and purpose.filtered:
        return BadFilter(
            f"Falcon refuses the filter: {words}.",
            "FQL looks like status:'new'+severity:>=60; put strings in single quotes.",
            status=status,
            trace_id=answer.trace_id,
        )
    return Rejected(f"Falcon answers {status}: {words}.", status=status, trace_id=answer.trace_id)
