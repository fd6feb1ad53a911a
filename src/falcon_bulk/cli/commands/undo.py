"""falcon-bulk undo: take a run back."""

from functools import partial
from itertools import chain
from typing import Any

import click

from falcon_bulk.cli.help_groups import GroupedHelp
from falcon_bulk.cli.options import consent_options, examples, pace_options
from falcon_bulk.cli.shared_options import notify_option, shared_options


@click.command(
    "undo",
    cls=GroupedHelp,
    epilog=examples(
        "undo RUN --customer acme",
        "undo RUN --customer acme --yes --max 500",
    ),
)
@click.argument("run_id", metavar="RUN")
@click.option("--dry-run", is_flag=True, help="Show what would be taken back; send nothing.")
@consent_options
@pace_options
@notify_option
@shared_options
@click.pass_context
def command(ctx: click.Context, /, run_id: str, **options: Any) -> int:
    """Take a run back: each alert it changed gets its former status, assignee, tags and visibility.

    Alerts that somebody changed since are left alone and listed. Comments cannot be taken back. An undo is a run
    of its own and can be undone. Of allow-hash it deletes the indicators that are as the run made them.
    """
    from falcon_bulk.cli.allow_workflow import undo_allow_run
    from falcon_bulk.cli.change_workflow import (
        dry_run,
        execute_plan,
        pace_from_options,
        publish,
        publish_dry_run,
        undo_plan,
    )
    from falcon_bulk.cli.confirmation import ConsentOptions, check_change_allowed, confirm_plan
    from falcon_bulk.cli.journal_lookup import journal_with_run, open_customer_journals
    from falcon_bulk.cli.session import Session
    from falcon_bulk.cli.signals import stop_on_signals
    from falcon_bulk.model.preview import Preview
    from falcon_bulk.model.run import Outcome
    from falcon_bulk.operations.changes.planner import PlanSink
    from falcon_bulk.operations.changes.undo import changed_after_all, plan_undo

    context = Session.open(ctx, "run")
    consent = ConsentOptions(options["yes"], options["expect"], options["maximum"])
    if not options["dry_run"]:
        consent.check()
        check_change_allowed(context, consent)
    with open_customer_journals(context) as opened:
        journal = journal_with_run(opened, run_id)
        former = journal.plan(run_id)
        if former.allowance is not None:
            return undo_allow_run(context, journal, former, consent, dry=options["dry_run"])
        with stop_on_signals(context), context.tenant(workers=options["workers"]) as tenant:
            plan = undo_plan(context, tenant, former, f"the alerts that {run_id} changed")

            def make(sink: PlanSink) -> Preview:
                unknown, action_sets = (
                    journal.alerts.in_state(run_id, Outcome.UNKNOWN),
                    journal.alerts.action_sets(run_id),
                )
                with context.watching("reading") as progress:
                    changed = chain(
                        journal.alerts.records(run_id, Outcome.CHANGED),
                        changed_after_all(unknown, action_sets, former.marker, tenant.alerts),
                    )
                    return plan_undo(changed, tenant.alerts, plan, sink, progress)

            if options["dry_run"]:
                return publish_dry_run(context, dry_run(tenant, plan, make, consent))
            approve = partial(confirm_plan, context, plan, consent)
            return publish(context, execute_plan(context, tenant, plan, make, approve, pace_from_options(options)))
