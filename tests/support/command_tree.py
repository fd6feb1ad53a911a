"""The commands as they are declared, for tests that go through all of them."""

import click

from falcon_bulk.cli.main import cli

Path = tuple[str, ...]


def commands() -> dict[Path, click.Command]:
    """Every command that does something, by its words: `("runs", "show")`."""
    return dict(_below((), cli))


def options(command: click.Command) -> list[click.Option]:
    """The options that a command takes, the shared ones included."""
    return [param for param in command.params if isinstance(param, click.Option)]


def _below(path: Path, command: click.Command) -> list[tuple[Path, click.Command]]:
    if not isinstance(command, click.Group):
        return [(path, command)]
    context = click.Context(command)
    found = [] if not path else [(path, command)]
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        assert inner is not None
        found += _below((*path, name), inner)
    return found
