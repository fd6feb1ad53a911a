"""Shell completion of option values. Each function must be quick and must not fail."""

import os
from collections.abc import Callable, Iterable

import click
from click.shell_completion import CompletionItem

from falcon_bulk.cli.command_line import CommandLine
from falcon_bulk.textsafe import printable

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

    return _complete_last(typed, list_customers(CommandLine.of(ctx).options.customers_folder))


def complete_guardrails(_ctx: click.Context, _param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Complete guardrails, and `all`."""
    from falcon_bulk.operations.changes.guardrails import GUARDRAILS

    return _complete_last(typed, [*GUARDRAILS, "all"])


def complete_runs(ctx: click.Context, _param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Complete ids of the customer's newest runs, each with what it was; offer none if no journal can be read."""
    from falcon_bulk.config.state import state_dir
    from falcon_bulk.errors import FalconBulkError
    from falcon_bulk.journal.files import journal_paths
    from falcon_bulk.journal.run_ids import newest_runs

    customers = CommandLine.of(ctx).options.customers
    try:
        runs = newest_runs(journal_paths(state_dir(os.environ)), customers[0] if len(customers) == 1 else "")
    except (FalconBulkError, OSError):
        return []
    return [
        CompletionItem(run.run_id, help=printable(f"{run.started[:10]} {run.customer}: {run.command}, {run.status}"))
        for run in runs
        if run.run_id.startswith(typed)
    ]


def complete_selections(_ctx: click.Context, _param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Complete `@NAME` with the selections of config.toml; offer none if it cannot be read."""
    from falcon_bulk.config.config_file import config_path, read_config
    from falcon_bulk.errors import FalconBulkError

    try:
        selections = read_config(config_path(os.environ)).selections
    except (FalconBulkError, OSError):
        return []
    return [
        CompletionItem(f"@{name}", help=printable(selection.description))
        for name, selection in selections.items()
        if f"@{name}".startswith(typed)
    ]


def complete_files(_ctx: click.Context, _param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Leave it to the shell to complete a file name."""
    return [CompletionItem(typed, type="file")]


def _complete_last(typed: str, known: Iterable[str]) -> list[CompletionItem]:
    """Complete the last of several comma-separated values."""
    *before, last = typed.split(",")
    values = [value for value in known if value.startswith(last) and value not in before]
    return [CompletionItem(",".join([*before, value])) for value in values]
