"""Suggests what was meant by a mistyped command, option or value: "Did you mean …?"."""

from collections.abc import Iterable, Sequence
from typing import Any

import click

from falcon_bulk.errors import UsageProblem

MAX_SUGGESTIONS = 3
MIN_BEGINNING = 4
"""Characters that a text and a known one have in common at least where one is the beginning of the other."""


def did_you_mean(typed: str, known: Iterable[str]) -> str:
    """Return `Did you mean X? ` with a trailing space if the text is close to a known one, else ''.

    Those that it begins with, or that begin with it, come first.
    """
    from difflib import get_close_matches  # slow to import, and needed only after a mistake

    names = list(known)
    beginnings = [name for name in names if min(len(name), len(typed)) >= MIN_BEGINNING]
    beginnings = [name for name in beginnings if name.startswith(typed) or typed.startswith(name)]
    matches = list(dict.fromkeys([*beginnings, *get_close_matches(typed, names)]))[:MAX_SUGGESTIONS]
    return f"Did you mean {' or '.join(matches)}? " if matches else ""


class SuggestingChoice(click.Choice[str]):
    """A choice whose error message suggests the closest values."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """Return what is wrong with the value, and what may have been meant."""
        suggestion = did_you_mean(str(value).lower(), self.choices)
        return f"{value!r} is not one of {', '.join(self.choices)}. {suggestion}".rstrip()


def explain_usage_error(error: click.UsageError, argv: Sequence[str]) -> UsageProblem:
    """Return an error of Click's parser as a UsageProblem with a hint.

    Versions of Click differ in what they suggest, so close options are looked for here.
    """
    path = error.ctx.command_path if error.ctx else "falcon-bulk"
    hint = f"`{path} --help` lists its options."
    if not isinstance(error, click.NoSuchOption) or error.ctx is None:
        return UsageProblem(error.format_message(), hint)
    name = error.option_name
    suggestion = did_you_mean(name, _option_names(error.ctx))
    if error.ctx.parent is None and (command := _command_in(argv, error.ctx)) is not None:
        path, known = command.command_path, _option_names(command)
        if name in known:
            return UsageProblem(f"{name} stands before the command.", f"Put it after `{path}`.")
        suggestion, hint = did_you_mean(name, known), f"`{path} --help` lists its options."
    return UsageProblem(f"There is no option {name}.", suggestion + hint)


def _command_in(argv: Sequence[str], root: click.Context) -> click.Context | None:
    """Return the context of the command that the command line names, None if it names none."""
    group = root.command
    if not isinstance(group, click.Group):
        return None
    name = next((argument for argument in argv if argument in group.list_commands(root)), "")
    command = group.get_command(root, name)
    return click.Context(command, parent=root, info_name=name) if command else None


def _option_names(ctx: click.Context) -> list[str]:
    return [name for param in ctx.command.get_params(ctx) for name in param.opts if name.startswith("-")]
