"""When a scheduled command runs, in the notations of cron and systemd."""

import re
from dataclasses import dataclass

from falcon_bulk.errors import UsageProblem

DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
FULL_DAY_NAMES = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
MINUTES = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)
"""The intervals that divide an hour."""
HOURS = (1, 2, 3, 4, 6, 8, 12)
"""The intervals that divide a day."""
CRON_FIELD_COUNT = 5

_TIME_OF_DAY = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)
_INTERVAL = re.compile(r"(\d{1,4})([mh])", re.ASCII)
_CRON_FIELD = re.compile(r"[A-Za-z0-9*,/~-]+")


@dataclass(frozen=True)
class Recurrence:
    """When a job runs, in local time.

    cron: the five fields of a crontab line. on_calendar: the same as a value of systemd's OnCalendar=, '' if it is
    for crontab alone.
    """

    cron: str
    on_calendar: str = ""


def daily(time: str) -> Recurrence:
    """Return a run each day at HH:MM. Raises UsageProblem."""
    hour, minute = _time_of_day(time, "--daily")
    return Recurrence(f"{minute} {hour} * * *", f"*-*-* {hour:02}:{minute:02}:00")


def weekly(day: str, time: str) -> Recurrence:
    """Return a run each week on a day, `mon` or `monday`, at HH:MM. Raises UsageProblem."""
    name = day.strip().lower()
    if name not in (*DAYS, *FULL_DAY_NAMES):
        raise UsageProblem(f"{day!r} is not a day of the week.", f"Use one of {', '.join(DAYS)}: --weekly mon 07:00.")
    hour, minute = _time_of_day(time, "--weekly")
    weekday = DAYS.index(name[:3])
    return Recurrence(f"{minute} {hour} * * {weekday}", f"{name[:3].capitalize()} *-*-* {hour:02}:{minute:02}:00")


def every(interval: str) -> Recurrence:
    """Return a run each `30m` or `6h`, counted from the full hour or from midnight. Raises UsageProblem.

    Only intervals that divide an hour or a day are regular in cron, which starts anew with each of them.
    """
    found = _INTERVAL.fullmatch(interval.strip().lower())
    if not found:
        raise UsageProblem(f"{interval!r} is not an interval for --every.", "Use minutes or hours: 30m, 6h.")
    minutes = int(found[1]) * (60 if found[2] == "h" else 1)
    if minutes == 24 * 60:
        raise UsageProblem(f"--every {interval} does not say at what time.", "Use --daily HH:MM.")
    if minutes in MINUTES:
        return Recurrence(f"*/{minutes} * * * *", f"*-*-* *:00/{minutes}:00")
    if minutes % 60 == 0 and minutes // 60 in HOURS:
        return Recurrence(f"0 */{minutes // 60} * * *", f"*-*-* 00/{minutes // 60}:00:00")
    raise UsageProblem(
        f"--every {interval} divides neither an hour nor a day.",
        f"Use {', '.join(f'{minutes}m' for minutes in MINUTES)}, {', '.join(f'{hours}h' for hours in HOURS)}.",
    )


def at_cron(expression: str) -> Recurrence:
    """Return what a cron expression says, for crontab alone. Raises UsageProblem.

    Only its form is checked, so that it cannot end the schedule and begin a command: crons differ in what they take.
    """
    if expression.lstrip().startswith("@"):
        raise UsageProblem(
            f"--at takes no word such as {expression.strip()!r}.", "Write the five fields, or use --daily or --weekly."
        )
    fields = expression.split()
    if len(fields) != CRON_FIELD_COUNT or not all(map(_CRON_FIELD.fullmatch, fields)):
        raise UsageProblem(
            f"{expression!r} is not a cron expression.",
            "It has five fields, minute hour day month weekday: '0 7 * * 1' is Monday at 7:00.",
        )
    return Recurrence(" ".join(fields))


def _time_of_day(text: str, option: str) -> tuple[int, int]:
    found = _TIME_OF_DAY.fullmatch(text.strip())
    if not found:
        raise UsageProblem(f"{text!r} is not a time of day for {option}.", "Use HH:MM, 00:00 to 23:59: 07:00.")
    return int(found[1]), int(found[2])
