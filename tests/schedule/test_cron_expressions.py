"""Cron expressions, and whether systemd means the same by its calendar."""

import shutil
import subprocess
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falcon_bulk.errors import UsageProblem
from falcon_bulk.operations.scheduling.cron import CRON_FIELDS, Cron

ANALYZE = shutil.which("systemd-analyze")
START = datetime(2027, 1, 1)
YEARS = timedelta(days=8 * 366)


@pytest.mark.parametrize(
    ("cron", "calendars"),
    [
        ("0 7 * * 1", ["Mon *-*-* 07:00:00"]),
        ("*/15 * * * *", ["*-*-* *:00,15,30,45:00"]),
        ("0 9-17 * * mon-FRI", ["Mon..Fri *-*-* 09..17:00:00"]),
        ("30 4 1,15 * *", ["*-*-01,15 04:30:00"]),
        ("0 0 1 JAN,jul *", ["*-01,07-01 00:00:00"]),
        ("5 6 * * 0", ["Sun *-*-* 06:05:00"]),
        ("5 6 * * 7", ["Sun *-*-* 06:05:00"]),
        ("5 6 * * fri-sun", ["Fri..Sun *-*-* 06:05:00"]),
        ("5 6 * * 0-0", ["Sun *-*-* 06:05:00"]),
        ("0-59/20 0 * * *", ["*-*-* 00:00,20,40:00"]),
        ("0 7 13 * 5", ["*-*-13 07:00:00", "Fri *-*-* 07:00:00"]),
        ("0 7 */2 * 1-7", ["*-*-01,03,05,07,09,11,13,15,17,19,21,23,25,27,29,31 07:00:00"]),
        ("0 7 1-7 * */7", ["Sun *-*-01..07 07:00:00"]),
    ],
)
def test_what_systemd_is_told(cron: str, calendars: list[str]) -> None:
    assert Cron.parse(cron).calendars() == calendars


@pytest.mark.parametrize(
    ("cron", "says"),
    [
        ("0 7 * *", "five fields"),
        ("@daily", "five fields"),
        ("", "five fields"),
        ("60 7 * * 1", "'60' is not a minute"),
        ("0 24 * * 1", "'24' is not a hour"),
        ("0 7 0 * *", "'0' is not a day of the month"),
        ("0 7 * 13 *", "month"),
        ("0 7 * * 8", "day of the week"),
        ("0 7 * * montag", "sun to sat"),
        ("5-1 * * * *", "from the lower to the higher"),
        ("*/0 * * * *", "at least 1"),
        ("5/15 * * * *", "write 5-59/15"),
        ("1,,2 * * * *", "lists, ranges and steps"),
        ("0 0 31 2,4 *", "never comes"),
        ("0 7 L * *", "day of the month"),
        ("² * * * *", "minute"),
        ("0;7 * * * *", "minute"),
    ],
)
def test_what_is_not_translated_is_refused_with_a_hint(cron: str, says: str) -> None:
    with pytest.raises(UsageProblem) as refused:
        Cron.parse(cron)
    assert says in f"{refused.value.message} {refused.value.hint}"


def test_names_become_numbers_for_those_crons_that_have_none() -> None:
    assert Cron.parse("0 7 * jan-MAR/2 fri-sun").text == "0 7 * 1-3/2 5-7"
    assert Cron.parse(" 0  7\t* * mon ").text == "0 7 * * 1"


def a_field(least: int, most: int) -> st.SearchStrategy[str]:
    def parts(low: int, high: int, step: int) -> list[str]:
        low, high = sorted((low, high))
        return [str(low), f"{low}-{high}", f"{low}-{high}/{step}", f"*/{step}"]

    value = st.integers(least, most)
    part = st.builds(parts, value, value, st.integers(1, 9)).flatmap(st.sampled_from)
    return st.one_of(st.just("*"), st.lists(part, min_size=1, max_size=3).map(",".join))


expressions = st.tuples(*(a_field(field.least, field.most) for field in CRON_FIELDS)).map(" ".join)


def by_hand(text: str, least: int, most: int) -> set[int]:
    """The values of a field, read another way."""
    chosen = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        low, _, high = span.partition("-")
        first, last = (least, most) if span == "*" else (int(low), int(high or low))
        chosen |= {
            value for value in range(least, most + 1) if first <= value <= last and not (value - first) % int(step or 1)
        }
    return chosen


def cron_days(expression: str, days: int) -> list[str]:
    """The first days on which cron would run it (Vixie's rule of the two days)."""
    _, _, day, month, weekday = expression.split()
    in_month, months = by_hand(day, 1, 31), by_hand(month, 1, 12)
    in_week = {value % 7 for value in by_hand(weekday, 0, 7)}
    found: list[str] = []
    for number in range(YEARS.days):
        moment = START + timedelta(days=number)
        matches = (moment.day in in_month, moment.isoweekday() % 7 in in_week)
        both = day.startswith("*") or weekday.startswith("*")
        if moment.month in months and (all(matches) if both else any(matches)):
            found.append(moment.strftime("%Y-%m-%d"))
            if len(found) == days:
                break
    return found


def systemd_moments(calendar: str, number: int) -> list[str]:
    done = subprocess.run(
        [str(ANALYZE), "calendar", f"--iterations={number}", f"--base-time={START:%Y-%m-%d} 00:00:00", calendar],
        capture_output=True,
        text=True,
        env={"TZ": "UTC", "LANG": "C", "SYSTEMD_COLORS": "0"},
        check=True,
    )
    lines = [
        line for line in done.stdout.splitlines() if "elapse:" in line or "Iteration #" in line or "Iter. #" in line
    ]
    return [line.split(": ", 1)[1].split(" ", 1)[1].removesuffix(" UTC") for line in lines]


@pytest.mark.skipif(not ANALYZE, reason="systemd-analyze is not here")
@settings(max_examples=25, deadline=None)
@given(expressions)
def test_systemd_runs_on_the_days_on_which_cron_would(expression: str) -> None:
    daily = " ".join(["0", "12", *expression.split()[2:]])
    try:
        calendars = Cron.parse(daily).calendars()
    except UsageProblem:
        assert not cron_days(daily, 1)
        return
    moments = {moment for calendar in calendars for moment in systemd_moments(calendar, 8)}
    within = sorted(moment for moment in moments if moment < f"{START + YEARS}")
    assert within[:8] == [f"{day} 12:00:00" for day in cron_days(daily, 8)]


@pytest.mark.skipif(not ANALYZE, reason="systemd-analyze is not here")
@settings(max_examples=15, deadline=None)
@given(a_field(0, 59), a_field(0, 23))
def test_systemd_runs_at_the_times_at_which_cron_would(minute: str, hour: str) -> None:
    (calendar,) = Cron.parse(f"{minute} {hour} * * *").calendars()
    times = sorted((h, m) for h in by_hand(hour, 0, 23) for m in by_hand(minute, 0, 59))
    # `--base-time` itself is not elapsed any more.
    wanted = [START + timedelta(days=day, hours=h, minutes=m) for day in range(8) for h, m in times]
    assert systemd_moments(calendar, 6) == [f"{moment}" for moment in wanted if moment > START][:6]
