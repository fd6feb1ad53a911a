"""Ordinary alerts are no outliers, and what is told does not hang on the order in which alerts come."""

import random
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.json import encode

from falcon_bulk.model.alert import Alert, decode_alert
from falcon_bulk.model.outliers import OutlierReport
from falcon_bulk.operations.outliers.detector import MAX_PROFILES, OutlierDetector
from falcon_emulator import Tenant
from falcon_emulator.documents import render
from tests.support import outlier_cases as plants


def compared(alerts: list[Alert]) -> OutlierReport:
    likenesses = OutlierDetector()
    for alert in alerts:
        likenesses.add(alert)
    return likenesses.comparison(1_000)


def of_the_emulator(alerts: int, seed: int, **options: str) -> list[Alert]:
    tenant = Tenant(alerts=alerts, seed=seed, **options)  # type: ignore[arg-type]
    return [decode_alert(render(alert, alert.state)) for alert in tenant.store.newest_first]


def assert_quiet(alerts: int, seed: int, **options: str) -> None:
    comparison = compared(of_the_emulator(alerts, seed, **options))
    told = sum(group.differ for group in comparison.groups)
    print(f"{options}, seed {seed}: {told} of {alerts:,} told of; groups {comparison.by_likeness}")  # noqa: T201  to read with -s
    assert told == 0
    assert comparison.left_out == 0


@pytest.mark.parametrize("spread", ["lifelike", "even"])
def test_nothing_is_told_of_a_tenant_where_everything_is_drawn_alike(spread: str) -> None:
    assert_quiet(1_500, 1, spread=spread, profile="endpoint")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("spread", ["lifelike", "even", "crowded"])
@pytest.mark.parametrize("profile", ["mixed", "endpoint"])
def test_nothing_is_told_of_larger_tenants(seed: int, spread: str, profile: str) -> None:
    assert_quiet(8_000, seed, spread=spread, profile=profile)


@cache
def some_alerts() -> tuple[Alert, ...]:
    """Groups that differ, are mixed or small, and some whose names and folders are too many to be remembered."""
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
    odd = an_alert(99, filename=value, filepath=value, user_name=value, user_id=value, tactic=value, cmdline=value)
    (group,) = compared([*usual, odd]).groups
    assert (group.alerts, group.differ) == (51, 0)


def test_few_are_one_in_ten_and_of_many_the_square_root() -> None:
    def differ(usual: int, others: int) -> int:
        alerts = [an_alert(number) for number in range(usual)]
        alerts += [an_alert(90_000 + number, filepath="C:\\Windows\\Temp\\a.exe") for number in range(others)]
        return sum(group.differ for group in compared(alerts).groups)

    assert (differ(18, 1), differ(18, 2), differ(18, 3)) == (0, 2, 0)
    assert (differ(95, 10), differ(95, 11)) == (10, 0)
    assert (differ(2_450, 50), differ(2_450, 51)) == (50, 0)


@pytest.mark.slow
def test_what_there_is_no_room_for_is_counted() -> None:
    alerts = [an_alert(number, sha256=None, name=f"Pattern {number}") for number in range(MAX_PROFILES + 7)]
    assert compared(alerts).left_out == 7
