"""The report of doctor: the checks, and the same to paste into a bug report."""

import re
from collections.abc import Mapping, Sequence

import msgspec

from falcon_bulk.model.doctor import Check, CheckStatus, DoctorReport
from falcon_bulk.report.formats import Format
from falcon_bulk.report.output import Sink
from falcon_bulk.report.report import Report
from falcon_bulk.report.sheet import Column, Sheet

_ID = re.compile(r"\b([0-9a-f]{4})[0-9a-f]{28}\b")  # a CID or a client id, also one that the settings do not name
_COLUMNS = (
    Column("check", min_width=13),
    Column("result", min_width=7),
    Column("what", wrap=True, min_width=30),
    Column("hint", wrap=True, drop_order=1, min_width=20),
)
PASTE = "For a bug report, paste this; no secret, customer, CID or user name is in it:"


class CheckDocument(msgspec.Struct, frozen=True):
    """A check, in JSON."""

    name: str
    status: CheckStatus
    what: str
    hint: str


class DoctorDocument(msgspec.Struct, frozen=True, tag_field="schema", tag="falcon-bulk/doctor/1"):
    """`falcon-bulk/doctor/1`."""

    generated_at: str
    exit_code: int
    checks: tuple[CheckDocument, ...]


def doctor_report(examination: DoctorReport, names: Mapping[str, str]) -> Report:
    """Return the report: a table with a block to paste into a bug report below it; in Markdown only that block.

    names: what not to paste, with its replacement.
    """

    def write_block(sink: Sink) -> None:
        title = f"falcon-bulk doctor, {examination.generated_at}"
        sink.render([_sheet(title, [_unnamed(check, names) for check in examination.checks])], Format.MARKDOWN)

    def write_table(sink: Sink) -> None:
        sink.render([_sheet("", examination.checks)], Format.TABLE)
        with sink.text() as stream:
            stream.write(f"\n{PASTE}\n\n")
        write_block(sink)

    return Report(
        lambda: [_sheet("", examination.checks)],
        lambda: doctor_document(examination),
        writers={Format.TABLE: write_table, Format.MARKDOWN: write_block},
        exit_code=examination.exit_code,
    )


def doctor_document(examination: DoctorReport) -> DoctorDocument:
    """Return the document of a self-check."""
    checks = tuple(CheckDocument(check.name, check.status, check.what, check.hint) for check in examination.checks)
    return DoctorDocument(examination.generated_at, int(examination.exit_code), checks)


def _sheet(title: str, checks: Sequence[Check]) -> Sheet:
    return Sheet(title, _COLUMNS, [(check.name, str(check.status), check.what, check.hint) for check in checks])


def _unnamed(check: Check, names: Mapping[str, str]) -> Check:
    return msgspec.structs.replace(check, what=_without(check.what, names), hint=_without(check.hint, names))


def _without(text: str, names: Mapping[str, str]) -> str:
    """Replace the names as whole words, since a customer may be called `a`; the longest first."""
    text = _ID.sub(r"\1…", text)
    known = sorted((name for name in names if len(name) > 1), key=len, reverse=True)
    if not known:
        return text
    pattern = "|".join(map(re.escape, known))
    return re.sub(rf"(?<![A-Za-z0-9_-])(?:{pattern})(?![A-Za-z0-9_-])", lambda found: names[found[0]], text)
