"""falcon-bulk completion: print the script with which a shell completes commands, options and customers."""

import click

from falcon_bulk.cli.completions import COMPLETE_VARIABLE
from falcon_bulk.cli.help_groups import GroupedHelp
from falcon_bulk.cli.options import examples
from falcon_bulk.cli.shared_options import shared_options
from falcon_bulk.cli.suggestions import SuggestingChoice
from falcon_bulk.errors import ExitCode

RUNNING_SHELL = """
\b
For the current shell only:
  eval "$(falcon-bulk completion bash)"    # or zsh
  falcon-bulk completion fish | source     # fish
For zsh, ~/.zshrc has `fpath+=~/.zfunc` before `autoload -U compinit && compinit`.
"""


@click.command(
    "completion",
    cls=GroupedHelp,
    epilog=examples(
        "completion bash > ~/.local/share/bash-completion/completions/falcon-bulk",
        "completion zsh > ~/.zfunc/_falcon-bulk",
        "completion fish > ~/.config/fish/completions/falcon-bulk.fish",
    )
    + RUNNING_SHELL,
)
@click.argument("shell", type=SuggestingChoice(("bash", "zsh", "fish")))
@shared_options
@click.pass_context
def command(ctx: click.Context, shell: str) -> int:
    """Print the completion script for a shell: commands, options, their values and customers' names.

    Customers' names come from the files in the customers' folder; nothing is sent to Falcon.
    """
    from click.shell_completion import BashComplete, FishComplete, ZshComplete

    kind = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}[shell]
    script = kind(ctx.find_root().command, {}, "falcon-bulk", COMPLETE_VARIABLE)
    click.echo(script.source_template % script.source_vars())
    return ExitCode.DONE
