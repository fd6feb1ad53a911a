"""Serve a local tenant from its own process, and count the requests that it received."""

import json
import subprocess
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from dotenv import dotenv_values

from benchmarks.child import FALCON_BULK, ROOT, environment

START_TIMEOUT = 120.0
REQUEST_TIMEOUT = 60.0

_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


class LocalTenant:
    """A tenant that is being served. `env_file` is for its clients."""

    def __init__(self, env_file: Path) -> None:
        self.env_file = env_file
        self._settings = {name: value or "" for name, value in dotenv_values(env_file, interpolate=False).items()}
        self._seen = 0

    def requests(self) -> Counter[str]:
        """Return the number of requests per endpoint since the last call, without logins."""
        with self._ask("/emulator/requests") as lines:
            endpoints = [json.loads(line)["endpoint"] for line in lines]
        fresh, self._seen = endpoints[self._seen :], len(endpoints)
        return Counter(endpoint for endpoint in fresh if endpoint != "token")

    def set_all(self, status: str) -> int:
        """Set the status of all alerts, as an analyst would in the console, and return their number."""
        with self._ask("/emulator/alerts") as lines:
            ids = [json.loads(line)["composite_id"] for line in lines]
        edit = {"composite_ids": ids, "set": {"status": status}}
        with self._ask("/emulator/edit", json.dumps(edit).encode()):
            return len(ids)

    def statuses(self) -> Counter[str]:
        """Return the number of alerts with each status."""
        with self._ask("/emulator/alerts") as lines:
            return Counter(json.loads(line)["status"] for line in lines)

    def page_bytes(self) -> int:
        """Return the bytes of a page of 1,000 alerts on the wire."""
        login = {
            "client_id": self._settings["FALCON_CLIENT_ID"],
            "client_secret": self._settings["FALCON_CLIENT_SECRET"],
        }
        with self._ask("/oauth2/token", urlencode(login).encode()) as answer:
            token = json.load(answer)["access_token"]
        headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "gzip"}
        with self._ask("/alerts/combined/alerts/v1", b'{"limit":1000}', headers) as answer:
            return len(answer.read())

    def _ask(self, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Any:
        url = self._settings["FALCON_BASE_URL"] + path
        return _open(urllib.request.Request(url, body, dict(headers or {})), timeout=REQUEST_TIMEOUT)


@contextmanager
def local_tenant(folder: Path, *, alerts: int, spread: str, latencies: Mapping[str, float]) -> Iterator[LocalTenant]:
    """Serve a tenant until the block exits. `latencies` are in seconds, by endpoint.

    Raises RuntimeError if the tenant does not start.
    """
    env_file = folder / "acme.env"
    env_file.unlink(missing_ok=True)
    switches = [f"--switch=latency_{endpoint}={seconds}" for endpoint, seconds in latencies.items()]
    switches.append("--switch=region=none")  # FalconPy, which the plain script uses, would follow it to a real cloud
    options = [f"--alerts={alerts}", f"--spread={spread}", f"--write-env={env_file}", *switches]
    process = subprocess.Popen(
        [*FALCON_BULK, "emulator", "serve", *options],
        cwd=ROOT,
        env=environment(folder),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + START_TIMEOUT
        while not env_file.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the local tenant did not start")
            time.sleep(0.05)
        yield LocalTenant(env_file)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
