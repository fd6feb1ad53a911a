"""The real client of an emulator tenant, without a socket: what it sends is answered in the same thread."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
import responses

from falcon_bulk.falcon.tenant import Tenant as Client
from falcon_bulk.model.clock import Clock
from falcon_emulator import Tenant, gateway
from falcon_emulator.http import Call
from tests.support.clients import settings_for

URL = "http://127.0.0.1"


@contextmanager
def in_process_clients(tenant: Tenant, clock: Clock) -> Iterator[Callable[[], Client]]:
    """Yield a function that logs in to the tenant; until the end of the block its clients are answered by it."""
    opened = ExitStack()

    def connect() -> Client:
        client = Client(settings_for(tenant, URL), clock, quota=1.0)
        opened.callback(client.close)
        return client

    def answer(request: requests.PreparedRequest) -> Any:
        found = gateway.handle(tenant, _call(request))
        return found.status, {**found.headers, "Content-Type": found.content_type}, found.body

    with opened, responses.RequestsMock(assert_all_requests_are_fired=False) as network:
        for method in ("GET", "POST", "PATCH", "DELETE"):
            network.add_callback(method, re.compile(".*"), answer)
        yield connect


def _call(request: requests.PreparedRequest) -> Call:
    """Return a request as the emulator takes it. Its number, which is 0, marks no change as a client's."""
    parts = urlsplit(request.url or "")
    lists = parse_qs(parts.query)
    body = request.body or b""
    return Call(
        0,
        request.method or "",
        parts.path,
        {name: values[-1] for name, values in lists.items()},
        request.headers,
        body if isinstance(body, bytes) else str(body).encode(),
        "127.0.0.1",
        lists,
        len(parts.path) + len(parts.query) + 1,
    )
