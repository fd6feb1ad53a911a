"""Single questions of doctor --probe: the life of `after`, errors in between, fields that the tool does not know."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from falcon_bulk.errors import Stopped
from falcon_bulk.falcon.responses import Aggregate
from falcon_bulk.falcon.tenant import Tenant as Client
from falcon_bulk.model.doctor import CANNOT_TELL, Finding
from falcon_bulk.operations.doctor.probe.answer_questions import new_fields
from falcon_bulk.operations.doctor.probe.checked_values import is_plain_field, is_plain_id, is_plain_word
from falcon_bulk.operations.doctor.probe.page_questions import AGES
from falcon_bulk.operations.doctor.probe.run import probe
from falcon_emulator import Fault, Server, Switches, Tenant
from tests.support.clients import client_for
from tests.support.fake_clock import FakeClock

Probe = Callable[..., dict[str, Finding]]


@pytest.fixture
def timing() -> FakeClock:
    return FakeClock(chance=0.5)


class AgingClock(FakeClock):
    """A clock whose waits move the tenant's clock too."""

    def __init__(self, server: Server, tenant: Tenant) -> None:
        super().__init__(chance=0.5)
        self._server, self._tenant = server, tenant

    def wait(self, seconds: float) -> None:
        super().wait(seconds)
        self._server.call(lambda: self._tenant.advance(seconds))


@pytest.fixture
def serve() -> Iterator[Callable[..., tuple[Server, Tenant, Client]]]:
    opened: list[Any] = []

    def serve(alerts: int = 60, **switches: Any) -> tuple[Server, Tenant, Client]:
        tenant = Tenant(alerts=alerts, switches=Switches(**switches))
        server = Server(tenant)
        server.__enter__()
        client = client_for(tenant, server)
        opened.append((server, client))
        return server, tenant, client

    yield serve
    for server, client in opened:
        client.close()
        server.__exit__(None, None, None)


def life_of_after(server: Server, tenant: Tenant, client: Client) -> tuple[Finding, AgingClock]:
    clock = AgingClock(server, tenant)
    found = probe(client.observer(), clock, lambda: None, quick=False)
    return next(finding for finding in found if finding.question == "life of `after`"), clock


@pytest.mark.parametrize(
    ("seconds", "answer", "what"),
    [
        (0.0, f"lives {AGES[-1]} s", "still good after 150 s"),
        (120.0, "expires (404)", "between 60 and 120 s"),
        (45.0, "expires (404)", "between 30 and 60 s"),
        (140.0, "expires (404)", "between 120 and 150 s"),
    ],
)
def test_the_life_of_an_after_is_bracketed_within_150_s(
    serve: Callable[..., Any], seconds: float, answer: str, what: str
) -> None:
    finding, clock = life_of_after(*serve(after_seconds=seconds))
    assert finding.answer == answer
    assert what in finding.what
    assert sum(clock.waits) <= AGES[-1]


def test_a_stop_ends_the_probe(serve: Callable[..., Any], timing: FakeClock) -> None:
    _, _, client = serve()
    timing.stop_in_wait = True
    with pytest.raises(Stopped):
        probe(client.observer(), timing, lambda: None, quick=False)


def test_a_server_error_that_passes_decides_nothing(serve: Callable[..., Any], timing: FakeClock) -> None:
    server, tenant, client = serve()
    server.call(
        lambda: tenant.faults.add(*(Fault(kind="status", endpoint="all", skip=skip) for skip in range(0, 60, 6)))
    )
    found = {finding.question: finding for finding in probe(client.observer(), timing, lambda: 0.0, quick=True)}
    assert found["`!` and missing fields"].answer == "finds_missing"
    assert found["unknown field in an OR"].answer == "empty_filter"
    assert found["hidden alerts"].answer == "included"


def test_an_endpoint_that_is_lost_leaves_its_questions_open_and_no_others(
    serve: Callable[..., Any], timing: FakeClock
) -> None:
    server, tenant, client = serve()
    server.call(lambda: tenant.faults.add(Fault(kind="drop", endpoint="aggregates", times=None)))
    found = {finding.question: finding for finding in probe(client.observer(), timing, lambda: 0.0, quick=True)}
    assert found["counts (aggregates)"].answer == CANNOT_TELL
    assert found["hidden alerts"].answer == "included"


def test_a_tenant_without_alerts_is_no_trouble(serve: Callable[..., Any], timing: FakeClock) -> None:
    _, _, client = serve(alerts=0)
    found = {finding.question: finding for finding in probe(client.observer(), timing, lambda: 0.0, quick=False)}
    assert found["hidden alerts"].answer == CANNOT_TELL
    assert found["combined search"].answer == "works"


class StubAsking:
    """A sample of alerts, and no counts."""

    def __init__(self, *sample: dict[str, Any]) -> None:
        self.sample = list(sample)

    def aggregate(self, _spec: object) -> None: ...

    def buckets(self, _answer: object) -> Any:
        return Aggregate()


def test_fields_that_the_tool_does_not_know_are_named_but_no_ids_used_as_keys() -> None:
    asking: Any = StubAsking(
        {"composite_id": "a", "product": "epp", "brand_new": 1, "device": {"hostname": "x", "rack": "r"}},
        {"composite_id": "b", "product": "epp", "empty_one": [], "deadbeefdeadbeefdeadbeef": 1, "comments": [{"b": 2}]},
    )
    (finding, summary) = new_fields(asking)
    assert finding.question == "unknown fields of epp"
    assert finding.what == "In 2 alerts: brand_new, comments.b, device.rack, 1 with unusual names."
    assert summary.answer == "looked at"


@pytest.mark.parametrize("value", ["x'+product:'epp", "", "a b", None, 3, "é", "a" * 65, "'"])
def test_what_is_more_than_a_word_gets_into_no_filter(value: object) -> None:
    assert not is_plain_word(value)
    assert not is_plain_id(value) or value == "a" * 65


def test_a_hash_is_no_field() -> None:
    assert not is_plain_field("ab" * 32)
    assert is_plain_field("linked_case_ids")
