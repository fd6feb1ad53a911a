"""Two hundred customers: few requests of each, little memory, and nobody stopped by those that are down."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from falcon_emulator import Server, Tenant
from tests.support.command import COMMAND, CommandRunner
from tests.support.json_schemas import assert_valid

pytestmark = pytest.mark.slow
CUSTOMERS, ALERTS = 200, 100
DOWN, WRONG_SECRET = ("customer-017", "customer-090", "customer-180"), "customer-033"
MAX_REQUESTS = 12
MAX_MEMORY = 400 * 1024 * 1024
UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes in the unit in which the system tells the peak."""
PATIENCE = 300.0

# A process counts as its peak what the one that started it held, so a small one is put between.
BETWEEN = (
    "import resource, subprocess, sys; code = subprocess.run(sys.argv[1:]).returncode; "
    "print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)"
)


def test_two_hundred_customers_are_counted_in_little_memory_and_four_that_fail_stop_nobody(tmp_path: Path) -> None:
    names = [f"customer-{number:03}" for number in range(CUSTOMERS)]
    with Server([Tenant(alerts=ALERTS, seed=seed, customer=name) for seed, name in enumerate(names)]) as server:
        shell = CommandRunner(tmp_path, server)
        for name in DOWN:
            shell.write_customer(name, FALCON_BASE_URL="http://127.0.0.1:9")
        shell.write_customer(WRONG_SECRET, FALCON_CLIENT_SECRET="wrong" * 8)
        argv = ("overview", "--all-customers", "--parallel-customers", "8", "--format", "json", "--quiet")
        done = subprocess.run(
            [sys.executable, "-c", BETWEEN, *COMMAND, *argv],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=shell.folder,
            env=shell.environment(),
            timeout=PATIENCE,
            check=True,
        )
        requests = {name: len(shell.requests(name)) for name in names}
    code, peak = map(int, done.stderr.split())
    assert code == 6, done.stderr
    document = assert_valid(json.loads(done.stdout))
    total = document["total"]
    assert (total["customers"], total["counted"], total["problems"]) == (CUSTOMERS, CUSTOMERS - 4, 4)
    assert {entry["customer"] for entry in document["customers"] if entry["problem"]} == {*DOWN, WRONG_SECRET}
    assert max(requests.values()) <= MAX_REQUESTS
    assert peak * UNIT < MAX_MEMORY
