"""Tenants on loopback for the tests."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from falcon_emulator import Server, Switches, Tenant
from tests.support.http_caller import Caller

Start = Callable[..., Caller]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a small tenant; keywords that are switches set switches, the others go to Tenant."""
    with ExitStack() as stack:

        def start(*, login: bool = True, **options: Any) -> Caller:
            names = Switches.__struct_fields__
            switches = Switches(**{name: options.pop(name) for name in names if name in options})
            tenant = Tenant(**{"alerts": 200} | options, switches=switches)
            caller = Caller(stack.enter_context(Server(tenant)), tenant, login=login)
            stack.callback(caller.session.close)
            return caller

        yield start


@pytest.fixture(scope="module")
def shared() -> Iterator[Caller]:
    """A tenant that the tests of one module only read."""
    tenant = Tenant(alerts=2000, seed=7)
    with Server(tenant) as server:
        caller = Caller(server, tenant)
        yield caller
        caller.session.close()
