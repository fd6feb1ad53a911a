"""Classify the answer to one request: a usable body, or an exception that says what to do next.

The classes are those of the table in docs/how-it-talks-to-falcon.md: the request was not sent, its response was
lost, the rate limit was reached, the token was rejected; any other answer is final, good or bad.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests
import urllib3.exceptions

from falcon_bulk.errors import BadFilter, LoginRefused, MissingScope, Rejected, SearchExpired, Unreachable
from falcon_bulk.falcon.responses import (
    UNREADABLE,
    ApiError,
    ApiResponse,
    RawAnswer,
    decode_or_empty,
    decode_response,
    decode_token,
)
from falcon_bulk.model.timing import CHANGE_TIMEOUT

CONNECT_TIMEOUT = 10.0
DEADLINE_FACTOR = 5


@dataclass(frozen=True)
class RequestType:
    """What the transport needs to know about a kind of request.

    action: completes "Falcon refuses to …" in messages. scope: the API scope it needs.
    read_timeout: seconds. is_change: never sent again once it may have reached Falcon.
    has_filter: carries a filter of the user's, so that a 400 is about the filter.
    by_id: asks for items by id, so that a 404 in `errors` may be the answer for one of them.
    has_item_errors: a 400 lists in `resources` what is wrong with each item.
    shrinkable: asks for so much that after a second 504 the caller asks for less.
    observed: every answer but a 429 and a 401 is returned as it came, as a RawAnswer.
    max_tries: attempts in all. decode: turns the body into a value.
    """

    action: str
    scope: str
    read_timeout: float
    is_change: bool = False
    has_filter: bool = False
    by_id: bool = False
    has_item_errors: bool = False
    shrinkable: bool = False
    observed: bool = False
    max_tries: int = 5
    decode: Callable[[bytes], Any] = decode_response

    @property
    def timeout(self) -> tuple[float, float]:
        """Connect and read timeout in seconds."""
        return CONNECT_TIMEOUT, self.read_timeout

    @property
    def deadline(self) -> float:
        """Seconds that the whole body may take, however it drips."""
        return self.read_timeout if self.is_change else DEADLINE_FACTOR * self.read_timeout


LOGIN = RequestType("log in", "", 60.0, decode=decode_token)
SEARCH_ALERTS = RequestType("read alerts", "Alerts: Read", 60.0, has_filter=True)
GET_ALERTS = RequestType("read alerts", "Alerts: Read", 60.0, by_id=True)
AGGREGATE_ALERTS = RequestType("count alerts", "Alerts: Read", 60.0, max_tries=1)
UPDATE_ALERTS = RequestType("change alerts", "Alerts: Write", CHANGE_TIMEOUT, is_change=True)
FIND_INDICATORS = RequestType("read indicators", "IOC Management: Read", 60.0)
GET_INDICATORS = RequestType("read indicators", "IOC Management: Read", 60.0, by_id=True)
CREATE_INDICATORS = RequestType(
    "create indicators", "IOC Management: Write", CHANGE_TIMEOUT, is_change=True, has_item_errors=True
)
FIND_CHILDREN = RequestType("list children", "Flight Control: Read", 60.0)
GET_CHILDREN = RequestType("list children", "Flight Control: Read", 60.0, by_id=True)
DELETE_INDICATORS = RequestType("delete indicators", "IOC Management: Write", CHANGE_TIMEOUT, is_change=True)


class RequestNotSent(Exception):
    """The request never left this machine; sending it again is always safe."""


class ResponseLost(Exception):
    """There is no usable answer, and the request may have been carried out."""

    def __init__(self, reason: str, status: int | None = None, trace_id: str = "") -> None:
        super().__init__(reason)
        self.status = status
        self.trace_id = trace_id


class RateLimited(Exception):
    """429: nothing was done; the headers may say how long to wait."""

    def __init__(self, response: requests.Response) -> None:
        super().__init__("Falcon answers 429, too many requests")
        self.headers = response.headers
        self.trace_id = response.headers.get("X-Cs-Traceid", "")


class TokenRejected(Exception):
    """401 on an API call: the token has expired, was revoked or is invalid, or a scope is missing."""

    def __init__(self, text: str, trace_id: str) -> None:
        super().__init__(text)
        self.trace_id = trace_id


def classify_network_error(error: OSError) -> Exception:
    """Return the exception to raise for one that requests raised while sending.

    An error after which the request may have left counts as ResponseLost, so that a change is not sent twice.
    requests raises OSErrors; a missing CA file is a plain OSError.
    """
    if "CA certificate bundle" in str(error):
        return Unreachable("The file of CA certificates for TLS is missing.", "Check REQUESTS_CA_BUNDLE.")
    reason = _underlying_error(error)
    name = type(reason if isinstance(reason, Exception) else error).__name__
    if isinstance(error, requests.exceptions.SSLError) and "certificate verify failed" in str(error).casefold():
        return Unreachable(
            "The TLS certificate of the Falcon API cannot be verified.",
            "Behind an inspecting proxy, set REQUESTS_CA_BUNDLE to its CA file.",
        )
    if isinstance(error, requests.exceptions.ConnectTimeout) or isinstance(
        reason, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError
    ):
        return RequestNotSent(f"no connection ({name})")
    if "Tunnel connection failed" in str(reason):
        return RequestNotSent("the proxy refuses to connect")
    if isinstance(error, ValueError) and not isinstance(error, requests.exceptions.ContentDecodingError):
        return Unreachable(f"Cannot send the request ({type(error).__name__}).", "Check FALCON_BASE_URL.")
    return ResponseLost(f"the connection broke ({name})")


def _underlying_error(error: OSError) -> object:
    """Return what urllib3 raised. It reports ProxyError even if a proxy failed after the request had left."""
    cause = error.args[0] if error.args else error
    reason = getattr(cause, "reason", cause)
    return reason.original_error if isinstance(reason, urllib3.exceptions.ProxyError) else reason


def classify_response(response: requests.Response, content: bytes, request_type: RequestType) -> Any:
    """Return the decoded body of a good answer.

    Raises ResponseLost, RateLimited or TokenRejected, which the transport handles; LoginRefused, MissingScope,
    BadFilter or Rejected where Falcon's answer is final.
    """
    status = response.status_code
    trace_id = response.headers.get("X-Cs-Traceid", "")
    if status == 429:
        raise RateLimited(response)
    if request_type.observed and status != 401:
        return RawAnswer(status, response.headers, content)
    if status >= 500:
        raise ResponseLost(f"Falcon answers {status}", status, trace_id)
    if 300 <= status < 400:
        raise Rejected(
            f"Falcon redirects ({status}) instead of answering.",
            "FALCON_BASE_URL may name the wrong region.",
            status=status,
            trace_id=trace_id,
        )
    try:
        body = request_type.decode(content)
    except UNREADABLE:
        if status < 300:
            raise ResponseLost(f"Falcon answers {status} with an incomplete body", status, trace_id) from None
        body = decode_or_empty(content)
    if status < 300:
        return _check_success(body, request_type, trace_id)
    if request_type.has_item_errors and status == 400 and isinstance(body, ApiResponse) and body.resources:
        return body
    answer = body if isinstance(body, ApiResponse) else decode_or_empty(content)
    raise _error_for_status(status, answer, request_type, answer.trace_id or trace_id)


def _check_success(body: Any, request_type: RequestType, trace_id: str) -> Any:
    """Return the body of a 2xx. Raises if a read's answer carries errors, even beside resources: it is not whole."""
    if not isinstance(body, ApiResponse):
        return body
    if body.meta is None and not body.problems:
        raise ResponseLost("Falcon answers 200 with JSON that is not an API answer", trace_id=trace_id)
    if not request_type.is_change and body.problems:
        _check_read_errors(body, request_type, body.trace_id or trace_id)
    if request_type.has_filter and body.resources and not body.total:
        raise ResponseLost("Falcon answers 200 with alerts and does not say how many match", trace_id=trace_id)
    return body


