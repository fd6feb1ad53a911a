"""falcon-bulk hash-summary: count alerts per SHA256."""

from typing import Any

import click

from falcon_bulk.cli.options import selection_options, shared_options
from falcon_bulk.errors import ExitCode

EXAMPLES = """\b
Examples:
  falcon-bulk hash-summary --customer acme
  falcon-bulk hash-summary --customer acme --status new --since 7d --top 20
  falcon-bulk hash-summary --customer acme -o reports/acme.md
"""


@click.command("hash-summary", epilog=EXAMPLES)
@selection_options(changing=False)
@click.option("--top", type=click.IntRange(1), metavar="N", help="Only the N most frequent, in tables.")
@shared_options
@click.pass_context
def command(ctx: click.Context, /, top: int | None, **options: Any) -> int:
    """Count alerts per SHA256, most frequent first.

    A hash counts where it is the alert's own: in sha256, in entities.sha256, or in ioc_value of type hash_sha256.
    """
    from falcon_bulk.cli.context import Context
    from falcon_bulk.operations.hash_summary import summarize
    from falcon_bulk.operations.select import select
    from falcon_bulk.report.hash_summary import hash_summary_document, hash_summary_sheet

    context = Context(ctx, "hash-summary")
    selection = context.selection(options)
    with context.tenant() as tenant, context.watching("reading") as watch:
        summary = summarize(
            select(tenant.alerts, selection, watch, readers=context.readers),
            customer=tenant.customer,
            generated_at=context.now,
            selection=selection.words,
        )
    context.publish(lambda: [hash_summary_sheet(summary, top)], lambda: hash_summary_document(summary))
    if not summary.alerts_read:
        context.console.say(f"No alert matches: {selection.words}.")
        return ExitCode.EMPTY if options["fail_on_empty"] else ExitCode.DONE
    return ExitCode.DONE
