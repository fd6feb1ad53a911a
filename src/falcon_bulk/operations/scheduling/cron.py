"""Cron expressions: read, and translated to what systemd's OnCalendar= means by it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

from falcon_bulk.errors import UsageProblem

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

_PART = re.compile(r"(?:\*|(?P<low>\w+)(?:-(?P<high>\w+))?)(?:/(?P<step>\d{1,3}))?", re.ASCII)


@dataclass(frozen=True)
class CronField:
    """One of the five: its name, its values, and the words that stand for some, from `first` on."""

    name: str
    least: int
    most: int
    words: tuple[str, ...] = ()
    first: int = 0


CRON_FIELDS = (
    CronField("minute", 0, 59),
    CronField("hour", 0, 23),
    CronField("day of the month", 1, 31),
    CronField("month", 1, 12, MONTHS, 1),
    CronField("day of the week", 0, 7, DAYS),
)


@dataclass(frozen=True)
class CronValues:
    """What a field says: the values, and whether it begins with a star, on which cron's OR of the days hangs."""

    text: str
    chosen: frozenset[int]
    star: bool


@dataclass(frozen=True)
class Cron:
    """A cron expression. text: with numbers for names, as every cron reads it."""

    minute: CronValues
    hour: CronValues
    day: CronValues
    month: CronValues
    weekday: CronValues

    @classmethod
    def parse(cls, text: str) -> "Cron":
        """Read five fields of `*`, numbers, names, lists, ranges and steps. Raises UsageProblem."""
        words = text.split()
        if len(words) != len(CRON_FIELDS):
            raise UsageProblem(
                f"{text!r} is not a cron expression.",
                "It has five fields, minute hour day month weekday: '0 7 * * 1' is Monday at 7:00.",
            )
        cron = cls(*(_values(word, field) for word, field in zip(words, CRON_FIELDS, strict=True)))
        if not cron._day_exists():
            raise UsageProblem(f"{text!r} never comes: no such month has that day.")
        return cron

    @property
    def text(self) -> str:
        """The five fields."""
        return " ".join(values.text for values in (self.minute, self.hour, self.day, self.month, self.weekday))

    def calendars(self) -> list[str]:
        """The values of OnCalendar= that together mean the same.

        Days of the month and of the week are ORed, hence two of them, if both are given; they are ANDed if one
        begins with a star, `*/2` too (crontab(5) of Vixie cron and cronie).
        """
        every = frozenset(range(1, 32))
        if self.day.star or self.weekday.star:
            return [self._calendar(self.day.chosen, self.weekday.chosen)]
        return [self._calendar(self.day.chosen, frozenset(range(7))), self._calendar(every, self.weekday.chosen)]

    def _calendar(self, days: frozenset[int], weekdays: frozenset[int]) -> str:
        named = _weekdays(weekdays)
        date = f"*-{_listed(self.month.chosen, 1, 12)}-{_listed(days, 1, 31)}"
        time = f"{_listed(self.hour.chosen, 0, 23)}:{_listed(self.minute.chosen, 0, 59)}:00"
        return f"{named} {date} {time}".strip()

    def _day_exists(self) -> bool:
        either = not self.day.star and not self.weekday.star
        return either or any(min(self.day.chosen) <= LONGEST[month - 1] for month in self.month.chosen)


def _values(word: str, field: CronField) -> CronValues:
    parts = [_part(part, word, field) for part in word.split(",")]
    chosen = frozenset(value for _, values in parts for value in values)
    if field.most == 7:
        chosen = frozenset(value % 7 for value in chosen)
    return CronValues(",".join(text for text, _ in parts), chosen, word.startswith("*"))


def _part(part: str, word: str, field: CronField) -> tuple[str, range]:
    """A part of a list with numbers for names, and its values."""
    found = _PART.fullmatch(part)
    if not found:
        raise _problem(word, field, "It takes *, numbers, lists, ranges and steps: */15, 1-5, 0,30.")
    step = int(found["step"] or 1)
    if step < 1:
        raise _problem(word, field, "A step is at least 1.")
    after = f"/{found['step']}" if found["step"] else ""
    if found["low"] is None:
        most = 6 if field.most == 7 else field.most
        return f"*{after}", range(field.least, most + 1, step)
    low = _number(found["low"], word, field)
    if found["high"] is None:
        if after:
            raise _problem(word, field, f"Not every cron reads this alike: write {low}-{field.most}{after}.")
        return str(low), range(low, low + 1)
    high = _number(found["high"], word, field)
    if field.most == 7 and low and not high:
        high = 7
    if low > high:
        raise _problem(word, field, "A range goes from the lower to the higher.")
    return f"{low}-{high}{after}", range(low, high + 1, step)


def _number(text: str, word: str, field: CronField) -> int:
    if text.lower() in field.words:
        return field.words.index(text.lower()) + field.first
    if text.isdecimal() and field.least <= int(text) <= field.most:
        return int(text)
    names = f", or {field.words[0]} to {field.words[-1]}" if field.words else ""
    raise _problem(word, field, f"It goes from {field.least} to {field.most}{names}.")


def _problem(word: str, field: CronField, hint: str) -> UsageProblem:
    return UsageProblem(f"{word!r} is not a {field.name} for cron.", hint)


def _listed(values: frozenset[int], least: int, most: int) -> str:
    """`*` for all, else numbers and ranges."""
    if len(values) == most - least + 1:
        return "*"
    return ",".join(_run(run, "{:02d}".format) for run in _runs(values))


def _weekdays(values: frozenset[int]) -> str:
    """'' for all, else names; systemd's week begins on Monday."""
    if len(values) == len(DAYS):
        return ""
    from_monday = frozenset((value - 1) % 7 for value in values)
    return ",".join(_run(run, lambda day: DAYS[(day + 1) % 7].capitalize()) for run in _runs(from_monday))


def _runs(values: frozenset[int]) -> list[list[int]]:
    """Values in order, those that follow each other together."""
    grouped = groupby(enumerate(sorted(values)), key=lambda pair: pair[1] - pair[0])
    return [[value for _, value in run] for _, run in grouped]


def _run(run: list[int], shown: Callable[[int], str]) -> str:
    return f"{shown(run[0])}..{shown(run[-1])}" if len(run) > 2 else ",".join(map(shown, run))
