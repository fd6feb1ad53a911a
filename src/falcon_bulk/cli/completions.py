"""What a shell is offered for the value of an option; must be quick, and never fail."""

from collections.abc import Callable, Iterable
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from falcon_bulk.cli.command_line import CommandLine

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def complete_choice(known: Iterable[str]) -> Complete:
    """One of some words."""
    return lambda _ctx, _param, typed: [CompletionItem(word) for word in known if word.startswith(typed)]


def complete_list(known: Iterable[str]) -> Complete:
    """Words with commas between them, each once."""
    return lambda _ctx, _param, typed: _more(typed, known)


def complete_customers(ctx: click.Context, _param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Customers that have an env file in the folder of --customers-dir; none where it cannot be read."""
    from falcon_bulk.config.customers import list_customers

    return _more(typed, list_customers(CommandLine.of(ctx).options.customers_dir or Path("customers")))


def complete_guardrails(_ctx: click.Context, _param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Guard rails, or all."""
    from falcon_bulk.operations.changes.guardrails import GUARDRAILS

    return _more(typed, [*GUARDRAILS, "all"])


def complete_files(_ctx: click.Context, _param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Whatever the shell offers for a file."""
    return [CompletionItem(typed, type="file")]


def _more(typed: str, known: Iterable[str]) -> list[CompletionItem]:
    *before, last = typed.split(",")
    return [CompletionItem(",".join([*before, word])) for word in known if word.startswith(last) and word not in before]
