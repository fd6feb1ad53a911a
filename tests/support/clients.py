"""Settings of a customer, and the client of an emulator tenant for tests that read without a command."""

from typing import Any

from falcon_bulk.config.secret import Secret
from falcon_bulk.config.settings import Settings
from falcon_bulk.falcon.tenant import Tenant as Client
from falcon_bulk.model.clock import SystemClock
from falcon_emulator import Server, Tenant


def make_settings(**fields: Any) -> Settings:
    """Return acme's settings with these fields."""
    usual: dict[str, Any] = {
        "customer": "acme",
        "client_id": "acme-id",
        "client_secret": Secret("acme-secret"),
        "base_url": "https://api.us-2.crowdstrike.com",
        "member_cid": "",
        "cids": (),
        "operator": "ann",
        "source": "acme.env",
        "named": True,
    }
    return Settings(**usual | fields)


def settings_for(tenant: Tenant, url: str, **fields: Any) -> Settings:
    """Return the settings that the tenant's env file gives, with these fields."""
    credentials = {"client_id": tenant.client_id, "client_secret": Secret(tenant.client_secret)}
    usual = {"customer": tenant.customer, "base_url": url, "cids": (tenant.cid,)}
    return make_settings(**credentials | usual | fields)


def client_for(tenant: Tenant, server: Server, *, cids: tuple[str, ...] = (), quota: float = 1.0) -> Client:
    """Return a client for the tenant. cids: those expected. quota: the share of the rate limit to use."""
    return Client(settings_for(tenant, server.url, cids=cids), SystemClock(), quota=quota)
