"""falcon-bulk resume: continue an unfinished run."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import click

from falcon_bulk.cli.completions import complete_runs
from falcon_bulk.cli.help_groups import GroupedHelp
from falcon_bulk.cli.options import PaceOptions, examples, pace_options, rules_option, takes
from falcon_bulk.cli.shared_options import notify_option, shared_options
from falcon_bulk.errors import ExitCode, Refused

if TYPE_CHECKING:
    from falcon_bulk.model.plan import Plan
    from falcon_bulk.operations.changes.lifecycle import Workspace


class ResumeOptions(NamedTuple):
    """The options of resume. run_id: None for the customer's unfinished run."""

    run_id: str | None
    rule_paths: tuple[str, ...]
    pace: PaceOptions


@click.command(
    "resume",
    cls=GroupedHelp,
    epilog=examples(
        "resume --customer acme",
        "resume RUN --customer acme",
    ),
)
@click.argument("run_id", metavar="[RUN]", required=False, shell_complete=complete_runs)
@rules_option
@pace_options
@notify_option
@shared_options
@takes(ResumeOptions)
def command(ctx: click.Context, options: ResumeOptions) -> int:
    """Continue an unfinished run; without RUN, the customer's.

    What is known to be done is not repeated; unknown outcomes are reconciled by reading those alerts. Nothing is
    asked: the run was confirmed.
    """
    from falcon_bulk.cli.change_runner import open_workspace, pace, publish
    from falcon_bulk.cli.confirmation import check_change_allowed
    from falcon_bulk.cli.journal_lookup import find_run, open_customer_journals
    from falcon_bulk.cli.rule_options import check_for
    from falcon_bulk.cli.session import Session
    from falcon_bulk.cli.signals import stop_on_signals
    from falcon_bulk.operations.changes.lifecycle import resume
    from falcon_bulk.report.formats import Format
    from falcon_bulk.report.runs import runs_report

    session = Session.open(ctx, "run")
    check_change_allowed(session, yes=False)
    with open_customer_journals(session) as opened:
        run_id = options.run_id
        if run_id is None:
            unfinished = [row.run_id for journal in opened if (row := journal.unfinished())]
            if not unfinished:
                session.console.say("No run of this customer is unfinished.")
                if session.output.format is Format.JSON:
                    session.publish(runs_report([]))
                return ExitCode.DONE
            if len(unfinished) > 1:
                raise Refused(f"Several runs are unfinished: {', '.join(unfinished)}.", "Name one of them.")
            run_id = unfinished[0]
        journal, run_id = find_run(opened, run_id)

        @contextmanager
        def log_in(plan: "Plan") -> "Iterator[Workspace]":
            check = check_for(session, plan, options.rule_paths)
            with open_workspace(session, pace(options.pace), check) as workspace:
                yield workspace

        with stop_on_signals(session):
            return publish(session, resume(journal, run_id, log_in))
