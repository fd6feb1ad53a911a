"""Serve tenants over HTTP on loopback: in a thread for tests, in the foreground for people."""

import asyncio
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import Any, TypeVar

from aiohttp import web

from falcon_emulator import connection
from falcon_emulator.tenant import Tenant

HOST = "127.0.0.1"
MAX_BODY = 64 * 1024 * 1024
MAX_LINE = 1024 * 1024

Result = TypeVar("Result")


class Server:
    """Serves each tenant on its own port. A single thread touches the tenants, so their state needs no lock.

    `with Server(tenant) as server:` serves from a daemon thread until the block exits.
    """

    def __init__(self, tenants: Tenant | Sequence[Tenant], port: int = 0) -> None:
        """Use `port` for the first tenant; the others, and port 0, get free ports."""
        self.tenants = [tenants] if isinstance(tenants, Tenant) else list(tenants)
        self.urls: list[str] = []
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._thread: threading.Thread | None = None
        self._worker = ThreadPoolExecutor(1, "tenant")
        self._runners: list[web.ServerRunner] = []

    @property
    def url(self) -> str:
        """Return the first tenant's URL, such as http://127.0.0.1:8080."""
        return self.urls[0]

    def __enter__(self) -> "Server":
        self._thread = threading.Thread(target=self._loop.run_forever, name="emulator", daemon=True)
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()
        except BaseException:
            self._shut_down()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._shut_down()

    def call(self, function: Callable[[], Result]) -> Result:
        """Run `function` on the tenants' thread, between two requests, and return its result."""
        return self._worker.submit(function).result()

    def serve_forever(self, ready: Callable[[], None] = lambda: None) -> None:
        """Serve in the foreground until SIGINT or SIGTERM. `ready` is called once all sockets listen."""
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            self._loop.add_signal_handler(number, stopped.set)

        async def serve() -> None:
            await self._start()
            try:
                ready()
                await stopped.wait()
            finally:
                await self._stop()

        try:
            self._loop.run_until_complete(serve())
        finally:
            self._worker.shutdown()
            self._loop.close()

    async def _start(self) -> None:
        for tenant, port in zip(self.tenants, [self._port] + [0] * len(self.tenants), strict=False):
            serving = partial(connection.serve, tenant, self._worker)
            handler = web.Server(serving, request_factory=self._request, access_log=None, max_line_size=MAX_LINE)
            runner = web.ServerRunner(handler, shutdown_timeout=0.2)
            await runner.setup()
            self._runners.append(runner)
            await web.TCPSite(runner, HOST, port).start()
            self.urls.append(f"http://{HOST}:{runner.addresses[0][1]}")

    def _request(self, message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
        """Return a request that allows long bodies; the API itself decides what to refuse."""
        return web.BaseRequest(message, payload, protocol, writer, task, self._loop, client_max_size=MAX_BODY)

    async def _stop(self) -> None:
        for runner in self._runners:
            await runner.cleanup()
        # aiohttp forgets a request whose client disconnected; its task may still sleep for minutes.
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _shut_down(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        if self._thread is not None:
            self._thread.join()
        self._worker.shutdown()
        self._loop.close()
