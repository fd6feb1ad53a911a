"""What a fault makes of a request: it stands between the connection and the gateway."""

import socket
import struct

from aiohttp import web

from falcon_emulator import gateway
from falcon_emulator.faults import PATCH_KINDS, Fault
from falcon_emulator.http import Answer, ApiError, Call, refusal
from falcon_emulator.ratelimit import EXCEEDED, retry_after
from falcon_emulator.tenant import Tenant
from falcon_emulator.timestamps import SECOND

_PAGE = b"<html><head><title>Proxy</title></head><body><h1>The gateway did not answer</h1></body></html>"


def answer(tenant: Tenant, call: Call, fault: Fault | None) -> Answer | None:
    """The answer to a call that meets `fault`; None if the connection is to be reset without one."""
    if fault is None or fault.kind in PATCH_KINDS:
        return gateway.answer(tenant, call, fault)
    if fault.kind == "delay":
        return gateway.answer(tenant, call)
    if fault.kind == "revoke_token":
        tenant.access.tokens.pop(call.headers.get("Authorization", "").partition(" ")[2], None)
        return gateway.answer(tenant, call)
    if fault.kind == "truncate":
        return _truncate(gateway.answer(tenant, call), fault)
    if fault.kind == "wrong_total":
        return gateway.inflate_total(gateway.answer(tenant, call), fault.count)
    if fault.applied:
        gateway.answer(tenant, call)
    return None if fault.kind == "drop" else _replacement(tenant, fault)


def delay_before(fault: Fault | None) -> float:
    """How long a fault holds up what the call asks for."""
    return fault.seconds if fault and fault.kind == "delay" and not fault.applied else 0.0


def delay_after(fault: Fault | None) -> float:
    """How long a fault holds up the answer to what was done."""
    return fault.seconds if fault and fault.kind == "delay" and fault.applied else 0.0


def _truncate(given: Answer, fault: Fault) -> Answer:
    """Half of the body; with mode "length" nothing but the missing JSON tells."""
    if fault.mode == "length":
        given.body = given.body[: len(given.body) // 2]
    else:
        given.cut_off = True
    return given


def _replacement(tenant: Tenant, fault: Fault) -> Answer:
    """The answer that stands in place of the real one."""
    if fault.kind == "rate_limit":
        now = tenant.clock.now()
        headers = retry_after(fault.header, now + int(fault.seconds * SECOND), now)
        limits = {"X-Ratelimit-Limit": str(tenant.switches.rate_limit), "X-Ratelimit-Remaining": "0"}
        return refusal(ApiError(429, EXCEEDED, limits | headers), tenant.switches)
    if fault.kind == "empty":
        return Answer(200, b"")
    if fault.kind == "html":
        return Answer(fault.status, _PAGE, content_type="text/html")
    if fault.kind == "not_json":
        return Answer(200, b"upstream said: ok\n")
    if fault.kind == "redirect":
        region = {"X-Cs-Region": fault.region} if fault.region else {}
        return Answer(308, b"", {"Location": fault.location} | region)
    return refusal(ApiError(fault.status, fault.text), tenant.switches)


def reset(request: web.BaseRequest) -> None:
    """Close the request's connection with RST: the client sees a reset, not an end."""
    if request.transport is None:
        return
    connection: socket.socket = request.transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.transport.abort()
