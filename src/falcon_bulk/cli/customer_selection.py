"""Which customer or customers a command is for."""

import os
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import click

from falcon_bulk.cli.command_line import DEFAULT_FOLDER, SharedOptions
from falcon_bulk.cli.shards import Shard, parse_shard
from falcon_bulk.config.customers import list_customers
from falcon_bulk.config.env_keys import CREDENTIALS
from falcon_bulk.config.settings import Settings, load_settings, resolve_env_file
from falcon_bulk.errors import BadEnvFile, ExitCode, UsageProblem


@dataclass(frozen=True)
class CustomerSelection:
    """One customer, or several.

    folder: has one env file per customer. several: their names, in order; empty for one customer. name: the one
    customer's file name, of --customer or FALCON_BULK_CUSTOMER; '' if it is --env-file's or the process environment's.
    is_named: whether the command line names customers or an env file. arguments: options that select the same in
    another command.
    """

    folder: Path = DEFAULT_FOLDER
    env_file: Path | None = None
    name: str = ""
    several: tuple[str, ...] = ()
    is_named: bool = False
    arguments: tuple[str, ...] = ()
    folder_arguments: tuple[str, ...] = ()

    @property
    def all_arguments(self) -> tuple[str, ...]:
        """The options that select the same in a command, with their folder."""
        return (*self.arguments, *self.folder_arguments)

    def one(self, customer: str) -> "CustomerSelection":
        """Return the selection of one customer of several."""
        return CustomerSelection(
            folder=self.folder,
            name=customer,
            is_named=True,
            arguments=("--customer", customer),
            folder_arguments=self.folder_arguments,
        )

    def with_several(self, customers: tuple[str, ...]) -> "CustomerSelection":
        """Return the selection of several customers."""
        return replace(self, several=customers)

    def load_settings(self) -> Settings:
        """Load the customer's settings. Raises UsageProblem if there are several customers, BadEnvFile."""
        if self.several:
            raise UsageProblem("This works on one customer at a time.", "Name one of them with --customer.")
        return load_settings(
            env_file=self.env_file,
            customer=self.name or None,
            customers_dir=self.folder,
            environ=os.environ,
            cwd=Path.cwd(),
        )

    def find_env_file(self) -> Path | None:
        """Return the env file of the settings, existing or not; None if they are the process environment's.

        Raises UsageProblem, BadEnvFile.
        """
        return resolve_env_file(
            env_file=self.env_file,
            customer=self.name or None,
            customers_dir=self.folder,
            environ=os.environ,
            cwd=Path.cwd(),
        )


def select_customers(options: SharedOptions, say: Callable[[str], None]) -> CustomerSelection:
    """Return the customers that the options select. say: shows a message.

    Raises UsageProblem if options contradict each other or select nobody; ends the command, with DONE, if --shard does.
    """
    folder, tag, names = options.customers_folder, options.customer_tag or "", options.customers
    usual = "" if names or options.env_file or options.all_customers or tag else usual_customer(os.environ)
    by_group = options.all_customers or bool(tag)
    if options.all_customers + bool(tag) + bool(names) > 1 or (options.env_file and (by_group or names[1:])):
        raise UsageProblem(
            "Conflicting customer options.", "Use one of --env-file, --customer, --customer-tag, --all-customers."
        )
    several = names if len(names) > 1 else ()
    selection = CustomerSelection(
        folder=folder,
        env_file=options.env_file,
        name=names[0] if len(names) == 1 else usual,
        is_named=bool(options.env_file or names),
        arguments=("--customer", usual) if usual else customer_arguments(options),
        folder_arguments=("--customers-dir", str(folder)) if options.customers_dir else (),
    )
    shard = _shard(options, several=by_group or bool(several))
    if by_group:
        several = list_customers(folder)
    mine = tuple(name for name in several if shard is None or shard.has(name))
    if tag:
        mine = tuple(name for name in mine if _has_tag(selection.one(name), tag, say))
    if by_group and not mine and (shard is None or not several):
        raise _nobody(selection, tag)
    if shard is not None:
        say(f"Note: --shard {shard} takes {len(mine):,} of {len(several):,} customers.")
        if not mine:
            raise click.exceptions.Exit(ExitCode.DONE)  # the work of a share without customers is done
    return selection.with_several(mine)


def _nobody(selection: CustomerSelection, tag: str) -> UsageProblem:
    """Return the error that no customer is selected. tag: the one asked for, '' for all customers."""
    command = shlex.join(("falcon-bulk", "customers", *(() if tag else ("add", "NAME")), *selection.folder_arguments))
    if tag:
        return UsageProblem(
            f"There is no customer with the tag {tag} in {selection.folder}.",
            f"`{command}` shows the tags; FALCON_TAGS in a customer's file sets them.",
        )
    return UsageProblem(f"No customers in {selection.folder}.", f"`{command}` adds one.")


def usual_customer(environ: Mapping[str, str]) -> str:
    """Return the customer of FALCON_BULK_CUSTOMER, who is meant where no option names one; '' if it is not set.

    Raises UsageProblem if the environment has credentials too: nothing says whose they are.
    """
    name = environ.get("FALCON_BULK_CUSTOMER", "").strip()
    if name and all(environ.get(key, "").strip() for key in CREDENTIALS):
        raise UsageProblem(
            f"FALCON_BULK_CUSTOMER names {name}, and the process environment has credentials of its own.",
            "Unset one of them, or use --customer.",
        )
    return name


def _shard(options: SharedOptions, *, several: bool) -> Shard | None:
    """Return the share that --shard selects, None without it. Raises UsageProblem."""
    if options.shard is None:
        return None
    shard = parse_shard(options.shard)
    if not several:
        raise UsageProblem(
            "--shard takes a share of several customers.", "Add --all-customers, --customer-tag or several --customer."
        )
    return shard


def customer_arguments(options: SharedOptions) -> tuple[str, ...]:
    """Return the options that name the customers of a command line."""
    single = {
        "--customer": ",".join(options.customers),
        "--customer-tag": options.customer_tag or "",
        "--env-file": str(options.env_file or ""),
        "--shard": options.shard or "",
    }
    arguments = [argument for option, value in single.items() if value for argument in (option, value)]
    return (*arguments, *["--all-customers"] * options.all_customers)


def _has_tag(customer: CustomerSelection, tag: str, say: Callable[[str], None]) -> bool:
    try:
        return tag in customer.load_settings().tags
    except BadEnvFile as error:
        say(f"Note: {customer.name} is left out, its tags cannot be read: {error.message}")
        return False
