"""falcon-bulk undo: undo a run."""

from typing import NamedTuple

import click

from falcon_bulk.cli.completions import complete_runs
from falcon_bulk.cli.help_groups import GroupedHelp
from falcon_bulk.cli.options import ConsentOptions, PaceOptions, consent_options, examples, pace_options, takes
from falcon_bulk.cli.shared_options import notify_option, shared_options
from falcon_bulk.errors import UsageProblem


class UndoOptions(NamedTuple):
    """The options of undo."""

    run_id: str
    dry_run: bool
    consent: ConsentOptions
    pace: PaceOptions


@click.command(
    "undo",
    cls=GroupedHelp,
    epilog=examples(
        "undo RUN --customer acme",
        "undo latest --customer acme",
        "undo RUN --customer acme --yes --max 500",
    ),
)
@click.argument("run_id", metavar="RUN", shell_complete=complete_runs)
@click.option("--dry-run", is_flag=True, help="Show what would be undone; send nothing.")
@consent_options
@pace_options
@notify_option
@shared_options
@takes(UndoOptions)
def command(ctx: click.Context, options: UndoOptions) -> int:
    """Undo a run: each alert it changed gets its former status, assignee, tags and visibility back.

    RUN is a run id, its beginning, or `latest`: the newest run that changed something. Alerts that somebody changed
    since are left alone and listed. Comments cannot be undone. An undo is a run of its own and can be undone. The undo
    of allow-hash deletes the indicators that are as the run created them.
    """
    from falcon_bulk.cli.change_runner import check_options, new_origin, pace, plan_context, run_operation
    from falcon_bulk.cli.confirmation import Confirmation
    from falcon_bulk.cli.journal_lookup import LATEST, find_run, open_customer_journals
    from falcon_bulk.cli.session import Session
    from falcon_bulk.operations.changes.operations import undo_run

    session = Session.open(ctx, "run")
    confirmation = Confirmation(options.consent)
    if options.run_id == LATEST and options.consent.yes:
        raise UsageProblem("`latest` is not confirmed by --yes.", "Name the run: `falcon-bulk runs` lists them.")
    check_options(session, confirmation, dry=options.dry_run)
    with open_customer_journals(session) as opened:
        journal, run_id = find_run(opened, options.run_id)
        if (undo := journal.undone_by(run_id)) and not journal.undone_by(undo.run_id):
            session.console.say(f"{run_id} was undone already, by {undo.run_id}.")
        return run_operation(
            session,
            lambda tenant: undo_run(plan_context(session, tenant), journal, run_id, new_origin(session)),
            confirmation,
            pace(options.pace),
            dry=options.dry_run,
        )
