"""Read a file of JSON: one document, JSON lines, or documents one after another as jq writes them."""

import json
import re
from collections.abc import Iterator
from io import TextIOWrapper
from itertools import islice
from json import JSONDecodeError, JSONDecoder
from typing import Any, NamedTuple, NoReturn

import msgspec

from falcon_bulk.errors import UsageProblem
from falcon_bulk.operations.inputs.input_text import InputText

ENVELOPES = frozenset(
    {
        "resources", "results", "result", "body", "data", "items", "alerts", "hits", "_source", "event", "events",
        "rows", "indicators", "iocs", "objects", "response", "Event", "Attribute", "Object", "value",
    }
)  # fmt: skip
"""Keys of what wraps a list of objects, by tool; nothing below another key is looked at."""
_PART = 2**18
_START = re.compile(r"\{|\[\s*(?:$|[\[{\"\]]|(?:-?[\d.]+|true|false|null)\s*(?:[,\]]|$))")
_BLANKS = re.compile(r"[ \t\r\n\x1e]*")
_BETWEEN = " \t\r\n\x1e{["
"""What may follow a document directly: a blank, or the next one."""
_decode_at = JSONDecoder().raw_decode
_decode_line = msgspec.json.Decoder().decode


class JsonValue(NamedTuple):
    """A document, or an item of a document that is a list. number: its line or, with is_item, its place in the list."""

    number: int
    is_item: bool
    value: Any


def is_json(text: InputText) -> bool:
    """Return whether the text looks like JSON; a heading in brackets or a link of Markdown does not."""
    return _START.match(text.first_line) is not None


def json_values(text: InputText) -> Iterator[JsonValue]:
    """Yield the documents of a file one by one, and those that are lists item by item, without holding them all.

    Raises UsageProblem, with the line, where it is no JSON.
    """
    if _is_document(text.first_line):
        yield from _values_of_lines(text)
        return
    with text.reader() as stream:
        documents = _Documents(stream, text.name)
        while documents.skip_blanks():
            number = documents.line
            if documents.skip("["):
                yield from (JsonValue(place, True, item) for place, item in enumerate(documents.items(), 1))
            else:
                yield JsonValue(number, False, documents.take())
            documents.taken += 1


def _is_document(line: str) -> bool:
    try:
        _decode_line(line)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return False
    return True


def _values_of_lines(text: InputText) -> Iterator[JsonValue]:
    filled = filter(None, map(str.strip, text.lines()))
    is_one_document = len(list(islice(filled, 2))) == 1
    for number, line in enumerate(text.lines(), 1):
        if not line or line.isspace():
            continue
        try:
            document = _decode_line(line)
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            document = _decoded_by_standard_library(line, number, text.name)
        if isinstance(document, list):
            for place, item in enumerate(document, 1):
                yield JsonValue(place if is_one_document else number, is_one_document, item)
        else:
            yield JsonValue(number, False, document)


def _decoded_by_standard_library(line: str, number: int, name: str) -> Any:
    """Return the document of a line, which may have NaN or half a surrogate pair, as other tools write them."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UsageProblem(f"Line {number} of {name} is not valid JSON: {error}.") from None


class _Documents:
    """The documents in a stream, of which only a part is held.

    line: that of the next value. taken: how many documents were taken as a whole.
    """

    def __init__(self, stream: TextIOWrapper, name: str) -> None:
        self.line = 1
        self.taken = 0
        self._stream = stream
        self._name = name
        self._buffer = ""
        self._at = 0
        self._passed = 0
        """Characters of the line that stood before the buffer."""

    def skip_blanks(self) -> bool:
        """Skip blanks; return whether anything follows."""
        while True:
            self._move_to(_BLANKS.match(self._buffer, self._at).end())  # type: ignore[union-attr] # matches always
            if self._at < len(self._buffer):
                return True
            if not self._read_more():
                return False

    def skip(self, character: str) -> bool:
        """Skip a character if it is next; return whether it was."""
        found = self._buffer.startswith(character, self._at)
        self._at += found
        return found

    def items(self) -> Iterator[Any]:
        """Yield the items of a list whose bracket was skipped."""
        if self.skip_blanks() and self.skip("]"):
            return
        while True:
            yield self.take(inside=True)
            if not self.skip(",") and self.skip_blanks() and not self.skip(","):
                if self.skip("]"):
                    return
                self._refuse("Expecting ',' delimiter", self._at)
            self.skip_blanks()

    def take(self, *, inside: bool = False) -> Any:
        """Return the next value. inside: whether it is in a list, so that something has to follow."""
        while True:
            try:
                value, end = _decode_at(self._buffer, self._at)
            except (JSONDecodeError, RecursionError) as error:
                if not self._read_more():
                    self._refuse(getattr(error, "msg", str(error)), getattr(error, "pos", self._at))
                continue
            # A number at the end of what is held may go on.
            if end == len(self._buffer) and self._read_more():
                continue
            if inside and end == len(self._buffer):
                self._refuse("Expecting ',' delimiter", end)
            if not inside and self._buffer[end : end + 1] not in ("", *_BETWEEN):
                self._refuse("Extra data", end)
            self._move_to(end)
            return value

    def _move_to(self, end: int) -> None:
        self.line += self._buffer.count("\n", self._at, end)
        self._at = end

    def _read_more(self) -> bool:
        """Read as much again as is held, so that a large value is not tried often; return whether there was more."""
        passed, kept = self._buffer[: self._at], self._buffer[self._at :]
        more = self._stream.read(max(_PART, len(kept)))
        if not more:
            return False
        self._passed = len(passed) - passed.rfind("\n") - 1 + (0 if "\n" in passed else self._passed)
        self._buffer, self._at = kept + more, 0
        return True

    def _refuse(self, reason: str, position: int) -> NoReturn:
        before = self._buffer[:position]
        line = self.line + before.count("\n", self._at)
        column = len(before) - before.rfind("\n") + (0 if "\n" in before else self._passed)
        where = f"Line {line} of {self._name}" if self.taken else self._name
        raise UsageProblem(f"{where} is not valid JSON: {reason}: line {line} column {column}.")
