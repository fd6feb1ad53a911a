"""A runner for the `customers` command, with several customers."""

from typing import Any

from tests.support.command import CommandResult, CommandRunner

OPEN = ("new", "in_progress", "reopened")


class ManagedCustomers(CommandRunner):
    """A folder with several customers, as a managed service provider has it."""

    def customers(self, *argv: str, **more: Any) -> CommandResult:
        """Run a subcommand of `customers`."""
        return self.bare("customers", *argv, **more)

    def rows(self, *argv: str, code: int) -> dict[str, dict[str, Any]]:
        """Run a subcommand that ends with the code; return the entries of its JSON document by customer."""
        done = self.customers(*argv, "--format", "json")
        assert done.code == code, done
        assert done.document["schema"] == "falcon-bulk/customers/1"
        return {entry["customer"]: entry for entry in done.document["customers"]}

    def all_requests(self) -> int:
        """Return how many requests were made of all tenants."""
        return sum(len(self.requests(name)) for name in self.tenants)

    def open_alerts(self, name: str) -> int:
        """Return how many of a customer's alerts are open."""
        tenant = self.tenants[name]
        return self.server.call(lambda: sum(alert.state.status in OPEN for alert in tenant.store.newest_first))

    def secrets(self) -> list[bytes]:
        return [tenant.client_secret.encode() for tenant in self.tenants.values()]
