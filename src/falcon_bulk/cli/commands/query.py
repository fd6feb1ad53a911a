"""falcon-bulk query: show alerts."""

from typing import TYPE_CHECKING, NamedTuple

import click

from falcon_bulk.cli.help_groups import GroupedHelp
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
    cls=GroupedHelp,
    epilog=examples(
        "query --customer acme --status new --severity high,critical",
        "query --customer acme --filter \"device.hostname:'DC*'\" --all --format csv",
        "query --customer acme --hash SHA256 --details",
        "query --customer acme --hash-file hashes.txt --all --format csv",
        "query --customer acme --status new --count",
    ),
)
@selection_options
@click.option(
    "--limit", **single_value(), metavar="N", type=click.IntRange(1), help="Alerts to show at most.  [default: 100]"
)
@click.option("--all", "everything", is_flag=True, help="Show all alerts, beyond 10,000 too; unsorted without --sort.")
@click.option(
    "--sort", **single_value(), metavar="FIELD.asc|desc", help="Sort by this field.  [default: created_timestamp.desc]"
)
@click.option("--details", is_flag=True, help="Show more of each alert, with its console link.")
@click.option(
    "--fields",
    **multi_value("A,B.C"),
    help="Show just these fields: headings of the table, or dot paths such as device.hostname.",
)
@click.option("--count", "count_only", is_flag=True, help="Print only the number of alerts.")
@click.option("--test-connection", is_flag=True, help="Log in, read one alert, and show what is visible.")
@shared_options
@takes(QueryOptions)
def command(ctx: click.Context, options: QueryOptions) -> int:
    """Show alerts: the newest 100 of a selection, or more with --limit and --all."""
    from falcon_bulk.cli.alert_output import AlertQuery, publish_alerts, publish_alerts_of_customers, publish_count
    from falcon_bulk.cli.hints import after_query
    from falcon_bulk.cli.selection_options import (
        exit_code_for,
        note_renamed_fields,
        selection_from_options,
        warn_about_fields,
    )
    from falcon_bulk.cli.session import Session
    from falcon_bulk.report.alerts import AlertDisplay

    if options.everything and options.limit:
        raise UsageProblem("--all and --limit contradict each other.", "Leave one of them out.")
    session = Session.open(ctx, "query")
    fail_on_empty = options.selection.fail_on_empty
    selection = selection_from_options(session, options.selection)
    sort = _sort(options.sort)
    note_renamed_fields(session, options.fields)
    if sort:
        ordered_by, _, _ = sort.partition("|")
        warn_about_fields(session, [ordered_by], "Falcon orders by created_timestamp, newest first, instead.")
    if options.test_connection:
        return _test_connection(session)
    if options.count_only:
        return publish_count(session, selection, fail_on_empty=fail_on_empty)
    query = AlertQuery(selection, None if options.everything else options.limit or 100, sort)
    display = AlertDisplay(options.fields or _usual_fields(session, options), options.details)
    if session.customers.several:
        return publish_alerts_of_customers(session, query, display, fail_on_empty=fail_on_empty)
    shown = publish_alerts(session, query, display)
    if not shown:
        session.console.say(f"No alert matches: {selection.description}.")
    after_query(session, options.selection, shown)
    return exit_code_for(shown, fail_on_empty=fail_on_empty)


def _usual_fields(session: "Session", options: QueryOptions) -> tuple[str, ...]:
    """Return the fields of config.toml, which are about looks: only for a table, and not with --details."""
    from falcon_bulk.cli.user_config import user_config
    from falcon_bulk.report.formats import Format

    return user_config().defaults.fields if session.output.formats == {Format.TABLE} and not options.details else ()


def _sort(value: str | None) -> str:
    """Return `FIELD.desc` in the API's form `FIELD|desc`; '' for None. Raises UsageProblem."""
    if value is None:
        return ""
    field, _, direction = value.replace("|", ".").rpartition(".")
    if direction not in ("asc", "desc") or not all(part.isidentifier() for part in field.split(".")):
        raise UsageProblem(f"{value!r} is not an order.", "It looks like created_timestamp.desc or severity.asc.")
    return f"{field}|{direction}"


def _test_connection(session: "Session") -> int:
    """Log in, read one alert, and show what the login can see."""
    from falcon_bulk.report.facts import facts_sheet
    from falcon_bulk.report.report import Report

    with session.tenant() as tenant:
        cid, total = tenant.home_cid(), tenant.alerts.count("")
        facts: dict[str, str | int | None] = {
            "customer": tenant.customer,
            "cloud": tenant.cloud,
            "cid": cid,
            "alerts": total,
            "quota_remaining": tenant.pacer.lowest_remaining,
        }
    session.publish(Report(lambda: [facts_sheet(f"{tenant.customer}: login and reading work", facts)], lambda: facts))
    session.console.say("Whether writing works was not tested.")
    return ExitCode.DONE
