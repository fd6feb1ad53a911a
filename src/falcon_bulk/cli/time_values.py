"""Times and ages as they are typed: `90d`, `24h`, a date, or a UTC time."""

import re
from datetime import UTC, datetime, timedelta

from falcon_bulk.errors import UsageProblem

_AGE = re.compile(r"(\d{1,4})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_instant(value: str | None, option: str, now: datetime) -> str:
    """An absolute UTC time for `7d`, `24h`, a date or a time; '' for None.

    Raises UsageProblem for anything else.
    """
    if value is None:
        return ""
    try:
        parse_age = _age(value)
        moment = now - parse_age if parse_age is not None else datetime.fromisoformat(value.strip())
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageProblem(
            f"{value!r} is not a time for {option}.", "Use 7d, 24h, 2026-11-01 or 2026-11-01T08:00:00Z."
        ) from None
    return moment.replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def parse_deadline(value: str, option: str, now: datetime) -> str:
    """A UTC time to come for `90d`, a date or a time. Raises UsageProblem for anything else."""
    parse_age = _age(value)
    moment = parse_instant((now + parse_age).isoformat() if parse_age is not None else value, option, now)
    if datetime.fromisoformat(moment) <= now:
        raise UsageProblem(f"{option} {value} is not in the future.", "Use 90d, or a later date or UTC time.")
    return moment


def parse_age(value: str, option: str) -> timedelta:
    """How long `24h`, `7d` or `2w` is. Raises UsageProblem for anything else."""
    found = _age(value)
    if found is None:
        raise UsageProblem(f"{value!r} is not an age for {option}.", "Use hours, days or weeks: 24h, 7d, 2w.")
    return found


def _age(value: str) -> timedelta | None:
    found = _AGE.fullmatch(value.strip())
    return timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else None
