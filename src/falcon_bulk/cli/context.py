"""Puts the objects of a command together: settings, tenant, clock, journal, and where output goes."""

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import click

from falcon_bulk import __version__
from falcon_bulk.cli.console import Console, wants_color
from falcon_bulk.cli.options import instant
from falcon_bulk.config.settings import Settings, load_settings
from falcon_bulk.config.state import prepare_state_dir, state_dir
from falcon_bulk.errors import UsageProblem
from falcon_bulk.falcon.fql import checked_filter, checked_host, checked_name, checked_word
from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.model.hashes import checked_hash
from falcon_bulk.model.selection import Selection
from falcon_bulk.model.timing import SystemTiming, rfc3339
from falcon_bulk.operations.reading import Watch
from falcon_bulk.report.formats import Format, check, format_of
from falcon_bulk.report.output import Sink, dump, render, write_atomically
from falcon_bulk.report.sheet import Sheet

READERS = 8
QUOTA = 50


class Context:
    """What the shared options of one command line come to. kind: which formats the command has."""

    def __init__(self, ctx: click.Context, kind: str) -> None:
        given: dict[str, Any] = ctx.find_root().ensure_object(dict)
        self._given = given
        self.format = Format(given.get("format", Format.TABLE))
        check(kind, self.format)
        self.output: Path | None = given.get("output")
        if self.output is not None:
            check(kind, format_of(self.output))
        self.console = Console(
            quiet=bool(given.get("quiet")),
            verbose=bool(given.get("verbose")),
            progress=not given.get("no_progress"),
        )
        self.timing = SystemTiming()
        self.readers: int = given.get("readers", READERS)
        self._settings: Settings | None = None
        self.stdout_closed = False

    @property
    def now(self) -> str:
        """The present in UTC, RFC 3339."""
        return rfc3339(self.timing.now())

    @property
    def named(self) -> bool:
        """True if the command line names a customer or an env file."""
        return bool(self._given.get("env_file") or self._given.get("customer"))

    @property
    def customers_dir(self) -> Path:
        """The folder with one env file per customer."""
        return self._given.get("customers_dir") or Path("customers")

    @property
    def settings(self) -> Settings:
        """The settings of the customer, loaded once. Raises UsageProblem, BadEnvFile."""
        if self._settings is None:
            self._settings = load_settings(
                env_file=self._given.get("env_file"),
                customer=self._given.get("customer"),
                customers_dir=self.customers_dir,
                environ=os.environ,
                cwd=Path.cwd(),
            )
            for warning in self._settings.warnings:
                self.console.say(f"Note: {warning}")
        return self._settings

    @contextmanager
    def tenant(self, *, workers: int = 0) -> Iterator[Tenant]:
        """Logged in to the customer. Raises the errors of a login."""
        tenant = Tenant(
            self.settings,
            self.timing,
            connections=self.readers + workers + 1,
            quota=self._given.get("quota", QUOTA) / 100,
            user_agent=f"falcon-bulk/{__version__}",
            say=self.console.say,
        )
        try:
            yield tenant
        finally:
            tenant.close()

    @contextmanager
    def watching(self, label: str) -> Iterator[Watch]:
        """Follow a reading with a bar, and say at its end what is to be said."""
        with self.console.bar(label) as move:
            watch = Watch(self.timing, progress=move)
            yield watch
        for note in watch.notes:
            self.console.say(f"Note: {note}")

    def state_folder(self) -> Path:
        """The folder of the journals, made if it is missing."""
        folder = state_dir(os.environ)
        prepare_state_dir(folder)
        return folder

    def selection(self, options: dict[str, Any], ids: tuple[str, ...] = ()) -> Selection:
        """The checked selection of a command's options. Raises UsageProblem."""
        now = self.timing.now()
        fql = options["fql"]
        if fql is not None and not fql.strip():
            raise UsageProblem("--filter is blank.", "Leave it out to select without a filter.")
        return Selection(
            filter=checked_filter(fql) if fql else "",
            hashes=tuple(dict.fromkeys(map(checked_hash, options["hashes"]))),
            severities=tuple(name.capitalize() for name in options["severities"]),
            products=tuple(checked_word(value, "product") for value in options["products"]),
            statuses=options["from_status"],
            host=checked_host(options["host"]) if options["host"] is not None else "",
            name=checked_name(options["name"]) if options["name"] is not None else "",
            since=instant(options["since"], "--since", now),
            until=instant(options["until"], "--until", now),
            visible_only=options["visible_only"],
            ids=ids,
        )

    # Output

    def publish(self, sheets: Callable[[], Iterable[Sheet]], document: Callable[[], dict[str, Any]]) -> None:
        """Write a result to stdout, and to the file of --output. JSON takes the document, the others the sheets."""

        def write(sink: Sink, fmt: Format) -> None:
            if fmt is Format.JSON:
                dump(document(), sink.binary)
            else:
                sink.render(sheets(), fmt)

        self.emit(write)

    def emit(self, write: Callable[[Sink, Format], None]) -> None:
        """Call `write` for the file of --output, if there is one, and for stdout."""
        if self.output is not None:
            with write_atomically(self.output) as file:
                write(Sink(file), format_of(self.output))
        self.to_stdout(lambda sink: write(sink, self.format))

    def to_stdout(self, write: Callable[[Sink], None]) -> None:
        """Write to stdout. A reader that went away ends the output and nothing else."""
        sink = Sink.stdout(color=wants_color(bool(self._given.get("no_color"))))
        self._given["stdout_begun"] = True
        try:
            write(sink)
            sink.binary.flush()
        except BrokenPipeError:
            self.stdout_closed = True
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

    def show(self, sheets: Iterable[Sheet]) -> None:
        """Show sheets as tables on stderr, where questions are asked; whether anybody reads it does not matter."""
        if self.console.quiet:
            return
        terminal = sys.stderr.isatty()
        with suppress(BrokenPipeError):
            render(
                sheets,
                Format.TABLE,
                sys.stderr,
                color=terminal and wants_color(bool(self._given.get("no_color"))),
                width=shutil.get_terminal_size().columns if terminal else None,
            )
            sys.stderr.flush()


def open_binary(path: Path) -> BinaryIO:
    """A file or, for `-`, standard input, as bytes. Raises UsageProblem."""
    if str(path) == "-":
        return sys.stdin.buffer
    try:
        return path.open("rb")
    except OSError as error:
        raise UsageProblem(f"{path} cannot be read: {error.strerror}.") from None
