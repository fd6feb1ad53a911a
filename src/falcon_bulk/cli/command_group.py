"""A group of commands, such as `falcon-bulk` itself or `runs`."""

import click

from falcon_bulk.cli.help_groups import GroupedHelp
from falcon_bulk.cli.suggestions import did_you_mean
from falcon_bulk.errors import UsageProblem


class SuggestingGroup(GroupedHelp, click.Group):
    """A group of commands that suggests the closest ones for a mistyped command."""

    command_class = GroupedHelp

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Resolve as Click does. Raises UsageProblem for an unknown command."""
        name = args[0]
        if not ctx.resilient_parsing and not name.startswith("-") and self.get_command(ctx, name) is None:
            suggestion = did_you_mean(name.lower(), self.list_commands(ctx))
            raise UsageProblem(f"No such command {name!r}.", f"{suggestion}`{ctx.command_path} --help` lists them.")
        return super().resolve_command(ctx, args)
