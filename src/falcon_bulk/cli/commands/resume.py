"""falcon-bulk resume: go on with an unfinished run."""

from typing import Any

import click

from falcon_bulk.cli.help_groups import GroupedHelp
from falcon_bulk.cli.options import examples, pace_options
from falcon_bulk.cli.shared_options import notify_option, shared_options
from falcon_bulk.errors import ExitCode, Refused


@click.command(
    "resume",
    cls=GroupedHelp,
    epilog=examples(
        "resume --customer acme",
        "resume RUN --customer acme",
    ),
)
@click.argument("run_id", metavar="[RUN]", required=False)
@pace_options
@notify_option
@shared_options
@click.pass_context
def command(ctx: click.Context, /, run_id: str | None, **options: Any) -> int:
    """Go on with an unfinished run; without RUN, the customer's.

    What is known done is not repeated; what is unknown is settled by reading those alerts. Nothing is asked:
    consent was given.
    """
    from falcon_bulk.cli.change_workflow import execute_run, pace_from_options, publish
    from falcon_bulk.cli.confirmation import ConsentOptions, check_change_allowed
    from falcon_bulk.cli.journal_lookup import journal_with_run, open_customer_journals
    from falcon_bulk.cli.session import Session
    from falcon_bulk.cli.signals import stop_on_signals
    from falcon_bulk.journal.lock import hold_locks
    from falcon_bulk.report.formats import Format
    from falcon_bulk.report.runs import runs_report

    context = Session.open(ctx, "run")
    check_change_allowed(context, ConsentOptions(yes=False))
    with open_customer_journals(context) as opened:
        if run_id is None:
            unfinished = [row.run_id for journal in opened if (row := journal.unfinished())]
            if not unfinished:
                context.console.say("No run of this customer is unfinished.")
                if context.output.format is Format.JSON:
                    context.publish(runs_report([]))
                return ExitCode.DONE
            if len(unfinished) > 1:
                raise Refused(f"Several runs are unfinished: {', '.join(unfinished)}.", "Name one of them.")
            run_id = unfinished[0]
        journal = journal_with_run(opened, run_id)
        plan = journal.plan(run_id)
        with hold_locks(journal.path.parent, plan.cids, run_id), stop_on_signals(context):
            if not journal.is_open(run_id):
                raise Refused(f"The run {run_id} is finished: nothing is left to do.", "`falcon-bulk runs show` tells.")
            with context.tenant(workers=options["workers"]) as tenant:
                tenant.check_run_tenant(plan.cids, plan.cloud)
                return publish(context, execute_run(context, tenant, journal, plan, pace_from_options(options)))
