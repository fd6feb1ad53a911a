"""Ordinary alerts are no outliers, and the result does not depend on the order of the alerts."""

import random
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.json import encode

from falcon_bulk.model.alert import Alert
from falcon_bulk.model.alert_decoder import decode_alert
from falcon_bulk.model.outliers import OutlierReport
from falcon_bulk.operations.outliers.detector import MAX_PROFILES, OutlierDetector
from falcon_emulator import Tenant
from falcon_emulator.documents import render
from tests.support import outlier_cases as plants


def compared(alerts: list[Alert]) -> OutlierReport:
    detector = OutlierDetector()
    for alert in alerts:
        detector.add(alert)
    return detector.report(1_000)


def of_the_emulator(alerts: int, seed: int, **options: str) -> list[Alert]:
    tenant = Tenant(alerts=alerts, seed=seed, **options)  # type: ignore[arg-type]
    return [decode_alert(render(alert, alert.state)) for alert in tenant.store.newest_first]


def assert_quiet(alerts: int, seed: int, **options: str) -> None:
    report = compared(of_the_emulator(alerts, seed, **options))
    outliers = sum(group.outliers for group in report.groups)
    print(f"{options}, seed {seed}: {outliers} outliers in {alerts:,}; groups {report.by_status}")  # noqa: T201  to read with -s
    assert outliers == 0
    assert report.not_compared == 0


@pytest.mark.parametrize("spread", ["lifelike", "even"])
def test_a_tenant_where_everything_is_drawn_alike_has_no_outliers(spread: str) -> None:
    assert_quiet(1_500, 1, spread=spread, profile="endpoint")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("spread", ["lifelike", "even", "crowded"])
@pytest.mark.parametrize("profile", ["mixed", "endpoint"])
def test_larger_tenants_have_no_outliers(seed: int, spread: str, profile: str) -> None:
    assert_quiet(8_000, seed, spread=spread, profile=profile)


@cache
def some_alerts() -> tuple[Alert, ...]:
    """Groups of every status, and some whose names and folders are too many to be remembered."""
    groups = plants.groups()
    documents = [document for group in (*groups[13:16], *groups[17:]) for document in group.documents]
    return tuple(decode_alert(encode(document)) for document in documents)


@cache
def compared_as_they_stand() -> OutlierReport:
    return compared(list(some_alerts()))


@settings(max_examples=5, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_the_alerts_makes_no_difference(rng: random.Random) -> None:
    shuffled = rng.sample(some_alerts(), len(some_alerts()))
    assert compared(shuffled) == compared_as_they_stand()


def an_alert(number: int, **fields: object) -> Alert:
    usual = {"sha256": "a" * 64, "filename": "a.exe", "filepath": "C:\\a\\a.exe", "user_name": "SYSTEM"}
    return Alert(composite_id=f"c:{number:05}", **{**usual, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [None, ["a", "b"], {"a": 1}, True])
def test_what_is_no_text_counts_as_missing(value: object) -> None:
    usual = [an_alert(number) for number in range(50)]
    without = an_alert(99, filename=value, filepath=value, user_name=value, user_id=value, tactic=value, cmdline=value)
    (group,) = compared([*usual, without]).groups
    assert (group.alerts, group.outliers) == (51, 0)


def test_outliers_are_at_most_one_in_ten_and_of_many_the_square_root() -> None:
    def outliers(usual: int, others: int) -> int:
        alerts = [an_alert(number) for number in range(usual)]
        alerts += [an_alert(90_000 + number, filepath="C:\\Windows\\Temp\\a.exe") for number in range(others)]
        return sum(group.outliers for group in compared(alerts).groups)

    assert (outliers(18, 1), outliers(18, 2), outliers(18, 3)) == (0, 2, 0)
    assert (outliers(95, 10), outliers(95, 11)) == (10, 0)
    assert (outliers(2_450, 50), outliers(2_450, 51)) == (50, 0)


@pytest.mark.slow
def test_alerts_beyond_the_limit_of_profiles_are_counted() -> None:
    alerts = [an_alert(number, sha256=None, name=f"Pattern {number}") for number in range(MAX_PROFILES + 7)]
    assert compared(alerts).not_compared == 7
