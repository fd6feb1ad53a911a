"""A machine whose clock differs from Falcon's by more than five minutes."""

from typing import Any

import pytest

from tests.support.sampling import quick_first

CHANGE = ("bulk-close", "--severity", "low", "--yes", "--max", "999")


@pytest.mark.parametrize("ahead", quick_first(3_600.0, -900.0, quick=1))
def test_a_change_with_times_counted_from_now_is_refused_with_both_times(acme: Any, ahead: float) -> None:
    shell = acme(alerts=100, clock_ahead=ahead)
    for options in (("--until", "1d"), ("--since", "60d")):
        done = shell(*CHANGE, *options)
        assert done.code == 7, done
        assert "This machine's clock says " in done.err
        assert "Falcon's " in done.err
        assert not shell.changes()


def test_a_change_with_dates_goes_on_with_a_warning(acme: Any) -> None:
    shell = acme(alerts=100, clock_ahead=3_600.0)
    done = shell(*CHANGE, "--since", "2020-01-01", "--quiet")
    assert done.code == 0, done
    assert "Warning: This machine's clock says " in done.err
    assert shell.changes()


def test_reading_says_it_even_when_quiet_and_goes_on(acme: Any) -> None:
    shell = acme(alerts=100, clock_ahead=3_600.0)
    done = shell("query", "--since", "60d", "--count", "--quiet")
    assert done.code == 0, done
    assert "Warning: This machine's clock says " in done.err


def test_an_allowance_whose_end_is_counted_from_now_is_refused(acme: Any) -> None:
    shell = acme(alerts=100, clock_ahead=3_600.0)
    allow = ("allow-hash", "--hash", "ab" * 32, "--platform", "windows", "--global", "--dry-run")
    assert shell(*allow).code == 7
    assert shell(*allow, "--expires", "2099-01-01").code == 0


def test_five_minutes_are_no_difference(acme: Any) -> None:
    shell = acme(alerts=100, clock_ahead=280.0)
    done = shell(*CHANGE, "--since", "60d")
    assert done.code == 0, done
    assert "clock" not in done.err
