"""A tenant of one's own, with what its allow-list holds."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from falcon_emulator import Server, Switches, Tenant
from tests.support.allow_list import AllowList


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Callable[..., AllowList]]:
    """Serve a small tenant; `children` goes to Tenant, other keywords set switches."""
    with ExitStack() as stack:

        def serve(children: int = 0, **switches: Any) -> AllowList:
            tenant = Tenant(alerts=40, seed=5, children=children, switches=Switches(**switches))
            return AllowList(tmp_path, stack.enter_context(Server(tenant)))

        yield serve
