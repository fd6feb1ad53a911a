"""Apply faults to requests and answers, between the connection and the gateway."""

import socket
import struct

from aiohttp import web

from falcon_emulator import damaged_answers, gateway
from falcon_emulator.faults import PATCH_KINDS, Fault
from falcon_emulator.http import Answer, ApiError, Call, refusal, region_header
from falcon_emulator.ratelimit import EXCEEDED, retry_after
from falcon_emulator.tenant import Tenant
from falcon_emulator.timestamps import SECOND

_PAGE = b"<html><head><title>Proxy</title></head><body><h1>The gateway did not answer</h1></body></html>"


def handle(tenant: Tenant, call: Call, fault: Fault | None) -> Answer | None:
    """Return the answer to a call under `fault`; None means that the connection is reset without an answer."""
    if fault is None or fault.kind in PATCH_KINDS:
        return gateway.handle(tenant, call, fault)
    if fault.kind == "delay":
        return gateway.handle(tenant, call)
    if fault.kind == "revoke_token":
        tenant.access.tokens.pop(call.headers.get("Authorization", "").partition(" ")[2], None)
        return gateway.handle(tenant, call)
    if fault.kind == "truncate":
        return _truncate(gateway.handle(tenant, call), fault)
    if fault.kind == "wrong_total":
        return damaged_answers.inflate_total(gateway.handle(tenant, call), fault.count)
    if fault.kind == "partial_page":
        return damaged_answers.cut(gateway.handle(tenant, call), fault.count, fault.status, fault.text)
    if fault.applied:
        gateway.handle(tenant, call)
    return None if fault.kind == "drop" else _replacement(tenant, fault)


def delay_before(fault: Fault | None) -> float:
    """Return the seconds by which a fault delays the effect of a call."""
    return fault.seconds if fault and fault.kind == "delay" and not fault.applied else 0.0


def delay_after(fault: Fault | None) -> float:
    """Return the seconds by which a fault delays the answer after the effect."""
    return fault.seconds if fault and fault.kind == "delay" and fault.applied else 0.0


def _truncate(answer: Answer, fault: Fault) -> Answer:
    """Cut the body in half; with mode "length" the announced length matches, so only the JSON is broken."""
    if fault.mode == "length":
        answer.body = answer.body[: len(answer.body) // 2]
    else:
        answer.cut_off = True
    return answer


def _replacement(tenant: Tenant, fault: Fault) -> Answer:
    """Return the answer that replaces the real one."""
    if fault.kind == "rate_limit":
        now = tenant.clock.now()
        headers = retry_after(fault.header, now + int(fault.seconds * SECOND), now)
        limits = {"X-Ratelimit-Limit": str(tenant.switches.rate_limit), "X-Ratelimit-Remaining": "0"}
        return _from_falcon(tenant, ApiError(429, EXCEEDED, limits | headers))
    if fault.kind == "empty":
        return Answer(200, b"")
    if fault.kind == "html":
        return Answer(fault.status, _PAGE, content_type="text/html")
    if fault.kind == "not_json":
        return Answer(200, b"upstream said: ok\n")
    if fault.kind == "redirect":
        region = {"X-Cs-Region": fault.region} if fault.region else {}
        return Answer(308, b"", {"Location": fault.location} | region)
    return _from_falcon(tenant, ApiError(fault.status, fault.text))


def _from_falcon(tenant: Tenant, reason: ApiError) -> Answer:
    """Return a refusal with the headers that Falcon itself sets."""
    answer = refusal(reason, tenant.switches)
    answer.headers |= region_header(tenant.switches)
    return answer


def reset(request: web.BaseRequest) -> None:
    """Close the request's connection with RST, so that the client sees a reset instead of a clean end."""
    if request.transport is None:
        return
    connection: socket.socket = request.transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.transport.abort()
