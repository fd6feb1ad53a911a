"""falcon-bulk selections: list the named selections of config.toml."""

import click

from falcon_bulk.cli.help_groups import GroupedHelp
from falcon_bulk.cli.options import examples
from falcon_bulk.cli.shared_options import shared_options


@click.command("selections", cls=GroupedHelp, epilog=examples("selections", "selections --format json"))
@shared_options
@click.pass_context
def command(ctx: click.Context) -> int:
    """List the named selections of config.toml, each with the options that it stands for.

    `query @lab-noise` selects what the selection lab-noise selects; other options are ANDed to it. The file is in the
    platform's folder for configuration, or in that of FALCON_BULK_CONFIG_DIR.
    """
    import os

    from falcon_bulk.cli.named_selections import selection_arguments
    from falcon_bulk.cli.quoting import quoted
    from falcon_bulk.cli.session import Session
    from falcon_bulk.cli.user_config import user_config
    from falcon_bulk.config.config_file import config_path
    from falcon_bulk.report.selections import SelectionEntry, selections_report

    session = Session.open(ctx, "selections")
    path = str(config_path(os.environ) or "config.toml")
    selections = user_config().selections.values()
    entries = [
        SelectionEntry(selection.name, selection.description, tuple(selection_arguments(selection)))
        for selection in selections
    ]
    lines = [" ".join(map(quoted, entry.options)) for entry in entries]
    exit_code = session.publish(selections_report(path, entries, lines))
    if not entries:
        session.console.say(f"There is no selection in {path}; docs/config.md shows one.")
    return exit_code
