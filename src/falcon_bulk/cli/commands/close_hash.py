"""falcon-bulk close-hash: close the alerts of hashes."""

from typing import Any

import click

from falcon_bulk.cli.help_groups import GroupedHelp
from falcon_bulk.cli.options import SelectionOptions, change_options, examples, read_options, selection_options
from falcon_bulk.cli.shared_options import notify_option, shared_options
from falcon_bulk.errors import UsageProblem


@click.command(
    "close-hash",
    cls=GroupedHelp,
    epilog=examples(
        "close-hash --customer acme --hash SHA256 --dry-run",
        'close-hash --customer acme --hash SHA256 --resolution false_positive --comment "PUP, approved"',
        "close-hash --customer acme --hash-file approved.csv --dry-run --plan approved.plan",
        "close-hash --customer acme --hash SHA256 --yes --max 500",
    ),
)
@selection_options
@change_options
@notify_option
@shared_options
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> int:
    """Close the alerts of one or more SHA256 hashes (or set another status).

    An alert is selected by a hash of its own: in sha256, in entities.sha256, or in ioc_value of type hash_sha256.
    """
    from falcon_bulk.cli.change_workflow import change_alerts
    from falcon_bulk.cli.multi_customer_changes import plan_for_customers
    from falcon_bulk.cli.selection_options import selection_from_options
    from falcon_bulk.cli.session import Session

    context = Session.open(ctx, "run")
    prompts = not (options["yes"] or options["dry_run"])
    selection = selection_from_options(context, read_options(SelectionOptions, options), prompts=prompts)
    if not selection.hashes:
        raise UsageProblem(
            "close-hash needs a hash.", "Add --hash SHA256 or --hash-file FILE; `bulk-close` selects without one."
        )
    if context.customers.several:
        return plan_for_customers(context, "close-hash", selection, options)
    return change_alerts(context, "close-hash", selection, options)
