"""falcon-bulk query: show alerts."""

from typing import TYPE_CHECKING, NamedTuple

import click

from falcon_bulk.cli.option_values import multi_value, single_value
from falcon_bulk.cli.options import SelectionOptions, examples, selection_options, takes
from falcon_bulk.cli.shared_options import shared_options
from falcon_bulk.errors import ExitCode, UsageProblem

if TYPE_CHECKING:
    from falcon_bulk.cli.session import Session


class QueryOptions(NamedTuple):
    """The options of query."""

    selection: SelectionOptions
    limit: int | None
    everything: bool
    sort: str | None
    details: bool
    fields: tuple[str, ...]
    count_only: bool
    test_connection: bool


@click.command(
    "query",
    epilog=examples(
        "query --customer acme --status new --severity high,critical",
        "query --customer acme --filter \"device.hostname:'DC*'\" --all --format csv",
        "query --customer acme --hash SHA256 --details",
        "query --customer acme --hash-file hashes.txt --all --format csv",
        "query --customer acme --status new --count",
    ),
)
@selection_options
@click.option("--limit", **single_value(), type=click.IntRange(1), help="Most alerts to show.  [default: 100]")
@click.option(
    "--all", "everything", is_flag=True, help="All alerts, beyond 10,000; as they come unless --sort is given."
)
@click.option("--sort", **single_value(), metavar="FIELD.asc|desc", help="Order.  [default: created_timestamp.desc]")
@click.option("--details", is_flag=True, help="More of each alert, with its console link.")
@click.option("--fields", **multi_value("A,B.C"), help="Just these fields (dot paths).")
@click.option("--count", "count_only", is_flag=True, help="Only how many there are, alone on stdout.")
@click.option("--test-connection", is_flag=True, help="Log in, read one alert, say what is seen.")
@shared_options
@takes(QueryOptions)
def command(ctx: click.Context, options: QueryOptions) -> int:
    """Show alerts: the newest 100 of a selection, or more with --limit and --all."""
    from falcon_bulk.cli.alert_output import (
        AlertDisplay,
        AlertQuery,
        count_alerts,
        count_for_customers,
        read_documents,
        write_alerts,
        write_count,
        write_for_customers,
    )
    from falcon_bulk.cli.hints import after_query
    from falcon_bulk.cli.selection_options import exit_code_for, selection_from_options, warn_about_fields
    from falcon_bulk.cli.session import Session

    if options.everything and options.limit:
        raise UsageProblem("--all and --limit contradict each other.", "Leave one of them out.")
    context = Session(ctx, "query")
    selection = selection_from_options(context, options.selection)
    sort = _sort(options.sort)
    warn_about_fields(context, options.fields)
    if sort:
        ordered_by, _, _ = sort.partition("|")
        warn_about_fields(context, [ordered_by], "Falcon orders by created_timestamp, newest first, instead.")
    if options.test_connection:
        return _test_connection(context)
    if options.count_only and context.round:
        return count_for_customers(context, selection, fail_on_empty=options.selection.fail_on_empty)
    if options.count_only:
        total = count_alerts(context, selection)
        context.emit(lambda sink, _: write_count(sink, total))
        return exit_code_for(total, fail_on_empty=options.selection.fail_on_empty)
    chosen = AlertQuery(selection, None if options.everything else options.limit or 100, sort)
    look = AlertDisplay(options.fields, options.details)
    if context.round:
        return write_for_customers(context, chosen, look, fail_on_empty=options.selection.fail_on_empty)
    with read_documents(context, chosen) as documents:
        shown = write_alerts(context, documents, look)
    if not shown:
        context.console.say(f"No alert matches: {selection.words}.")
    after_query(context, options.selection, shown)
    return exit_code_for(shown, fail_on_empty=options.selection.fail_on_empty)


def _sort(value: str | None) -> str:
    """`FIELD.desc` as the API takes it, `FIELD|desc`; '' for None. Raises UsageProblem."""
    if value is None:
        return ""
    field, _, direction = value.replace("|", ".").rpartition(".")
    if direction not in ("asc", "desc") or not all(part.isidentifier() for part in field.split(".")):
        raise UsageProblem(f"{value!r} is not an order.", "It looks like created_timestamp.desc or severity.asc.")
    return f"{field}|{direction}"


def _test_connection(context: "Session") -> int:
    with context.tenant() as tenant:
        cid, total = tenant.home_cid(), tenant.alerts.count("")
        document: dict[str, str | int | None] = {
            "customer": tenant.customer,
            "cloud": tenant.cloud,
            "cid": cid,
            "alerts": total,
            "quota_remaining": tenant.pacer.lowest_remaining,
        }
    from falcon_bulk.report.facts import facts_sheet

    context.publish(lambda: [facts_sheet(f"{tenant.customer}: login and reading work", document)], lambda: document)
    context.console.say("That writing works is not tested.")
    return ExitCode.DONE
