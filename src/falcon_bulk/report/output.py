"""Writes sheets, pages and JSON documents to a stream."""

import codecs
import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, TextIO, cast

import msgspec

from falcon_bulk.report import csv_writer, markdown
from falcon_bulk.report.formats import Format
from falcon_bulk.report.page import Page
from falcon_bulk.report.sheet import Sheet
from falcon_bulk.textsafe import safe_json

_PLACE = os.urandom(16).hex()
"""Stands where an iterator is to be written. Random, so that no text from elsewhere can be it."""


@dataclass(frozen=True)
class Sink:
    """A stream for data, as bytes (`binary`) or as text (`text()`); by default a file or a pipe.

    width: the terminal's columns; None shows every value in full. links: whether the terminal has OSC 8 links.
    excel: whether CSV begins with a byte order mark.
    """

    binary: BinaryIO
    terminal: bool = False
    color: bool = False
    width: int | None = None
    links: bool = False
    encoding: str = "utf-8"
    excel: bool = False

    @classmethod
    def stdout(cls, *, color: bool = True, links: bool = False, excel: bool = False) -> "Sink":
        """Return standard output as it is now. color, links: whether to use them on a terminal. excel: as above."""
        binary = cast(BinaryIO, sys.stdout.buffer)
        if not sys.stdout.isatty():
            return cls(binary, excel=excel)
        width = shutil.get_terminal_size().columns
        return cls(binary, terminal=True, color=color, width=width, links=links, encoding=sys.stdout.encoding)

    @contextmanager
    def text(self) -> Iterator[TextIO]:
        """Yield a text stream onto `binary`, flushed at the end; characters its encoding lacks are escaped.

        Not an io.TextIOWrapper: after a broken pipe that cannot be detached, and it closes standard output.
        """
        yield cast(TextIO, codecs.getwriter(self.encoding)(self.binary, "backslashreplace"))
        self.binary.flush()

    def render(self, sheets: Iterable[Sheet], fmt: Format) -> None:
        """Write the sheets as table, markdown or csv."""
        if fmt is Format.CSV and self.excel:
            self.binary.write(codecs.BOM_UTF8)
        with self.text() as stream:
            render(sheets, fmt, stream, color=self.color, width=self.width, links=self.links)

    def render_page(self, page: Page) -> None:
        """Write an HTML page."""
        from falcon_bulk.report import html_page

        with self.text() as stream:
            html_page.write(page, stream)


def render(
    sheets: Iterable[Sheet], fmt: Format, stream: TextIO, *, color: bool, width: int | None, links: bool = False
) -> None:
    """Write the sheets as table, markdown or csv. Raises ValueError for another format.

    color, width and links are for tables on a terminal; without a width a table is complete and plain.
    """
    match fmt:
        case Format.TABLE:
            # rich takes longer to load than the other formats take to write.
            if width is None:
                from falcon_bulk.report import table

                table.write(sheets, stream)
            else:
                from falcon_bulk.report import terminal_table

                terminal_table.write(sheets, terminal_table.Terminal(stream, max(1, width), color, links))
        case Format.MARKDOWN:
            markdown.write(sheets, stream)
        case Format.CSV:
            csv_writer.write(sheets, stream)
        case _:
            raise ValueError(f"sheets cannot be written as {fmt}")


def dump(document: object, stream: BinaryIO) -> None:
    """Write a struct or a dict as one JSON document, indented, in UTF-8. Invisible characters are escaped.

    An iterator in it is written as a list, item by item, so that what does not fit into memory can be written.
    """
    for part in _indented(document, "\n"):
        stream.write(part.encode())
    stream.write(b"\n")


def _indented(document: object, line_break: str) -> Iterator[str]:
    """Yield the parts of a document's text. line_break: what begins a line, with the margin of the document."""
    iterators: list[Iterator[object]] = []

    def hold(value: object) -> str:
        if not isinstance(value, Iterator):
            raise TypeError(f"{type(value).__name__} cannot be written as JSON")
        iterators.append(value)
        return _PLACE

    try:
        text = msgspec.json.format(safe_json(msgspec.json.encode(document, enc_hook=hold).decode()), indent=2)
    except UnicodeEncodeError:  # a lone surrogate: a file named on the command line in bytes that are no UTF-8
        iterators.clear()
        text = safe_json(json.dumps(msgspec.to_builtins(document, enc_hook=hold), ensure_ascii=False, indent=2))
    before, *others = text.replace("\n", line_break).split(f'"{_PLACE}"')
    yield before
    for items, after in zip(iterators, others, strict=True):
        last_line = before.rpartition("\n")[2]
        outer = "\n" + last_line[: len(last_line) - len(last_line.lstrip())]
        inner = f"{outer}  "
        separator, end = "[", "[]"
        for item in items:
            yield separator + inner
            yield from _indented(item, inner)
            separator, end = ",", f"{outer}]"
        yield end + after
        before = after


def dump_line(document: object, stream: BinaryIO) -> None:
    """Write a struct or a dict as JSON on one line; invisible characters are escaped."""
    stream.write(safe_json(msgspec.json.encode(document).decode()).encode() + b"\n")
