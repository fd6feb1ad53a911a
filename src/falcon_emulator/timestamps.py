"""Falcon's timestamps: RFC 3339 in UTC with up to nine fractional digits, without trailing zeros.

Inside the emulator, times are integers: nanoseconds since 1970.
"""

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

MILLISECOND = 1_000_000
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY}
_RELATIVE = re.compile(r"now(?:([+-])(\d+)([smhdw]))?")
_ABSOLUTE = re.compile(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d))?")


_CLOCK = [f"T{minute // 60:02}:{minute % 60:02}:" for minute in range(24 * 60)]


@lru_cache(maxsize=1024)
def _day(days: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=days)).isoformat()


def rfc3339(moment: int) -> str:
    """Format `moment` (ns) as Falcon does, e.g. 2026-06-02T02:42:46.39293629Z (Go's RFC3339Nano)."""
    minutes, rest = divmod(moment, MINUTE)
    second, fraction = divmod(rest, SECOND)
    days, minute = divmod(minutes, 24 * 60)
    text = f"{_day(days)}{_CLOCK[minute]}{second:02}"
    return f"{text}.{fraction:09}".rstrip("0") + "Z" if fraction else text + "Z"


def in_milliseconds(moment: int) -> str:
    """Format `moment` (ns) with exactly three fractional digits, as aggregates do."""
    whole, part = divmod(moment // MILLISECOND, 1000)
    return f"{rfc3339(whole * SECOND)[:-1]}.{part:03}Z"


def is_relative(text: str) -> bool:
    """Return whether `text` is a relative time such as 'now' or 'now-7d'."""
    return _RELATIVE.fullmatch(text) is not None


def parse(text: str, now: int) -> int:
    """Return the time (ns) of `text`: a date, a date with time and zone, or relative to `now`.

    Raises ValueError for anything else.
    """
    if relative := _RELATIVE.fullmatch(text):
        sign, amount, unit = relative.groups()
        return now if sign is None else now + int(sign + amount) * _UNITS[unit]
    absolute = _ABSOLUTE.fullmatch(text)
    if absolute is None:
        raise ValueError(f"cannot parse time {text!r}")
    day, clock, fraction, zone = absolute.groups()
    if clock is None:
        at = datetime.fromisoformat(day).replace(tzinfo=UTC)
    else:
        at = datetime.fromisoformat(f"{day}T{clock}{'+00:00' if zone == 'Z' else zone}")
    return int(at.timestamp()) * SECOND + int((fraction or "").ljust(9, "0"))
