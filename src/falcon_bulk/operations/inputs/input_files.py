"""Decode and parse a file that lists hashes or ids: its text, lines and JSON."""

import json
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from typing import Any

from falcon_bulk.errors import UsageProblem


def decode_text(data: bytes, name: str, what: str) -> str:
    """Return a file's text without a byte order mark. name: of the file; what: the items it should list, for the hint.

    Raises UsageProblem if it is neither UTF-8 nor UTF-16 with a mark, which Windows PowerShell's `>` writes.
    """
    try:
        return data.decode("utf-16" if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig")
    except UnicodeDecodeError:
        raise UsageProblem(f"{name} is not a text file in UTF-8.", f"List {what} as text, CSV or JSON.") from None


def split_lines(content: str) -> list[str]:
    """Return the lines as an editor counts them; `str.splitlines` also splits at U+2028 and form feeds."""
    return content.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def is_json(content: str) -> bool:
    """Whether the content looks like JSON."""
    return content.lstrip().startswith(("[", "{"))


def parse_json(content: str, name: str) -> list[tuple[int, Any]]:
    """Return the documents, each with its line: 0 for a file that is one document.

    Raises UsageProblem if it is neither JSON nor JSON lines.
    """
    try:
        return [(0, json.loads(content))]
    except (ValueError, RecursionError) as error:
        documents: list[tuple[int, Any]] = []
        for number, line in enumerate(split_lines(content), 1):
            try:
                documents += [(number, json.loads(line))] if line.strip() else []
            except (ValueError, RecursionError) as line_error:
                if documents:  # the lines before were valid: the file is meant as JSON lines
                    raise UsageProblem(f"Line {number} of {name} is not valid JSON: {line_error}.") from None
                raise UsageProblem(f"{name} is not valid JSON: {error}.") from None
        return documents
