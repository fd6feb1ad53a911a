"""Did you mean …: for mistyped commands, options and values."""

from collections.abc import Iterable, Sequence
from typing import Any

import click

from falcon_bulk.errors import UsageProblem


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`Did you mean X? `, with a space behind it, for a word that is near to a known one; else ''."""
    from difflib import get_close_matches  # loaded for a mistake only

    near = get_close_matches(word, list(known), n=3)
    return f"Did you mean {' or '.join(near)}? " if near else ""


class SuggestingChoice(click.Choice[str]):
    """One of some words; a near one is named."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """What is wrong with the value."""
        near = did_you_mean(str(value).lower(), self.choices)
        return f"{value!r} is not one of {', '.join(self.choices)}. {near}".rstrip()


class SuggestingGroup(click.Group):
    """A group of commands that knows what a mistyped one may have meant."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As Click does it. Raises UsageProblem for a command that there is not."""
        name = args[0]
        if not ctx.resilient_parsing and not name.startswith("-") and self.get_command(ctx, name) is None:
            near = did_you_mean(name.lower(), self.list_commands(ctx))
            raise UsageProblem(f"No such command {name!r}.", f"{near}`{ctx.command_path} --help` lists them.")
        return super().resolve_command(ctx, args)


def explain_usage_error(error: click.UsageError, argv: Sequence[str]) -> UsageProblem:
    """What Click finds wrong with a command line, as an error of ours with a hint.

    Versions of Click differ in what they suggest, so near options are looked for here.
    """
    path = error.ctx.command_path if error.ctx else "falcon-bulk"
    hint = f"`{path} --help` shows what it takes."
    if not isinstance(error, click.NoSuchOption) or error.ctx is None:
        return UsageProblem(error.format_message(), hint)
    name = error.option_name
    near = did_you_mean(name, _options(error.ctx))
    message = f"There is no option {name}."
    if error.ctx.parent is None and (command := _command_in(argv, error.ctx)) is not None:
        here, known = command.command_path, _options(command)
        if name in known:
            return UsageProblem(f"{name} stands before the command.", f"Put it behind `{here}`.")
        near, hint = did_you_mean(name, known), f"`{here} --help` shows what it takes."
    return UsageProblem(message, near + hint)


def _command_in(argv: Sequence[str], root: click.Context) -> click.Context | None:
    group = root.command
    named = next((word for word in argv if isinstance(group, click.Group) and word in group.list_commands(root)), None)
    command = group.get_command(root, named) if named and isinstance(group, click.Group) else None
    return click.Context(command, parent=root, info_name=named) if command else None


def _options(ctx: click.Context) -> list[str]:
    return [name for param in ctx.command.get_params(ctx) for name in param.opts if name.startswith("-")]
