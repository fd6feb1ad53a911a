"""Run the real command in a process of its own, against tenants that this process serves and can look into."""

import json
import os
import pty
import re
import select
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import falcon_bulk
from falcon_bulk.journal.journal import Journal
from falcon_bulk.model.run import RunResult
from falcon_emulator import Fault, Server, Switches, Tenant
from falcon_emulator.control import describe_alert, edit_alerts
from falcon_emulator.request_log import Change, Request
from tests.support.preloaded_command import PreloadedCommand, can_fork
from tests.support.waiting import wait_until

STARTUP = Path(__file__).with_name("startup")
MAX_LATENESS = 3.0
CHANCE = 0.1
SOURCE = Path(falcon_bulk.__file__).parents[1]
COMMAND = [sys.executable, "-m", "falcon_bulk"]
PATIENCE = 120.0
"""Seconds that a command may take, also on a busy machine."""

# Makes the terminal the one that Ctrl-C comes from, as a login shell does, and restores SIGINT: a script that runs
# the tests in the background ignores it, and so would everything it starts.
_ON_A_TERMINAL = (
    "import fcntl, os, signal, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
)


class CommandResult:
    """What a command left behind: exit code, output, and the requests that it made of the first tenant."""

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
        """Return the one JSON document on stdout."""
        return dict(json.loads(self.out))

    @property
    def documents(self) -> list[dict[str, Any]]:
        """Return the JSON documents on stdout, one per line."""
        return [json.loads(line) for line in self.out.splitlines()]

    def to(self, endpoint: str) -> list[Request]:
        """Return the requests to an endpoint."""
        return [request for request in self.requests if request.endpoint == endpoint]

    def __repr__(self) -> str:
        return f"exit {self.code}\nstdout: {self.out[:2000]!r}\nstderr: {self.err[:3000]}"


