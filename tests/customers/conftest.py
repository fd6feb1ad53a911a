"""Three customers: tenants of their own, an env file each."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from msp import Msp

from falcon_emulator import Server, Tenant


@pytest.fixture
def msp(tmp_path: Path) -> Iterator[Msp]:
    with ExitStack() as stack:
        tenants = [Tenant(alerts=50, customer=name) for name in ("acme", "globex", "initech")]
        yield Msp(tmp_path, stack.enter_context(Server(tenants)))
