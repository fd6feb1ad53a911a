"""falcon-bulk rules draft: draft a closing rule from alerts."""

from pathlib import Path
from typing import NamedTuple

import click

from falcon_bulk.cli.completions import complete_runs
from falcon_bulk.cli.help_groups import GroupedHelp
from falcon_bulk.cli.option_values import single_value
from falcon_bulk.cli.options import SelectionOptions, examples, rules_option, selection_options, takes
from falcon_bulk.cli.shared_options import shared_options
from falcon_bulk.errors import UsageProblem


class DraftOptions(NamedTuple):
    """The options of rules draft."""

    run_id: str | None
    selection: SelectionOptions
    append: Path | None
    rule_paths: tuple[str, ...]


@click.command(
    "draft",
    cls=GroupedHelp,
    epilog=examples(
        "rules draft --customer acme --run latest",
        "rules draft --customer acme --hash SHA256",
        "rules draft --customer acme --hash SHA256 --append rules/soc.toml",
        "rules draft --customer acme --name 'IOAForScripts*' --host 'ACME-BUILD-*' --since 30d",
    ),
)
@click.option(
    "--run",
    "run_id",
    **single_value(),
    metavar="RUN",
    shell_complete=complete_runs,
    help="The alerts that a run closed: its id, the beginning of it, or latest.",
)
@selection_options
@click.option(
    "--append",
    **single_value(),
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Add the rule to the end of a rule file instead of printing it; begin the file if it is not there.",
)
@rules_option
@shared_options
@takes(DraftOptions)
def command(ctx: click.Context, options: DraftOptions) -> int:
    """Draft a closing rule from what a run closed, or from alerts: a rule that is ready to be read.

    It matches their hashes (without a hash: their names), and expects what at least nine in ten of them share, such as
    path, parent and command line. Comments tell where it comes from and what it would have done in 90 days. Owner,
    reviewer, ticket and why are left to be filled in. The exit code is 7 where no rule can be drafted: a true positive
    fits, nothing is steady, or fewer than two alerts are there.
    """
    from falcon_bulk.cli.rule_drafts import check_draft_options, source_of_run, source_of_selection, write_draft
    from falcon_bulk.cli.selection_options import selection_from_options
    from falcon_bulk.cli.session import Session
    from falcon_bulk.model.selection import Selection

    session = Session.open(ctx, "rules")
    check_draft_options(session)
    selection = selection_from_options(session, options.selection, changes=True)
    if options.run_id is None:
        source = source_of_selection(selection)
    elif selection == Selection():
        source = source_of_run(session, options.run_id)
    else:
        raise UsageProblem("--run goes with no other selection.", "It names exactly the alerts that the run closed.")
    return write_draft(
        session, source, options.rule_paths, options.append, fail_on_empty=options.selection.fail_on_empty
    )
