"""Puts the objects of a command together: settings, tenant, clock, console, and what is published where."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from falcon_bulk import __version__
from falcon_bulk.cli.command_line import CommandLine
from falcon_bulk.cli.console import Console
from falcon_bulk.cli.output import Output, Write, writer
from falcon_bulk.config.customers import list_customers
from falcon_bulk.config.operator import login_name
from falcon_bulk.config.settings import Settings, load_settings, resolve_env_file
from falcon_bulk.config.state import prepare_state_dir, state_dir
from falcon_bulk.errors import BadEnvFile, FalconBulkError, UsageProblem
from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.model.clock import SystemClock, rfc3339
from falcon_bulk.operations.reading.read_all import ReadProgress
from falcon_bulk.report.formats import Format
from falcon_bulk.report.page import Page
from falcon_bulk.report.sheet import Sheet

if TYPE_CHECKING:
    from falcon_bulk.cli.notifications import Notifier

READERS = 8
QUOTA = 50
PARALLEL_CUSTOMERS = 4


class Session:
    """What the shared options of one command line come to. kind: which formats the command has.

    sought: fields that may not exist, with what is to be said if no alert read has them.
    unfinished: by the ids of the runs begun here that have something left, how to go on with them.
    """

    def __init__(self, ctx: click.Context, kind: str) -> None:
        line = CommandLine.of(ctx)
        self.argv = line.argv
        self._given = given = line.options
        self.output = Output(line, kind)
        self.console = Console(quiet=given.quiet, verbose=given.verbose, progress=not given.no_progress)
        self.timing = SystemClock()
        self.readers = given.readers or READERS
        self.parallel_customers = given.parallel_customers or PARALLEL_CUSTOMERS
        self._settings: Settings | None = None
        self.sought: dict[str, str] = {}
        self.unfinished: dict[str, str] = {}

    @cached_property
    def round(self) -> tuple[str, ...]:
        """The customers of a round; empty where the command line is about one customer.

        Raises UsageProblem where it names a round and something else, or a round of nobody.
        """
        named = self._given.customers
        tag = self._given.customer_tag or ""
        everybody = self._given.all_customers
        if everybody + bool(tag) + bool(named) > 1 or (self._given.env_file and (everybody or tag or named[1:])):
            raise UsageProblem("The customers are named in two ways.", "Use one of --customer, --customer-tag, …")
        if not everybody and not tag:
            return named if len(named) > 1 else ()
        names = list_customers(self.customers_dir)
        chosen = names if everybody else tuple(name for name in names if self._has_tag(name, tag))
        if not chosen:
            who = f"with the tag {tag}" if tag else "at all"
            raise UsageProblem(
                f"There is no customer {who} in {self.customers_dir}.", "`falcon-bulk customers` lists them."
            )
        return chosen

    def alone(self, customer: str) -> "Session":
        """The context for one customer of a round: its own settings, and files only in the folder of -o."""
        one = copy(self)
        one._given = self._given._replace(customers=(customer,), all_customers=False, customer_tag=None, notify=())
        one._settings = None
        one.__dict__.pop("round", None)
        one.__dict__.pop("notifier", None)
        one.output = self.output.in_folder_only()
        one.console = self.console.for_customer(customer)
        return one

    def of_round(self, customers: tuple[str, ...]) -> "Session":
        """The context of a round over these customers, one or more. Raises UsageProblem if others are named."""
        given = self._given
        if given.customers or given.all_customers or given.customer_tag or given.env_file:
            raise UsageProblem(
                "The customers are those of the plans.",
                "Leave out --customer, --customer-tag, --all-customers and --env-file.",
            )
        one = copy(self)
        one.__dict__["round"] = customers
        return one

    @property
    def name(self) -> str:
        """The customer as the command line or the round names it: its file's name; '' for none."""
        return next(iter(self._given.customers), "")

    @property
    def cid(self) -> str:
        """The CID that the settings expect, '' where they were not loaded or name none."""
        return self._settings.cids[0] if self._settings and self._settings.cids else ""

    def _has_tag(self, customer: str, tag: str) -> bool:
        try:
            return tag in self.alone(customer).settings.tags
        except BadEnvFile as error:
            self.console.say(f"Note: {customer} is left out, its tags cannot be read: {error.message}")
            return False

    @property
    def now(self) -> str:
        """The present in UTC, RFC 3339."""
        return rfc3339(self.timing.now())

    @property
    def named(self) -> bool:
        """True if the command line names a customer or an env file."""
        return bool(self._given.env_file or self._given.customers)

    @property
    def operator(self) -> str:
        """Who does this: as the customer's settings say or, in a round and without settings, the login name."""
        try:
            return login_name() if self.round else self.settings.operator
        except FalconBulkError:
            return login_name()

    @property
    def who(self) -> tuple[str, ...]:
        """The options that name the same customer, or the same round, in another command."""
        given = self._given
        named = {
            "--customer": ",".join(given.customers),
            "--customer-tag": given.customer_tag,
            "--env-file": given.env_file,
        }
        words = [word for option, value in named.items() if value for word in (option, str(value))]
        return (*words, *(["--all-customers"] if given.all_customers else []))

    @property
    def where(self) -> tuple[str, ...]:
        """The option that moves the customers' folder, where it was given."""
        folder = self._given.customers_dir
        return ("--customers-dir", str(folder)) if folder else ()

    @property
    def customers_dir(self) -> Path:
        """The folder with one env file per customer."""
        return self._given.customers_dir or Path("customers")

    @property
    def settings(self) -> Settings:
        """The settings of the customer, loaded once. Raises UsageProblem, BadEnvFile."""
        if self._settings is None:
            if self.round:
                raise UsageProblem("This works on one customer at a time.", "Name one of them with --customer.")
            self._settings = load_settings(
                env_file=self._given.env_file,
                customer=self.name or None,
                customers_dir=self.customers_dir,
                environ=os.environ,
                cwd=Path.cwd(),
            )
            for warning in self._settings.warnings:
                self.console.say(f"Note: {warning}")
        return self._settings

    @property
    def env_file(self) -> Path | None:
        """The env file that the settings come from, existing or not; None: from the process environment.

        Raises UsageProblem, BadEnvFile.
        """
        return resolve_env_file(
            env_file=self._given.env_file,
            customer=self.name or None,
            customers_dir=self.customers_dir,
            environ=os.environ,
            cwd=Path.cwd(),
        )

    @cached_property
    def notifier(self) -> "Notifier | None":
        """Who is told of the result, None without --notify. Raises UsageProblem if that cannot be.

        A round is about several customers: it is not told to the addresses of one, but to those of the process
        environment.
        """
        given: tuple[str, ...] = self._given.notify
        if not given:
            return None
        from falcon_bulk.cli.notifications import Notifier

        known = tuple(os.environ.get("FALCON_NOTIFY", "").split()) if self.round else self.settings.notify
        if "" in given and not known:
            raise UsageProblem(
                "--notify names no address, and FALCON_NOTIFY is not set.",
                "Put Apprise URLs into FALCON_NOTIFY in the env file; for a round, in the process environment.",
            )
        urls = [url for one in given for url in ((one,) if one else known)]
        return Notifier(urls, self.console)

    @contextmanager
    def tenant(self, *, workers: int = 0) -> Iterator[Tenant]:
        """Logged in to the customer. Raises the errors of a login, and UsageProblem where nobody can be notified."""
        _ = self.notifier
        tenant = Tenant(
            self.settings,
            self.timing,
            connections=self.readers + workers + 1,
            quota=(self._given.quota or QUOTA) / 100,
            user_agent=f"falcon-bulk/{__version__}",
            on_wait=self.console.say,
        )
        try:
            yield tenant
        finally:
            tenant.close()
            self.console.detail(tenant.pacer.usage_summary)

    @contextmanager
    def watching(self, label: str) -> Iterator[ReadProgress]:
        """Follow a reading with a bar, and say at its end what is to be said."""
        with self.console.bar(label) as move:
            watch = ReadProgress(self.timing, progress=move, sought=dict(self.sought))
            yield watch
        for note in (*watch.notes, *watch.sought.values()):
            self.console.say(f"Note: {note}")

    def state_folder(self) -> Path:
        """The folder of the journals, made if it is missing."""
        folder = state_dir(os.environ)
        prepare_state_dir(folder)
        return folder

    # Output

    def publish(
        self,
        sheets: Callable[[], Iterable[Sheet]],
        document: Callable[[], dict[str, Any]],
        title: str = "",
        page: Callable[[], Page] | None = None,
        step: str = "",
    ) -> None:
        """Write a result to stdout, and to the file of --output. JSON takes the document, the others the sheets.

        title: of the message where somebody is notified; the first sheet's by default. step: what to do next, for
        that message. page: for HTML; the bare sheets by default.
        """
        file = self.emit(self._writer(sheets, document, page))
        if self.notifier is not None:
            *others, last = sheets()
            told = [*others, last.noted([step] if step else [])]
            self.notifier.send(title or told[0].title, told, file)

    def file(
        self,
        sheets: Callable[[], Iterable[Sheet]],
        document: Callable[[], dict[str, Any]],
        page: Callable[[], Page] | None = None,
    ) -> None:
        """Write a customer's result of a round to its file of --output, if there is one."""
        self.to_file(self._writer(sheets, document, page))

    def emit(self, write: Write) -> Path | None:
        """Call `write` for the file of --output, if there is one, and for stdout. Returns the file."""
        file = self.to_file(write)
        self.output.to_stdout(write)
        return file

    def to_file(self, write: Write) -> Path | None:
        """Call `write` for the file of --output, or for this customer's file in its folder, if there is one."""
        if self.output.is_folder and self.round:
            return None
        return self.output.to_file(write, lambda: f"{self.settings.customer}_{self.timing.now():%y%m%d}")

    def say_of(self, fmt: Format, note: str) -> None:
        """Say what is different about a format, where the result is had in it."""
        if fmt in self.output.formats:
            self.console.say(f"Note: {note}")

    def show(self, sheets: Iterable[Sheet]) -> None:
        """Show sheets as tables on stderr, where questions are asked; not with --quiet."""
        if not self.console.quiet:
            self.output.to_stderr(sheets)

    def _writer(
        self,
        sheets: Callable[[], Iterable[Sheet]],
        document: Callable[[], dict[str, Any]],
        page: Callable[[], Page] | None,
    ) -> Write:
        return writer(sheets, document, lambda: self._signed(page() if page else Page(sheets())))

    def _signed(self, page: Page) -> Page:
        """The page with who made it, when and with what."""
        made = {"made by": self.operator, "made at": self.now, "made with": f"falcon-bulk {__version__}"}
        return replace(page, facts={**page.facts, **made})
