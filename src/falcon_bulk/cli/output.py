"""Where a command's result goes: to standard output, and to the file or the folder of --output."""

import os
import shutil
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from copy import copy
from pathlib import Path
from typing import Any

from falcon_bulk.cli.command_line import CommandLine
from falcon_bulk.cli.console import wants_color
from falcon_bulk.errors import UsageProblem
from falcon_bulk.report.formats import SUFFIXES, Format, check, format_of
from falcon_bulk.report.output import Sink, check_place, dump, render, write_atomically
from falcon_bulk.report.page import Page
from falcon_bulk.report.sheet import Sheet

Write = Callable[[Sink, Format], None]


class Output:
    """What --format, --output, --output-format and --no-color come to. kind: which formats the command has.

    path is None without --output. Raises UsageProblem for what cannot be had or written.
    """

    def __init__(self, line: CommandLine, kind: str) -> None:
        self._line = line
        self._color = wants_color(line.options.no_color)
        self.format = Format(line.options.format or Format.TABLE)
        check(kind, self.format)
        self.path: Path | None = None
        self.is_folder = False
        self._file_format = Format(line.options.output_format or Format.MARKDOWN)
        if line.options.output is not None:
            self._find_place(line.options.output, kind)
        elif line.options.output_format:
            raise UsageProblem("--output-format goes with -o DIR.", "Name the folder for the files.")

    def _find_place(self, named: str, kind: str) -> None:
        if not named:
            raise UsageProblem("--output is blank.", "Name a file or a folder.")
        path = Path(named)
        self.is_folder = path.is_dir() or named.endswith(("/", os.sep))
        if not self.is_folder:
            if self._line.options.output_format:
                raise UsageProblem("--output-format goes with -o DIR.", "A file's suffix is its format.")
            self._file_format = format_of(path)
        check(kind, self._file_format)
        if not self.is_folder:
            check_place(path)
        self.path = path

    @property
    def formats(self) -> frozenset[Format]:
        """Those of standard output and of the file."""
        return frozenset({self.format} if self.path is None else {self.format, self._file_format})

    def in_folder_only(self) -> "Output":
        """The same, without the file if --output names one: it is not for a single customer of a round."""
        one = copy(self)
        one.path = self.path if self.is_folder else None
        return one

    def to_file(self, write: Write, name: Callable[[], str]) -> Path | None:
        """Write the file, if there is one, and return it. name: gives what it is called in a folder, without suffix."""
        if self.path is None:
            return None
        path = self.path
        if self.is_folder:
            path.mkdir(parents=True, exist_ok=True)
            path = path / f"{name()}{SUFFIXES[self._file_format]}"
        with write_atomically(path) as file:
            write(Sink(file), self._file_format)
        return path

    def to_stdout(self, write: Write) -> None:
        """Write to stdout. A reader that went away ends the output and nothing else."""
        sink = Sink.stdout(color=self._color)
        self._line.stdout_begun = True
        try:
            write(sink, self.format)
            sink.binary.flush()
        except BrokenPipeError:
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

    def to_stderr(self, sheets: Iterable[Sheet]) -> None:
        """Show sheets as tables where questions are asked; whether anybody reads it does not matter."""
        terminal = sys.stderr.isatty()
        with suppress(BrokenPipeError):
            render(
                sheets,
                Format.TABLE,
                sys.stderr,
                color=terminal and self._color,
                width=shutil.get_terminal_size().columns if terminal else None,
            )
            sys.stderr.flush()


def writer(
    sheets: Callable[[], Iterable[Sheet]], document: Callable[[], dict[str, Any]], page: Callable[[], Page]
) -> Write:
    """Writes a result in any format: JSON takes the document, HTML the page, the others the sheets."""

    def write(sink: Sink, fmt: Format) -> None:
        if fmt is Format.JSON:
            dump(document(), sink.binary)
        elif fmt is Format.HTML:
            sink.render_page(page())
        else:
            sink.render(sheets(), fmt)

    return write
