"""A tenant on loopback, with a folder to type commands in."""

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
    """Serve a tenant of one's own, or several by their names; keywords that are switches set switches."""
    with ExitStack() as stack:

        def acme(*names: str, **options: Any) -> CommandRunner:
            known = Switches.__struct_fields__
            switches = Switches(**{name: options.pop(name) for name in known if name in options})
            tenants = [
                Tenant(**{"alerts": 40, "customer": name, "seed": seed} | options, switches=switches)
                for seed, name in enumerate(names or ("acme",))
            ]
            return CommandRunner(tmp_path, stack.enter_context(Server(tenants)))

        yield acme
