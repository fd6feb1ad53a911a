"""The real command in processes of its own, against tenants that this process serves and can look into."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import falcon_bulk
from falcon_bulk.journal.journal import Journal
from falcon_bulk.model.run import RunResult
from falcon_emulator import Fault, Server, Switches, Tenant
from falcon_emulator.control import edit
from tests.support.command import coverage_environment
from tests.support.waiting import wait_until

PATIENCE = 60.0


class CommandOutput:
    """What a command left behind."""

    def __init__(self, code: int, out: bytes, err: bytes) -> None:
        self.code = code
        self.out = out.decode()
        self.err = err.decode()

    @property
    def document(self) -> dict[str, Any]:
        """The JSON document on stdout."""
        return dict(json.loads(self.out))

    def __repr__(self) -> str:
        return f"exit {self.code}\n{self.out}\n{self.err}"


class RunningCommand:
    """A command that is not over yet."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    @property
    def is_over(self) -> bool:
        return self.process.poll() is not None

    def finish(self) -> CommandOutput:
        out, err = self.process.communicate(timeout=PATIENCE)
        return CommandOutput(self.process.returncode, out or b"", err or b"")


class Workspace:
    """A folder with an env file for each tenant, and the state of the tool."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.folder = folder
        self.server = server
        self.tenant = server.tenants[0]
        self.state = folder / "state"
        (folder / "customers").mkdir()
        for tenant, url in zip(server.tenants, server.urls, strict=True):
            path = folder / "customers" / f"{tenant.customer}.env"
            path.write_text(tenant.env_text(url))
            path.chmod(0o600)

    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(Path(falcon_bulk.__file__).parents[1]),
            "FALCON_BULK_STATE_DIR": str(self.state),
            **coverage_environment(),
        }

    @contextmanager
    def running(self, *argv: str, customer: str | None = "acme", **more: Any) -> Iterator[RunningCommand]:
        """Start a command, with None as it stands; what is left of it at the end of the block is killed."""
        process = subprocess.Popen(
            [sys.executable, "-m", "falcon_bulk", *argv, *(["--customer", customer] if customer else [])],
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | more,
        )
        try:
            yield RunningCommand(process)
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate()

    def run(self, *argv: str, customer: str | None = "acme") -> CommandOutput:
        """Run a command to its end."""
        with self.running(*argv, customer=customer) as running:
            return running.finish()

    def close_these(self, ids: Sequence[str], *more: str) -> list[str]:
        """The command line that closes exactly those alerts."""
        path = self.folder / f"ids-{len(list(self.folder.glob('ids-*')))}.txt"
        path.write_text("\n".join(ids))
        command = ["bulk-close", "--ids-file", str(path), "--override", "all", "--comment", "Approved tool"]
        return [*command, "--yes", "--expect", str(len(ids)), "--format", "json", *more]

    # The tenant's truth

    def ids(self, count: int, tenant: Tenant | None = None) -> list[str]:
        """That many new alerts which nobody has touched."""
        return self.server.call(lambda: _untouched(tenant or self.tenant, count))

    def patches(self) -> int:
        """How many changes were asked for so far."""
        requests = self.tenant.ledger.requests
        return self.server.call(lambda: sum(request.endpoint == "patch" for request in requests))

    def patches_answered(self) -> int:
        """How many of them were answered."""
        requests = self.tenant.ledger.requests
        return self.server.call(lambda: sum(request.endpoint == "patch" and request.status > 0 for request in requests))

    def order(self, kind: Any, **more: Any) -> None:
        self.server.call(lambda: self.tenant.faults.add(Fault(kind=kind, **more)))

    def edit(self, ids: Sequence[str], **changes: Any) -> None:
        self.server.call(lambda: edit(self.tenant, list(ids), changes))

    def closed(self, ids: Sequence[str]) -> int:
        """How many of the alerts are closed."""
        return self.server.call(lambda: sum(self.tenant.store.by_id[one].state.status == "closed" for one in ids))

    def comments(self, ids: Sequence[str], words: str) -> list[int]:
        """How many comments with those words each alert carries, as distinct numbers."""

        def carried() -> set[int]:
            states = (self.tenant.store.by_id[one].state for one in ids)
            return {sum(words in comment.value for comment in state.comments) for state in states}

        return sorted(self.server.call(carried))

    # The journal

    @property
    def journal_path(self) -> Path:
        return self.state / f"{self.tenant.cid}.sqlite3"

    def settled(self) -> int:
        """How many alerts of all runs stand as changed in the journal, read beside the one who writes it."""
        if not self.journal_path.exists():
            return 0
        with closing(sqlite3.connect(f"file:{self.journal_path}?mode=ro", uri=True, timeout=5)) as db:
            try:
                return int(db.execute("SELECT COUNT(*) FROM alerts WHERE state = 'changed'").fetchone()[0])
            except sqlite3.OperationalError:
                return 0  # the tables are being made

    def newest_run(self) -> RunResult:
        """The newest run as the journal has it."""
        with closing(Journal(self.journal_path)) as journal:
            return journal.result(journal.rows()[0].run_id)

    def unknown(self) -> set[str]:
        """The alerts whose fate the journal does not know."""
        with closing(sqlite3.connect(self.journal_path, timeout=5)) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            return {one for (one,) in db.execute("SELECT composite_id FROM alerts WHERE state = 'unknown'")}

    def wait_for_patches(self, count: int, running: RunningCommand) -> None:
        """Until that many changes were asked for in all."""
        wait_until(lambda: self.patches() >= count or running.is_over, why="no change was sent")
        assert not running.is_over, running.finish()

    def wait_for_settled(self, count: int, running: RunningCommand) -> None:
        """Until that many alerts of all runs stand as changed in the journal."""
        wait_until(lambda: self.settled() >= count or running.is_over, why="no outcome was recorded")
        assert not running.is_over, running.finish()


@contextmanager
def serve_workspace(folder: Path, *customers: str, alerts: int = 1500, **switches: Any) -> Iterator[Workspace]:
    """Serve a tenant for each customer; keywords set the switches of all."""
    names = customers or ("acme",)
    tenants = [
        Tenant(alerts=alerts, seed=seed, customer=name, switches=Switches(**switches))
        for seed, name in enumerate(names, 1)
    ]
    with Server(tenants) as server:
        yield Workspace(folder, server)


def _untouched(tenant: Tenant, count: int) -> list[str]:
    found = [
        alert.composite_id
        for alert in tenant.store.newest_first
        if alert.state.status == "new" and not alert.state.comments and not alert.state.assignee
    ]
    assert len(found) >= count, f"the tenant has {len(found)} such alerts only"
    return found[:count]
