"""What `doctor` prints: the checks, and the same to paste into a bug report."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from falcon_bulk.model.doctor import Check, DoctorReport
from falcon_bulk.report.formats import Format
from falcon_bulk.report.output import Sink
from falcon_bulk.report.sheet import Column, Sheet

_ID = re.compile(r"\b([0-9a-f]{4})[0-9a-f]{28}\b")  # a CID or a client id, also one that the settings do not name
_COLUMNS = (
    Column("check", least=13),
    Column("result", least=7),
    Column("what", fold=True, least=30),
    Column("hint", fold=True, spare=1, least=20),
)
PASTE = "For a bug report, paste this; no secret, customer, CID or user name is in it:"


def write_doctor_report(sink: Sink, fmt: Format, examination: DoctorReport, names: Mapping[str, str]) -> None:
    """The checks as a table, and below it what to paste; in Markdown that alone.

    names: what is not to be pasted, with what stands for it.
    """
    if fmt is Format.TABLE:
        sink.render([_sheet("", examination.checks)], fmt)
        with sink.text() as stream:
            stream.write(f"\n{PASTE}\n\n")
    title = f"falcon-bulk doctor, {examination.generated_at}"
    sink.render([_sheet(title, [_unnamed(check, names) for check in examination.checks])], Format.MARKDOWN)


def doctor_document(examination: DoctorReport) -> dict[str, Any]:
    """`falcon-bulk/doctor/1`."""
    return {
        "schema": "falcon-bulk/doctor/1",
        "generated_at": examination.generated_at,
        "exit_code": int(examination.exit_code),
        "checks": [
            {"name": check.name, "status": str(check.status), "what": check.what, "hint": check.hint}
            for check in examination.checks
        ],
    }


def _sheet(title: str, checks: "tuple[Check, ...] | list[Check]") -> Sheet:
    return Sheet(title, _COLUMNS, [(check.name, str(check.status), check.what, check.hint) for check in checks])


def _unnamed(check: Check, names: Mapping[str, str]) -> Check:
    return msgspec.structs.replace(check, what=_without(check.what, names), hint=_without(check.hint, names))


def _without(text: str, names: Mapping[str, str]) -> str:
    """Whole words only: a customer may be called `a`. The longest first: a path before a name in it."""
    text = _ID.sub(r"\1…", text)
    known = sorted((name for name in names if len(name) > 1), key=len, reverse=True)
    if not known:
        return text
    words = "|".join(map(re.escape, known))
    return re.sub(rf"(?<![A-Za-z0-9_-])(?:{words})(?![A-Za-z0-9_-])", lambda found: names[found[0]], text)
