"""falcon-bulk bulk-close: set a status on a selection."""

from typing import NamedTuple

import click

from falcon_bulk.cli.help_groups import GroupedHelp
from falcon_bulk.cli.options import (
    ChangeOptions,
    ConsentOptions,
    PaceOptions,
    SelectionOptions,
    change_options,
    examples,
    selection_options,
    takes,
)
from falcon_bulk.cli.shared_options import notify_option, shared_options
from falcon_bulk.errors import UsageProblem


class BulkCloseOptions(NamedTuple):
    """The options of bulk-close."""

    selection: SelectionOptions
    change: ChangeOptions
    consent: ConsentOptions
    pace: PaceOptions


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
@change_options
@notify_option
@shared_options
@takes(BulkCloseOptions)
def command(ctx: click.Context, options: BulkCloseOptions) -> int:
    """Close all alerts of a selection, or set another status, resolution, assignee or tags."""
    from falcon_bulk.cli.alert_changes import change_selection
    from falcon_bulk.cli.selection_options import selection_from_options
    from falcon_bulk.cli.session import Session

    session = Session.open(ctx, "run")
    prompts = not (options.consent.yes or options.change.dry_run)
    selection = selection_from_options(session, options.selection, prompts=prompts, changes=True)
    if selection.everything:
        raise UsageProblem(
            "Refusing to select every alert; add a filter.",
            "Say which alerts: --filter, --host, --since, --ids-file, …",
        )
    return change_selection(
        session,
        "bulk-close",
        selection,
        options.change,
        options.consent,
        options.pace,
        fail_on_empty=options.selection.fail_on_empty,
    )
