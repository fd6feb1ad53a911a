"""What a self-check found."""

from enum import StrEnum

import msgspec

from falcon_bulk.errors import ExitCode


class CheckStatus(StrEnum):
    """How a check ended. SKIPPED: it could not be tried, or not without changing something."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skipped"


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One check: what was seen, and what to do about it. exit_code: of a failed one."""

    name: str
    status: CheckStatus
    what: str
    hint: str = ""
    exit_code: int = ExitCode.DONE


class DoctorReport(msgspec.Struct, frozen=True, kw_only=True):
    """All checks, in the order in which they build on each other."""

    generated_at: str
    checks: tuple[Check, ...]

    @property
    def exit_code(self) -> int:
        """0 if nothing failed, else the lowest code among what failed: the lower, the less a rerun helps."""
        failed = [check.exit_code for check in self.checks if check.status is CheckStatus.FAIL]
        return min(failed, default=ExitCode.DONE)
