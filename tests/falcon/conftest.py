"""A scripted Falcon, and a client that is logged in to it on a fake clock."""

from collections.abc import Iterator

import pytest

from falcon_bulk.falcon.tenant import Tenant
from tests.support.fake_clock import FakeClock
from tests.support.scripted_falcon import ScriptedFalcon, logged_in, scripted


@pytest.fixture
def timing() -> FakeClock:
    return FakeClock()


@pytest.fixture
def falcon(timing: FakeClock) -> Iterator[ScriptedFalcon]:
    with scripted(timing) as falcon:
        yield falcon


@pytest.fixture
def tenant(falcon: ScriptedFalcon, timing: FakeClock) -> Iterator[Tenant]:
    with logged_in(timing) as tenant:
        yield tenant