def _check_read_errors(body: ApiResponse, request_type: RequestType, trace_id: str) -> None:
    """Raise for the errors in a 2xx of a read. A 404 of a read by id is left to the caller, who knows the ids."""
    problems = [problem for problem in body.problems if not (request_type.by_id and problem.status == 404)]
    for problem in problems:
        if is_expired_search(problem.text):
            raise SearchExpired(f"Falcon answers: {problem.text}.", status=problem.status, trace_id=trace_id)
        if problem.transient or problem.status == 0:
            raise ResponseLost(f"Falcon answers 200 with the error {problem.text!r}", problem.status, trace_id)
    for problem in problems:
        if body.resources and problem.status not in (401, 403):
            raise partial_answer(problem, trace_id)
        raise _error_for_status(problem.status, body, request_type, trace_id)


def partial_answer(problem: ApiError, trace_id: str) -> Unreachable:
    """Return the error for an answer that holds only part of what was asked for."""
    return Unreachable(
        f"Falcon answers with only part of the data, and the error {problem.status}: {problem.text}.",
        "Run the command again; nothing is made from part of the data.",
        status=problem.status,
        trace_id=trace_id,
    )


def is_expired_search(text: str) -> bool:
    """Return whether an error says that an `after` has expired (the text of other Falcon APIs, elastic #14670)."""
    lowered = text.casefold()
    return "search context expired" in lowered or "no longer valid" in lowered


def _error_for_status(status: int, answer: ApiResponse, request_type: RequestType, trace_id: str) -> Exception:
    text = "; ".join(problem.text for problem in answer.problems) or "no reason given"
    if request_type is LOGIN:
        hint = "Check FALCON_CLIENT_ID, FALCON_CLIENT_SECRET and FALCON_BASE_URL."
        if "authorization failed" in text.casefold():
            hint = "The API client's IP allow-list may not contain this machine, or its secret is wrong."
        return LoginRefused(f"Falcon refuses the login ({status}): {text}.", hint, status=status, trace_id=trace_id)
    if status == 401:
        return TokenRejected(text, trace_id)
    if status == 403:
        return _forbidden(text, request_type, trace_id)
    if request_type.has_filter and is_expired_search(text):
        return SearchExpired(f"Falcon answers {status}: {text}.", status=status, trace_id=trace_id)
    if status == 400 and request_type.has_filter:
        return BadFilter(
            f"Falcon refuses the filter: {text}.",
            "FQL looks like status:'new'+severity:>=60; put strings in single quotes.",
            status=status,
            trace_id=trace_id,
        )
    return Rejected(f"Falcon answers {status}: {text}.", status=status, trace_id=trace_id)


def _forbidden(text: str, request_type: RequestType, trace_id: str) -> MissingScope:
    """Return the error of a 403. "authorization failed" is often something that no scope cures."""
    scope = request_type.scope
    lacks, hint = f"The API client lacks the scope {scope!r}.", f"Add the scope {scope!r} to the API client in the"
    hint += " Falcon console."
    if "authorization failed" in text.casefold():
        lacks = f"The API client may lack the scope {scope!r}."
        hint = (
            f"If it has the scope {scope!r}, no scope cures this: check its IP allow-list, the customer's licence, and "
            "whether it belongs to this CID."
        )
    return MissingScope(
        f"Falcon refuses to {request_type.action} (403): {text}. {lacks}", hint, status=403, trace_id=trace_id
    )
