"""Parses times and ages: `90d`, `24h`, a date, or a UTC time."""

import re
from datetime import UTC, datetime, timedelta

from falcon_bulk.errors import UsageProblem

INDICATOR_LIFETIME = "90d"
"""How long an indicator of allow-hash is valid by default."""

_AGE = re.compile(r"(\d{1,4})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_instant(value: str | None, option: str, now: datetime) -> str:
    """Return `7d` (ago), a date or a time as a UTC time in RFC 3339, '' for None. Raises UsageProblem."""
    if value is None:
        return ""
    try:
        age = _age(value)
        moment = now - age if age is not None else datetime.fromisoformat(value.strip())
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageProblem(
            f"{value!r} is not a time for {option}.", "Use 7d, 24h, 2026-11-01 or 2026-11-01T08:00:00Z."
        ) from None
    return moment.replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def is_relative(value: str | None) -> bool:
    """Return whether a time is counted from now, as `7d` is."""
    return value is not None and _age(value) is not None


def parse_deadline(value: str, option: str, now: datetime) -> str:
    """Return `90d` (from now), a date or a time as a future UTC time in RFC 3339. Raises UsageProblem."""
    age = _age(value)
    moment = parse_instant((now + age).isoformat() if age is not None else value, option, now)
    if datetime.fromisoformat(moment) <= now:
        raise UsageProblem(f"{option} {value} is not in the future.", "Use 90d, or a later date or UTC time.")
    return moment


def parse_age(value: str, option: str) -> timedelta:
    """Return the duration of `24h`, `7d` or `2w`. Raises UsageProblem for anything else."""
    age = _age(value)
    if age is None:
        raise UsageProblem(f"{value!r} is not an age for {option}.", "Use hours, days or weeks: 24h, 7d, 2w.")
    return age


def _age(value: str) -> timedelta | None:
    found = _AGE.fullmatch(value.strip())
    return timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else None
