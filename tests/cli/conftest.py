"""Tenants on loopback, each with a folder to type commands in."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from falcon_emulator import Server, Switches, Tenant
from tests.support.command import CommandRunner

Acme = Callable[..., CommandRunner]


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Acme]:
    """Serve a tenant of one's own; keywords that are switches set switches, the others go to Tenant."""
    with ExitStack() as stack:

        def acme(**options: Any) -> CommandRunner:
            names = Switches.__struct_fields__
            switches = Switches(**{name: options.pop(name) for name in names if name in options})
            tenant = Tenant(**{"alerts": 300} | options, switches=switches)
            return CommandRunner(tmp_path, stack.enter_context(Server(tenant)))

        yield acme


@pytest.fixture(scope="session")
def readable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandRunner]:
    """A tenant that tests only read."""
    with Server(Tenant(alerts=2500, seed=7)) as server:
        yield CommandRunner(tmp_path_factory.mktemp("acme"), server)
