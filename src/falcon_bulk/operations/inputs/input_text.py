"""Read a file that lists hashes or ids as text, from its start as often as needed and never as a whole."""

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from io import TextIOWrapper
from tempfile import SpooledTemporaryFile
from typing import IO, BinaryIO

from falcon_bulk.errors import UsageProblem

MAX_BYTES = 2**30
_IN_MEMORY = 4 * 2**20
"""A larger copy is on disk."""
_PART = 2**20
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")
_ZIP = b"PK\x03\x04"
# What web pages and chats leave around a copied value: blanks that are not seen. They may stand between two values.
_INVISIBLE = dict.fromkeys(map(ord, "\u00a0\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"), " ")


def copy_of(stream: BinaryIO, name: str) -> IO[bytes]:
    """Return a temporary copy of what a file, a pipe or a terminal gives, which can be sought in and does not change.

    The caller closes it. Raises UsageProblem if there is more than MAX_BYTES, OSError if it cannot be read or written.
    """
    copy = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - returned open
    size = 0
    while part := stream.read(_PART):
        size += len(part)
        if size > MAX_BYTES:
            copy.close()
            raise UsageProblem(f"{name} is larger than {MAX_BYTES // 2**20:,} MiB.", "Split it into several files.")
        copy.write(part)
    return copy


class InputText:
    """The text of a file.

    file: open for reading, can be sought in. name: of the file, for messages. what: the items it lists, for the hint.
    Raises UsageProblem unless it is text: UTF-8, UTF-16, or Windows-1252, as Excel saves CSV.
    """

    def __init__(self, file: IO[bytes], name: str, what: str) -> None:
        self.name = name
        self._file = file
        file.seek(0)
        head = file.read(200)
        self._encoding, self._errors = _encoding_of(head), "strict"
        try:
            has_nul = self._has_nul()
        except UnicodeError:
            # Another code page of Windows: the values are ASCII in all of them.
            self._encoding, self._errors = "cp1252", "replace"
            has_nul = self._has_nul() or _encoding_of(head) != "utf-8-sig"
        if has_nul or head.startswith(_ZIP):
            hint = "Save the sheet as CSV." if head.startswith(_ZIP) else f"List {what} as text, CSV or JSON."
            raise UsageProblem(f"{name} is not a text file in UTF-8.", hint)
        if self.first_line.startswith("<"):
            raise UsageProblem(f"{name} is XML or HTML.", f"List {what} as text, CSV or JSON.")

    def lines(self) -> Iterator[str]:
        """Yield the lines without line ends; invisible blanks are plain ones."""
        with self.reader() as reader:
            for line in reader:
                yield line.rstrip("\n") if line.isascii() else line.rstrip("\n").translate(_INVISIBLE)

    @contextmanager
    def reader(self) -> Iterator[TextIOWrapper]:
        """Yield a text stream from the start of the file. One at a time: they share the file."""
        self._file.seek(0)
        reader = TextIOWrapper(self._file, encoding=self._encoding, errors=self._errors)
        try:
            yield reader
        finally:
            if not self._file.closed:
                reader.detach()  # or it would close the file

    @property
    def first_line(self) -> str:
        """The first line that is not blank, or its beginning, without blanks around it; '' if there is none."""
        with self.reader() as reader:
            while line := reader.readline(_PART):
                if line.strip():
                    return line.strip()
        return ""

    def _has_nul(self) -> bool:
        with self.reader() as reader:
            while part := reader.read(_PART):
                if "\0" in part:
                    return True
        return False


def _encoding_of(head: bytes) -> str:
    if head.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return "utf-16"
    if b"\0" in head:
        return "utf-16-le" if not any(head[1::2]) else "utf-16-be"
    return "utf-8-sig"


@lru_cache(4096)
def normalized(name: str) -> str:
    """Return a column, key or label in lower case without blanks and punctuation: `SHA-256 Hash` is `sha256hash`."""
    return _NOT_ALPHANUMERIC.sub("", name.lower())


def uncommented(line: str) -> str:
    """Return a line of text without its comment and without blanks around it."""
    return line.partition("#")[0].strip()
