"""Translate aiohttp requests into calls and answers into aiohttp responses."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from functools import partial
from typing import NamedTuple, TypeVar

import msgspec
from aiohttp import web
from isal import igzip

from falcon_emulator import control, fault_injection, gateway
from falcon_emulator.faults import Fault
from falcon_emulator.http import Answer, Call
from falcon_emulator.request_log import Request
from falcon_emulator.tenant import Tenant

MIN_GZIP_BYTES = 1024

Result = TypeVar("Result")


class Content(NamedTuple):
    """A body as sent over the wire, and the headers that describe its encoding."""

    body: bytes
    headers: dict[str, str]


class BodySummary(msgspec.Struct):
    """The parts of a request's body that the request log keeps."""

    composite_ids: list[str] = []
    filter: str | None = None


async def serve(tenant: Tenant, worker: Executor, request: web.BaseRequest) -> web.StreamResponse:
    """Answer one request, and count it among those in flight meanwhile."""
    tenant.in_flight += 1
    try:
        return await _answer(tenant, worker, request)
    finally:
        tenant.in_flight -= 1


async def _answer(tenant: Tenant, worker: Executor, request: web.BaseRequest) -> web.StreamResponse:
    """Answer one request, no sooner than the endpoint's latency after it arrived.

    `worker` is the only thread that touches the tenant. The event loop only records arrivals, so that a large answer
    to one request does not delay the arrival time of the next.
    """

    def on_worker(function: Callable[[], Result]) -> Awaitable[Result]:
        return asyncio.get_running_loop().run_in_executor(worker, function)

    arrived, at, slower = time.monotonic(), tenant.clock.now(), _slowdown(tenant)
    body = await request.read()
    parameters = {name: request.query.getall(name) for name in request.query}
    call = Call(
        0,
        request.method,
        request.path,
        {name: values[-1] for name, values in parameters.items()},
        request.headers,
        body,
        request.remote or "",
        parameters,
        len(request.raw_path),
    )
    if call.path.startswith(control.PREFIX):
        control_answer = await on_worker(partial(control.handle, tenant, call))
        return await _respond(request, control_answer, _compressed(request, control_answer))
    entry, fault = await on_worker(partial(_record, tenant, call, at))
    await asyncio.sleep(fault_injection.delay_before(fault))
    answer = await on_worker(partial(fault_injection.handle, tenant, call, fault))
    content = await asyncio.to_thread(_compressed, request, answer) if answer else None
    await asyncio.sleep(fault_injection.delay_after(fault))
    latency = slower * getattr(tenant.switches, f"latency_{entry.endpoint}", 0.0)
    await asyncio.sleep(max(0.0, arrived + latency - time.monotonic()))
    if answer is None or content is None:
        fault_injection.reset(request)
        return web.Response()
    entry.status = answer.status
    return await _respond(request, answer, content)


def _slowdown(tenant: Tenant) -> float:
    """Return how many times its latency a request takes that arrives now: those in flight share what is worked on."""
    concurrency = tenant.switches.concurrency
    return max(1.0, tenant.in_flight / concurrency) if concurrency else 1.0


def _record(tenant: Tenant, call: Call, at: int) -> tuple[Request, Fault | None]:
    """Log a call that arrived; return its log entry and the fault that applies to it."""
    call.number = len(tenant.request_log.requests) + 1
    entry = _entry(call, at)
    tenant.request_log.requests.append(entry)
    fault = tenant.faults.take(entry.endpoint, call.body)
    entry.fault = fault.kind if fault else ""
    return entry, fault


def _entry(call: Call, at: int) -> Request:
    """Return the log entry of a call that has not been answered yet; of several aggregates the first counts."""
    try:
        body = msgspec.json.decode(call.body, type=BodySummary | list[BodySummary]) if call.body else []
    except (msgspec.DecodeError, UnicodeDecodeError):
        body = []
    summary = body if isinstance(body, BodySummary) else next(iter(body), BodySummary())
    token = call.headers.get("Authorization", "")
    return Request(
        call.number,
        at,
        call.method,
        call.path,
        call.query,
        len(call.body),
        gateway.endpoint(call),
        len(summary.composite_ids),
        summary.filter or call.query.get("filter", ""),
        token and f"…{token[-4:]}",
    )


async def _respond(request: web.BaseRequest, answer: Answer, content: Content) -> web.StreamResponse:
    headers = {**answer.headers, "Content-Type": answer.content_type, **content.headers}
    if answer.cut_off:
        return await _send_half(request, web.StreamResponse(status=answer.status, headers=headers), content.body)
    return web.Response(status=answer.status, body=content.body, headers=headers)


async def _send_half(request: web.BaseRequest, response: web.StreamResponse, body: bytes) -> web.StreamResponse:
    """Announce the length of `body`, send half of it, and close the connection."""
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


def _compressed(request: web.BaseRequest, answer: Answer) -> Content:
    """Return the body, gzipped if it is long enough and the client accepts gzip."""
    if len(answer.body) > MIN_GZIP_BYTES and "gzip" in request.headers.get("Accept-Encoding", ""):
        return Content(igzip.compress(answer.body, 1), {"Content-Encoding": "gzip"})
    return Content(answer.body, {})
