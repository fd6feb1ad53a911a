"""The structure of Markdown, HTML and CSV as a parser sees it, without the text."""

import csv
import io
import unicodedata
from collections.abc import Iterator
from html.parser import HTMLParser

from markdown_it import MarkdownIt
from markdown_it.token import Token

UNSEEN = {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"}
BLANK_LETTERS = set("\u034f\u115f\u1160\u3164\uffa0\ufe0f\U000e0100")
FORMULA_STARTS = ("=", "+", "-", "@")


def unseen(text: str) -> set[str]:
    """Return the characters that are invisible or move the cursor, except line feeds."""
    found = {char for char in text if unicodedata.category(char) in UNSEEN or char in BLANK_LETTERS}
    return {f"U+{ord(char):04X}" for char in found - {"\n"}}


def formulas(text: str) -> list[str]:
    """Return the cells of a CSV that a spreadsheet would take for formulas."""
    cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    return [cell for cell in cells if unicodedata.normalize("NFKC", cell.lstrip()[:1]) in FORMULA_STARTS]


def csv_shape(text: str) -> list[int]:
    """Return the number of cells of each row."""
    return [len(row) for row in csv.reader(io.StringIO(text, newline=""))]


def markdown_shape(text: str) -> list[str]:
    """Return every token except plain text, as parsed by two dialects of Markdown."""

    def flat(tokens: list[Token]) -> Iterator[Token]:
        for token in tokens:
            yield token
            yield from flat(token.children or [])

    shapes = [flat(MarkdownIt(kind, {"linkify": False}).parse(text)) for kind in ("gfm-like", "commonmark")]
    return [token.type for shape in shapes for token in shape if not token.type.startswith("text")]


def html_shape(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return every tag with the names of its attributes."""
    parser = _Tags()
    parser.feed(text)
    parser.close()
    return parser.tags


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.tags.append((f"/{tag}", ()))

    def handle_comment(self, data: str) -> None:
        self.tags.append(("!--", ()))
