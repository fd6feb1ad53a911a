"""falcon-bulk summary: count alerts by fields."""

from typing import TYPE_CHECKING, Any

import click

from falcon_bulk.cli.options import examples, many, notify_option, once, selection_options, shared_options

if TYPE_CHECKING:
    from falcon_bulk.cli.session import Context
    from falcon_bulk.model.selection import Selection
    from falcon_bulk.model.summary import Summary
DEFAULT = ("severity", "status", "product")
BY = (
    "severity, status, product, type, name, host, user, tactic, technique, filename, cmdline, resolution, assignee, "
    "day, hour or tag; any field path, like device.os_version; a pair: name*host. Several: with commas."
)


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
@selection_options(changing=False)
@click.option("--by", "fields", **many("FIELD"), help=BY)
@click.option(
    "--top", **once(default=10), type=click.IntRange(1), show_default=True, help="Values to show of each field."
)
@click.option("--outliers", is_flag=True, help="Also show alerts that differ from others of their hash or name.")
@notify_option
@shared_options
@click.pass_context
def command(ctx: click.Context, /, fields: tuple[str, ...], top: int, outliers: bool, **options: Any) -> int:
    """Count alerts by one or more fields, most frequent first; by default severity, status and product."""
    from falcon_bulk.cli.hints import after_summary
    from falcon_bulk.cli.selection_options import code_of, look_for_fields, selection_of
    from falcon_bulk.cli.session import Context
    from falcon_bulk.model.alert_fields import former
    from falcon_bulk.operations.counting.field_summary import check_field, names_in
    from falcon_bulk.report.formats import Format
    from falcon_bulk.report.summary import summary_document, summary_page, summary_sheets

    fields = fields or DEFAULT
    for field in fields:
        check_field(field)
    context = Context(ctx, "summary")
    selection = selection_of(context, options)
    look_for_fields(context, [name for name in names_in(fields) if former(name) is not None])
    if outliers:
        context.say_of(Format.CSV, "CSV has the alerts that differ; leave --outliers out for the counts.")
    if context.round:
        return _round(context, selection, fields, top, outliers, fail_on_empty=options["fail_on_empty"])
    summary = _summarize(context, selection, fields, top, outliers)
    context.publish(
        lambda: summary_sheets(summary), lambda: summary_document(summary), page=lambda: summary_page(summary)
    )
    if not summary.alerts_read:
        context.console.say(f"No alert matches: {selection.words}.")
    after_summary(context, options, summary.alerts_read, outliers=outliers)
    return code_of(summary.alerts_read, fail_on_empty=options["fail_on_empty"])


def _summarize(
    context: "Context", selection: "Selection", fields: tuple[str, ...], top: int, outliers: bool
) -> "Summary":
    from falcon_bulk.model.alert import Alert
    from falcon_bulk.model.alert_fields import KNOWN, nearest
    from falcon_bulk.operations.counting.field_summary import (
        FIELDS,
        fields_without_values,
        summarize,
        summarize_on_server,
    )
    from falcon_bulk.operations.reading.select_alerts import only_of, select

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
            only_of(select(tenant.alerts, selection, watch, Alert, readers=context.readers), cids),
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
        near = nearest(field) if field not in FIELDS and field not in KNOWN else ""
        context.console.say(f"Note: No alert has a value in {field}{f'; did you mean {near}?' if near else '.'}")
    return summary


def _round(
    context: "Context",
    selection: "Selection",
    fields: tuple[str, ...],
    top: int,
    outliers: bool,
    *,
    fail_on_empty: bool,
) -> int:
    from falcon_bulk.cli.multi_customer import each_customer
    from falcon_bulk.cli.selection_options import code_of
    from falcon_bulk.model.multi_customer import round_exit_code
    from falcon_bulk.report.multi_customer import round_document, round_page, round_sheet
    from falcon_bulk.report.summary import (
        joined_sheets,
        summary_charts,
        summary_document,
        summary_page,
        summary_sheets,
    )

    def work(alone: "Context") -> tuple["Summary", int]:
        summary = _summarize(alone, selection, fields, top, outliers)
        alone.file(
            lambda: summary_sheets(summary), lambda: summary_document(summary), page=lambda: summary_page(summary)
        )
        return summary, code_of(summary.alerts_read, fail_on_empty=fail_on_empty)

    parts = each_customer(context, work)
    customers = round_sheet(parts, ("alerts", "hidden"), lambda one: (one.alerts_read, one.hidden))
    each = joined_sheets([part.result for part in parts if part.result is not None])
    charts = [one for part in parts if part.result is not None for one in summary_charts(part.result, part.customer)]
    context.publish(
        lambda: [*each, customers],
        lambda: round_document(parts, summary_document),
        page=lambda: round_page([*each, customers], customers, selection.words, charts),
    )
    return round_exit_code(parts)
