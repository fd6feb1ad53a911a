"""Terms of the Alerts API that the tool writes or has to understand."""

import re
import unicodedata
from enum import StrEnum


class Status(StrEnum):
    """An alert's status, exactly as PATCH v3 accepts it (its 400 response lists these four)."""

    NEW = "new"
    IN_PROGRESS = "in_progress"
    REOPENED = "reopened"
    CLOSED = "closed"


class Resolution(StrEnum):
    """The console's Resolution column: a tag of this name sets it; the field `resolution` shows it, read-only."""

    FALSE_POSITIVE = "false_positive"
    TRUE_POSITIVE = "true_positive"
    IGNORED = "ignored"


_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")
_STATUSES = {status.replace("_", ""): status for status in Status}
_KNOWN_STATUSES = frozenset(map(str, Status))


def folded(value: str) -> str:
    """Return a text for comparison: without case, with single blanks, Unicode normalized."""
    return " ".join(unicodedata.normalize("NFKC", value).casefold().split())


def same_text(first: str, second: str) -> bool:
    """Return whether two texts are the same but for case, blanks and the form of Unicode."""
    return first == second or folded(first) == folded(second)


def letters_of(value: str) -> str:
    """Return the letters and digits of a text without case: `Falcon_Complete` and `falcon-complete` are the same."""
    return _NOT_ALPHANUMERIC.sub("", folded(value))


def status_of(value: str) -> str:
    """Return the status that a text means (`In Progress` is `in_progress`), or the text itself if it is none."""
    return value if value in _KNOWN_STATUSES else str(_STATUSES.get(letters_of(value), value))


# Lower bounds of the severity bands, for alerts that carry no severity_name.
SEVERITY_BANDS = (
    ("Critical", 80),
    ("High", 60),
    ("Medium", 40),
    ("Low", 20),
    ("Informational", 0),
)
SEVERITY_NAMES = tuple(name for name, _ in SEVERITY_BANDS)


def severity_band(severity: float) -> str:
    """Return the name of a severity from 1 to 100."""
    return next((name for name, floor in SEVERITY_BANDS if severity >= floor), SEVERITY_NAMES[-1])
