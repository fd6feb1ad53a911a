"""Those who serve several customers: one folder, one env file and one tenant for each."""

from pathlib import Path
from typing import Any

from falcon_emulator import Server, Tenant
from falcon_emulator.request_log import Request
from tests.support.command import CommandResult, CommandRunner

OPEN = ("new", "in_progress", "reopened")


class ManagedCustomers(CommandRunner):
    """A folder with the customers' files; `tenants` by name."""

    def __init__(self, folder: Path, server: Server) -> None:
        super().__init__(folder, server)
        self.tenants: dict[str, Tenant] = {tenant.customer: tenant for tenant in server.tenants}
        self.urls = dict(zip(self.tenants, server.urls, strict=True))
        for name in self.tenants:
            self.write(name)

    def write(self, name: str, tenant: str = "", mode: int = 0o600, **values: str | None) -> Path:
        """A customer's file with a tenant's credentials; further keys replace, None removes."""
        played = self.tenants[tenant or name]
        lines = dict(line.split("=", 1) for line in played.env_text(self.urls[played.customer]).splitlines())
        lines |= {"FALCON_CUSTOMER": name} | values
        text = "".join(f"{key}={value}\n" for key, value in lines.items() if value is not None)
        (self.folder / "customers" / f"{name}.env").unlink(missing_ok=True)
        return self.write_env(f"customers/{name}.env", text, mode)

    def customers(self, *argv: str, **more: Any) -> CommandResult:
        return self.bare("customers", *argv, **more)

    def rows(self, *argv: str, code: int) -> dict[str, dict[str, Any]]:
        """The entries of the JSON document, by customer."""
        done = self.customers(*argv, "--format", "json")
        assert done.code == code, done
        assert done.document["schema"] == "falcon-bulk/customers/1"
        return {entry["customer"]: entry for entry in done.document["customers"]}

    def requests_of(self, name: str) -> list[Request]:
        return self.server.call(lambda: list(self.tenants[name].ledger.requests))

    def all_requests(self) -> int:
        return sum(len(self.requests_of(name)) for name in self.tenants)

    def open_alerts(self, name: str) -> int:
        """How many of its alerts are open, by the tenant's own truth."""
        tenant = self.tenants[name]
        return self.server.call(lambda: sum(alert.state.status in OPEN for alert in tenant.store.newest_first))

    def secrets(self) -> list[bytes]:
        return [tenant.client_secret.encode() for tenant in self.tenants.values()]
