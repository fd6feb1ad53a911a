"""The exceptions of falcon-bulk, each with its exit code and a hint.

An error is raised where it is known, and shown in one place (`cli/main.py`) as one line `Error: …` and one line
`Hint: …`.

    FalconBulkError                 1
    ├── UsageProblem                2   the command line is invalid or incomplete
    ├── Declined                    3   the confirmation was not given
    ├── AccessProblem               4   credentials, permission
    │   ├── BadEnvFile                  the env file is missing, unreadable, unsafe or incomplete
    │   ├── LoginRefused                the token endpoint gave no token
    │   ├── MissingScope                the API client lacks a scope
    │   └── WrongTenant                 alerts of a CID that was not expected
    ├── FalconAnswer                5   Falcon's answer, with status and trace id
    │   ├── Unreachable                 no usable answer after retries; nothing was changed
    │   ├── Rejected                    Falcon rejects the request (4xx)
    │   │   ├── BadFilter           2   Falcon rejects the FQL filter
    │   │   ├── FailingFilter           Falcon fails on the filter, and answers others
    │   │   └── SearchExpired           the token of the next page has expired
    │   └── AnswerLost                  a change was sent and its answer was lost
    ├── Refused                     7   stale, foreign or damaged plan, bound exceeded, read-only
    ├── JournalProblem              1   the journal cannot be read or written
    ├── Busy                        8   another run is changing this customer, or one is unfinished
    └── Stopped                   130   a signal stopped the command (143 for SIGTERM)
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit status of a command; docs/exit-codes.md explains each."""

    DONE = 0
    UNEXPECTED = 1
    USAGE = 2
    DECLINED = 3
    ACCESS = 4
    UNREACHABLE = 5
    PARTIAL = 6
    REFUSED = 7
    BUSY = 8
    EMPTY = 9
    SIGINT = 130
    SIGTERM = 143


class FalconBulkError(Exception):
    """Base class of all errors that are shown to the user.

    message: one sentence that says what went wrong; it contains no secret.
    hint: one sentence that says what to do; may be ''.
    status, trace_id: of Falcon's answer, if it is one.
    """

    exit_code: ExitCode = ExitCode.UNEXPECTED
    code = "unexpected"

    def __init__(self, message: str, hint: str = "", *, status: int | None = None, trace_id: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.status = status
        self.trace_id = trace_id

    @property
    def traced_message(self) -> str:
        """The message, with the trace id that CrowdStrike's support asks for."""
        return f"{self.message} (trace id {self.trace_id})" if self.trace_id else self.message


class UsageProblem(FalconBulkError):
    """The command line is invalid or incomplete."""

    exit_code = ExitCode.USAGE
    code = "usage"


class Declined(FalconBulkError):
    """The user did not confirm with the customer and the number."""

    exit_code = ExitCode.DECLINED
    code = "declined"


class AccessProblem(FalconBulkError):
    """Credentials or permissions do not allow the command."""

    exit_code = ExitCode.ACCESS
    code = "access"


class BadEnvFile(AccessProblem):
    """The env file is missing, unsafe, unreadable or incomplete."""

    code = "env_file"


class LoginRefused(AccessProblem):
    """The token endpoint gave no token."""

    code = "login_refused"


class MissingScope(AccessProblem):
    """Falcon answered 403: the API client lacks a scope."""

    code = "missing_scope"


class WrongTenant(AccessProblem):
    """Alerts belong to a CID that was not expected."""

    code = "wrong_tenant"


class FalconAnswer(FalconBulkError):
    """Falcon's answer, or its absence, with the trace id for support."""

    exit_code = ExitCode.UNREACHABLE


class Unreachable(FalconAnswer):
    """No usable answer after retries; nothing was changed by this request."""

    code = "unreachable"


class Rejected(FalconAnswer):
    """Falcon rejects the request (a 4xx other than 401, 403 and 429)."""

    code = "rejected"


class BadFilter(Rejected):
    """Falcon rejects the FQL filter."""

    exit_code = ExitCode.USAGE
    code = "bad_filter"


class FailingFilter(Rejected):
    """Falcon answers 500 to a search with this filter, and answers one without it."""

    code = "failing_filter"


class SearchExpired(Rejected):
    """The token of the next page is no longer valid; the search can begin again."""


class AnswerLost(FalconAnswer):
    """A change may have been applied: its answer was lost, truncated or a server error."""

    code = "answer_lost"


class Refused(FalconBulkError):
    """falcon-bulk refuses: stale, foreign or damaged plan, bound exceeded, read-only."""

    exit_code = ExitCode.REFUSED
    code = "refused"


class JournalProblem(FalconBulkError):
    """The journal cannot be read or written. Nothing is sent without it."""

    code = "journal"


class Busy(FalconBulkError):
    """Another run is changing this customer, or one is unfinished."""

    exit_code = ExitCode.BUSY
    code = "busy"


class Stopped(FalconBulkError):
    """A signal stopped the command. terminated: by SIGTERM."""

    exit_code = ExitCode.SIGINT
    code = "stopped"

    def __init__(self, message: str = "Stopped by a signal.", hint: str = "", *, terminated: bool = False) -> None:
        super().__init__(message, hint)
        if terminated:
            self.exit_code = ExitCode.SIGTERM
