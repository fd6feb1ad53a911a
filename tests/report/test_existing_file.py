"""Which files that exist a new report may replace."""

import pytest

from falcon_bulk.report.existing_file import may_be_report
from falcon_bulk.report.formats import Format

ENV = b"# acme\n\nexport FALCON_CLIENT_ID=abc\nFALCON_CLIENT_SECRET='def'\n"
PLAN = b'{"line":"plan","schema":"falcon-bulk/plan/2","plan":{}}\n'
JOURNAL = b"SQLite format 3\0\x10\0"
KEY = b"-----BEGIN OPENSSH PRIVATE KEY-----\n"
SCRIPT = b"#!/bin/sh\nfalcon-bulk query\n"


@pytest.mark.parametrize("fmt", Format)
@pytest.mark.parametrize("content", [ENV, b"\xef\xbb\xbf" + ENV, PLAN, JOURNAL, KEY, SCRIPT])
def test_what_is_no_report_is_not_replaced(fmt: Format, content: bytes) -> None:
    assert not may_be_report(fmt, content)


@pytest.mark.parametrize(
    ("fmt", "content"),
    [
        (Format.JSON, b'{"name": "my-package", "version": "1.0.0"}'),
        (Format.JSON, b"notes"),
        (Format.JSONL, b"notes"),
        (Format.HTML, b"<!doctype html><title>My page</title>"),
        (Format.MARKDOWN, b"# My notes\n"),
        (Format.MARKDOWN, b"Dear all,\n"),
    ],
)
def test_what_somebody_else_wrote_in_such_a_format_is_not_replaced(fmt: Format, content: bytes) -> None:
    assert not may_be_report(fmt, content)


@pytest.mark.parametrize("fmt", Format)
def test_a_number_alone_is_that_of_a_count(fmt: Format) -> None:
    assert may_be_report(fmt, b"4711\n")
