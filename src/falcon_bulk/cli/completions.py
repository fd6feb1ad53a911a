"""Shell completion of option values. Each function must be quick and must not fail."""

from collections.abc import Callable, Iterable
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from falcon_bulk.cli.command_line import CommandLine

COMPLETE_VARIABLE = "_FALCON_BULK_COMPLETE"
"""The environment variable that the script sets: Click prints completions then and runs no command."""

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def complete_choice(known: Iterable[str]) -> Complete:
    """Return a completion of one of some values."""
    return lambda _ctx, _param, typed: [CompletionItem(value) for value in known if value.startswith(typed)]


def complete_list(known: Iterable[str]) -> Complete:
    """Return a completion of comma-separated values, each offered once."""
    return lambda _ctx, _param, typed: _complete_last(typed, known)


def complete_customers(ctx: click.Context, _param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Complete customers with an env file in the folder of --customers-dir; offer none if it cannot be read."""
    from falcon_bulk.config.customers import list_customers

    return _complete_last(typed, list_customers(CommandLine.of(ctx).options.customers_dir or Path("customers")))


def complete_guardrails(_ctx: click.Context, _param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Complete guardrails, and `all`."""
    from falcon_bulk.operations.changes.guardrails import GUARDRAILS

    return _complete_last(typed, [*GUARDRAILS, "all"])


def complete_files(_ctx: click.Context, _param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Leave it to the shell to complete a file name."""
    return [CompletionItem(typed, type="file")]


def _complete_last(typed: str, known: Iterable[str]) -> list[CompletionItem]:
    """Complete the last of several comma-separated values."""
    *before, last = typed.split(",")
    values = [value for value in known if value.startswith(last) and value not in before]
    return [CompletionItem(",".join([*before, value])) for value in values]
