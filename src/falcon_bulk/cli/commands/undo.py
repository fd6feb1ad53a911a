"""falcon-bulk undo: take a run back."""

from functools import partial
from itertools import chain
from typing import Any

import click

from falcon_bulk.cli.options import consent_options, examples, notify_option, pace_options, shared_options


@click.command(
    "undo",
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
    from falcon_bulk.cli.allow_workflow import take_back
    from falcon_bulk.cli.change_workflow import carry_out, dry_run, pace_of, publish, publish_dry_run, undoing
    from falcon_bulk.cli.confirmation import Consent, ask, check_may_change
    from falcon_bulk.cli.journal_lookup import customer_journals, holding_run
    from falcon_bulk.cli.session import Context
    from falcon_bulk.cli.signals import stopping
    from falcon_bulk.model.preview import Preview
    from falcon_bulk.model.run import Outcome
    from falcon_bulk.operations.changes.planner import PlanSink
    from falcon_bulk.operations.changes.undo import found_changed, plan_undo

    context = Context(ctx, "run")
    consent = Consent(options["yes"], options["expect"], options["most"])
    if not options["dry_run"]:
        consent.check()
        check_may_change(context, consent)
    with customer_journals(context) as opened:
        journal = holding_run(opened, run_id)
        former = journal.plan(run_id)
        if former.allowance is not None:
            return take_back(context, journal, former, consent, dry=options["dry_run"])
        with stopping(context), context.tenant(workers=options["workers"]) as tenant:
            plan = undoing(context, tenant, former, f"the alerts that {run_id} changed")

            def make(sink: PlanSink) -> Preview:
                unknown, ways = journal.alerts.in_state(run_id, Outcome.UNKNOWN), journal.alerts.ways(run_id)
                with context.watching("reading") as watch:
                    changed = chain(
                        journal.alerts.records(run_id, Outcome.CHANGED),
                        found_changed(unknown, ways, former.marker, tenant.alerts),
                    )
                    return plan_undo(changed, tenant.alerts, plan, sink, watch)

            if options["dry_run"]:
                return publish_dry_run(context, dry_run(tenant, plan, make, consent))
            approve = partial(ask, context, plan, consent)
            return publish(context, carry_out(context, tenant, plan, make, approve, pace_of(options)))
