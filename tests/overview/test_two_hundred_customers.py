"""Two hundred customers: few requests of each, little memory, and nobody stopped by those that are down."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from falcon_emulator import Server, Tenant
from tests.support.command import COMMAND, CommandRunner
from tests.support.json_schemas import assert_valid
from tests.support.peak_memory import run_measured

pytestmark = pytest.mark.slow
CUSTOMERS, ALERTS = 200, 2_000
DOWN, WRONG_SECRET = ("customer-017", "customer-090", "customer-180"), "customer-033"
MAX_REQUESTS = 12
MAX_MEMORY = 400 * 1024 * 1024
PATIENCE = 300.0


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandRunner]:
    names = [f"customer-{number:03}" for number in range(CUSTOMERS)]
    with Server([Tenant(alerts=ALERTS, seed=seed, customer=name) for seed, name in enumerate(names)]) as server:
        shell = CommandRunner(tmp_path_factory.mktemp("customers"), server)
        for name in DOWN:
            shell.write_customer(name, FALCON_BASE_URL="http://127.0.0.1:9")
        shell.write_customer(WRONG_SECRET, FALCON_CLIENT_SECRET="wrong" * 8)
        yield shell


def test_overview_counts_all_in_few_requests_and_little_memory(shell: CommandRunner) -> None:
    before = {name: len(shell.requests(name)) for name in shell.tenants}
    document, peak = run_for_all(shell, "overview")
    assert_valid(document)
    total = document["total"]
    assert (total["customers"], total["counted"], total["problems"]) == (CUSTOMERS, CUSTOMERS - 4, 4)
    assert {entry["customer"] for entry in document["customers"] if entry["problem"]} == {*DOWN, WRONG_SECRET}
    assert max(len(shell.requests(name)) - number for name, number in before.items()) <= MAX_REQUESTS
    assert peak < MAX_MEMORY


def test_hash_summary_reads_all_alerts_and_writes_them_in_little_memory(shell: CommandRunner) -> None:
    document, peak = run_for_all(shell, "hash-summary")
    assert len(document["customers"]) == CUSTOMERS
    assert {entry["customer"] for entry in document["customers"] if entry["error"]} == {*DOWN, WRONG_SECRET}
    read = [entry["result"]["alerts_read"] for entry in document["customers"] if entry["result"]]
    assert read == [ALERTS] * (CUSTOMERS - 4)
    assert peak < MAX_MEMORY


def run_for_all(shell: CommandRunner, command: str) -> tuple[dict[str, Any], int]:
    """Run a command for all customers, eight at a time; return its document and its peak memory in bytes."""
    argv = (command, "--all-customers", "--parallel-customers", "8", "--format", "json", "--quiet")
    output, peak = run_measured(
        [*COMMAND, *argv], timeout=PATIENCE, folder=shell.folder, environment=shell.environment(), code=6
    )
    return json.loads(output), peak
