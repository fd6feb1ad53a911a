"""Up to twenty tenants that share hashes."""

from falcon_emulator import Tenant
from tests.support.command import CommandRunner

NAMES = tuple(f"{name}-{number}" for name in ("acme", "globex", "initech", "acme-labs") for number in range(1, 6))


def make_tenants(count: int, alerts: int) -> list[Tenant]:
    """Return tenants of the first `count` customers of NAMES, with that many alerts each."""
    return [Tenant(alerts=alerts, seed=seed, customer=name) for seed, name in enumerate(NAMES[:count])]


def all_patches(shell: CommandRunner) -> int:
    """Return how many requests to change alerts were made of all tenants."""
    return sum(len(shell.patches(name)) for name in shell.tenants)
