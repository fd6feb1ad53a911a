"""falcon-bulk runs: the recorded runs."""

from functools import partial
from typing import TYPE_CHECKING

import click

from falcon_bulk.cli.command_group import SuggestingGroup
from falcon_bulk.cli.completions import complete_runs
from falcon_bulk.cli.option_values import single_value
from falcon_bulk.cli.options import examples, rules_option
from falcon_bulk.cli.shared_options import shared_options
from falcon_bulk.errors import ExitCode
from falcon_bulk.model.plural import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from falcon_bulk.cli.session import Session
    from falcon_bulk.model.run import RunRow
    from falcon_bulk.report.multi_customer import Parts
    from falcon_bulk.report.report import Report


@click.group(
    "runs",
    cls=SuggestingGroup,
    invoke_without_command=True,
    epilog=examples(
        "runs --customer acme",
        "runs show RUN --customer acme --format json",
        "runs show latest --customer acme",
        "runs abandon RUN --customer acme",
        "runs prune --older-than 90d --customer acme",
    ),
)
@shared_options
@click.pass_context
def command(ctx: click.Context) -> int:
    """List, show, abandon or prune the runs recorded on this machine."""
    return int(ctx.invoke(list_runs)) if ctx.invoked_subcommand is None else ExitCode.DONE


@command.command("list", epilog=examples("runs list --customer acme", "runs list --all-customers --format json"))
@shared_options
@click.pass_context
def list_runs(ctx: click.Context) -> int:
    """List the runs, newest first."""
    from falcon_bulk.cli.hints import after_runs
    from falcon_bulk.cli.multi_customer import run_command
    from falcon_bulk.cli.session import Session
    from falcon_bulk.report.report import Reported
    from falcon_bulk.report.runs import runs_report

    def work(customer_session: Session) -> "Reported[list[RunRow]]":
        rows = _rows(customer_session)
        return Reported(rows, runs_report(rows))

    session = Session.open(ctx, "runs")
    published = run_command(session, work, _combined_report)
    if (rows := published.result) is not None:
        if not rows:
            session.console.say("No runs of this customer are recorded on this machine.")
        after_runs(session, rows)
    return published.exit_code


def _rows(session: "Session") -> "list[RunRow]":
    """Return the customer's runs, newest first."""
    from falcon_bulk.cli.journal_lookup import open_customer_journals

    with open_customer_journals(session) as opened:
        return _newest_first(row for journal in opened for row in journal.rows())


def _newest_first(rows: "Iterable[RunRow]") -> "list[RunRow]":
    return sorted(rows, key=lambda row: row.started, reverse=True)


def _combined_report(parts: "Parts[list[RunRow]]") -> "Report":
    from falcon_bulk.report.multi_customer import multi_report, results_of
    from falcon_bulk.report.runs import runs_page, runs_sheet

    rows = _newest_first(row for _, rows in results_of(parts) for row in rows)
    return multi_report(
        parts,
        ("runs",),
        lambda rows: (len(rows),),
        sheets=lambda customers: [runs_sheet(rows, of_several=True), customers],
        page=lambda customers: runs_page(rows, customers),
    )


@command.command("show", epilog=examples("runs show RUN --customer acme", "runs show RUN --customer acme -o run.html"))
@click.argument("run_id", metavar="RUN", shell_complete=complete_runs)
@shared_options
@click.pass_context
def show(ctx: click.Context, run_id: str) -> int:
    """Show one run, with each of its alerts or indicators."""
    from falcon_bulk.cli.hints import after_recorded_run
    from falcon_bulk.cli.journal_lookup import find_run, open_customer_journals
    from falcon_bulk.cli.session import Session
    from falcon_bulk.model.run import IndicatorRunResult
    from falcon_bulk.report.indicators import result_hashes_sheet
    from falcon_bulk.report.report import Report
    from falcon_bulk.report.run_result import result_document, result_sheets
    from falcon_bulk.report.runs import alert_records_sheet, run_detail_document, run_detail_sheets, run_page

    session = Session.open(ctx, "runs")
    with open_customer_journals(session) as opened:
        journal, run_id = find_run(opened, run_id)
        result, undo = journal.result(run_id), journal.undone_by(run_id)
        if isinstance(result, IndicatorRunResult):
            report = Report(
                lambda: run_detail_sheets(result, result_sheets(result)[:1], result_hashes_sheet(result)),
                lambda: result_document(result),
            )
        else:
            records = partial(journal.alerts.records, run_id)  # read anew for each use: a run may have a million
            report = Report(
                lambda: run_detail_sheets(result, result_sheets(result), alert_records_sheet(records)),
                lambda: run_detail_document(result, records()),
                lambda: run_page(result, journal.plan(run_id), records, journal.sent_by_time(run_id)),
            )
        session.publish(report)
    after_recorded_run(session, result, undo)
    return ExitCode.DONE


@command.command("abandon", epilog=examples("runs abandon RUN --customer acme"))
@click.argument("run_id", metavar="RUN", shell_complete=complete_runs)
@shared_options
@click.pass_context
def abandon(ctx: click.Context, run_id: str) -> int:
    """Abandon an unfinished run: what it changed stays, and the rest is not changed."""
    from falcon_bulk.cli.hints import after_recorded_run
    from falcon_bulk.cli.journal_lookup import find_run, open_customer_journals
    from falcon_bulk.cli.session import Session
    from falcon_bulk.operations.changes.lifecycle import abandon as abandon_run
    from falcon_bulk.report.report import Report
    from falcon_bulk.report.run_result import result_document, result_sheets

    session = Session.open(ctx, "runs")
    with open_customer_journals(session) as opened:
        journal, run_id = find_run(opened, run_id)
        was_open = journal.is_open(run_id)
        abandon_run(journal, run_id, session.now)
        result, undo = journal.result(run_id), journal.undone_by(run_id)
    session.publish(Report(lambda: result_sheets(result), lambda: result_document(result)))
    if not was_open:
        session.console.say(f"The run {run_id} had ended before: there was nothing to abandon.")
    after_recorded_run(session, result, undo)
    return ExitCode.DONE


@command.command("prune", epilog=examples("runs prune --older-than 90d --customer acme"))
@click.option(
    "--older-than", **single_value(default="90d"), show_default=True, metavar="AGE", help="Delete runs older than this."
)
@rules_option
@shared_options
@click.pass_context
def prune(ctx: click.Context, older_than: str, rule_paths: tuple[str, ...]) -> int:
    """Delete old finished runs from the journal. A deleted run cannot be undone.

    Runs of closing rules that are still live stay, and so do all runs of rules if the rules cannot be read.
    """
    from falcon_bulk.cli.journal_lookup import open_customer_journals
    from falcon_bulk.cli.rule_options import keeps_runs_of
    from falcon_bulk.cli.session import Session
    from falcon_bulk.cli.time_values import parse_age
    from falcon_bulk.model.clock import rfc3339
    from falcon_bulk.operations.changes.lifecycle import prune as prune_runs
    from falcon_bulk.report.runs import runs_report

    session = Session.open(ctx, "runs")
    before = rfc3339(session.clock.now() - parse_age(older_than, "--older-than"))
    is_kept = keeps_runs_of(session, rule_paths)
    with open_customer_journals(session) as opened:
        number = sum(prune_runs(journal, before, is_kept) for journal in opened)
    session.console.say(f"Deleted {counted(number, 'run')}; the rest are listed.")
    return session.publish(runs_report(_rows(session)))
