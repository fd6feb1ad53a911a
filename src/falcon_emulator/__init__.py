"""Serve a local Falcon tenant over HTTP: invented alerts, the API's known behaviour, and switches for what is unknown.

It shares no code with the client, so that a mistake in one cannot hide the same mistake in the other.
"""

from falcon_emulator.faults import Fault
from falcon_emulator.serve import serve
from falcon_emulator.server import Server
from falcon_emulator.switches import Switches
from falcon_emulator.tenant import Tenant

__all__ = ["Fault", "Server", "Switches", "Tenant", "serve"]
