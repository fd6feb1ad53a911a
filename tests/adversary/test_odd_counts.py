"""Counts that come in an unusual shape, or not at all, from a server that answers bytes as given."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.command import COMMAND, SOURCE

CID = "a" * 32
ONE = {"composite_id": f"{CID}:ind:host:1", "cid": CID, "created_timestamp": "2026-11-24T06:50:00Z", "status": "new"}


@contextmanager
def falcon(meta: bytes, token: bytes = b'{"access_token":"t","expires_in":1799}') -> Iterator[str]:
    """Serve one alert, by whichever reading endpoint, in an envelope with that `meta`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None: ...

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            found = [ONE["composite_id"] if "queries" in self.path else ONE]
            body = b'{"meta":' + meta + b',"errors":[],"resources":' + json.dumps(found).encode() + b"}"
            if "show_in_ui" in self.path:  # the one alert is not hidden
                body = b'{"meta":{"pagination":{"total":0}},"errors":[],"resources":[]}'
            login = self.path == "/oauth2/token"
            body = token if login else body
            self.send_response(201 if login else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - the name http.server calls

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def query(folder: Path, url: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Type a query."""
    env_file = folder / "acme.env"
    env_file.write_text(f"FALCON_CLIENT_ID=id\nFALCON_CLIENT_SECRET=word\nFALCON_BASE_URL={url}\n")
    env_file.chmod(0o600)
    environment = {"PYTHONPATH": str(SOURCE), "HOME": str(folder), "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        [*COMMAND, "query", "--env-file", str(env_file), *options],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
        timeout=60,
        check=False,
    )


def test_a_total_that_is_written_as_a_decimal_number_is_counted_with(tmp_path: Path) -> None:
    with falcon(b'{"pagination":{"total":1.0,"after":""}}') as url:
        counted = query(tmp_path, url, "--count")
        listed = query(tmp_path, url, "--all", "--format", "jsonl")
    assert (counted.returncode, counted.stdout) == (0, "1\n")
    assert len(listed.stdout.splitlines()) == 1
    assert "Falcon counted" not in listed.stderr


@pytest.mark.slow
@pytest.mark.parametrize("meta", [b"{}", b'{"pagination":null}', b'{"pagination":{"total":null}}'])
def test_alerts_of_which_nobody_says_how_many_there_are_are_not_taken_for_none(tmp_path: Path, meta: bytes) -> None:
    with falcon(meta) as url:
        counted = query(tmp_path, url, "--count")
    assert (counted.returncode, counted.stdout) == (5, "")
    assert "does not say how many" in counted.stderr


def test_a_token_that_lives_for_a_decimal_number_of_seconds_is_a_token(tmp_path: Path) -> None:
    with falcon(b'{"pagination":{"total":1}}', b'{"access_token":"t","expires_in":1799.0}') as url:
        counted = query(tmp_path, url, "--count")
    assert (counted.returncode, counted.stdout) == (0, "1\n")
