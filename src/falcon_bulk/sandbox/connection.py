"""HTTP in and out: an aiohttp request as a call, an answer as an aiohttp response."""

import asyncio

import msgspec
from aiohttp import web
from isal import igzip

from falcon_bulk.sandbox import control, gateway, misbehaviour
from falcon_bulk.sandbox.http import Answer, Call
from falcon_bulk.sandbox.ledger import Request
from falcon_bulk.sandbox.tenant import Tenant

WORTH_COMPRESSING = 1024
WORTH_A_THREAD = 64 * 1024


class Meant(msgspec.Struct):
    """The parts of a body that the ledger notes."""

    composite_ids: list[str] = []
    filter: str | None = None


async def serve(tenant: Tenant, request: web.BaseRequest) -> web.StreamResponse:
    """Answer one request, no sooner than the endpoint's latency after it arrived."""
    arrived = asyncio.get_running_loop().time()
    body = await request.read()
    parameters = {name: request.query.getall(name) for name in request.query}
    call = Call(
        len(tenant.ledger.requests) + 1,
        request.method,
        request.path,
        {name: values[-1] for name, values in parameters.items()},
        request.headers,
        body,
        request.remote or "",
        parameters,
    )
    if call.path.startswith(control.PREFIX):
        return await _respond(request, control.answer(tenant, call))
    entry = _entry(tenant, call)
    tenant.ledger.requests.append(entry)
    fault = tenant.faults.take(entry.endpoint, body)
    entry.fault = fault.kind if fault else ""
    given = await misbehaviour.answer(tenant, call, fault)
    latency = getattr(tenant.switches, f"latency_{entry.endpoint}", 0.0)
    await asyncio.sleep(max(0.0, arrived + latency - asyncio.get_running_loop().time()))
    if given is None:
        misbehaviour.reset(request)
        return web.Response()
    entry.status = given.status
    return await _respond(request, given)


def _entry(tenant: Tenant, call: Call) -> Request:
    """The ledger's entry of a call that is about to be answered."""
    try:
        meant = msgspec.json.decode(call.body, type=Meant) if call.body else Meant()
    except (msgspec.DecodeError, UnicodeDecodeError):
        meant = Meant()
    token = call.headers.get("Authorization", "")
    return Request(
        call.number,
        tenant.clock.now(),
        call.method,
        call.path,
        call.query,
        len(call.body),
        gateway.endpoint(call),
        len(meant.composite_ids),
        meant.filter or call.query.get("filter", ""),
        token and f"…{token[-4:]}",
    )


async def _respond(request: web.BaseRequest, given: Answer) -> web.StreamResponse:
    headers, body = dict(given.headers), given.body
    headers["Content-Type"] = given.content_type
    if len(body) > WORTH_COMPRESSING and "gzip" in request.headers.get("Accept-Encoding", ""):
        headers["Content-Encoding"] = "gzip"
        body = await asyncio.to_thread(_gzip, body) if len(body) > WORTH_A_THREAD else _gzip(body)
    if given.breaks_off:
        return await _broken_off(request, web.StreamResponse(status=given.status, headers=headers), body)
    return web.Response(status=given.status, body=body, headers=headers)


async def _broken_off(request: web.BaseRequest, response: web.StreamResponse, body: bytes) -> web.StreamResponse:
    """Announce all of `body`, send half of it, and hang up."""
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


def _gzip(body: bytes) -> bytes:
    packed: bytes = igzip.compress(body, 1)
    return packed
