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
    """A guided tour on a local tenant: look, count by hash, dry run, close, prove, take back.

    Nothing outside this machine is asked, and nothing is left behind.
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
    _say(f"A local Falcon tenant with {ALERTS:,} invented alerts plays the customer {CUSTOMER}.")
    _run(folder, "How many alerts are new?", "query", "--status", "new", "--count")
    _run(folder, "The newest of them:", "query", "--status", "new", "--limit", "5")
    _run(folder, "Which hashes make the noise?", "hash-summary", "--status", "new", "--top", "8")
    _run(folder, "The same as data:", "hash-summary", "--status", "new", "-o", "summary.json", "--quiet", quiet=True)
    noisiest = _noisiest(folder / "summary.json")
    closing = ("close-hash", "--hash", noisiest, "--status", "new", "--resolution", "false_positive")
    _run(folder, "What would closing the most frequent one do? Nothing is sent:", *closing, "--dry-run")
    comment = ("--comment", "Known updater, approved")
    bound = ("--yes", "--max", "5000")
    do_it = (*closing, *comment, *bound, "-o", "closed.json")
    _run(folder, "Do it. Guard rails hold back what a person should see:", *do_it)
    _run(
        folder,
        "What is still new with that hash (held back)?",
        "query",
        "--hash",
        noisiest,
        "--status",
        "new",
        "--count",
    )
    _run(folder, "It was a mistake; take it back:", "undo", _run_id(folder / "closed.json"), *bound)
    _run(folder, "What was recorded?", "runs")
    _say("\nNext: put a customer's API client into customers/NAME.env and run the same with --customer NAME.")
    return ExitCode.DONE


def _noisiest(summary: Path) -> str:
    import json

    return str(json.loads(summary.read_text(encoding="utf-8"))["hashes"][0]["sha256"])


def _run_id(result: Path) -> str:
    import json

    return str(json.loads(result.read_text(encoding="utf-8"))["run_id"])


def _run(folder: Path, why: str, *arguments: str, quiet: bool = False) -> None:
    """Run the real command in a process of its own; its failure ends the demo."""
    shown = ["falcon-bulk", arguments[0], "--customer", CUSTOMER, *arguments[1:]]
    _say(f"\n{why}\n$ {shlex.join(shown)}")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FALCON_")}
    environment["FALCON_BULK_STATE_DIR"] = str(folder / "state")
    subprocess.run(  # noqa: S603 - this very program, with arguments of ours
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
