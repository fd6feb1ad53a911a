"""Terms of the Alerts API that the tool writes or has to understand."""

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
