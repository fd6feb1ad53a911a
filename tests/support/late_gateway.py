"""A gateway before a tenant that answers 504 to a change at once and hands it on later."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests

_NOT_FORWARDED = {"connection", "transfer-encoding", "content-encoding", "content-length", "host"}


class LateGateway:
    """Forwards requests to a tenant; the first `late` changes are answered with 504 and forwarded `seconds` later."""

    def __init__(self, url: str, seconds: float, late: int = 1) -> None:
        self.tenant, self.seconds, self.late = url, seconds, late
        self.changes: list[float] = []
        """When each change came in (monotonic seconds)."""
        self._lock = threading.Lock()
        self._timers: list[threading.Timer] = []

    def is_late(self) -> bool:
        """Note a change; return whether it is one to hand on later."""
        with self._lock:
            self.changes.append(time.monotonic())
            return len(self.changes) <= self.late

    def hand_on_later(self, *request: object) -> None:
        timer = threading.Timer(self.seconds, self.forward, request)
        timer.start()
        self._timers.append(timer)

    def forward(self, method: str, path: str, headers: dict[str, str], body: bytes) -> requests.Response:
        return requests.request(method, self.tenant + path, headers=headers, data=body, timeout=60)

    def close(self) -> None:
        for timer in self._timers:
            timer.cancel()


@contextmanager
def serve_late_gateway(url: str, seconds: float, late: int = 1) -> Iterator[tuple[LateGateway, str]]:
    """Serve a gateway; yields it with its URL."""
    gateway = LateGateway(url, seconds, late)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _NOT_FORWARDED}
            request = (self.command, self.path, headers, body)
            if self.command == "PATCH" and gateway.is_late():
                gateway.hand_on_later(*request)
                self._send(504, {"Content-Type": "text/html"}, b"<html>504 Gateway Time-out</html>")
                return
            answer = gateway.forward(*request)
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in _NOT_FORWARDED}
            self._send(answer.status_code, kept, answer.content)

        def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815 - names that http.server looks up

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield gateway, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        gateway.close()
        server.shutdown()
        server.server_close()
