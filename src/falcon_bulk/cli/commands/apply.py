"""falcon-bulk apply: carry out a saved plan."""

from pathlib import Path
from typing import NamedTuple

import click

from falcon_bulk.cli.help_groups import GroupedHelp
from falcon_bulk.cli.option_values import single_value
from falcon_bulk.cli.options import (
    ConsentOptions,
    PaceOptions,
    dry_run_option,
    examples,
    override_option,
    pace_options,
    plan_consent_options,
    rules_option,
    takes,
)
from falcon_bulk.cli.shared_options import notify_option, shared_options


class ApplyOptions(NamedTuple):
    """The options of apply."""

    plan_file: Path
    plan_ttl: str
    overrides: tuple[str, ...]
    rule_paths: tuple[str, ...]
    dry_run: bool
    consent: ConsentOptions
    pace: PaceOptions


@click.command(
    "apply",
    cls=GroupedHelp,
    epilog=examples(
        "bulk-close --customer acme --host '*-LAB-*' --dry-run --plan lab.plan",
        "apply lab.plan --customer acme --dry-run",
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
@override_option("Override a guardrail, as the plan did when it was saved; else what it holds is left alone.")
@rules_option
@dry_run_option
@plan_consent_options
@pace_options
@notify_option
@shared_options
@takes(ApplyOptions)
def command(ctx: click.Context, options: ApplyOptions) -> int:
    """Carry out a saved plan: exactly its alerts, read and judged again first; what drifted is left alone.

    --dry-run shows what a plan would do now. PLAN may be a folder of plans, one for each customer: they are shown in
    one table and asked for once.
    """
    from falcon_bulk.cli.change_runner import check_options, pace, run_operation
    from falcon_bulk.cli.confirmation import Confirmation
    from falcon_bulk.cli.saved_plans import PlanApplication, SavedPlans, apply_plan_folder, show_plan_folder
    from falcon_bulk.cli.session import Session
    from falcon_bulk.cli.time_values import parse_age
    from falcon_bulk.operations.changes.guardrails import overrides_of
    from falcon_bulk.operations.changes.plan_file import PlanFile, check_saved_overrides
    from falcon_bulk.operations.changes.request import check_overrides

    named = frozenset(options.overrides)
    application = PlanApplication(named, parse_age(options.plan_ttl, "--plan-ttl"), options.rule_paths)
    check_overrides(overrides_of(named))
    session = Session.open(ctx, "run")

    confirmation = Confirmation(options.consent, needs_bound=False)
    if options.plan_file.is_dir():
        plans = SavedPlans.read(options.plan_file, application)
        check_saved_overrides(named, plans.plans.values())
        if options.dry_run:
            return show_plan_folder(session, plans, confirmation)
        return apply_plan_folder(session, plans, confirmation, options.pace)
    if not options.dry_run:
        confirmation.check_possible()
    saved = PlanFile(options.plan_file)
    check_saved_overrides(named, [saved])
    check_options(session, confirmation, dry=options.dry_run)
    return run_operation(
        session,
        lambda tenant: application.prepare(session, tenant, saved),
        confirmation,
        pace(options.pace),
        dry=options.dry_run,
        rule_check=application.rule_check(session, saved),
    )
