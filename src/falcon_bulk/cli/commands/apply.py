"""falcon-bulk apply: carry out a saved plan."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from falcon_bulk.cli.help_groups import GroupedHelp
from falcon_bulk.cli.option_values import single_value
from falcon_bulk.cli.options import ConsentOptions, PaceOptions, consent_options, examples, pace_options, takes
from falcon_bulk.cli.shared_options import notify_option, shared_options

if TYPE_CHECKING:
    from falcon_bulk.falcon.tenant import Tenant
    from falcon_bulk.operations.changes.lifecycle import Operation
    from falcon_bulk.operations.changes.plan_file import PlanFile


class ApplyOptions(NamedTuple):
    """The options of apply."""

    plan_file: Path
    plan_ttl: str
    consent: ConsentOptions
    pace: PaceOptions


@click.command(
    "apply",
    cls=GroupedHelp,
    epilog=examples(
        "bulk-close --customer acme --host '*-LAB-*' --dry-run --plan lab.plan",
        "apply lab.plan --customer acme",
        "apply lab.plan --customer acme --yes",
    ),
)
@click.argument("plan_file", metavar="PLAN", type=click.Path(path_type=Path))
@click.option(
    "--plan-ttl",
    **single_value(default="24h"),
    show_default=True,
    metavar="AGE",
    help="Oldest plan to accept: 24h, 7d.",
)
@consent_options
@pace_options
@notify_option
@shared_options
@takes(ApplyOptions)
def command(ctx: click.Context, options: ApplyOptions) -> int:
    """Carry out a saved plan: exactly its alerts, each read again first; what drifted is left alone.

    PLAN may be a folder of plans, one for each customer: they are shown in one table and asked for once.
    """
    from falcon_bulk.cli.change_runner import check_options, pace, run_operation
    from falcon_bulk.cli.confirmation import Confirmation
    from falcon_bulk.cli.multi_customer_changes import SavedPlans, apply_plan_folder
    from falcon_bulk.cli.session import Session
    from falcon_bulk.cli.time_values import parse_age
    from falcon_bulk.operations.changes.operations import apply_plan_file
    from falcon_bulk.operations.changes.plan_file import PlanFile

    max_age = parse_age(options.plan_ttl, "--plan-ttl")
    session = Session.open(ctx, "run")

    def check(saved: "PlanFile", tenant: "Tenant") -> None:
        home = tenant.home_cid()
        saved.check(cids=tenant.cids or (home,), cloud=tenant.cloud, now=session.clock.now(), max_age=max_age)

    confirmation = Confirmation(options.consent, needs_bound=False)
    if options.plan_file.is_dir():
        return apply_plan_folder(session, SavedPlans.read(options.plan_file, check), confirmation, options.pace)
    confirmation.check_possible()
    saved = PlanFile(options.plan_file)
    check_options(session, confirmation, dry=False)

    def prepare(tenant: "Tenant") -> "Operation":
        check(saved, tenant)
        return apply_plan_file(saved)

    return run_operation(session, prepare, confirmation, pace(options.pace))
