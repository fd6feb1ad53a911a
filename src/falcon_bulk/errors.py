"""The exceptions of falcon-bulk, each with its exit code and a hint.

An error is raised where it is known and shown in one place (`cli/main.py`), as one line
`Error: …` and one line `Hint: …`.

    FalconBulkError                 1
    ├── UsageProblem                2   the command line cannot be carried out as it stands
    ├── Declined                    3   the question was answered with no
    ├── AccessProblem               4   credentials, permission
    │   ├── BadEnvFile                  the env file is missing, unreadable, unsafe or incomplete
    │   ├── LoginRefused                the token endpoint said no
    │   ├── MissingScope                a call was forbidden
    │   └── WrongTenant                 alerts of a CID that was not expected
    ├── FalconAnswer                5   what Falcon said, with status and trace id
    │   ├── Unreachable                 no usable answer after retries, nothing was changed
    │   ├── Rejected                    Falcon understood the request and refuses it (4xx)
    │   │   └── BadFilter           2   Falcon refuses the FQL filter
    │   └── AnswerLost                  a change was sent and its answer is not known
    ├── Refused                     7   stale, foreign or damaged plan, a bound not met, read-only
    ├── Busy                        8   another run holds this customer, or one is unfinished
    └── Stopped                   130   a signal ended the work (143 for SIGTERM)
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """What a command's exit status means; the table stands in docs/exit-codes.md."""

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
    """Base of all errors that a user may see.

    message: one sentence, what went wrong, with no secret in it.
    hint: one sentence, what to do about it; may be empty.
    """

    exit_code: ExitCode = ExitCode.UNEXPECTED
    code = "unexpected"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageProblem(FalconBulkError):
    """The command line cannot be carried out as it stands."""

    exit_code = ExitCode.USAGE
    code = "usage"


class Declined(FalconBulkError):
    """The question was not answered with the customer and the number."""

    exit_code = ExitCode.DECLINED
    code = "declined"


class AccessProblem(FalconBulkError):
    """Credentials or permissions do not allow the work."""

    exit_code = ExitCode.ACCESS
    code = "access"


class BadEnvFile(AccessProblem):
    """The env file is missing, unsafe, unreadable or incomplete."""

    code = "env_file"


class LoginRefused(AccessProblem):
    """The token endpoint did not give a token."""

    code = "login_refused"


class MissingScope(AccessProblem):
    """Falcon answered 403: the API client lacks a scope."""

    code = "missing_scope"


class WrongTenant(AccessProblem):
    """Alerts belong to a CID that was not expected."""

    code = "wrong_tenant"


class FalconAnswer(FalconBulkError):
    """What Falcon answered, or that it did not, kept with its trace id for support."""

    exit_code = ExitCode.UNREACHABLE

    def __init__(self, message: str, hint: str = "", *, status: int | None = None, trace_id: str = "") -> None:
        super().__init__(message, hint)
        self.status = status
        self.trace_id = trace_id


class Unreachable(FalconAnswer):
    """No usable answer after retries; nothing was changed by this request."""

    code = "unreachable"


class Rejected(FalconAnswer):
    """Falcon refuses the request (a 4xx other than 401, 403 and 429)."""

    code = "rejected"


class BadFilter(Rejected):
    """Falcon refuses the FQL filter."""

    exit_code = ExitCode.USAGE
    code = "bad_filter"


class AnswerLost(FalconAnswer):
    """A change may or may not have been carried out: its answer was lost, cut, or a server error."""

    code = "answer_lost"


class Refused(FalconBulkError):
    """A guard of ours says no: stale, foreign or damaged plan, a bound not met, read-only."""

    exit_code = ExitCode.REFUSED
    code = "refused"


class Busy(FalconBulkError):
    """Another run holds this customer, or one is unfinished."""

    exit_code = ExitCode.BUSY
    code = "busy"


class Stopped(FalconBulkError):
    """A signal asked the work to stop."""

    exit_code = ExitCode.SIGINT
    code = "stopped"

    def __init__(self, message: str = "Stopped by a signal.", hint: str = "", *, terminated: bool = False) -> None:
        super().__init__(message, hint)
        if terminated:
            self.exit_code = ExitCode.SIGTERM
