"""Where a command's result goes: standard output, and the file or the folder of --output."""

import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from errno import EIO
from functools import partial
from pathlib import Path
from typing import TextIO

from falcon_bulk.atomic_file import check_writable, write_atomically
from falcon_bulk.cli.command_line import CommandLine, SharedOptions
from falcon_bulk.cli.console import has_links, wants_color
from falcon_bulk.cli.pager import paged, pager_command
from falcon_bulk.cli.user_config import user_config
from falcon_bulk.errors import UsageProblem
from falcon_bulk.report.existing_file import may_be_report
from falcon_bulk.report.formats import FOLDER_FORMATS, SUFFIXES, Format, check, format_of
from falcon_bulk.report.output import Sink, render
from falcon_bulk.report.preview import Screen
from falcon_bulk.report.report import Report
from falcon_bulk.report.sheet import Cell, Sheet

PAGED = frozenset(
    {
        *("query", "hash-summary", "summary", "overview", "report", "runs", "rules", "rules-report", "selections"),
        "customers",
    }
)
"""Kinds of report that go through the pager: only looking, and never the preview or the result of a change."""
ASKING = frozenset({"customers-add"})
"""Commands with such a report that ask for input."""


@dataclass(frozen=True)
class Output:
    """Where results go. path: the file of --output or, with is_folder, the folder for files; None without it.

    excel: whether CSV begins with a byte order mark. pager: the command line that shows long results; () for none.
    """

    line: CommandLine
    format: Format
    path: Path | None
    is_folder: bool
    file_format: Format
    color: bool
    excel: bool = False
    pager: tuple[str, ...] = ()

    @property
    def formats(self) -> frozenset[Format]:
        """The formats of standard output and of the file."""
        return frozenset({self.format} if self.path is None else {self.format, self.file_format})

    def folder_only(self) -> "Output":
        """Return the same without a file, for one of several customers: only a folder has room for its file."""
        return self if self.is_folder else replace(self, path=None)

    def to_file(self, report: Report, signature: Mapping[str, Cell], name: Callable[[], str]) -> Path | None:
        """Write the file, if there is one, and return it. name: returns its stem in a folder."""
        if self.path is None:
            return None
        path = self.path
        if self.is_folder:
            path.mkdir(parents=True, exist_ok=True)
            path = path / f"{name()}{SUFFIXES[self.file_format]}"
        with write_atomically(path, may_replace=partial(may_be_report, self.file_format)) as file:
            report.write(Sink(file, excel=self.excel), self.file_format, signature)
        return path

    def to_stdout(
        self, report: Report, signature: Mapping[str, Cell], alone: Callable[[], AbstractContextManager[None]]
    ) -> None:
        """Write to stdout. A broken pipe or a terminal that is gone ends the output and nothing else.

        alone: keeps the progress line away. On a terminal a report is held until it is whole, since it may be read
        from Falcon while it is written.
        """
        sink = Sink.stdout(color=self.color, links=self.color and has_links(os.environ), excel=self.excel)
        self.line.stdout_begun = True
        try:
            if sink.terminal:
                with paged(sink.binary, self.pager, alone) as held:
                    report.write(replace(sink, binary=held), self.format, signature)
            else:
                report.write(sink, self.format, signature)
                sink.binary.flush()
        except OSError as error:
            if not _is_reader_gone(error):
                raise
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

    def screen(self, stream: TextIO) -> Screen | None:
        """Return the size of the terminal that a stream is, None for a pipe."""
        if not stream.isatty():
            return None
        return Screen(*shutil.get_terminal_size())

    def to_stderr(self, sheets: Iterable[Sheet]) -> None:
        """Show sheets as tables on stderr, beside prompts."""
        terminal = sys.stderr.isatty()
        render(
            sheets,
            Format.TABLE,
            sys.stderr,
            color=terminal and self.color,
            width=shutil.get_terminal_size().columns if terminal else None,
        )
        sys.stderr.flush()


def open_output(line: CommandLine, kind: str) -> Output:
    """Check the options of output. kind: of report, which decides the formats it can be had in.

    Raises UsageProblem for a format that this report does not have, or a file that cannot be written.
    """
    options = line.options
    fmt = Format(options.format or Format.TABLE)
    check(kind, fmt)
    if options.output is None:
        if options.output_format:
            raise UsageProblem("--output-format goes with -o DIR.", "Name the folder for the files.")
        path, is_folder, file_format = None, False, fmt
    else:
        path, is_folder, file_format = _place(options.output, options, FOLDER_FORMATS.get(kind, Format.MARKDOWN))
        check(kind, file_format)
        if not is_folder:
            check_writable(path, may_replace=partial(may_be_report, file_format))
    is_paged = kind in PAGED and line.command not in ASKING and not options.no_pager
    pager = pager_command(os.environ, user_config().defaults.pager) if is_paged else ()
    output = Output(line, fmt, path, is_folder, file_format, wants_color(options.no_color), options.excel, pager)
    if output.excel and Format.CSV not in output.formats:
        raise UsageProblem("--excel goes with CSV.", "Add --format csv, or -o FILE.csv.")
    return output


@contextmanager
def collect_write_failures(failures: list[OSError]) -> Iterator[None]:
    """Add to `failures`, instead of raising it, why the block could not write. What reading raises passes."""
    try:
        yield
    except OSError as error:
        failures.append(error)
    except UsageProblem as error:
        if not isinstance(error.__cause__, OSError):
            raise
        failures.append(error.__cause__)


def _place(output: str, options: SharedOptions, usual: Format) -> tuple[Path, bool, Format]:
    """Return the path of --output, whether it is a folder, and the format of files there. usual: that in a folder."""
    if not output:
        raise UsageProblem("--output is blank.", "Name a file or a folder.")
    path = Path(output)
    if path.is_dir() or output.endswith(("/", os.sep)):
        return path, True, Format(options.output_format or usual)
    if options.output_format:
        raise UsageProblem("--output-format goes with -o DIR.", "A file's suffix is its format.")
    return path, False, format_of(path)


def _is_reader_gone(error: OSError) -> bool:
    """Return whether nobody reads standard output any more: the pipe is broken, or the terminal is closed."""
    return isinstance(error, BrokenPipeError) or (error.errno == EIO and stat.S_ISCHR(os.fstat(1).st_mode))
