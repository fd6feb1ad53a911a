"""Ordinary alerts are no outliers, and what is told does not hang on the order in which alerts come."""

import random
from functools import cache

import plants
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.json import encode

from falcon_bulk.model.alert import Alert, decode_alert
from falcon_bulk.model.alike import Comparison
from falcon_bulk.operations.alike import Likenesses
from falcon_bulk.sandbox import Tenant
from falcon_bulk.sandbox.documents import render


def compared(alerts: list[Alert]) -> Comparison:
    likenesses = Likenesses()
    for alert in alerts:
        likenesses.add(alert)
    return likenesses.comparison(1_000)


def of_the_sandbox(alerts: int, seed: int, **options: str) -> list[Alert]:
    tenant = Tenant(alerts=alerts, seed=seed, **options)  # type: ignore[arg-type]
    return [decode_alert(render(alert, alert.state)) for alert in tenant.store.newest_first]


def assert_quiet(alerts: int, seed: int, **options: str) -> None:
    comparison = compared(of_the_sandbox(alerts, seed, **options))
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
def compared_as_they_stand() -> Comparison:
    return compared(list(some_alerts()))


@settings(max_examples=5, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_the_alerts_makes_no_difference(rng: random.Random) -> None:
    shuffled = rng.sample(some_alerts(), len(some_alerts()))
    assert compared(shuffled) == compared_as_they_stand()