class CommandRunner:
    """A folder with an env file for each tenant of a server, in which commands are run.

    max_lateness: seconds in which a lost change may take effect. chance: the number from 0 to 1 that decides how long
    the waits between tries are. startup: folders in which Python finds what it runs at its start. tenants, urls,
    env_texts: by customer. tenant, env_file: those of the first customer, who is meant where a method names none.
    """

    def __init__(self, folder: Path, server: Server) -> None:
        self.folder = folder
        self.server = server
        self.state = folder / "state"
        self.max_lateness = MAX_LATENESS
        self.chance = CHANCE
        self.startup: tuple[Path, ...] = (STARTUP,)
        self.tenant: Tenant = server.tenants[0]
        self.tenants: dict[str, Tenant] = {tenant.customer: tenant for tenant in server.tenants}
        self.urls = dict(zip(self.tenants, server.urls, strict=True))
        self.env_texts = {name: tenant.env_text(self.urls[name]) for name, tenant in self.tenants.items()}
        (folder / "customers").mkdir(exist_ok=True)
        files = [self.write_env(f"customers/{name}.env", text) for name, text in self.env_texts.items()]
        self.env_file = files[0]

    def write_env(self, name: str, content: str, mode: int = 0o600) -> Path:
        path = self.folder / name
        path.write_text(content)
        path.chmod(mode)
        return path

    def write_customer(self, name: str, tenant: str = "", mode: int = 0o600, **values: str | None) -> Path:
        """Write a customer's env file with a tenant's credentials; keywords replace keys, None removes one."""
        lines = dict(line.split("=", 1) for line in self.env_texts[tenant or name].splitlines())
        lines |= {"FALCON_CUSTOMER": name} | values
        text = "".join(f"{key}={value}\n" for key, value in lines.items() if value is not None)
        (self.folder / "customers" / f"{name}.env").unlink(missing_ok=True)
        return self.write_env(f"customers/{name}.env", text, mode)

    def install_program(self) -> Path:
        """Write a script `falcon-bulk` into the folder, and return its path."""
        program = self.folder / "falcon-bulk"
        program.write_text(f"#!{sys.executable}\nfrom falcon_bulk.cli.main import run\nrun()\n")
        program.chmod(0o755)
        return program

    def environment(self, more: dict[str, str] | None = None) -> dict[str, str]:
        """Return an environment with PATH and PYTHONPATH, and no credentials of the user's."""
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(map(str, (*self.startup, SOURCE))),
            "TEST_MAX_LATENESS": str(self.max_lateness),
            "TEST_CHANCE": str(self.chance),
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "FALCON_BULK_STATE_DIR": str(self.state),
            **_coverage_environment(),
        } | (more or {})

    def __call__(
        self,
        *argv: str,
        customer: str | None = "acme",
        env: dict[str, str] | None = None,
        given: bytes | None = None,
        patience: float = PATIENCE,
    ) -> CommandResult:
        """Run a command for a customer, with None as it stands. given: standard input; none at all by default."""
        with self.running(*argv, customer=customer, env=env, given=given, fork=True) as running:
            return running.finish(patience)

    def bare(self, *argv: str, **more: Any) -> CommandResult:
        """Run a command line as it stands."""
        return self(*argv, customer=None, **more)

    def json(self, *argv: str, **more: Any) -> dict[str, Any]:
        """Run a command that must succeed, and return its JSON document."""
        done = self(*argv, "--format", "json", **more)
        assert done.code == 0, done
        return done.document

    @contextmanager
    def running(
        self,
        *argv: str,
        customer: str | None = "acme",
        env: dict[str, str] | None = None,
        given: bytes | None = None,
        stdout: int = subprocess.PIPE,
        stderr: int = subprocess.PIPE,
        fork: bool = False,
    ) -> Iterator["RunningCommand"]:
        """Start a command for a customer, with None as it stands; kill it at the end of the block if it still runs.

        fork: take a process that has imported falcon-bulk, which is quicker, unless `env` decides how Python starts.
        """
        before = self.request_count()
        usual, environment = self.environment(), self.environment(env)
        words = [*argv, *(["--customer", customer] if customer else [])]
        process = (PreloadedCommand if fork and can_fork(usual, environment) else subprocess.Popen)(
            [*COMMAND, *words],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL if given is None else subprocess.PIPE,
            stdout=stdout,
            stderr=stderr,
        )
        try:
            yield RunningCommand(process, given, lambda: self.requests()[before:])
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate()

    @contextmanager
    def terminal(
        self,
        *argv: str,
        out_to_pipe: bool = False,
        columns: int = 160,
        lines: int = 50,
        customer: str | None = "acme",
        env: dict[str, str] | None = None,
    ) -> Iterator["Terminal"]:
        """Start a command on a terminal for a customer, with None as it stands."""
        ours, theirs = pty.openpty()
        os.set_blocking(ours, False)
        before = self.request_count()
        command = [*COMMAND, *argv, *(["--customer", customer] if customer else [])]
        screen = {"TERM": "xterm-256color", "COLUMNS": str(columns), "LINES": str(lines), "PAGER": ""}
        usual, environment = self.environment(), self.environment(screen | (env or {}))
        fork = can_fork(usual, environment)
        process = (PreloadedCommand if fork else subprocess.Popen)(
            command if fork else [sys.executable, "-c", _ON_A_TERMINAL, *command],
            stdin=theirs,
            stdout=subprocess.PIPE if out_to_pipe else theirs,
            stderr=theirs,
            cwd=self.folder,
            env=environment,
            start_new_session=True,
        )
        os.close(theirs)
        try:
            yield Terminal(process, ours, lambda: self.requests()[before:])
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()
            os.close(ours)

    def close_command(self, ids: Sequence[str], *more: str) -> list[str]:
        """Return the command line that closes exactly these alerts."""
        path = self.folder / f"ids-{len(list(self.folder.glob('ids-*')))}.txt"
        path.write_text("\n".join(ids))
        command = ["bulk-close", "--ids-file", str(path), "--override", "all", "--comment", "Approved tool"]
        return [*command, "--yes", "--expect", str(len(ids)), "--format", "json", *more]

    # The tenant

    def requests(self, customer: str = "") -> list[Request]:
        tenant = self.tenants[customer] if customer else self.tenant
        return self.server.call(lambda: list(tenant.request_log.requests))

    def request_count(self) -> int:
        return self.server.call(lambda: len(self.tenant.request_log.requests))

    def patches(self, customer: str = "") -> list[Request]:
        """Return the requests to change alerts."""
        return [request for request in self.requests(customer) if request.endpoint == "patch"]

    def patch_count(self) -> int:
        return len(self.patches())

    def answered_patch_count(self) -> int:
        return sum(request.status > 0 for request in self.patches())

    def changes(self) -> list[Change]:
        return self.server.call(lambda: list(self.tenant.request_log.changes))

    def alerts(self) -> list[dict[str, Any]]:
        """Return every alert with its true state, newest first."""
        return self.server.call(lambda: [describe_alert(alert) for alert in self.tenant.store.newest_first])

    def hashes(self) -> dict[str, set[str]]:
        """Return the ids of each hash's own alerts."""
        found: dict[str, set[str]] = {}
        for alert in self.alerts():
            for sha256 in alert["hashes"]:
                found.setdefault(sha256, set()).add(alert["composite_id"])
        return found

    def untouched_ids(self, count: int, tenant: Tenant | None = None) -> list[str]:
        """Return that many new alerts without assignee or comment."""
        return self.server.call(lambda: _untouched_ids(tenant or self.tenant, count))

    def closed_count(self, ids: Sequence[str]) -> int:
        """Return how many of the alerts are closed."""
        by_id = self.tenant.store.by_id
        return self.server.call(lambda: sum(by_id[composite_id].state.status == "closed" for composite_id in ids))

    def comment_counts(self, ids: Sequence[str], text: str) -> list[int]:
        """Return how many comments with the text the alerts carry each, as distinct numbers in order."""

        def count() -> set[int]:
            states = [self.tenant.store.by_id[composite_id].state for composite_id in ids]
            return {sum(text in comment.value for comment in state.comments) for state in states}

        return sorted(self.server.call(count))

    def order(self, kind: Any, **more: Any) -> None:
        """Order a fault."""
        self.server.call(lambda: self.tenant.faults.add(Fault(kind=kind, **more)))

    def edit(self, ids: Sequence[str], **changes: Any) -> None:
        """Change alerts as an analyst does in the console."""
        self.server.call(lambda: edit_alerts(self.tenant, list(ids), changes))

    def wait_for_patches(self, count: int, running: "RunningCommand") -> None:
        """Wait until that many changes were requested in all."""
        wait_until(lambda: self.patch_count() >= count or running.is_over, why="no change was sent")
        assert not running.is_over, running.finish()

    # The journal

    @property
    def journal_path(self) -> Path:
        return self.state / f"{self.tenant.cid}.sqlite3"

    def recorded_changes(self) -> int:
        """Return how many alerts of all runs the journal has as changed, also while a command writes it."""
        if not self.journal_path.exists():
            return 0
        with closing(sqlite3.connect(f"file:{self.journal_path}?mode=ro", uri=True, timeout=5)) as db:
            try:
                return int(db.execute("SELECT COUNT(*) FROM items WHERE state = 'changed'").fetchone()[0])
            except sqlite3.OperationalError:
                return 0  # the tables are being made

    def newest_run(self) -> RunResult:
        """Return the newest run as the journal has it."""
        with closing(Journal(self.journal_path)) as journal:
            return journal.result(journal.rows()[0].run_id)

    def unknown_outcomes(self) -> set[str]:
        """Return the alerts whose outcome the journal does not know."""
        with closing(sqlite3.connect(self.journal_path, timeout=5)) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            rows = db.execute("SELECT item_id FROM items WHERE state = 'unknown'")
            return {composite_id for (composite_id,) in rows}

    def wait_for_recorded_changes(self, count: int, running: "RunningCommand") -> None:
        """Wait until the journal has that many alerts of all runs as changed."""
        wait_until(lambda: self.recorded_changes() >= count or running.is_over, why="no outcome was recorded")
        assert not running.is_over, running.finish()


