"""Log each request, its answer and what the transport decided, for `--debug` and `--log-file`.

A log line never holds a header, a body or the value of a query parameter. The handlers mask secrets and escape
foreign text (`cli/logging_setup.py`).
"""

import itertools
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests

from falcon_bulk.model.clock import Clock

logger = logging.getLogger("falcon_bulk.http")

_call_numbers = itertools.count(1)


class CallLog:
    """Log the attempts of one API call: one line per request, one per answer.

    A call has a number that is unique in the process, so that the lines of several threads can be told apart.
    """

    def __init__(self, clock: Clock, customer: str, method: str) -> None:
        self._enabled = logger.isEnabledFor(logging.DEBUG)
        self._clock = clock
        self._name = f"{customer} call {next(_call_numbers)} {method}" if self._enabled else ""
        self._tries = 0
        self._target = ""
        self._started = 0.0
        self._answer = ""
        self._trace_id = ""

    def request(self, url: str, parameters: Mapping[str, Any]) -> None:
        """Log that a request is about to be sent; of its parameters only the names."""
        if not self._enabled:
            return
        self._tries += 1
        names = "&".join(parameters)
        self._target = urlsplit(url).path + (f"?{names}" if names else "")
        self._started = self._clock.monotonic()
        self._answer, self._trace_id = "no answer", "none"
        logger.debug("%s %s: try %d, request", self._name, self._target, self._tries)

    def response(self, response: requests.Response, body: bytes) -> None:
        """Note the answer; `decision` logs it."""
        if not self._enabled:
            return
        sent = len(response.request.body or "")
        self._answer = f"status {response.status_code}, {sent} bytes sent, {len(body)} bytes received"
        self._trace_id = response.headers.get("X-Cs-Traceid", "") or "none"

    def decision(self, decision: str, trace_id: str = "") -> None:
        """Log how the last request ended and what the transport does next. Call it once per request."""
        if not self._enabled:
            return
        if not self._answer:
            logger.debug("%s: nothing sent: %s", self._name, decision)
            return
        milliseconds = 1000 * (self._clock.monotonic() - self._started)
        logger.debug(
            "%s %s: try %d, %s, %.0f ms, trace id %s: %s",
            self._name,
            self._target,
            self._tries,
            self._answer,
            milliseconds,
            trace_id or self._trace_id,
            decision,
        )
        self._answer = ""
