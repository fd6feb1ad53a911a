"""The real command in a process of its own, against a tenant served by this one."""

import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import falcon_bulk
from falcon_emulator import Server, Tenant
from falcon_emulator.control import truth
from falcon_emulator.request_log import Change, Request

SOURCE = Path(falcon_bulk.__file__).parents[1]
COMMAND = [sys.executable, "-m", "falcon_bulk"]
PATIENCE = 60.0

# Gives the command its terminal as the one that Ctrl-C comes from, as a login shell does; where the tests run in the
# background of a script, they and what they start would ignore it.
_ON_A_TERMINAL = (
    "import fcntl, os, signal, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
)


def coverage_environment() -> dict[str, str]:
    """What `make coverage` tells the processes that it measures."""
    return {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}


class CommandResult:
    """What a command left behind. requests: those it made of the tenant."""

    def __init__(self, code: int, out: bytes, err: bytes, requests: list[Request]) -> None:
        self.code = code
        self.out = out
        self.err = err.decode(errors="surrogateescape")
        self.requests = requests

    @property
    def text(self) -> str:
        return self.out.decode()

    @property
    def lines(self) -> list[bytes]:
        return self.out.splitlines()

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout."""
        return dict(json.loads(self.out))

    @property
    def documents(self) -> list[dict[str, Any]]:
        """A document for each line on stdout."""
        return [json.loads(line) for line in self.out.splitlines()]

    def to(self, endpoint: str) -> list[Request]:
        return [request for request in self.requests if request.endpoint == endpoint]

    def __repr__(self) -> str:
        return f"exit {self.code}\nstdout: {self.out[:2000]!r}\nstderr: {self.err[:3000]}"


class CommandRunner:
    """A folder with `customers/acme.env`, and what an analyst types in it."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.folder = folder
        self.server = server
        self.tenant: Tenant = server.tenants[0]
        (folder / "customers").mkdir(exist_ok=True)
        self.env_file = self.write_env("customers/acme.env", self.tenant.env_text(server.url))

    def write_env(self, name: str, content: str, mode: int = 0o600) -> Path:
        path = self.folder / name
        path.write_text(content)
        path.chmod(mode)
        return path

    def environment(self, more: dict[str, str] | None = None) -> dict[str, str]:
        """Nothing of the surroundings but the way to Python, so that no credentials come from there."""
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(SOURCE),
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "FALCON_BULK_STATE_DIR": str(self.folder / "state"),
            **coverage_environment(),
        } | (more or {})

    def __call__(self, *argv: str, customer: str = "acme", **more: Any) -> CommandResult:
        """Run a command for a customer."""
        return self.bare(*argv, "--customer", customer, **more)

    def bare(
        self, *argv: str, env: dict[str, str] | None = None, given: bytes | None = None, patience: float = PATIENCE
    ) -> CommandResult:
        """Run a command line as it stands. given: what is on standard input; nothing at all without it."""
        before = self.request_count()
        source: dict[str, Any] = {"stdin": subprocess.DEVNULL} if given is None else {"input": given}
        done = subprocess.run(
            [*COMMAND, *argv],
            capture_output=True,
            cwd=self.folder,
            env=self.environment(env),
            timeout=patience,
            check=False,
            **source,
        )
        return CommandResult(done.returncode, done.stdout, done.stderr, self.requests()[before:])

    def json(self, *argv: str, **more: Any) -> dict[str, Any]:
        """The JSON document of a command that is expected to end well."""
        done = self(*argv, "--format", "json", **more)
        assert done.code == 0, done
        return done.document

    @contextmanager
    def terminal(
        self, *argv: str, out_to_pipe: bool = False, columns: int = 160, customer: str | None = "acme"
    ) -> Iterator["Terminal"]:
        """The command on a terminal, for one customer or, with None, as it stands."""
        ours, theirs = pty.openpty()
        os.set_blocking(ours, False)
        before = self.request_count()
        command = [*COMMAND, *argv, *(["--customer", customer] if customer else [])]
        process = subprocess.Popen(
            [sys.executable, "-c", _ON_A_TERMINAL, *command],
            stdin=theirs,
            stdout=subprocess.PIPE if out_to_pipe else theirs,
            stderr=theirs,
            cwd=self.folder,
            env=self.environment({"TERM": "xterm-256color", "COLUMNS": str(columns), "LINES": "50"}),
            start_new_session=True,
        )
        os.close(theirs)
        terminal = Terminal(self, process, ours, before)
        try:
            yield terminal
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()
            os.close(ours)

    # The tenant's truth

    def requests(self) -> list[Request]:
        return self.server.call(lambda: list(self.tenant.ledger.requests))

    def request_count(self) -> int:
        return self.server.call(lambda: len(self.tenant.ledger.requests))

    def changes(self) -> list[Change]:
        return self.server.call(lambda: list(self.tenant.ledger.changes))

    def alerts(self) -> list[dict[str, Any]]:
        """Every alert as the tenant knows it, newest first."""
        return self.server.call(lambda: [truth(alert) for alert in self.tenant.store.newest_first])

    def hashes(self) -> dict[str, set[str]]:
        """The ids of each hash's own alerts."""
        found: dict[str, set[str]] = {}
        for alert in self.alerts():
            for sha256 in alert["hashes"]:
                found.setdefault(sha256, set()).add(alert["composite_id"])
        return found


class Terminal:
    """A command that runs on a terminal: what it shows there, and what is typed."""

    def __init__(self, shell: CommandRunner, process: "subprocess.Popen[bytes]", ours: int, before: int) -> None:
        self._shell = shell
        self._process = process
        self._ours = ours
        self._before = before
        self.shown = b""

    def wait_for(self, words: str) -> None:
        """Until the words are on the screen."""
        self._read(lambda: words.encode() in self.shown)
        assert words.encode() in self.shown, self.shown.decode(errors="replace")

    def type(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def finish(self) -> CommandResult:
        """Until the command has ended. What it showed is `err`, and `out` too unless that is a pipe."""
        self._read(lambda: False)
        out = self._process.stdout.read() if self._process.stdout else self.shown
        code = self._process.wait(PATIENCE)
        return CommandResult(code, out, self.shown, self._shell.requests()[self._before :])

    def _read(self, enough: Any) -> None:
        deadline = time.monotonic() + PATIENCE
        while not enough():
            ready, _, _ = select.select([self._ours], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"nothing more came; shown so far: {self.shown!r}"
            try:
                chunk = os.read(self._ours, 65536)
            except OSError:  # Linux says EIO once the other side is closed.
                return
            if not chunk:
                return
            self.shown += chunk


_STYLING = re.compile(rb"\x1b\[[0-9;]*m")


def without_styling(shown: bytes) -> str:
    """What a terminal shows, without the colours that the table gives it."""
    return _STYLING.sub(b"", shown).decode().replace("\r\n", "\n")
