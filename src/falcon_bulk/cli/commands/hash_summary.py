"""falcon-bulk hash-summary: count alerts per SHA256."""

from typing import TYPE_CHECKING, NamedTuple

import click

from falcon_bulk.cli.option_values import single_value
from falcon_bulk.cli.options import SelectionOptions, examples, selection_options, takes
from falcon_bulk.cli.shared_options import notify_option, shared_options

if TYPE_CHECKING:
    from falcon_bulk.cli.session import Session
    from falcon_bulk.model.hash_summary import HashSummary
    from falcon_bulk.model.selection import Selection


class HashSummaryOptions(NamedTuple):
    """The options of hash-summary."""

    selection: SelectionOptions
    top: int | None


@click.command(
    "hash-summary",
    epilog=examples(
        "hash-summary --customer acme",
        "hash-summary --customer acme --status new --since 7d --top 20",
        "hash-summary --customer acme --hash-file hashes.txt --format csv",
        "hash-summary --customer acme -o reports/",
    ),
)
@selection_options
@click.option(
    "--top",
    **single_value(),
    type=click.IntRange(1),
    metavar="N",
    help="Only the N most frequent; JSON has all.",
)
@notify_option
@shared_options
@takes(HashSummaryOptions)
def command(ctx: click.Context, options: HashSummaryOptions) -> int:
    """Count alerts per SHA256, most frequent first.

    A hash counts where it is the alert's own: in sha256, in entities.sha256, or in ioc_value of type hash_sha256.
    Hashes that only stand elsewhere (parent, grandparent, quarantined, associated and written files) are listed apart.
    Over several customers it also shows which of them share a hash, and what resolutions they gave.
    """
    from falcon_bulk.cli.hints import after_hash_summary
    from falcon_bulk.cli.selection_options import exit_code_for, selection_from_options
    from falcon_bulk.cli.session import Session
    from falcon_bulk.report.formats import Format
    from falcon_bulk.report.hash_summary import hash_summary_document, hash_summary_page, hash_summary_sheets

    context = Session(ctx, "hash-summary")
    selection, top = selection_from_options(context, options.selection), options.top
    if top is not None:
        context.say_of(Format.JSON, "JSON has all hashes; --top shortens the other formats.")
    if context.round:
        return _round(context, selection, top, fail_on_empty=options.selection.fail_on_empty)
    summary = _summarize(context, selection)
    context.publish(
        lambda: hash_summary_sheets(summary, top),
        lambda: hash_summary_document(summary),
        page=lambda: hash_summary_page(summary, top),
    )
    if not summary.alerts_read:
        context.console.say(f"No alert matches: {selection.words}.")
    after_hash_summary(context, options.selection, summary)
    return exit_code_for(summary.alerts_read, fail_on_empty=options.selection.fail_on_empty)


def _summarize(context: "Session", selection: "Selection") -> "HashSummary":
    from falcon_bulk.model.alert import BriefAlert
    from falcon_bulk.operations.counting.hash_summary import summarize_hashes
    from falcon_bulk.operations.reading.select_alerts import check_cids, read_selection

    with context.tenant() as tenant, context.watching("reading") as watch:
        return summarize_hashes(
            check_cids(
                read_selection(tenant.alerts, selection, watch, BriefAlert, readers=context.readers), tenant.cids
            ),
            customer=tenant.customer,
            generated_at=context.now,
            selection=selection.words,
        )


def _round(context: "Session", selection: "Selection", top: int | None, *, fail_on_empty: bool) -> int:
    from falcon_bulk.cli.multi_customer import run_for_each_customer
    from falcon_bulk.cli.selection_options import exit_code_for
    from falcon_bulk.model.multi_customer import combined_exit_code, shared_hashes
    from falcon_bulk.report.hash_summary import hash_summary_document, hash_summary_page, hash_summary_sheets
    from falcon_bulk.report.multi_customer import across_sheet, customers_page, customers_sheet, multi_document

    def work(alone: "Session") -> tuple["HashSummary", int]:
        summary = _summarize(alone, selection)
        alone.file(
            lambda: hash_summary_sheets(summary, top),
            lambda: hash_summary_document(summary),
            page=lambda: hash_summary_page(summary, top),
        )
        return summary, exit_code_for(summary.alerts_read, fail_on_empty=fail_on_empty)

    parts = run_for_each_customer(context, work)
    shared = shared_hashes(part.result for part in parts if part.result is not None)
    customers = customers_sheet(
        parts,
        ("alerts", "with a hash", "hashes"),
        lambda one: (one.alerts_read, one.alerts_with_hash, len(one.hashes)),
    )
    sheets = [across_sheet(shared, top), customers]
    context.publish(
        lambda: sheets,
        lambda: multi_document(parts, hash_summary_document, shared),
        page=lambda: customers_page(sheets, customers, selection.words),
    )
    return combined_exit_code(parts)
