"""falcon-bulk demo: the real commands on a local tenant, each shown before its output."""

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from falcon_bulk.cli.help_groups import GroupedHelp
from falcon_bulk.cli.optional_packages import require_emulator
from falcon_bulk.cli.options import examples
from falcon_bulk.cli.shared_options import shared_options
from falcon_bulk.errors import ExitCode

CUSTOMER = "acme"
ALERTS = 12_000


@click.command("demo", cls=GroupedHelp, epilog=examples("demo"))
@shared_options
def command() -> int:
    """Run a guided tour on a local tenant: query, count by hash, dry run, close, verify, undo.

    No request leaves this machine, and nothing is left behind.
    """
    require_emulator()
    from falcon_emulator import Server, Tenant

    with tempfile.TemporaryDirectory(prefix="falcon-bulk-demo-") as folder:
        tenant = Tenant(alerts=ALERTS, seed=7, customer=CUSTOMER)
        with Server(tenant, port=0) as server:
            customers = Path(folder, "customers")
            customers.mkdir()
            env_file = customers / f"{CUSTOMER}.env"
            descriptor = os.open(env_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(tenant.env_text(server.url))
            return _tour(Path(folder))


def _tour(folder: Path) -> int:
    _say(f"The customer {CUSTOMER} is a local Falcon tenant with {ALERTS:,} invented alerts.")
    _run(folder, "How many alerts are new?", "query", "--status", "new", "--count")
    _run(folder, "The newest new alerts:", "query", "--status", "new", "--limit", "5")
    _run(folder, "Which hashes cause the most alerts?", "hash-summary", "--status", "new", "--top", "8")
    _run(folder, "The same as JSON:", "hash-summary", "--status", "new", "-o", "summary.json", "--quiet", quiet=True)
    sha256 = _most_frequent_hash(folder / "summary.json")
    closing = ("close-hash", "--hash", sha256, "--status", "new", "--resolution", "false_positive")
    _run(folder, "What would closing the most frequent hash do? A dry run sends nothing:", *closing, "--dry-run")
    comment = ("--comment", "Known updater, approved")
    bound = ("--yes", "--max", "5000")
    close = (*closing, *comment, *bound, "-o", "closed.json")
    _run(folder, "Close them. Guardrails hold back the alerts that need a person:", *close)
    _run(
        folder,
        "How many alerts with that hash are still new (held back)?",
        "query",
        "--hash",
        sha256,
        "--status",
        "new",
        "--count",
    )
    _run(folder, "Undo it, as if it had been a mistake:", "undo", _run_id(folder / "closed.json"), *bound)
    _run(folder, "What does the journal say?", "runs")
    _say("\nNext: put a customer's API client into customers/NAME.env and run the same commands with --customer NAME.")
    return ExitCode.DONE


def _most_frequent_hash(summary: Path) -> str:
    import json

    return str(json.loads(summary.read_text(encoding="utf-8"))["hashes"][0]["sha256"])


def _run_id(result: Path) -> str:
    import json

    return str(json.loads(result.read_text(encoding="utf-8"))["run_id"])


def _run(folder: Path, title: str, *arguments: str, quiet: bool = False) -> None:
    """Run the real command in its own process. Raises CalledProcessError if it fails."""
    shown = ["falcon-bulk", arguments[0], "--customer", CUSTOMER, *arguments[1:]]
    _say(f"\n{title}\n$ {shlex.join(shown)}")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FALCON_")}
    environment["FALCON_BULK_STATE_DIR"] = str(folder / "state")
    subprocess.run(  # noqa: S603 - this program, with arguments from this file
        [sys.executable, "-m", "falcon_bulk", *shown[1:]],
        check=True,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL if quiet else None,
    )


def _say(text: str) -> None:
    click.secho(text, bold=True)
    sys.stdout.flush()
