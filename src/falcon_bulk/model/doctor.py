"""The result of doctor."""

from enum import StrEnum

import msgspec

from falcon_bulk.errors import ExitCode


class CheckStatus(StrEnum):
    """The result of a check. SKIPPED: it could not be tried, or only by changing something."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skipped"


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """A check: what it found, and a hint what to do. exit_code: of doctor if this check failed."""

    name: str
    status: CheckStatus
    what: str
    hint: str = ""
    exit_code: int = ExitCode.DONE


CANNOT_TELL = "cannot tell"
"""The answer to a question that this tenant's answers leave open."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What is so at this tenant, for a question about Falcon that public sources leave open.

    answer: a short form for scripts. what: the answer as a sentence. effect: what the tool does because of it.
    """

    question: str
    answer: str
    what: str
    effect: str


class DoctorReport(msgspec.Struct, frozen=True, kw_only=True):
    """All checks, in their order: later ones need earlier ones. findings: of --probe; empty without it."""

    generated_at: str
    checks: tuple[Check, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def exit_code(self) -> int:
        """DONE if no check failed, else the lowest exit code of the failed ones: the lower, the less a rerun helps."""
        failed = [check.exit_code for check in self.checks if check.status is CheckStatus.FAIL]
        return min(failed, default=ExitCode.DONE)
