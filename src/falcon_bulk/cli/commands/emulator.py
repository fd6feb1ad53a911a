"""falcon-bulk emulator: a local Falcon tenant over HTTP."""

from pathlib import Path

import click

from falcon_bulk.cli.command_group import SuggestingGroup
from falcon_bulk.cli.option_values import choice_value, single_value
from falcon_bulk.cli.optional_packages import require_emulator
from falcon_bulk.cli.options import examples
from falcon_bulk.cli.shared_options import shared_options
from falcon_bulk.errors import ExitCode, UsageProblem

EXAMPLES = examples(
    "emulator serve --port 8080 --alerts 25000 --write-env customers/acme.env",
    "emulator serve --switch latency_patch=1.0 --switch index_lag=5",
    "emulator switches",
)


@click.group("emulator", cls=SuggestingGroup, epilog=EXAMPLES)
@shared_options
def command() -> None:
    """Run a local Falcon tenant for tests: invented alerts, the API's limits, and faults on request."""


@command.command("serve", epilog=EXAMPLES)
@click.option(
    "--port",
    **single_value(default=0),
    metavar="N",
    type=click.IntRange(0, 65535),
    help="Port on 127.0.0.1; 0 for any free port.",
)
@click.option(
    "--alerts",
    **single_value(default=25_000),
    metavar="N",
    type=click.IntRange(0, 2_000_000),
    show_default=True,
    help="Number of alerts.",
)
@click.option(
    "--burst",
    **single_value(default=0),
    metavar="N",
    type=click.IntRange(0, 1_000_000),
    help="Additional alerts, all created at one instant.",
)
@click.option(
    "--spread",
    **choice_value(("lifelike", "even", "crowded"), "lifelike"),
    show_default=True,
    help="When the alerts were created: with busy days and quiet nights, evenly, or 60 % in one hour.",
)
@click.option(
    "--seed",
    metavar="N",
    **single_value(default=1),
    type=int,
    show_default=True,
    help="The same seed makes the same alerts.",
)
@click.option("--customer", "name", **single_value(default="acme"), show_default=True, help="The customer's name.")
@click.option(
    "--children",
    **single_value(default=0),
    metavar="N",
    type=click.IntRange(0, 50),
    help="Number of child CIDs among which the alerts are spread.",
)
@click.option(
    "--switch", "switches", multiple=True, metavar="NAME=VALUE", help="Set a switch; `emulator switches` lists them."
)
@click.option(
    "--write-env",
    **single_value(),
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the tenant's env file once the server listens.",
)
def serve(
    port: int,
    alerts: int,
    burst: int,
    spread: str,
    seed: int,
    name: str,
    children: int,
    switches: tuple[str, ...],
    write_env: Path | None,
) -> int:
    """Serve a tenant until Ctrl-C."""
    require_emulator()
    from falcon_emulator import Switches, Tenant
    from falcon_emulator import serve as serve_tenant

    try:
        chosen = Switches.of(*switches)
    except ValueError as error:
        raise UsageProblem(f"{error}", "`falcon-bulk emulator switches` lists them.") from None
    tenant = Tenant(
        alerts=alerts, burst=burst, spread=spread, seed=seed, customer=name, children=children, switches=chosen
    )

    def ready(url: str) -> None:
        click.echo(f"Serving the tenant {name} ({tenant.cid}) at {url}.", err=True)

    try:
        serve_tenant(tenant, port=port, write_env=write_env, ready=ready)
    except OSError as error:
        raise UsageProblem(f"The emulator cannot start: {error}.") from None
    return ExitCode.DONE


@command.command("switches", epilog=examples("emulator switches"))
def show_switches() -> int:
    """List the switches with their defaults and choices."""
    require_emulator()
    from falcon_emulator import Switches

    for switch in Switches.describe():
        click.echo(f"{switch.name} = {switch.default}\n    {switch.meaning}")
        if switch.choices:
            click.echo(f"    one of: {', '.join(switch.choices)}")
    return ExitCode.DONE
