"""Tenants to take real output from."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from falcon_emulator import Server, Switches, Tenant
from tests.support.command import CommandRunner


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Callable[..., CommandRunner]]:
    """Serve a small tenant of one's own; keywords set switches."""
    with ExitStack() as stack:

        def serve(**switches: Any) -> CommandRunner:
            tenant = Tenant(alerts=120, seed=5, switches=Switches(**switches))
            return CommandRunner(tmp_path, stack.enter_context(Server(tenant)))

        yield serve


@pytest.fixture
def two(tmp_path: Path) -> Iterator[CommandRunner]:
    """Two customers, acme and globex, in one folder."""
    tenants = [Tenant(alerts=80, seed=seed, customer=name) for seed, name in enumerate(("acme", "globex"), 1)]
    with Server(tenants) as server:
        yield CommandRunner(tmp_path, server)
