"""falcon-bulk summary: count alerts by fields."""

from typing import TYPE_CHECKING, NamedTuple

import click

from falcon_bulk.cli.help_groups import GroupedHelp
from falcon_bulk.cli.option_values import multi_value, single_value
from falcon_bulk.cli.options import SelectionOptions, examples, selection_options, takes
from falcon_bulk.cli.shared_options import notify_option, shared_options

if TYPE_CHECKING:
    from falcon_bulk.cli.session import Session
    from falcon_bulk.model.selection import Selection
    from falcon_bulk.model.summary import Summary
    from falcon_bulk.report.multi_customer import Parts
    from falcon_bulk.report.report import Report

DEFAULT = ("severity", "status", "product")
BY = (
    "Count by this field: severity, status, product, type, name, host, user, tactic, technique, filename, cmdline, "
    "resolution, assignee, day, hour or tag; any field path, like device.os_version; a pair: name*host. "
    "Commas between several."
)


class SummaryOptions(NamedTuple):
    """The options of summary."""

    selection: SelectionOptions
    fields: tuple[str, ...]
    top: int
    outliers: bool


@click.command(
    "summary",
    cls=GroupedHelp,
    epilog=examples(
        "summary --customer acme --hash-file hashes.txt --by host,user",
        "summary --customer acme --status new",
        "summary --customer acme --by name,host --by 'name*host' --top 20",
        "summary --customer acme --by day,device.os_version --since 30d --format json",
        "summary --customer acme --status new --outliers",
    ),
)
@selection_options
@click.option("--by", "fields", **multi_value("FIELD"), help=BY)
@click.option(
    "--top",
    **single_value(default=10),
    metavar="N",
    type=click.IntRange(1),
    show_default=True,
    help="Values to show of each field.",
)
@click.option("--outliers", is_flag=True, help="Also show alerts that differ from others of their hash or name.")
@notify_option
@shared_options
@takes(SummaryOptions)
def command(ctx: click.Context, options: SummaryOptions) -> int:
    """Count alerts by one or more fields, most frequent first; by default severity, status and product."""
    from falcon_bulk.cli.hints import after_summary
    from falcon_bulk.cli.multi_customer import run_command
    from falcon_bulk.cli.selection_options import exit_code_for, selection_from_options, warn_about_fields
    from falcon_bulk.cli.session import Session
    from falcon_bulk.model.alert_fields import current_name
    from falcon_bulk.operations.counting.field_summary import check_field, field_names
    from falcon_bulk.report.formats import Format
    from falcon_bulk.report.report import Reported
    from falcon_bulk.report.summary import summary_report
    from falcon_bulk.report.times import describe_period

    fields = options.fields or DEFAULT
    for field in fields:
        check_field(field)
    session = Session.open(ctx, "summary")
    selection = selection_from_options(session, options.selection)
    period = describe_period(selection.since, selection.until, session.now)
    warn_about_fields(session, [name for name in field_names(fields) if current_name(name) is not None])
    if options.outliers:
        session.note_about(Format.CSV, "CSV has only the outliers; leave out --outliers for the counts.")

    def work(customer_session: Session) -> "Reported[Summary]":
        summary = _summarize(customer_session, selection, fields, options.top, options.outliers)
        exit_code = exit_code_for(summary.alerts_read, fail_on_empty=options.selection.fail_on_empty)
        return Reported(summary, summary_report(summary, exit_code, period))

    published = run_command(session, work, lambda parts: _combined_report(parts, selection, period))
    if (summary := published.result) is not None:
        if not summary.alerts_read:
            session.console.say(f"No alert matches: {selection.description}.")
        after_summary(session, options.selection, summary.alerts_read, outliers=options.outliers)
    return published.exit_code


def _summarize(
    session: "Session", selection: "Selection", fields: tuple[str, ...], top: int, outliers: bool
) -> "Summary":
    from msgspec import structs

    from falcon_bulk.model.alert import Alert
    from falcon_bulk.model.alert_fields import KNOWN_FIELDS, closest_field
    from falcon_bulk.operations.counting.field_summary import (
        FIELD_VALUES,
        fields_without_values,
        summarize,
        summarize_on_server,
    )
    from falcon_bulk.operations.reading.select_alerts import check_cids, read_selection
    from falcon_bulk.operations.reading.zero_reasons import zero_reasons

    with session.tenant() as tenant, session.watching("reading") as progress:
        customer, cids, now = tenant.customer, tenant.cids, session.now
        summary = summarize_on_server(
            tenant.alerts,
            selection,
            fields,
            top,
            cids=cids,
            in_flight=session.readers,
            customer=customer,
            generated_at=now,
            outliers=outliers,
        ) or summarize(
            check_cids(read_selection(tenant.alerts, selection, progress, Alert, readers=session.readers), cids),
            fields,
            top,
            customer=customer,
            generated_at=now,
            selection=selection.description,
            outliers=outliers,
        )
        summary = structs.replace(summary, incomplete=tuple(progress.incomplete))
        if summary.source == "aggregates" and summary.alerts_read:
            progress.unseen_fields.clear()  # Falcon knows the fields of a filter that finds something
        elif not summary.alerts_read:
            progress.explain(zero_reasons(tenant.alerts, selection, session.clock.now()))
    for field in fields_without_values(summary):
        short = next((name for name in FIELD_VALUES if field != name and field.rpartition(".")[2].startswith(name)), "")
        near = short or (closest_field(field) if field not in FIELD_VALUES and field not in KNOWN_FIELDS else "")
        session.console.say(f"Note: No alert has a value in {field}{f'; did you mean {near}?' if near else '.'}")
    return summary


def _combined_report(parts: "Parts[Summary]", selection: "Selection", period: str) -> "Report":
    """Return the report on several customers: each one's counts, then the customers."""
    from falcon_bulk.report.multi_customer import customers_page, multi_report, results_of
    from falcon_bulk.report.summary import LEGEND, joined_sheets, summary_charts

    each = joined_sheets([summary for _, summary in results_of(parts)])
    charts = [chart for customer, summary in results_of(parts) for chart in summary_charts(summary, customer)]
    return multi_report(
        parts,
        ("alerts", "hidden"),
        lambda summary: (summary.alerts_read, summary.hidden),
        sheets=lambda customers: [*each, customers],
        page=lambda customers: customers_page(
            f"Alerts of {len(parts):,} customers", [*each, customers], selection.description, period, LEGEND, charts
        ),
    )
