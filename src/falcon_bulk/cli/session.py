"""The parts that a command works with: customers, settings, tenant, clock, console, output."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from falcon_bulk import __version__
from falcon_bulk.cli.command_line import CommandLine, SharedOptions
from falcon_bulk.cli.console import Console
from falcon_bulk.cli.customer_selection import CustomerSelection, select_customers
from falcon_bulk.cli.output import Output, collect_write_failures, open_output
from falcon_bulk.cli.user_config import user_config
from falcon_bulk.config.operator import login_name
from falcon_bulk.config.settings import Settings
from falcon_bulk.config.state import prepare_state_dir, state_dir
from falcon_bulk.errors import FalconBulkError, UsageProblem
from falcon_bulk.falcon.concurrency import MAX_READS
from falcon_bulk.falcon.proxy import ProxyRefusals
from falcon_bulk.falcon.shared_logins import SharedLogins
from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.journal.journal_customers import JournalCustomers
from falcon_bulk.model.clock import SystemClock, rfc3339
from falcon_bulk.operations.reading.read_progress import ReadProgress
from falcon_bulk.report.formats import FORMATS, Format
from falcon_bulk.report.report import Report
from falcon_bulk.report.sheet import Cell, Sheet

if TYPE_CHECKING:
    from falcon_bulk.cli.notifications import Notifier

QUOTA = 50
PARALLEL_CUSTOMERS = 4
ABOUT_NO_CUSTOMER = ("customers", "schedule")
"""Commands whose files are not about one customer."""


@dataclass
class Session:
    """One command while it runs, for one customer or several; `open` makes it.

    command: its name with that of its subcommand, such as `runs-list`.
    unknown_fields: fields that may not exist, with what to say if no alert read has them.
    unfinished: run ids of runs begun here that have something left, with the command that resumes each.
    """

    argv: tuple[str, ...]
    command: str
    options: SharedOptions
    customers: CustomerSelection
    output: Output
    console: Console
    clock: SystemClock = field(default_factory=SystemClock)
    unknown_fields: dict[str, str] = field(default_factory=dict)
    unfinished: dict[str, str] = field(default_factory=dict)
    proxy_refusals: ProxyRefusals = field(default_factory=ProxyRefusals)
    logins: SharedLogins = field(default_factory=SharedLogins)
    journal_customers: JournalCustomers = field(default_factory=JournalCustomers)
    _settings: Settings | None = None
    _notifier: "Notifier | None" = None

    @classmethod
    def open(cls, ctx: click.Context, kind: str) -> "Session":
        """Check the shared options. kind: of report, see `report.formats.FORMATS`. Raises UsageProblem."""
        line = CommandLine.of(ctx)
        _program, *names = ctx.command_path.split()
        line.command = "-".join(names)
        line.options = options = _with_defaults(line.options, kind)
        if options.debug or options.log_file:
            from falcon_bulk.cli.logging_setup import start_logging

            start_logging(debug=options.debug, log_file=options.log_file)
        console = Console(quiet=options.quiet, verbose=options.verbose, progress=not options.no_progress)
        customers = select_customers(options, console.say)
        console.customer_arguments = customers.all_arguments
        session = cls(line.argv, line.command, options, customers, open_output(line, kind), console)
        if options.excel:
            session.note_about(
                Format.CSV, "The CSV begins with a byte order mark, for Excel; other programs may show it."
            )
        return session

    def for_customer(self, customer: str) -> "Session":
        """Return the session of one customer of several: its own settings, files only in the folder of -o."""
        customers = self.customers.one(customer)
        return replace(
            self,
            options=self.options._replace(notify=()),
            customers=customers,
            output=self.output.folder_only(),
            console=self.console.for_customer(customer, customers.all_arguments),
            _settings=None,
            _notifier=None,
        )

    def for_parent(self) -> "Session":
        """Return a session for the parent whose credentials the customer's settings have (Flight Control).

        Raises UsageProblem, BadEnvFile.
        """
        return replace(self, _settings=replace(self.load_settings(), member_cid="", cids=()))

    def for_customers(self, customers: tuple[str, ...]) -> "Session":
        """Return a session for these customers, one or more. Raises UsageProblem if options name others."""
        if self.customers.arguments:
            raise UsageProblem(
                "The customers are those of the plans.",
                "Leave out --customer, --customer-tag, --all-customers and --env-file.",
            )
        return replace(self, customers=self.customers.with_several(customers))

    @property
    def readers(self) -> int:
        """Concurrent reads at most."""
        return self.options.readers or MAX_READS

    @property
    def now(self) -> str:
        """The present in UTC, RFC 3339."""
        return rfc3339(self.clock.now())

    def load_settings(self) -> Settings:
        """Return the customer's settings, loaded once. Raises UsageProblem, BadEnvFile."""
        if self._settings is None:
            self._settings = self.customers.load_settings()
            for warning in self._settings.warnings:
                self.console.say(f"Note: {warning}")
        return self._settings

    @property
    def expected_cid(self) -> str:
        """The first CID of the settings; '' if they were not loaded or name none."""
        return self._settings.cids[0] if self._settings and self._settings.cids else ""

    def open_notifier(self) -> "Notifier | None":
        """Return who to notify of the result, None without --notify. Raises UsageProblem if that cannot work.

        The result of several customers does not go to the addresses of one: without a URL it goes to those of the
        process environment.
        """
        if self._notifier is None and (urls := self.options.notify):
            from falcon_bulk.cli.notifications import NO_ADDRESS, Notifier, service_urls

            several = self.customers.several
            known = tuple(os.environ.get("FALCON_NOTIFY", "").split()) if several else self.load_settings().notify
            if "" in urls and not known:
                raise UsageProblem(
                    NO_ADDRESS,
                    "Put Apprise URLs into FALCON_NOTIFY: in the env file or, for several customers, in the process "
                    "environment.",
                )
            self._notifier = Notifier(service_urls(urls, known), self.console)
        return self._notifier

    @contextmanager
    def tenant(self, *, workers: int = 0) -> Iterator[Tenant]:
        """Log in to the customer. Raises the errors of a login, and UsageProblem if nobody can be notified."""
        self.open_notifier()
        settings = self.load_settings()
        with self.console.bar("logging in"):
            tenant = Tenant(
                settings,
                self.clock,
                connections=self.readers + workers + 1,
                readers=self.readers,
                quota=(self.options.quota or QUOTA) / 100,
                user_agent=f"falcon-bulk/{__version__}",
                on_wait=self.console.say,
                proxy_refusals=self.proxy_refusals,
                logins=self.logins,
            )
        if tenant.moved:
            self.console.say(f"Note: {tenant.moved}")
        if difference := tenant.clock_difference():
            self.console.warn(f"Warning: {difference} Times such as 7d are counted from this machine's.")
        try:
            yield tenant
        finally:
            tenant.close()
            for path, text in tenant.deprecations.items():
                self.console.detail(f"Falcon deprecates {path}: {text}")
            self.console.detail(tenant.pacer.usage_summary)

    @contextmanager
    def watching(self, label: str) -> Iterator[ReadProgress]:
        """Show a progress bar for a read, and at the end its notes; why it is incomplete also with --quiet."""
        with self.console.bar(label) as move:
            progress = ReadProgress(self.clock, on_progress=move, unseen_fields=dict(self.unknown_fields))
            yield progress
        for reason in progress.incomplete:
            self.console.warn(f"Incomplete: {reason}")
        for note in (*progress.notes, *progress.unseen_fields.values()):
            self.console.say(f"Note: {note}")

    def state_folder(self) -> Path:
        """Return the folder of the journals; it is made if it is missing."""
        folder = state_dir(os.environ)
        prepare_state_dir(folder)
        return folder

    def publish(self, report: Report, *, files_are_written: bool = False) -> int:
        """Write a report to stdout and to the file of --output, notify, and return its exit code.

        files_are_written: whether the folder of --output has a file for each customer already. Where one of the first
        two cannot be written, the others are still done before the error is raised.
        """
        failures: list[OSError] = []
        file = None
        with collect_write_failures(failures):
            file = None if self.output.is_folder and files_are_written else self.write_file(report)
        with collect_write_failures(failures):
            self.output.to_stdout(report, self._signature(), self.console.without_bar)
        if notifier := self.open_notifier():
            *others, last = report.sheets()
            sheets = [*others, last.with_notes([report.next_step] if report.next_step else [])]
            notifier.send(report.title or sheets[0].title, sheets, file)
            self.output.line.notified = True
        for failure in failures:
            raise failure
        return report.exit_code

    def write_file(self, report: Report) -> Path | None:
        """Write a report to the file of --output, or to a file in its folder, if there is one; and say where it is."""
        written = self.output.to_file(report, self._signature(), self._file_stem)
        if written:
            self.console.say(f"Wrote {written}.")
        return written

    def _file_stem(self) -> str:
        """Return the name of this command's file in the folder of --output, such as `acme_261127_hash-summary`.

        Only the same command for the same customer on the same day gets the same name.
        """
        owner = self._file_owner()
        return "_".join((*([owner] if owner else []), f"{self.clock.now():%y%m%d}", self.command))

    def _file_owner(self) -> str:
        """Return the customer that a file is about: as --customer names it; '' where it is about none."""
        if self.customers.name or self.command.startswith(ABOUT_NO_CUSTOMER):
            return self.customers.name
        try:
            return self.load_settings().customer
        except FalconBulkError:
            return ""

    def note_about(self, fmt: Format, note: str) -> None:
        """Show what is different about a format, if the result is written in it."""
        if fmt in self.output.formats:
            self.console.say(f"Note: {note}")

    def show(self, sheets: Iterable[Sheet]) -> None:
        """Show sheets as tables on stderr, beside prompts; not with --quiet."""
        if not self.console.quiet:
            with self.console.without_bar():
                self.output.to_stderr(sheets)

    def _signature(self) -> Mapping[str, Cell]:
        """Return who made a page, when and with what."""
        return {"made by": self._author(), "made at": self.now, "made with": f"falcon-bulk {__version__}"}

    def _author(self) -> str:
        """Return the operator of the settings or, for several customers and without settings, the login name."""
        try:
            return login_name() if self.customers.several else self.load_settings().operator
        except FalconBulkError:
            return login_name()


def _with_defaults(options: SharedOptions, kind: str) -> SharedOptions:
    """Return the options with the defaults of config.toml for those that were not given.

    kind: of report; a format that it does not have stays as it is. Raises UsageProblem for a file that is not valid.
    """
    defaults = user_config().defaults
    usable = defaults.format is not None and Format(defaults.format) in FORMATS.get(kind, ())
    return options._replace(
        format=options.format or (defaults.format if usable else None),
        readers=options.readers or defaults.readers,
        quota=options.quota or defaults.quota,
    )
