"""falcon-bulk demo: the real commands on a local tenant, each shown before its output."""

import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import click

from falcon_bulk.cli.help_groups import GroupedHelp
from falcon_bulk.cli.optional_packages import require_emulator
from falcon_bulk.cli.options import examples, takes
from falcon_bulk.cli.quoting import quoted
from falcon_bulk.cli.shared_options import shared_options
from falcon_bulk.errors import ExitCode

CUSTOMER = "acme"
ALERTS = 1_200


class DemoOptions(NamedTuple):
    """The options of demo."""

    keep: bool


@click.command("demo", cls=GroupedHelp, epilog=examples("demo", "demo --keep"))
@click.option("--keep", is_flag=True, help="Leave the local tenant running afterwards, until Ctrl-C.")
@shared_options
@takes(DemoOptions)
def command(_ctx: click.Context, options: DemoOptions) -> int:
    """Run a guided tour on a local tenant: look, doubt, hold back, close what is harmless, prove it, undo.

    On a terminal it waits for Enter between the steps, and you confirm the change yourself. No request leaves this
    machine, and nothing is left behind.
    """
    require_emulator()
    from falcon_emulator import Server, Tenant
    from falcon_emulator.demo_alerts import add_demo_alerts

    with tempfile.TemporaryDirectory(prefix="falcon-bulk-demo-") as name:
        folder = Path(name)
        tenant = Tenant(alerts=ALERTS, seed=7, customer=CUSTOMER)
        hashes = add_demo_alerts(tenant)
        with Server(tenant, port=0) as server:
            customers = folder / "customers"
            customers.mkdir()
            descriptor = os.open(customers / f"{CUSTOMER}.env", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(tenant.env_text(server.url))
            Tour(folder).run(hashes.harmless, hashes.doubtful, hashes.harmless_new)
            if options.keep:
                _keep_running(folder)
    return ExitCode.DONE


class Tour:
    """Shows the real commands, each in its own process, with what to see in their output."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._interactive = sys.stdin.isatty() and sys.stdout.isatty()

    def run(self, harmless: str, doubtful: str, number: int) -> None:
        """Run all steps; a change that is declined ends them. number: how many alerts of the harmless hash to close."""
        _say(f"{CUSTOMER} is a local Falcon tenant with some {ALERTS:,} invented alerts. Nothing leaves this machine.")
        self._step("1. Look: which hashes cause the most new alerts?", "hash-summary", "--status", "new", "--top", "2")
        self._step(
            "2. Doubt: what would closing the most frequent one do? A dry run sends nothing.",
            *("close-hash", "--hash", doubtful, "--status", "new", "--dry-run"),
        )
        _say("The warning is the point: two alerts are the same file, started from another folder by PowerShell.")
        self._step(
            "3. Hold: give what needs a person to one. No bulk change closes an alert that is assigned.",
            *("bulk-close", "--hash", doubtful, "--status", "new", "--filter", "user_name:'j.doe'"),
            *("--set-status", "in_progress", "--assign-to", "ada", "--yes", "--expect", "2", "--quiet"),
        )
        closing = (
            *("close-hash", "--hash", harmless, "--status", "new"),
            *("--resolution", "false_positive", "--comment", "Initech's updater, vetted"),
        )
        self._step(
            "4. The second hash: always the same folder, parent and user. No warning, so:", *closing, "--dry-run"
        )
        if not self._close(closing, number):
            _say("Not confirmed: nothing was changed. That is the end of the tour.")
            return
        self._step("6. Prove: none of them is new any more.", "query", "--hash", harmless, "--status", "new", "--count")
        run_id = str(json.loads((self._folder / "closed.json").read_text(encoding="utf-8"))["run_id"])
        self._step(
            "7. Undo it, as if it had been a mistake.",
            *("undo", run_id, "--yes", "--max", "500", "--quiet"),
        )
        self._step("8. The journal has it all.", "runs")
        _say("\nNext: put a customer's API client into customers/NAME.env, and run the same with --customer NAME.")

    def _close(self, closing: tuple[str, ...], number: int) -> bool:
        """Close the harmless hash: confirmed by the person at the terminal, else by --yes. Returns whether it was."""
        result = ("-o", "closed.json")
        if self._interactive:
            done = self._step("5. Close them: type the customer and the number.", *closing, *result, answered=True)
            return done == ExitCode.DONE
        question = f'Type "{CUSTOMER} {number}" to CLOSE {number} alerts as false_positive:'
        self._step(
            f"5. Close them. On a terminal it asks: {question}",
            *(*closing, "--yes", "--expect", str(number), "--quiet", *result),
        )
        return True

    def _step(self, title: str, *arguments: str, answered: bool = False) -> int:
        """Show a command and run it in its own process; return its exit code.

        answered: whether the person answers its question and may decline. Raises CalledProcessError for a failure.
        """
        shown = ["falcon-bulk", arguments[0], "--customer", CUSTOMER, *arguments[1:]]
        if self._interactive:
            click.prompt("\nPress Enter to go on", default="", show_default=False, prompt_suffix=" ")
        _say(f"\n{title}\n$ {' '.join(map(quoted, shown))}")
        done = subprocess.run(  # noqa: S603 - this program, with arguments from this file
            [sys.executable, "-m", "falcon_bulk", *shown[1:]],
            check=False,
            cwd=self._folder,
            env=environment(self._folder),
            stdin=None if answered else subprocess.DEVNULL,
        )
        if not (answered and done.returncode in (ExitCode.DECLINED, ExitCode.USAGE)):
            done.check_returncode()
        return done.returncode


def environment(folder: Path) -> dict[str, str]:
    """Return the process environment without settings of real customers, with a journal of its own and no proxy."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FALCON_")}
    direct = dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1")
    return kept | direct | {"FALCON_BULK_STATE_DIR": str(folder / "state")}


def _keep_running(folder: Path) -> None:
    """Say how to use the tenant, and keep it until Ctrl-C or SIGTERM."""
    _say("\nThe tenant is still there, until you press Ctrl-C. In another terminal:")
    _say(f"  cd {shlex.quote(str(folder))}")
    _say(f"  export FALCON_BULK_STATE_DIR=state\n  falcon-bulk query --customer {CUSTOMER}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        threading.Event().wait()


def _say(text: str) -> None:
    click.secho(text, bold=True)
    sys.stdout.flush()
