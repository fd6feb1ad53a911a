"""falcon-bulk close-hash: close the alerts of hashes."""

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


class CloseHashOptions(NamedTuple):
    """The options of close-hash."""

    selection: SelectionOptions
    change: ChangeOptions
    consent: ConsentOptions
    pace: PaceOptions


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
@takes(CloseHashOptions)
def command(ctx: click.Context, options: CloseHashOptions) -> int:
    """Close the alerts of one or more SHA256 hashes (or set another status).

    An alert is selected by a hash of its own: in sha256, in entities.sha256, or in ioc_value of type hash_sha256.
    """
    from falcon_bulk.cli.alert_changes import change_selection
    from falcon_bulk.cli.selection_options import selection_from_options
    from falcon_bulk.cli.session import Session

    session = Session.open(ctx, "run")
    prompts = not (options.consent.yes or options.change.dry_run)
    selection = selection_from_options(session, options.selection, prompts=prompts, changes=True)
    if not selection.hashes:
        raise UsageProblem(
            "close-hash needs a hash.", "Add --hash SHA256 or --hash-file FILE; `bulk-close` selects without one."
        )
    return change_selection(
        session,
        "close-hash",
        selection,
        options.change,
        options.consent,
        options.pace,
        fail_on_empty=options.selection.fail_on_empty,
    )
