"""falcon-bulk runs: the journal."""

from typing import TYPE_CHECKING

import click

from falcon_bulk.cli.option_values import single_value
from falcon_bulk.cli.options import examples
from falcon_bulk.cli.shared_options import shared_options
from falcon_bulk.cli.suggestions import SuggestingGroup
from falcon_bulk.errors import ExitCode

if TYPE_CHECKING:
    from falcon_bulk.cli.session import Session
    from falcon_bulk.model.run import RunRow


@click.group(
    "runs",
    cls=SuggestingGroup,
    invoke_without_command=True,
    epilog=examples(
        "runs --customer acme",
        "runs show RUN --customer acme --format json",
        "runs abandon RUN --customer acme",
        "runs prune --older-than 90d --customer acme",
    ),
)
@shared_options
@click.pass_context
def command(ctx: click.Context) -> int:
    """What was done to a customer's alerts, from the journal on this machine; newest first."""
    return int(ctx.invoke(list_runs)) if ctx.invoked_subcommand is None else ExitCode.DONE


@command.command("list", epilog=examples("runs list --customer acme", "runs list --all-customers --format json"))
@shared_options
@click.pass_context
def list_runs(ctx: click.Context) -> int:
    """List the runs, newest first."""
    from falcon_bulk.cli.hints import after_runs
    from falcon_bulk.cli.session import Session
    from falcon_bulk.report.runs import runs_document, runs_page, runs_sheet

    context = Session(ctx, "runs")
    if context.round:
        return _round(context)
    rows = _rows(context)
    context.publish(lambda: [runs_sheet(rows)], lambda: runs_document(rows), page=lambda: runs_page(rows))
    if not rows:
        context.console.say("No run is recorded for this customer on this machine.")
    after_runs(context, rows)
    return ExitCode.DONE


def _rows(context: "Session") -> "list[RunRow]":
    """The customer's runs, newest first."""
    from falcon_bulk.cli.journal_lookup import open_customer_journals

    with open_customer_journals(context) as opened:
        return sorted((row for journal in opened for row in journal.rows()), key=lambda row: row.started, reverse=True)


def _round(context: "Session") -> int:
    from falcon_bulk.cli.multi_customer import run_for_each_customer
    from falcon_bulk.model.multi_customer import combined_exit_code
    from falcon_bulk.report.multi_customer import customers_sheet, multi_document
    from falcon_bulk.report.runs import runs_document, runs_page, runs_sheet

    def work(alone: "Session") -> "tuple[list[RunRow], int]":
        rows = _rows(alone)
        alone.file(lambda: [runs_sheet(rows)], lambda: runs_document(rows), page=lambda: runs_page(rows))
        return rows, ExitCode.DONE

    parts = run_for_each_customer(context, work)
    rows = sorted((row for part in parts for row in part.result or ()), key=lambda row: row.started, reverse=True)
    customers = customers_sheet(parts, ("runs",), lambda rows: (len(rows),))
    context.publish(lambda: [runs_sheet(rows), customers], lambda: multi_document(parts, runs_document))
    return combined_exit_code(parts)


@command.command("show", epilog=examples("runs show RUN --customer acme", "runs show RUN --customer acme -o run.html"))
@click.argument("run_id", metavar="RUN")
@shared_options
@click.pass_context
def show(ctx: click.Context, run_id: str) -> int:
    """Show one run, with each of its alerts or indicators."""
    from falcon_bulk.cli.hints import after_recorded_run
    from falcon_bulk.cli.journal_lookup import journal_with_run, open_customer_journals
    from falcon_bulk.cli.session import Session
    from falcon_bulk.report.indicators import result_hashes_sheet
    from falcon_bulk.report.run_result import result_document, result_sheets
    from falcon_bulk.report.runs import alert_records_sheet, run_detail_document, run_detail_sheets, run_page

    context = Session(ctx, "runs")
    with open_customer_journals(context) as opened:
        journal = journal_with_run(opened, run_id)
        result, undo = journal.result(run_id), journal.taken_back_by(run_id)
        if result.allowance is not None:
            context.publish(
                lambda: run_detail_sheets(result_sheets(result)[:1], result_hashes_sheet(result)),
                lambda: result_document(result),
            )
            after_recorded_run(context, result, undo)
            return ExitCode.DONE
        context.publish(
            lambda: run_detail_sheets(result_sheets(result), alert_records_sheet(journal.alerts.records(run_id))),
            lambda: run_detail_document(result, journal.alerts.records(run_id)),
            page=lambda: run_page(
                result, journal.plan(run_id), lambda: journal.alerts.records(run_id), journal.sent_by_time(run_id)
            ),
        )
    after_recorded_run(context, result, undo)
    return ExitCode.DONE


@command.command("abandon", epilog=examples("runs abandon RUN --customer acme"))
@click.argument("run_id", metavar="RUN")
@shared_options
@click.pass_context
def abandon(ctx: click.Context, run_id: str) -> int:
    """Close an unfinished run: what it did stays, what it did not is left undone."""
    from falcon_bulk.cli.hints import after_recorded_run
    from falcon_bulk.cli.journal_lookup import journal_with_run, open_customer_journals
    from falcon_bulk.cli.session import Session
    from falcon_bulk.journal.lock import hold_locks
    from falcon_bulk.report.run_result import result_document, result_sheets

    context = Session(ctx, "runs")
    with open_customer_journals(context) as opened:
        journal = journal_with_run(opened, run_id)
        with hold_locks(journal.path.parent, journal.plan(run_id).cids, run_id):
            journal.abandon(run_id, context.now)
        result, undo = journal.result(run_id), journal.taken_back_by(run_id)
    context.publish(lambda: result_sheets(result), lambda: result_document(result))
    after_recorded_run(context, result, undo)
    return ExitCode.DONE


@command.command("prune", epilog=examples("runs prune --older-than 90d --customer acme"))
@click.option(
    "--older-than", **single_value(default="90d"), show_default=True, metavar="AGE", help="Forget runs older than that."
)
@shared_options
@click.pass_context
def prune(ctx: click.Context, older_than: str) -> int:
    """Forget old runs that are finished. A run that is forgotten cannot be undone."""
    from falcon_bulk.cli.journal_lookup import open_customer_journals
    from falcon_bulk.cli.session import Session
    from falcon_bulk.cli.time_values import parse_age
    from falcon_bulk.model.clock import rfc3339
    from falcon_bulk.report.runs import runs_document, runs_page, runs_sheet

    context = Session(ctx, "runs")
    before = rfc3339(context.timing.now() - parse_age(older_than, "--older-than"))
    with open_customer_journals(context) as opened:
        number = sum(journal.prune(before) for journal in opened)
    context.console.say(f"{number:,} runs are forgotten; what is left is listed.")
    rows = _rows(context)
    context.publish(lambda: [runs_sheet(rows)], lambda: runs_document(rows), page=lambda: runs_page(rows))
    return ExitCode.DONE
