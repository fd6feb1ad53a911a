"""A Falcon that answers from a script, and remembers the requests."""

import json
import re
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
import responses

from falcon_bulk.config.secret import Secret
from falcon_bulk.config.settings import Settings
from falcon_bulk.falcon.tenant import Tenant
from tests.support.clients import make_settings
from tests.support.fake_clock import FakeClock

SECRET = "s3ntinel-of-acme"
TOKEN = "t0ken-of-acme"
CID = "0123456789abcdef0123456789abcdef"
BASE = "https://api.us-2.crowdstrike.com"
LOGIN_PATH = "/oauth2/token"
QUERY = "/alerts/queries/alerts/v2"
COMBINED = "/alerts/combined/alerts/v1"
ENTITIES = "/alerts/entities/alerts/v2"
PATCH = "/alerts/entities/alerts/v3"
AGGREGATES = "/alerts/aggregates/alerts/v2"


@dataclass
class Reply:
    """An answer; `error` is raised by `requests` instead."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] | None = None
    error: Exception | None = None

    def as_responses(self) -> Any:
        if self.error is not None:
            return self.error
        if isinstance(self.body, str | bytes):
            body, kind = self.body, "text/html"
        else:
            body, kind = json.dumps(self.body), "application/json"
        return self.status, {"Content-Type": kind, **(self.headers or {})}, body


def an_envelope(resources: list[Any] | None = None, *, total: int = 0, errors: Any = None, **meta: Any) -> dict:
    body: dict[str, Any] = {
        "meta": {"trace_id": "trace-1", "pagination": {"total": total}, **meta},
        "errors": errors or [],
    }
    return body if resources is None else body | {"resources": resources}


def good(resources: list[Any] | None = None, **envelope: Any) -> Reply:
    return Reply(200, an_envelope(resources if resources is not None else [], **envelope))


def refused(status: int, message: str = "no", headers: dict[str, str] | None = None) -> Reply:
    return Reply(status, an_envelope([], errors=[{"code": status, "message": message}]), headers)


def broken(error: Exception) -> Reply:
    return Reply(error=error)


def moved_to(location: str, status: int = 308) -> Reply:
    return Reply(status, "", {"Location": location})


def a_token(value: str = TOKEN, expires_in: Any = 1799) -> Reply:
    return Reply(201, {"access_token": value, "expires_in": expires_in, "token_type": "bearer"})


@dataclass
class Call:
    """A request that reached the scripted Falcon. sent: the arguments that `requests` gave the network layer."""

    method: str
    url: str
    headers: dict[str, str]
    body: str
    sent: dict[str, Any]
    at: float = 0.0

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.url).query)

    @property
    def form(self) -> dict[str, list[str]]:
        return parse_qs(self.body)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class ScriptedFalcon:
    """Replies by path, in order; the last one is repeated. A path without a script gets an empty success."""

    def __init__(self, timing: FakeClock) -> None:
        self.timing = timing
        self.calls: list[Call] = []
        self._scripts: dict[str, deque[Reply]] = {}
        self._lock = threading.Lock()
        self.answer(LOGIN_PATH, *(a_token(f"{TOKEN}-{number}") for number in range(1, 100)))

    def answer(self, path: str, *replies: Reply) -> None:
        self._scripts[path] = deque(replies)

    def to(self, path: str) -> list[Call]:
        return [call for call in self.calls if call.path == path]

    @property
    def logins(self) -> int:
        return len(self.to(LOGIN_PATH))

    def carry(self, request: requests.PreparedRequest) -> Any:
        body = request.body or ""
        with self._lock:
            call = Call(
                request.method or "",
                request.url or "",
                dict(request.headers),
                body.decode() if isinstance(body, bytes) else str(body),
                dict(request.req_kwargs),  # type: ignore[attr-defined]
                self.timing.passed,
            )
            self.calls.append(call)
            script = self._scripts.get(call.path) or deque([good()])
            reply = script.popleft() if len(script) > 1 else script[0]
        return reply.as_responses()


@contextmanager
def scripted(timing: FakeClock | None = None) -> Iterator[ScriptedFalcon]:
    falcon = ScriptedFalcon(timing or FakeClock())
    with responses.RequestsMock(assert_all_requests_are_fired=False) as network:
        for method in ("GET", "POST", "PATCH", "DELETE"):
            network.add_callback(method, re.compile(".*"), falcon.carry)
        yield falcon


def some_settings(**fields: Any) -> Settings:
    """Return settings for the scripted Falcon with these fields."""
    return make_settings(**{"client_secret": Secret(SECRET), "base_url": BASE, "cids": (CID,)} | fields)


@contextmanager
def logged_in(timing: FakeClock, settings: Settings | None = None, **options: Any) -> Iterator[Tenant]:
    tenant = Tenant(settings or some_settings(), timing, **options)
    try:
        yield tenant
    finally:
        tenant.close()
