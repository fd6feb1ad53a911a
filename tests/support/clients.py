"""The client of an emulator tenant, for tests that read without a command."""

from falcon_bulk.config.secret import Secret
from falcon_bulk.config.settings import Settings
from falcon_bulk.falcon.tenant import Tenant as Client
from falcon_bulk.model.clock import SystemClock
from falcon_emulator import Server, Tenant


def client_for(tenant: Tenant, server: Server, *, cids: tuple[str, ...] = (), quota: float = 1.0) -> Client:
    """Logged in to the tenant. cids: those expected. quota: the part of the rate limit to use."""
    settings = Settings(
        customer=tenant.customer,
        client_id=tenant.client_id,
        client_secret=Secret(tenant.client_secret),
        base_url=server.url,
        member_cid="",
        cids=cids,
        operator="tester",
        source="test",
        named=True,
    )
    return Client(settings, SystemClock(), quota=quota)
