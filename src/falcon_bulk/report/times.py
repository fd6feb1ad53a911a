"""Times as people read them."""

import re
from datetime import datetime, time, timedelta

_UTC_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|\+00:00)", re.ASCII)


def readable_time(moment: str) -> str:
    """Return an RFC 3339 time in UTC to the second, `2026-11-28 06:12:30`; anything else as it is."""
    found = _UTC_TIME.fullmatch(moment)
    return f"{found[1]} {found[2]}" if found else moment


def describe_period(since: str, until: str, now: str) -> str:
    """Return the days between two times: `2026-11-01 to 2026-11-28`, or `up to 2026-11-28` without a beginning.

    since, until: RFC 3339 in UTC, '' for no bound. now: when the alerts were read.
    """
    first, last = since[:10], _last_day(until) if until else now[:10]
    if not first:
        return f"up to {last}"
    return f"{first} to {last}" if first < last else first


def readable_duration(seconds: float) -> str:
    """Return a duration in two units at most: `45 s`, `12 min`, `3 h 20 min`, `5 d 3 h`."""
    minutes, hours = int(seconds // 60), int(seconds // 3600)
    if seconds < 60:
        return f"{seconds:.0f} s"
    if not hours:
        return f"{minutes} min"
    larger, smaller = (hours, "h"), (minutes % 60, "min")
    if hours >= 48:
        larger, smaller = (hours // 24, "d"), (hours % 24, "h")
    return " ".join(f"{number} {unit}" for number, unit in (larger, smaller) if number)


def _last_day(until: str) -> str:
    """Return the last day before a time: midnight belongs to the day before."""
    moment = datetime.fromisoformat(until)
    return (moment if moment.time() > time.min else moment - timedelta(days=1)).date().isoformat()
