"""When a schedule runs: cron and systemd are told the same."""

import shutil
import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falcon_bulk.errors import UsageProblem
from falcon_bulk.operations.scheduling.recurrence import DAYS, HOURS, MINUTES, Recurrence, at_cron, daily, every, weekly

ANALYZE = shutil.which("systemd-analyze")
START = datetime(2027, 1, 1)
INTERVALS = [*(f"{minutes}m" for minutes in (*MINUTES, 60, 720)), *(f"{hours}h" for hours in HOURS)]


@pytest.mark.parametrize(
    ("recurrence", "cron", "on_calendar"),
    [
        (daily("07:00"), "0 7 * * *", "*-*-* 07:00:00"),
        (daily("0:05"), "5 0 * * *", "*-*-* 00:05:00"),
        (daily("23:59"), "59 23 * * *", "*-*-* 23:59:00"),
        (weekly("mon", "07:00"), "0 7 * * 1", "Mon *-*-* 07:00:00"),
        (weekly("Sunday", "6:05"), "5 6 * * 0", "Sun *-*-* 06:05:00"),
        (weekly("SAT", "18:30"), "30 18 * * 6", "Sat *-*-* 18:30:00"),
        (every("5m"), "*/5 * * * *", "*-*-* *:00/5:00"),
        (every("1m"), "*/1 * * * *", "*-*-* *:00/1:00"),
        (every("60m"), "0 */1 * * *", "*-*-* 00/1:00:00"),
        (every("6h"), "0 */6 * * *", "*-*-* 00/6:00:00"),
        (every("12H"), "0 */12 * * *", "*-*-* 00/12:00:00"),
        (at_cron("0 7 13 * fri"), "0 7 13 * fri", ""),
        (at_cron(" 0  7\t1-7/2 jan,JUL * "), "0 7 1-7/2 jan,JUL *", ""),
    ],
)
def test_what_cron_and_systemd_are_told(recurrence: Recurrence, cron: str, on_calendar: str) -> None:
    assert recurrence == Recurrence(cron, on_calendar)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: daily("24:00"), "'24:00' is not a time of day for --daily"),
        (lambda: daily("7"), "HH:MM"),
        (lambda: daily("07:60"), "HH:MM"),
        (lambda: daily("07:00:30"), "HH:MM"),
        (lambda: daily(""), "HH:MM"),
        (lambda: daily("٠٧:٠٠"), "HH:MM"),
        (lambda: weekly("montag", "07:00"), "sun, mon, tue"),
        (lambda: weekly("", "07:00"), "not a day of the week"),
        (lambda: weekly("mon,tue", "07:00"), "not a day of the week"),
        (lambda: weekly("mon", "25:00"), "'25:00' is not a time of day for --weekly"),
        (lambda: every("7m"), "--every 7m divides neither an hour nor a day"),
        (lambda: every("5h"), "8h, 12h"),
        (lambda: every("90m"), "divides neither"),
        (lambda: every("48h"), "divides neither"),
        (lambda: every("0m"), "divides neither"),
        (lambda: every("0h"), "divides neither"),
        (lambda: every("24h"), "Use --daily HH:MM"),
        (lambda: every("1440m"), "Use --daily HH:MM"),
        (lambda: every("30"), "minutes or hours: 30m, 6h"),
        (lambda: every("1d"), "minutes or hours"),
        (lambda: every("-5m"), "minutes or hours"),
        (lambda: every(""), "minutes or hours"),
        (lambda: at_cron("0 7 * *"), "five fields"),
        (lambda: at_cron("0 7 * * 1 reboot"), "five fields"),
        (lambda: at_cron(""), "five fields"),
        (lambda: at_cron("@daily"), "--at takes no word such as '@daily'"),
        (lambda: at_cron(" @reboot"), "use --daily or --weekly"),
        (lambda: at_cron("0;7 * * * *"), "not a cron expression"),
        (lambda: at_cron("0 7 * * %"), "not a cron expression"),
        (lambda: at_cron("0 7 * * $(id)"), "not a cron expression"),
        (lambda: at_cron("² * * * *"), "not a cron expression"),
    ],
)
def test_what_cannot_be_scheduled_is_refused_with_a_hint(make: Callable[[], Recurrence], expected: str) -> None:
    with pytest.raises(UsageProblem) as refused:
        make()
    assert expected in f"{refused.value.message} {refused.value.hint}"


def matches_cron_field(field: str, value: int) -> bool:
    """Read a field of cron apart from the code: `*`, a number, or a step from zero."""
    field, _, step = field.partition("/")
    return (field == "*" or int(field) == value) and value % int(step or 1) == 0


def cron_moments(recurrence: Recurrence, count: int) -> list[str]:
    """The first moments after START at which cron runs it, found by looking at every minute."""
    minute, hour, day, month, weekday = recurrence.cron.split()
    assert (day, month) == ("*", "*")
    moments = (START + timedelta(minutes=number) for number in range(1, 60 * 24 * 7 * (count + 1)))
    matching = (
        f"{moment}"
        for moment in moments
        if matches_cron_field(minute, moment.minute)
        and matches_cron_field(hour, moment.hour)
        and (weekday == "*" or moment.isoweekday() % 7 == int(weekday))
    )
    return list(islice(matching, count))


def systemd_moments(recurrence: Recurrence, count: int) -> list[str]:
    """The first moments after START at which systemd runs it."""
    base = f"--base-time={START:%Y-%m-%d} 00:00:00"
    done = subprocess.run(
        [str(ANALYZE), "calendar", f"--iterations={count}", base, recurrence.on_calendar],
        capture_output=True,
        text=True,
        env={"TZ": "UTC", "LANG": "C", "SYSTEMD_COLORS": "0"},
        check=True,
    )
    lines = [
        line for line in done.stdout.splitlines() if "elapse:" in line or "Iteration #" in line or "Iter. #" in line
    ]
    return [line.split(": ", 1)[1].split(" ", 1)[1].removesuffix(" UTC") for line in lines]


@pytest.mark.parametrize("interval", INTERVALS)
def test_intervals_are_regular(interval: str) -> None:
    length = timedelta(hours=int(interval[:-1])) if interval.endswith("h") else timedelta(minutes=int(interval[:-1]))
    regular = [f"{START + number * length}" for number in range(1, 101)]
    assert cron_moments(every(interval), 100) == regular


@pytest.mark.skipif(not ANALYZE, reason="systemd-analyze is not here")
@pytest.mark.parametrize("interval", INTERVALS)
def test_systemd_runs_an_interval_when_cron_does(interval: str) -> None:
    assert systemd_moments(every(interval), 30) == cron_moments(every(interval), 30)


@pytest.mark.skipif(not ANALYZE, reason="systemd-analyze is not here")
@settings(max_examples=15, deadline=None)
@given(st.integers(0, 23), st.integers(0, 59), st.sampled_from([None, *DAYS]))
def test_systemd_runs_a_day_or_a_week_when_cron_does(hour: int, minute: int, day: str | None) -> None:
    time = f"{hour:02}:{minute:02}"
    recurrence = weekly(day, time) if day else daily(time)
    assert systemd_moments(recurrence, 6) == cron_moments(recurrence, 6)
