"""Charts count what they are given, and lay it out along time with no gap."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcon_bulk.report.chart import MAX_BARS, MAX_COLUMNS, REST, Bar, bars, by_frequency, severities, timeline


def test_what_has_no_bar_of_its_own_is_one_bar_of_the_rest() -> None:
    chart = bars("x", [Bar(f"v{place}", 100 - place) for place in range(30)] + [Bar("all others", 5, REST)], 0)
    *own, rest = chart.bars
    assert [bar.number for bar in own] == list(range(100, 90, -1))
    assert rest == Bar("all others", sum(range(71, 91)) + 5, REST)
    assert len(own) == MAX_BARS


def test_bars_stand_by_number_and_then_by_name() -> None:
    assert by_frequency({"b": 1, "c": 3, "a": 1, "": 2}) == [Bar("c", 3), Bar("none", 2), Bar("a", 1), Bar("b", 1)]


def test_severities_stand_by_gravity_whatever_their_number() -> None:
    drawn = severities({"Low": 9, "Unheard of": 5, "Critical": 1, "": 7})
    assert [bar.label for bar in drawn] == ["Critical", "Low", "none", "Unheard of"]
    assert [bar.accent for bar in drawn] == ["Critical", "Low", "", ""]


def test_days_without_alerts_are_drawn_too() -> None:
    chart = timeline("x", {"2026-02-27": 3, "2026-03-02": 1}, "day")
    assert [(bar.label, bar.number) for bar in chart.bars] == [
        ("2026-02-27", 3),
        ("2026-02-28", 0),
        ("2026-03-01", 0),
        ("2026-03-02", 1),
    ]
    assert (chart.step, chart.note) == ("day", "")


@pytest.mark.parametrize(
    ("first", "last", "finest", "step", "label"),
    [
        ("2026-11-24T08:00:59Z", "2026-11-24T08:01:03.5Z", "second", "second", "2026-11-24 08:00:59"),
        ("2026-11-24T08:00:00Z", "2026-11-24T08:59:00Z", "second", "minute", "2026-11-24 08:00"),
        ("2026-11-24T08", "2026-11-26T08", "hour", "hour", "2026-11-24 08:00"),
        ("2026-11-01", "2026-11-24", "hour", "day", "2026-11-01"),
        ("2026-01-31", "2026-12-01", "day", "month", "2026-01"),
    ],
)
def test_a_longer_time_has_wider_columns(first: str, last: str, finest: str, step: str, label: str) -> None:
    chart = timeline("x", {first: 2, last: 5}, finest)
    assert chart.step == step
    assert chart.bars[0] == Bar(label, 2)
    assert chart.bars[-1].number == 5


def test_what_is_too_long_ago_or_no_time_is_noted() -> None:
    chart = timeline("x", {"1601-01-01": 4, "2026-11-24": 3, "": 2, "<b>": 1}, "day")
    assert len(chart.bars) == MAX_COLUMNS
    assert chart.bars[-1] == Bar("2026-11", 3)
    assert chart.note == "4 earlier ones are not drawn. 3 have no date."


def test_without_any_date_nothing_is_drawn() -> None:
    chart = timeline("x", {"": 2}, "day")
    assert chart.bars == ()
    assert chart.note == "2 have no date."


def test_a_row_of_digits_is_no_date() -> None:
    assert timeline("x", {"00011001000000000": 2}, "day").note == "2 have no date."


@given(st.dictionaries(st.one_of(st.datetimes().map(lambda at: f"{at.isoformat()}Z"), st.text()), st.integers(1, 99)))
def test_no_alert_is_lost_on_the_way_into_a_time_line(counts: dict[str, int]) -> None:
    chart = timeline("x", counts, "second")
    noted = Counter(int(word.replace(",", "")) for word in chart.note.split() if word.replace(",", "").isdigit())
    assert sum(bar.number for bar in chart.bars) + sum(noted.elements()) == sum(counts.values())
    assert len(chart.bars) <= MAX_COLUMNS
