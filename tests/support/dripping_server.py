"""A loopback server whose answers to anything but a login never end: a few bytes now and then."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = b'{"access_token":"t0ken-of-acme","expires_in":1799}'


class DrippingServer:
    """asked: set once a request but the login has come in."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked = threading.Event()


@contextmanager
def serve_dripping(every: float = 0.05) -> Iterator[DrippingServer]:
    """Serve; every: seconds between two bytes."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            is_login = self.path.startswith("/oauth2/")
            self.send_response(201 if is_login else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(TOKEN) if is_login else 10**9))
            self.end_headers()
            if is_login:
                self.wfile.write(TOKEN)
                return
            state.asked.set()
            with suppress(OSError):
                while not over.wait(every):
                    self.wfile.write(b" ")

        do_GET = do_POST = do_PATCH = _answer  # noqa: N815 - names that http.server looks up

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state = DrippingServer(f"http://127.0.0.1:{server.server_address[1]}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield state
    finally:
        over.set()
        server.shutdown()
        server.server_close()
