"""falcon-bulk apply: carry out a saved plan."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from falcon_bulk.cli.help_groups import GroupedHelp
from falcon_bulk.cli.option_values import single_value
from falcon_bulk.cli.options import consent_options, examples, pace_options
from falcon_bulk.cli.shared_options import notify_option, shared_options

if TYPE_CHECKING:
    from falcon_bulk.falcon.tenant import Tenant


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
@click.pass_context
def command(ctx: click.Context, /, plan_file: Path, plan_ttl: str, **options: Any) -> int:
    """Carry out a saved plan: exactly its alerts, each read again first; what drifted is left alone.

    PLAN may be a folder of plans, one for each customer: they are shown in one table and asked for once.
    """
    from falcon_bulk.cli.change_workflow import execute_plan, pace_from_options, publish
    from falcon_bulk.cli.confirmation import ConsentOptions, check_change_allowed, confirm_plan
    from falcon_bulk.cli.multi_customer_changes import apply_plan_folder
    from falcon_bulk.cli.session import Session
    from falcon_bulk.cli.signals import stop_on_signals
    from falcon_bulk.cli.time_values import parse_age
    from falcon_bulk.operations.changes.plan_file import PlanFile

    most_age = parse_age(plan_ttl, "--plan-ttl")
    context = Session.open(ctx, "run")

    def check(saved: PlanFile, tenant: "Tenant") -> None:
        home = tenant.home_cid()
        saved.check(cids=tenant.cids or (home,), cloud=tenant.cloud, now=context.clock.now(), most_age=most_age)

    if plan_file.is_dir():
        return apply_plan_folder(context, plan_file, check, options)
    consent = ConsentOptions(options["yes"], options["expect"], options["maximum"], needs_bound=False)
    consent.check()
    saved = PlanFile(plan_file)
    check_change_allowed(context, consent)
    with stop_on_signals(context), context.tenant(workers=options["workers"]) as tenant:
        check(saved, tenant)
        approve = partial(confirm_plan, context, saved.plan, consent)
        ended = execute_plan(context, tenant, saved.plan, saved.fill, approve, pace_from_options(options), fresh=False)
        return publish(context, ended)
