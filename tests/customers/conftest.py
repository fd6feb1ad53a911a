"""Three customers: tenants of their own, an env file each."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from falcon_emulator import Server, Tenant
from tests.support.managed_customers import ManagedCustomers


@pytest.fixture
def msp(tmp_path: Path) -> Iterator[ManagedCustomers]:
    with ExitStack() as stack:
        tenants = [Tenant(alerts=50, customer=name) for name in ("acme", "globex", "initech")]
        yield ManagedCustomers(tmp_path, stack.enter_context(Server(tenants)))
