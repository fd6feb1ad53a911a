"""The words of the Alerts API that the tool writes or has to understand."""

from enum import StrEnum


class Status(StrEnum):
    """An alert's status, exactly as PATCH v3 takes it (its own 400 lists these four)."""

    NEW = "new"
    IN_PROGRESS = "in_progress"
    REOPENED = "reopened"
    CLOSED = "closed"


class Resolution(StrEnum):
    """The console's Resolution column: a tag of this name fills it; `resolution` is its read-only mirror."""

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
    """The name of the band in which a severity of 1 to 100 lies."""
    return next((name for name, floor in SEVERITY_BANDS if severity >= floor), SEVERITY_NAMES[-1])
