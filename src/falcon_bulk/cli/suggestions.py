"""Suggests what was meant by a mistyped command, option or value: "Did you mean …?"."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import click

from falcon_bulk.cli.command_line import CommandLine
from falcon_bulk.errors import UsageProblem

_EXTRA_ARGUMENT = re.compile(r"Got unexpected extra arguments? \((\S+)[ )]")
MAX_SUGGESTIONS = 3
MIN_BEGINNING = 4
"""Characters that a text and a known one have in common at least where one is the beginning of the other."""


def did_you_mean(typed: str, known: Iterable[str], prefix: str = "") -> str:
    """Return `Did you mean X? ` with a trailing space if the text is close to a known one, else ''.

    Those that it begins with, or that begin with it, come first. prefix: stands before each that is suggested, and does
    not count as similar.
    """
    from difflib import get_close_matches  # slow to import, and needed only after a mistake

    names = list(known)
    beginnings = [name for name in names if min(len(name), len(typed)) >= MIN_BEGINNING]
    beginnings = [name for name in beginnings if name.startswith(typed) or typed.startswith(name)]
    matches = list(dict.fromkeys([*beginnings, *get_close_matches(typed, names)]))[:MAX_SUGGESTIONS]
    return f"Did you mean {' or '.join(prefix + match for match in matches)}? " if matches else ""


class SuggestingChoice(click.Choice[str]):
    """A choice whose error message suggests the closest values."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """Return what is wrong with the value, and what may have been meant."""
        suggestion = did_you_mean(str(value).lower(), self.choices)
        return f"{value!r} is not one of {', '.join(self.choices)}. {suggestion}".rstrip()

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None) -> str:
        """Return which values there are; Click's own text has line breaks."""
        return f"It takes {', '.join(self.choices)}."


def explain_usage_error(error: click.UsageError, argv: Sequence[str], program: click.Context) -> UsageProblem:
    """Return an error of Click's parser as a UsageProblem with a hint. program: the context of the whole command line.

    Versions of Click differ in what they suggest, so close options are looked for here.
    """
    # The program takes shared options before the command too: what it meets first may be meant for the command.
    is_of_program = error.ctx is None or error.ctx.parent is None
    ctx = _command_in(argv, program) if error.ctx is None or is_of_program else error.ctx
    hint = f"`{ctx.command_path} --help` lists its options."
    if not isinstance(error, click.NoSuchOption):
        extra = _EXTRA_ARGUMENT.match(error.format_message())
        meant = suggest_customer(error.ctx, extra[1]) if extra and error.ctx else ""
        return UsageProblem(error.format_message(), meant + hint)
    name, known = error.option_name, _option_names(ctx)
    if is_of_program and ctx is not program and name in known:
        return UsageProblem(f"{name} stands before the command.", f"Put it after `{ctx.command_path}`.")
    without_dashes = [option.removeprefix("--") for option in known if option.startswith("--")]
    return UsageProblem(f"There is no option {name}.", did_you_mean(name.lstrip("-"), without_dashes, "--") + hint)


def suggest_customer(ctx: click.Context, argument: str) -> str:
    """Return `Did you mean --customer X? ` with a trailing space if an argument is a customer's name, else ''."""
    from falcon_bulk.config.customers import list_customers

    known = list_customers(CommandLine.of(ctx).options.customers_folder)
    return f"Did you mean --customer {argument}? " if argument in known else ""


def _command_in(argv: Sequence[str], ctx: click.Context) -> click.Context:
    """Return the context of the command that the command line names, the given one if it names none."""
    for argument in argv:
        group = ctx.command
        if isinstance(group, click.Group) and argument in group.list_commands(ctx):
            command = group.get_command(ctx, argument)
            ctx = click.Context(command, parent=ctx, info_name=argument) if command else ctx
    return ctx


def _option_names(ctx: click.Context) -> list[str]:
    return [name for param in ctx.command.get_params(ctx) for name in param.opts if name.startswith("-")]
