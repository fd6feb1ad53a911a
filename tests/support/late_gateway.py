"""A gateway before a tenant that answers 504 to a change at once and hands it on later."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests

_NOT_FORWARDED = {"connection", "transfer-encoding", "content-encoding", "content-length", "host"}


class LateGateway:
    """Forwards requests to a tenant. The first change is answered with 504, and forwarded once its alerts were read.

    reads: after how many reads of its alerts it is forwarded; None: never.
    """

    def __init__(self, url: str, reads: int | None) -> None:
        self.tenant = url
        self.changes: list[float] = []
        """When each change came in (monotonic seconds)."""
        self._reads = reads
        self._late: tuple[str, str, dict[str, str], bytes] | None = None
        self._lock = threading.Lock()

    def is_late(self, method: str, path: str, headers: dict[str, str], body: bytes) -> bool:
        """Note a change; return whether it is the one to hand on later."""
        with self._lock:
            self.changes.append(time.monotonic())
            if len(self.changes) > 1:
                return False
            self._late = (method, path, headers, body)
            return True

    def hand_on_after(self, body: bytes) -> None:
        """Forward the late change if this was the last read that it waited for. body: what was asked for."""
        with self._lock:
            if self._late and self._reads is not None and _ids(body) == _ids(self._late[3]):
                self._reads -= 1
                if not self._reads:
                    late, self._late = self._late, None
                    self.forward(*late)

    def forward(self, method: str, path: str, headers: dict[str, str], body: bytes) -> requests.Response:
        return requests.request(method, self.tenant + path, headers=headers, data=body, timeout=60)


def _ids(body: bytes) -> set[str]:
    """Return the alerts that a request names in its body."""
    return set(json.loads(body).get("composite_ids", ())) if body.startswith(b"{") else set()


@contextmanager
def serve_late_gateway(url: str, reads: int | None) -> Iterator[tuple[LateGateway, str]]:
    """Serve a gateway; yields it with its URL. reads: as LateGateway has it."""
    gateway = LateGateway(url, reads)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _NOT_FORWARDED}
            request = (self.command, self.path, headers, body)
            if self.command == "PATCH" and gateway.is_late(*request):
                self._send(504, {"Content-Type": "text/html"}, b"<html>504 Gateway Time-out</html>")
                return
            answer = gateway.forward(*request)
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in _NOT_FORWARDED}
            if self.command == "POST":
                gateway.hand_on_after(body)
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
        server.shutdown()
        server.server_close()
