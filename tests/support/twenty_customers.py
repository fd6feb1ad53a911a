"""Twenty customers in one process: tenants that share hashes, an env file each."""

from pathlib import Path

from falcon_emulator import Server, Tenant
from falcon_emulator.request_log import Request
from tests.support.command import CommandRunner

NAMES = tuple(f"{name}-{number}" for name in ("acme", "globex", "initech", "acme-labs") for number in range(1, 6))


class Serving(CommandRunner):
    """A folder with a customer file for each tenant of a server."""

    def __init__(self, folder: Path, server: Server) -> None:
        super().__init__(folder, server)
        self.env_file.unlink()
        self.tenants: dict[str, Tenant] = {tenant.customer: tenant for tenant in server.tenants}
        self.texts = {
            tenant.customer: tenant.env_text(url) for tenant, url in zip(server.tenants, server.urls, strict=True)
        }
        for name, text in self.texts.items():
            self.write_env(f"customers/{name}.env", text)

    def patches(self, name: str) -> list[Request]:
        requests = self.server.call(lambda: list(self.tenants[name].ledger.requests))
        return [request for request in requests if request.endpoint == "patch"]

    def all_patches(self) -> int:
        return sum(len(self.patches(name)) for name in self.tenants)


def tenants(number: int, alerts: int) -> list[Tenant]:
    return [Tenant(alerts=alerts, seed=index, customer=name) for index, name in enumerate(NAMES[:number])]
