"""Tells whether an existing file may be an earlier report, so that a new one may replace it."""

import re
from codecs import BOM_UTF8

from falcon_bulk.report.formats import Format

# What no report begins with: a script, a key, a plan; after comments, the first setting of an env file.
_OTHER_START = re.compile(rb'#!|-----BEGIN |\{"line":"plan"')
_ENV_START = re.compile(rb"(?:[ \t]*(?:#[^\r\n]*)?[\r\n]+)*[ \t]*(?:export[ \t]+)?[A-Za-z_][A-Za-z0-9_]*[ \t]*=")
_NUMBER = re.compile(rb"\s*[0-9]+\s*")
_MARKDOWN_START = re.compile(rb"## |\| |- ")
_JSON_LIST_START = re.compile(rb"\[\s*(?:\{|\])")
_JSON_MARKS = (b'"falcon-bulk/', b'"composite_id"', b'"alerts"')


def may_be_report(fmt: Format, head: bytes) -> bool:
    """Return whether a file that begins with these bytes may be a report in this format.

    JSON and HTML name falcon-bulk or have the fields of alerts, Markdown begins as a report does. CSV and text have no
    mark of ours: there it is refused what is recognised as something else.
    """
    head = head.removeprefix(BOM_UTF8)
    if _OTHER_START.match(head) or b"\0" in head:
        return False
    if _NUMBER.fullmatch(head):  # query --count, the same in every format
        return True
    match fmt:
        case Format.JSON:
            return _JSON_LIST_START.match(head) is not None or any(mark in head for mark in _JSON_MARKS)
        case Format.JSONL:
            return head.startswith(b"{")
        case Format.HTML:
            return b'<meta name="generator" content="falcon-bulk">' in head
        case Format.MARKDOWN:
            return _MARKDOWN_START.match(head) is not None
        case _:
            return _ENV_START.match(head) is None