class RunningCommand:
    """A command that may still be running."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", given: bytes | None, requests: Callable[[], list[Request]]
    ) -> None:
        self.process = process
        self._given = given
        self._requests = requests

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    @property
    def is_over(self) -> bool:
        return self.process.poll() is not None

    def finish(self, patience: float = PATIENCE) -> CommandResult:
        """Wait until the command has ended, at most `patience` seconds."""
        out, err = self.process.communicate(self._given, timeout=patience)
        return CommandResult(self.process.returncode, out or b"", err or b"", self._requests())


class Terminal:
    """A command that runs on a terminal: what it shows there, and what is typed."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", descriptor: int, requests: Callable[[], list[Request]]
    ) -> None:
        self.process = process
        self.descriptor = descriptor
        self.shown = b""
        self._requests = requests
        self._answered = 0

    def wait_for(self, text: str) -> None:
        """Wait until the text is on the screen."""
        self._read(lambda: text.encode() in self.shown)
        assert text.encode() in self.shown, self.shown.decode(errors="replace")

    def type(self, keys: str) -> None:
        os.write(self.descriptor, keys.encode())

    def answer(self, question: str, line: str) -> None:
        """Wait until a question is asked, again if it was answered before, and type a line."""
        asked = question.encode()
        self._read(lambda: self.shown.find(asked, self._answered) >= 0)
        found = self.shown.find(asked, self._answered)
        assert found >= 0, self.shown.decode(errors="replace")
        self._answered = found + len(asked)
        self.type(f"{line}\n")

    def finish(self) -> CommandResult:
        """Wait until the command has ended. What it showed is `err`, and `out` too unless that is a pipe."""
        self._read(lambda: False)
        out = self.process.stdout.read() if self.process.stdout else self.shown
        code = self.process.wait(PATIENCE)
        return CommandResult(code, out, self.shown, self._requests())

    def _read(self, enough: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not enough():
            ready, _, _ = select.select([self.descriptor], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"nothing more came; shown so far: {self.shown!r}"
            try:
                chunk = os.read(self.descriptor, 65536)
            except OSError:  # Linux says EIO once the other side is closed.
                return
            if not chunk:
                return
            self.shown += chunk


@contextmanager
def serve_customers(folder: Path, *customers: str, alerts: int = 1500, **switches: Any) -> Iterator[CommandRunner]:
    """Serve a tenant for each customer, by default for acme; keywords set the switches of all."""
    tenants = [
        Tenant(alerts=alerts, seed=seed, customer=name, switches=Switches(**switches))
        for seed, name in enumerate(customers or ("acme",), 1)
    ]
    with Server(tenants) as server:
        yield CommandRunner(folder, server)


def without_styling(shown: bytes) -> str:
    """Return what a terminal shows without its colours, and without progress lines that were erased."""
    left = _ERASED.sub(b"", _STYLING.sub(b"", shown)).replace(b"\r\x1b[K", b"")
    return left.decode().replace("\r\n", "\n")


_ERASED = re.compile(rb"(?:\r\x1b\[K[^\r\n\x1b]*)+(?=\r\x1b\[K)")
_STYLING = re.compile(rb"\x1b\[[0-9;]*m")


def _coverage_environment() -> dict[str, str]:
    """Return what `make coverage` tells the processes that it measures."""
    return {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}


def _untouched_ids(tenant: Tenant, count: int) -> list[str]:
    found = [
        alert.composite_id
        for alert in tenant.store.newest_first
        if alert.state.status == "new" and not alert.state.comments and not alert.state.assignee
    ]
    assert len(found) >= count, f"the tenant has only {len(found)} such alerts"
    return found[:count]
