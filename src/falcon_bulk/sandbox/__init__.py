"""A local Falcon tenant over HTTP: invented alerts, the API's known behaviour, and switches for the unknown.

It shares no code with the client, so that one mistake cannot hide another.
"""

from falcon_bulk.sandbox.faults import Fault
from falcon_bulk.sandbox.serve import serve
from falcon_bulk.sandbox.server import Server
from falcon_bulk.sandbox.switches import Switches
from falcon_bulk.sandbox.tenant import Tenant

__all__ = ["Fault", "Server", "Switches", "Tenant", "serve"]
