"""Times and periods as people read them."""

import pytest

from falcon_bulk.report.times import describe_period, readable_time


@pytest.mark.parametrize(
    ("time", "shown"),
    [
        ("2026-11-17T06:50:00.123456789Z", "2026-11-17 06:50:00"),
        ("2026-11-17T06:50:00Z", "2026-11-17 06:50:00"),
        ("2026-11-17T06:50:00+00:00", "2026-11-17 06:50:00"),
        ("2026-11-17T06:50:00+02:00", "2026-11-17T06:50:00+02:00"),
        ("2026-11-17T06:50", "2026-11-17T06:50"),
        ("", ""),
        ("2026-11-17T06:50:00Z\x1b[31m", "2026-11-17T06:50:00Z\x1b[31m"),
    ],
)
def test_a_time_in_utc_is_shown_to_the_second_and_anything_else_as_it_is(time: str, shown: str) -> None:
    assert readable_time(time) == shown


NOW = "2026-11-28T08:00:00Z"


@pytest.mark.parametrize(
    ("since", "until", "described"),
    [
        ("2026-11-01T00:00:00Z", "", "2026-11-01 to 2026-11-28"),
        ("2026-11-01T00:00:00Z", "2026-11-15T00:00:00Z", "2026-11-01 to 2026-11-14"),
        ("2026-11-01T00:00:00Z", "2026-11-15T09:00:00Z", "2026-11-01 to 2026-11-15"),
        ("2026-11-28T00:00:00Z", "", "2026-11-28"),
        ("", "2026-11-15T09:00:00Z", "up to 2026-11-15"),
        ("", "", "up to 2026-11-28"),
    ],
)
def test_a_period_is_named_by_its_days(since: str, until: str, described: str) -> None:
    assert describe_period(since, until, NOW) == described
