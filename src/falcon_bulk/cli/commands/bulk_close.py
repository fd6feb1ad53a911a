"""falcon-bulk bulk-close: set a status on a selection."""

from pathlib import Path
from typing import Any

import click

from falcon_bulk.cli.help_groups import GroupedHelp
from falcon_bulk.cli.option_values import single_value
from falcon_bulk.cli.options import SelectionOptions, change_options, examples, read_options, selection_options
from falcon_bulk.cli.shared_options import notify_option, shared_options
from falcon_bulk.errors import UsageProblem


@click.command(
    "bulk-close",
    cls=GroupedHelp,
    epilog=examples(
        "bulk-close --customer acme --filter \"status:'new'+name:'EICAR*'\" --dry-run",
        "bulk-close --customer acme --host '*-LAB-*' --status new --resolution ignored",
        "bulk-close --customer acme --hash-file approved.csv --status new --dry-run",
        "bulk-close --customer acme --ids-file ids.txt --yes --expect 42",
    ),
)
@selection_options
@click.option(
    "--ids-file",
    **single_value(),
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE",
    help="Exactly these composite ids: text, CSV or JSON; - for standard input.",
)
@change_options
@notify_option
@shared_options
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> int:
    """Set a status on all alerts of a selection, `closed` by default."""
    from msgspec.structs import replace

    from falcon_bulk.cli.change_workflow import change_alerts
    from falcon_bulk.cli.input_options import ids_from_file
    from falcon_bulk.cli.multi_customer_changes import plan_for_customers
    from falcon_bulk.cli.selection_options import selection_from_options
    from falcon_bulk.cli.session import Session

    context = Session.open(ctx, "run")
    ids_file = options["ids_file"]
    prompts = not (options["yes"] or options["dry_run"])
    selection = selection_from_options(context, read_options(SelectionOptions, options), prompts=prompts)
    if not selection.everything and ids_file is not None:
        raise UsageProblem("--ids-file goes with no other selection.", "It names exactly the alerts to change.")
    if ids_file is not None and context.customers.several:
        raise UsageProblem("--ids-file is for one customer.", "Name the customer that the ids belong to.")
    if ids_file is not None:
        selection = replace(selection, ids=ids_from_file(ids_file, prompts=prompts))
    if selection.everything:
        raise UsageProblem(
            "Nothing narrows the selection.", "Say which alerts: --filter, --host, --since, --ids-file, …"
        )
    if context.customers.several:
        return plan_for_customers(context, "bulk-close", selection, options)
    return change_alerts(context, "bulk-close", selection, options)
