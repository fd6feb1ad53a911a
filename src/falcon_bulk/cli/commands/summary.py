"""falcon-bulk summary: count alerts by fields."""

from typing import TYPE_CHECKING, NamedTuple

import click

from falcon_bulk.cli.option_values import multi_value, single_value
from falcon_bulk.cli.options import SelectionOptions, examples, selection_options, takes
from falcon_bulk.cli.shared_options import notify_option, shared_options

if TYPE_CHECKING:
    from falcon_bulk.cli.session import Session
    from falcon_bulk.model.selection import Selection
    from falcon_bulk.model.summary import Summary

DEFAULT = ("severity", "status", "product")
BY = (
    "severity, status, product, type, name, host, user, tactic, technique, filename, cmdline, resolution, assignee, "
    "day, hour or tag; any field path, like device.os_version; a pair: name*host. Several: with commas."
)


class SummaryOptions(NamedTuple):
    """The options of summary."""

    selection: SelectionOptions
    fields: tuple[str, ...]
    top: int
    outliers: bool


@click.command(
    "summary",
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
    "--top", **single_value(default=10), type=click.IntRange(1), show_default=True, help="Values to show of each field."
)
@click.option("--outliers", is_flag=True, help="Also show alerts that differ from others of their hash or name.")
@notify_option
@shared_options
@takes(SummaryOptions)
def command(ctx: click.Context, options: SummaryOptions) -> int:
    """Count alerts by one or more fields, most frequent first; by default severity, status and product."""
    from falcon_bulk.cli.hints import after_summary
    from falcon_bulk.cli.selection_options import exit_code_for, selection_from_options, warn_about_fields
    from falcon_bulk.cli.session import Session
    from falcon_bulk.model.alert_fields import current_name
    from falcon_bulk.operations.counting.field_summary import check_field, field_names
    from falcon_bulk.report.formats import Format
    from falcon_bulk.report.summary import summary_document, summary_page, summary_sheets

    fields, top, outliers = options.fields or DEFAULT, options.top, options.outliers
    for field in fields:
        check_field(field)
    context = Session(ctx, "summary")
    selection = selection_from_options(context, options.selection)
    warn_about_fields(context, [name for name in field_names(fields) if current_name(name) is not None])
    if outliers:
        context.say_of(Format.CSV, "CSV has the alerts that differ; leave --outliers out for the counts.")
    if context.round:
        return _round(context, selection, fields, top, outliers, fail_on_empty=options.selection.fail_on_empty)
    summary = _summarize(context, selection, fields, top, outliers)
    context.publish(
        lambda: summary_sheets(summary), lambda: summary_document(summary), page=lambda: summary_page(summary)
    )
    if not summary.alerts_read:
        context.console.say(f"No alert matches: {selection.words}.")
    after_summary(context, options.selection, summary.alerts_read, outliers=outliers)
    return exit_code_for(summary.alerts_read, fail_on_empty=options.selection.fail_on_empty)


def _summarize(
    context: "Session", selection: "Selection", fields: tuple[str, ...], top: int, outliers: bool
) -> "Summary":
    from falcon_bulk.model.alert import Alert
    from falcon_bulk.model.alert_fields import KNOWN_FIELDS, closest_field
    from falcon_bulk.operations.counting.field_summary import (
        FIELD_VALUES,
        fields_without_values,
        summarize,
        summarize_on_server,
    )
    from falcon_bulk.operations.reading.select_alerts import check_cids, read_selection

    with context.tenant() as tenant, context.watching("reading") as watch:
        customer, cids, now = tenant.customer, tenant.cids, context.now
        summary = summarize_on_server(
            tenant.alerts,
            selection,
            fields,
            top,
            cids=cids,
            in_flight=context.readers,
            customer=customer,
            generated_at=now,
            outliers=outliers,
        ) or summarize(
            check_cids(read_selection(tenant.alerts, selection, watch, Alert, readers=context.readers), cids),
            fields,
            top,
            customer=customer,
            generated_at=now,
            selection=selection.words,
            outliers=outliers,
        )
        if summary.source == "aggregates" and summary.alerts_read:
            watch.sought.clear()  # Falcon knows the fields of a filter that finds something
    for field in fields_without_values(summary):
        near = closest_field(field) if field not in FIELD_VALUES and field not in KNOWN_FIELDS else ""
        context.console.say(f"Note: No alert has a value in {field}{f'; did you mean {near}?' if near else '.'}")
    return summary


def _round(
    context: "Session",
    selection: "Selection",
    fields: tuple[str, ...],
    top: int,
    outliers: bool,
    *,
    fail_on_empty: bool,
) -> int:
    from falcon_bulk.cli.multi_customer import run_for_each_customer
    from falcon_bulk.cli.selection_options import exit_code_for
    from falcon_bulk.model.multi_customer import combined_exit_code
    from falcon_bulk.report.multi_customer import customers_page, customers_sheet, multi_document
    from falcon_bulk.report.summary import (
        joined_sheets,
        summary_charts,
        summary_document,
        summary_page,
        summary_sheets,
    )

    def work(alone: "Session") -> tuple["Summary", int]:
        summary = _summarize(alone, selection, fields, top, outliers)
        alone.file(
            lambda: summary_sheets(summary), lambda: summary_document(summary), page=lambda: summary_page(summary)
        )
        return summary, exit_code_for(summary.alerts_read, fail_on_empty=fail_on_empty)

    parts = run_for_each_customer(context, work)
    customers = customers_sheet(parts, ("alerts", "hidden"), lambda one: (one.alerts_read, one.hidden))
    each = joined_sheets([part.result for part in parts if part.result is not None])
    charts = [one for part in parts if part.result is not None for one in summary_charts(part.result, part.customer)]
    context.publish(
        lambda: [*each, customers],
        lambda: multi_document(parts, summary_document),
        page=lambda: customers_page([*each, customers], customers, selection.words, charts),
    )
    return combined_exit_code(parts)
