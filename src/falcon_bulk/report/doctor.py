"""The report of doctor: the checks, and the same to paste into a bug report."""

import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

import msgspec

from falcon_bulk.model.doctor import Check, CheckStatus, DoctorReport, Finding
from falcon_bulk.report.formats import Format
from falcon_bulk.report.output import Sink
from falcon_bulk.report.report import Report
from falcon_bulk.report.sheet import Column, Sheet

Item = TypeVar("Item", Check, Finding)

# What the settings do not name: an id or a hash (32 digits or more, a UUID, a CID with its checksum); a host that is
# not Falcon's; a path.
_ID = re.compile(
    r"(?<![0-9a-z])(?:[0-9a-f]{32,}(?:-[0-9a-f]{2})?|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?![0-9a-z])",
    re.IGNORECASE,
)
_HOST = re.compile(r"(?<=://)(?![\w.-]+\.crowdstrike\.com\b)[^\s/:,;'\"]+", re.IGNORECASE)
_PATH = re.compile(r"(?<![\w.:/~])(?:/|~/)[^\s:,;'\"`]*")
_COLUMNS = (
    Column("check", min_width=13),
    Column("result", min_width=7),
    Column("what", wrap=True, min_width=30),
)
_FINDING_COLUMNS = (
    Column("question", wrap=True, min_width=18),
    Column("here", wrap=True, min_width=12),
    Column("what is so at this tenant", wrap=True, min_width=30),
    Column("what the tool does", wrap=True, drop_order=1, min_width=24),
)
PASTE = "For a bug report, paste this; no secret, CID, name, host or path is in it:"


class CheckDocument(msgspec.Struct, frozen=True):
    """A check, in JSON."""

    name: str
    status: CheckStatus
    what: str
    hint: str


class FindingDocument(msgspec.Struct, frozen=True):
    """What is so at this tenant, in JSON."""

    question: str
    answer: str
    what: str
    effect: str


class DoctorDocument(msgspec.Struct, frozen=True, tag_field="schema", tag="falcon-bulk/doctor/1"):
    """`falcon-bulk/doctor/1`. probe: with --probe."""

    generated_at: str
    exit_code: int
    checks: tuple[CheckDocument, ...]
    probe: tuple[FindingDocument, ...] | msgspec.UnsetType = msgspec.UNSET


def doctor_report(examination: DoctorReport, names: Mapping[str, str]) -> Report:
    """Return the report: a table with a block to paste into a bug report below it; in Markdown only that block.

    names: what not to paste, with its replacement.
    """

    def write_block(sink: Sink) -> None:
        title = f"falcon-bulk doctor, {examination.generated_at}"
        checks = _sheet(title, [_unnamed(check, names) for check in examination.checks])
        findings = _finding_sheets([_unnamed(finding, names) for finding in examination.findings])
        sink.render([checks, *findings], Format.MARKDOWN)

    def write_table(sink: Sink) -> None:
        sink.render([_sheet("", examination.checks), *_finding_sheets(examination.findings)], Format.TABLE)
        with sink.text() as stream:
            stream.write(f"\n{PASTE}\n\n")
        write_block(sink)

    return Report(
        lambda: [_sheet("", examination.checks), *_finding_sheets(examination.findings)],
        lambda: doctor_document(examination),
        writers={Format.TABLE: write_table, Format.MARKDOWN: write_block},
        exit_code=examination.exit_code,
    )


def doctor_document(examination: DoctorReport) -> DoctorDocument:
    """Return the document of a self-check."""
    checks = tuple(CheckDocument(check.name, check.status, check.what, check.hint) for check in examination.checks)
    findings = tuple(
        FindingDocument(finding.question, finding.answer, finding.what, finding.effect)
        for finding in examination.findings
    )
    return DoctorDocument(
        examination.generated_at, int(examination.exit_code), checks, findings if findings else msgspec.UNSET
    )


def _sheet(title: str, checks: Sequence[Check]) -> Sheet:
    """Return a row for each check, and below them the hints, which are often a command to paste."""
    hints = [f"{check.name}: {check.hint}" for check in checks if check.hint]
    return Sheet(title, _COLUMNS, [(check.name, str(check.status), check.what) for check in checks], hints)


def _finding_sheets(findings: Sequence[Finding]) -> list[Sheet]:
    """Return a sheet of the findings; [] for none."""
    rows = [(finding.question, finding.answer, finding.what, finding.effect) for finding in findings]
    return [Sheet("Probe", _FINDING_COLUMNS, rows)] if rows else []


def _unnamed(item: Item, names: Mapping[str, str]) -> Item:
    """Return a check or a finding without what must not be pasted."""
    texts = {name: _without(text, names) for name in ("what", "hint") if (text := getattr(item, name, ""))}
    return msgspec.structs.replace(item, **texts)


def _without(text: str, names: Mapping[str, str]) -> str:
    """Replace the names as whole words in any case, the longest first, then ids, hosts and paths that nobody named.

    A name of one letter is left alone, since a customer may be called `a`.
    """
    known = {name.lower(): replacement for name, replacement in names.items() if len(name) > 1}
    if known:
        pattern = "|".join(map(re.escape, sorted(known, key=len, reverse=True)))
        text = re.sub(
            rf"(?<![A-Za-z0-9])(?:{pattern})(?![A-Za-z0-9])",
            lambda found: known[found[0].lower()],
            text,
            flags=re.IGNORECASE,
        )
    return _PATH.sub("PATH", _HOST.sub("HOST", _ID.sub("ID", text)))
