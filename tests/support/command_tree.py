"""The commands as they are declared, for tests that go through all of them."""

import click

from falcon_bulk.cli.main import PROGRAM, cli

Path = tuple[str, ...]


def commands() -> dict[Path, click.Command]:
    """Return every command below `falcon-bulk` by its path: `("runs", "show")`."""
    return dict(_below((), cli))


def commands_by_name() -> dict[str, click.Command]:
    """Return `falcon-bulk` and every command below it by its name: `falcon-bulk runs show`."""
    return {PROGRAM: cli} | {" ".join((PROGRAM, *path)): command for path, command in commands().items()}


def options(command: click.Command) -> list[click.Option]:
    """Return the options that a command takes, including the shared ones."""
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
