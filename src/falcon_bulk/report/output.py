"""Bringing reports to where they go: standard output or a file."""

import codecs
import json
import os
import secrets
import shutil
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TextIO, cast

import msgspec

from falcon_bulk.errors import UsageProblem
from falcon_bulk.report import csv_writer as csvfile
from falcon_bulk.report import markdown
from falcon_bulk.report.formats import Format
from falcon_bulk.report.page import Page
from falcon_bulk.report.sheet import Sheet
from falcon_bulk.textsafe import safe_json


@dataclass(frozen=True)
class Sink:
    """Where data goes, as bytes (`binary`) or as text (`text()`), and what can be shown there.

    Without more it is a file or a pipe. width: the terminal's columns; None shows every value in full.
    """

    binary: BinaryIO
    terminal: bool = False
    color: bool = False
    width: int | None = None
    encoding: str = "utf-8"

    @classmethod
    def stdout(cls, *, color: bool = True) -> "Sink":
        """Standard output as it is now. color: whether colours are wanted, should it be a terminal."""
        binary = cast(BinaryIO, sys.stdout.buffer)
        if not sys.stdout.isatty():
            return cls(binary)
        width = shutil.get_terminal_size().columns
        return cls(binary, terminal=True, color=color, width=width, encoding=sys.stdout.encoding)

    @contextmanager
    def text(self) -> Iterator[TextIO]:
        """A text stream onto `binary`, flushed at the end; what its encoding lacks is shown escaped.

        Not an io.TextIOWrapper: where a reader went away, that cannot be detached and closes standard output.
        """
        yield cast(TextIO, codecs.getwriter(self.encoding)(self.binary, "backslashreplace"))
        self.binary.flush()

    def render(self, sheets: Iterable[Sheet], fmt: Format) -> None:
        """Write the sheets as table, markdown or csv."""
        with self.text() as stream:
            render(sheets, fmt, stream, color=self.color, width=self.width)

    def render_page(self, page: Page) -> None:
        """Write an HTML page."""
        from falcon_bulk.report import html_page as html

        with self.text() as stream:
            html.write(page, stream)


def render(sheets: Iterable[Sheet], fmt: Format, stream: TextIO, *, color: bool, width: int | None) -> None:
    """Write the sheets as table, markdown or csv. Raises ValueError for another format.

    color and width are for tables: see `table.write`.
    """
    match fmt:
        case Format.TABLE:
            # rich takes longer to load than the other formats take to write.
            from falcon_bulk.report import table

            table.write(sheets, stream, color=color, width=width)
        case Format.MARKDOWN:
            markdown.write(sheets, stream)
        case Format.CSV:
            csvfile.write(sheets, stream)
        case _:
            raise ValueError(f"sheets cannot be written as {fmt}")


def dump(document: dict[str, Any], stream: BinaryIO) -> None:
    """Write one JSON document, indented, in UTF-8; what is not seen is escaped, for terminals."""
    try:
        text = msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
    except UnicodeEncodeError:  # a lone surrogate: a file named on the command line in bytes that are no UTF-8
        text = json.dumps(document, ensure_ascii=False, indent=2)
    stream.write(safe_json(text).encode() + b"\n")


@contextmanager
def write_atomically(path: str | Path, mode: int = 0o644) -> Iterator[BinaryIO]:
    """A binary file that takes the place of `path` when the block ends well; else `path` stays as it was.

    It is written beside the target, synced and renamed; a link is followed and stays a link. The mode is
    narrowed by the umask and never wider than that of the file replaced. A device or a pipe is written to
    straight away.
    Raises UsageProblem if `path` is a folder or cannot be written to.
    """
    with _usage_problem_for(path):
        former = _stat(Path(path))
        if former and stat.S_ISDIR(former.st_mode):
            raise IsADirectoryError
    if former and not stat.S_ISREG(former.st_mode):
        with Path(path).open("wb") as straight:
            yield straight
        return

    target = Path(os.path.realpath(path))
    draft = _draft(target)
    if former:
        mode &= stat.S_IMODE(former.st_mode)
    with _usage_problem_for(path):
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def check_place(path: Path) -> None:
    """Raises UsageProblem now where `write_atomically` would do so when the work is done."""
    with _usage_problem_for(path):
        former = _stat(path)
        if former is None or stat.S_ISREG(former.st_mode):
            draft = _draft(Path(os.path.realpath(path)))
            os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            draft.unlink()


def _draft(target: Path) -> Path:
    return target.with_name(f".falcon-bulk-{secrets.token_hex(8)}.tmp")


def _stat(path: Path) -> os.stat_result | None:
    with suppress(FileNotFoundError):
        return path.stat()
    return None


def _sync_folder(folder: Path) -> None:
    # Some file systems and Windows cannot sync a folder; the file itself is safe by then.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _usage_problem_for(path: str | Path) -> Iterator[None]:
    try:
        yield
    except IsADirectoryError as error:
        raise UsageProblem(f"{str(path)!r} is a folder.", "Name a file in it.") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageProblem(
            f"Cannot write {str(path)!r}: {reason}.", "Name a file in a folder you can write to."
        ) from error
