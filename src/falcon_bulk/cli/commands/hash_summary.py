"""falcon-bulk hash-summary: count alerts per SHA256."""

from typing import TYPE_CHECKING, NamedTuple

import click

from falcon_bulk.cli.help_groups import GroupedHelp
from falcon_bulk.cli.option_values import single_value
from falcon_bulk.cli.options import SelectionOptions, examples, selection_options, takes
from falcon_bulk.cli.shared_options import notify_option, shared_options

if TYPE_CHECKING:
    from falcon_bulk.cli.session import Session
    from falcon_bulk.model.hash_summary import HashSummary
    from falcon_bulk.model.selection import Selection
    from falcon_bulk.report.multi_customer import Parts
    from falcon_bulk.report.report import Report


class HashSummaryOptions(NamedTuple):
    """The options of hash-summary."""

    selection: SelectionOptions
    top: int | None


@click.command(
    "hash-summary",
    cls=GroupedHelp,
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
    help="Show only the N most frequent; JSON has all.",
)
@notify_option
@shared_options
@takes(HashSummaryOptions)
def command(ctx: click.Context, options: HashSummaryOptions) -> int:
    """Count alerts per SHA256, most frequent first.

    A hash counts if it is the alert's own: in sha256, in entities.sha256, or in ioc_value of type hash_sha256.
    Related hashes (of parent, grandparent, quarantined, associated and written files) are listed separately. For
    several customers it also shows which of them share a hash, and the resolutions they gave.
    """
    from falcon_bulk.cli.hints import after_hash_summary
    from falcon_bulk.cli.multi_customer import run_command
    from falcon_bulk.cli.selection_options import exit_code_for, selection_from_options
    from falcon_bulk.cli.session import Session
    from falcon_bulk.report.formats import Format
    from falcon_bulk.report.hash_summary import hash_summary_report
    from falcon_bulk.report.report import Reported
    from falcon_bulk.report.times import describe_period

    session = Session.open(ctx, "hash-summary")
    selection, top = selection_from_options(session, options.selection), options.top
    period = describe_period(selection.since, selection.until, session.now)
    if top is not None:
        session.note_about(Format.JSON, "JSON has all hashes; --top shortens the other formats.")

    def work(customer_session: Session) -> "Reported[HashSummary]":
        summary = _summarize(customer_session, selection)
        exit_code = exit_code_for(summary.alerts_read, fail_on_empty=options.selection.fail_on_empty)
        return Reported(summary, hash_summary_report(summary, top, exit_code, period))

    published = run_command(session, work, lambda parts: _combined_report(parts, selection, top, period))
    if (summary := published.result) is not None:
        if not summary.alerts_read:
            session.console.say(f"No alert matches: {selection.description}.")
        after_hash_summary(session, options.selection, summary)
    return published.exit_code


def _summarize(session: "Session", selection: "Selection") -> "HashSummary":
    from msgspec import structs

    from falcon_bulk.model.alert import CountedAlert
    from falcon_bulk.operations.counting.hash_summary import summarize_hashes
    from falcon_bulk.operations.reading.select_alerts import check_cids, read_selection

    with session.tenant() as tenant, session.watching("reading") as progress:
        pages = read_selection(tenant.alerts, selection, progress, CountedAlert, readers=session.readers)
        summary = summarize_hashes(
            check_cids(pages, tenant.cids),
            customer=tenant.customer,
            generated_at=session.now,
            selection=selection.description,
        )
        return structs.replace(summary, incomplete=tuple(progress.incomplete))


def _combined_report(parts: "Parts[HashSummary]", selection: "Selection", top: int | None, period: str) -> "Report":
    """Return the report on several customers, which starts with the hashes they share."""
    from falcon_bulk.model.multi_customer import shared_hashes
    from falcon_bulk.report.hash_summary import LEGEND
    from falcon_bulk.report.multi_customer import across_sheet, customers_page, multi_report, results_of

    shared = shared_hashes(summary for _, summary in results_of(parts))
    across = across_sheet(shared, top)
    return multi_report(
        parts,
        ("alerts", "with a hash", "hashes"),
        lambda summary: (summary.alerts_read, summary.alerts_with_hash, len(summary.hashes)),
        sheets=lambda customers: [across, customers],
        page=lambda customers: customers_page(
            f"Hashes of {len(parts):,} customers", [across, customers], selection.description, period, LEGEND
        ),
        shared=shared,
    )
