"""falcon-bulk rules run: close what the closing rules fit."""

from pathlib import Path
from typing import NamedTuple

import click

from falcon_bulk.cli.help_groups import GroupedHelp
from falcon_bulk.cli.option_values import multi_value, single_value
from falcon_bulk.cli.options import (
    ConsentOptions,
    PaceOptions,
    consent_options,
    dry_run_option,
    examples,
    operator_option,
    pace_options,
    rules_option,
    takes,
)
from falcon_bulk.cli.shared_options import notify_option, shared_options

OPEN_STATUSES = ("new", "in_progress", "reopened")
"""The statuses that a rule can close."""


class RunOptions(NamedTuple):
    """The options of rules run."""

    rule_paths: tuple[str, ...]
    statuses: tuple[str, ...]
    allow_surge: tuple[str, ...]
    operator: str | None
    dry_run: bool
    plan: Path | None
    consent: ConsentOptions
    pace: PaceOptions


@click.command(
    "run",
    cls=GroupedHelp,
    epilog=examples(
        "rules run --customer acme --dry-run",
        "rules run --customer acme",
        "rules run --all-customers --yes --max 500",
        "rules run --all-customers --dry-run --plan plans/",
    ),
)
@rules_option
@click.option(
    "--status",
    "statuses",
    **multi_value(choices=OPEN_STATUSES),
    help="Read alerts of these statuses.  [default: new]",
)
@click.option(
    "--allow-surge", "allow_surge", **multi_value("RULE"), help="Let a rule close far more than usual, this once."
)
@operator_option
@dry_run_option
@click.option(
    "--plan",
    "plan",
    **single_value(),
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="With --dry-run: save the plans, for `falcon-bulk apply`.",
)
@consent_options
@pace_options
@notify_option
@shared_options
@takes(RunOptions)
def command(ctx: click.Context, options: RunOptions) -> int:
    """Close what the closing rules fit; hold and tell what only looks like it.

    The true positives of all customers are read first: a rule that one contradicts is suspended everywhere. Alerts that
    match a rule and differ from what it expects are held. The exit code is 6 if a rule is invalid, suspended or surges,
    or a customer failed.
    """
    from falcon_bulk.cli.confirmation import Confirmation
    from falcon_bulk.cli.rule_options import load_rules, rule_source
    from falcon_bulk.cli.rules_run import RulesRun
    from falcon_bulk.cli.rules_runner import run_rules
    from falcon_bulk.cli.session import Session
    from falcon_bulk.cli.shards import check_no_shard
    from falcon_bulk.operations.rules.rules_run import RulesRequest

    check_no_shard(ctx)
    session = Session.open(ctx, "run")
    source = rule_source(session, options.rule_paths, asks_git=not options.dry_run)
    request = RulesRequest(options.statuses or ("new",), frozenset(options.allow_surge))
    return run_rules(
        session,
        RulesRun(
            source=source,
            book=load_rules(session, source),
            request=request,
            confirmation=Confirmation(options.consent),
            pace=options.pace,
            operator=options.operator,
            dry=options.dry_run,
            plans=options.plan,
        ),
    )
