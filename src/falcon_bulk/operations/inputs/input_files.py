"""A list that is given as a file: its text, its lines, and its JSON."""

import json
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from typing import Any

from falcon_bulk.errors import UsageProblem


def decode_text(data: bytes, name: str, what: str) -> str:
    """The file's text, without a byte order mark. what: that which it lists, in the plural.

    Raises UsageProblem if it is neither UTF-8 nor marked as UTF-16, in which Windows PowerShell's `>` writes.
    """
    try:
        return data.decode("utf-16" if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig")
    except UnicodeDecodeError:
        raise UsageProblem(f"{name} is not a text file in UTF-8.", f"It holds {what} as text, CSV or JSON.") from None


def split_lines(content: str) -> list[str]:
    """The lines as an editor counts them: not `str.splitlines`, which also parts them at U+2028 and form feeds."""
    return content.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def is_json(content: str) -> bool:
    """True if the file is meant to be JSON."""
    return content.lstrip().startswith(("[", "{"))


def parse_json(content: str, name: str) -> list[tuple[int, Any]]:
    """The documents with their lines: one of line 0 for the whole file, or one a line. Raises UsageProblem."""
    try:
        return [(0, json.loads(content))]
    except (ValueError, RecursionError) as error:
        documents: list[tuple[int, Any]] = []
        for number, line in enumerate(split_lines(content), 1):
            try:
                documents += [(number, json.loads(line))] if line.strip() else []
            except (ValueError, RecursionError) as error_of_line:
                if documents:  # lines before it were whole: a document a line is what it is meant to be
                    raise UsageProblem(f"Line {number} of {name} is not valid JSON: {error_of_line}.") from None
                raise UsageProblem(f"{name} is not valid JSON: {error}.") from None
        return documents
