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
from benchmarks.conditions import Conditions

START_TIMEOUT = 120.0
REQUEST_TIMEOUT = 60.0

_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


class LocalTenant:
    """A tenant that is being served. env_file: for its clients. alerts: how many it has. conditions: how it answers."""

    def __init__(self, env_file: Path, alerts: int, conditions: Conditions) -> None:
        self.env_file = env_file
        self.alerts = alerts
        self.conditions = conditions
        self._settings = {name: value or "" for name, value in dotenv_values(env_file, interpolate=False).items()}
        self._seen = 0

    def requests(self) -> Counter[str]:
        """Return the number of requests per endpoint since the last call, without logins."""
        with self._ask("/emulator/requests") as lines:
            endpoints = [json.loads(line)["endpoint"] for line in lines]
        fresh, self._seen = endpoints[self._seen :], len(endpoints)
        return Counter(endpoint for endpoint in fresh if endpoint != "token")

    def set_new(self, number: int) -> None:
        """Make the first alerts new, and those after them in progress, as an analyst would in the console."""
        with self._ask("/emulator/alerts") as lines:
            ids = [json.loads(line)["composite_id"] for line in lines]
        for status, chosen in (("new", ids[:number]), ("in_progress", ids[number:])):
            edit = {"composite_ids": chosen, "set": {"status": status}}
            with self._ask("/emulator/edit", json.dumps(edit).encode()):
                pass

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
def local_tenant(folder: Path, *, alerts: int, spread: str, conditions: Conditions) -> Iterator[LocalTenant]:
    """Serve a tenant until the block exits.

    Raises RuntimeError if the tenant does not start.
    """
    env_file = folder / "acme.env"
    env_file.unlink(missing_ok=True)
    switches = [f"--switch={name}={value}" for name, value in conditions.switches.items()]
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
        yield LocalTenant(env_file, alerts, conditions)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
