"""The command line as data: each command with its options, as declared to Click."""

import inspect
import re
from collections.abc import Iterator
from typing import NamedTuple

import click

from falcon_bulk.cli.main import cli


class Option(NamedTuple):
    """An option or argument: how it is written, and what it does."""

    written: str
    does: str


class Command(NamedTuple):
    """A command: its words (`runs show`), usage, paragraphs of text, own options, and example lines."""

    name: str
    usage: str
    text: tuple[str, ...]
    options: tuple[Option, ...]
    examples: tuple[str, ...]


def shared_options() -> tuple[Option, ...]:
    """The options that every command takes."""
    return tuple(_option(param) for param in _options(cli) if param.name != "version")


def commands() -> Iterator[Command]:
    """All commands in the order of the overview, each group before its own."""
    context = click.Context(cli, info_name="falcon-bulk")
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        if command is not None and not command.hidden:
            yield from _walk(command, name)


def _walk(command: click.Command, name: str) -> Iterator[Command]:
    yield _described(command, name)
    if isinstance(command, click.Group):
        for word, below in command.commands.items():
            if not below.hidden:
                yield from _walk(below, f"{name} {word}")


def _described(command: click.Command, name: str) -> Command:
    shared = {tuple(param.opts) for param in cli.params}
    own = [param for param in _options(command) if tuple(param.opts) not in shared]
    arguments = [str(param.metavar or param.name) for param in command.params if isinstance(param, click.Argument)]
    more = ["[COMMAND]"] if isinstance(command, click.Group) else []
    return Command(
        name=name,
        usage=" ".join(["falcon-bulk", name, *(["[OPTIONS]"] if own or not more else []), *arguments, *more]),
        text=_paragraphs(command.help or ""),
        options=tuple(map(_option, own)),
        examples=tuple(line.strip() for line in (command.epilog or "").splitlines() if line.startswith("  ")),
    )


def _options(command: click.Command) -> list[click.Option]:
    return [param for param in command.params if isinstance(param, click.Option) and not param.hidden]


def _option(option: click.Option) -> Option:
    names = ", ".join([*option.opts, *option.secondary_opts])
    does = re.sub(r"\s+", " ", option.help or "").strip()
    default = option.default if option.show_default else None
    if default not in (None, ()):
        values = default if isinstance(default, tuple) else (default,)
        does += f" [default: {', '.join(map(str, values))}]"
    return Option(f"{names} {_value(option)}".strip(), does)


def _value(option: click.Option) -> str:
    """What stands for the option's value; not as Click has it, whose versions differ."""
    if option.is_flag or option.count:
        return ""
    if option.metavar:
        return option.metavar
    if isinstance(option.type, click.Choice):
        return "|".join(map(str, option.type.choices))
    return "N" if option.type.name.startswith(("integer", "float")) else option.type.name.upper()


def _paragraphs(text: str) -> tuple[str, ...]:
    """Each on one line; \\b, Click's mark of a paragraph that keeps its lines, is left out."""
    return tuple(" ".join(part.replace("\b", "").split()) for part in re.split(r"\n\s*\n", inspect.cleandoc(text)))
