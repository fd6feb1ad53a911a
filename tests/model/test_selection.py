"""The description of a selection, and whether it narrows anything at all."""

from typing import Any

import pytest

from falcon_bulk.model.selection import Selection

HASH = "a" * 64


@pytest.mark.parametrize("raw", ["", " ", "*", " * ", "**", "(*)", "'*'", '"*"', "( )", "''"])
@pytest.mark.parametrize("visible_only", [False, True])
def test_a_selection_that_narrows_nothing_is_everything(raw: str, visible_only: bool) -> None:
    assert Selection(filter=raw, visible_only=visible_only).everything


@pytest.mark.parametrize(
    "part",
    [
        {"filter": "status:'new'"},
        {"filter": "severity:>0"},
        {"hashes": (HASH,)},
        {"severities": ("High",)},
        {"products": ("epp",)},
        {"statuses": ("new",)},
        {"host": "ACME-*"},
        {"name": "*macro*"},
        {"since": "2026-11-17T06:50:00Z"},
        {"until": "2026-11-17T06:50:00Z"},
        {"ids": ("c:ind:1:2",)},
    ],
)
def test_a_selection_that_narrows_something_is_not_everything(part: dict[str, Any]) -> None:
    assert not Selection(**part).everything
    assert not Selection(**part, visible_only=True).everything


def test_the_description_names_every_part_and_its_values() -> None:
    description = Selection(
        filter="tags:'pilot'",
        hashes=(HASH, "b" * 64),
        severities=("High", "Low"),
        products=("epp",),
        statuses=("new",),
        host="ACME-*",
        name="*macro*",
        since="2026-11-01T00:00:00Z",
        until="2026-11-17T00:00:00Z",
        visible_only=True,
    ).description
    assert description == (
        f"hash {HASH} or {'b' * 64}, severity High or Low, product epp, status new, host ACME-*, name *macro*, "
        "created since 2026-11-01T00:00:00Z, created before 2026-11-17T00:00:00Z, filter tags:'pilot', visible only"
    )


def test_of_many_hashes_the_description_names_the_number_and_the_first() -> None:
    hashes = tuple(f"{number:064x}" for number in range(5_000))
    assert Selection(hashes=hashes, products=("epp",)).description == (
        "5,000 hashes (000000000000…, 000000000000…, …), product epp"
    )
    assert all(digest in Selection(hashes=hashes[:5]).description for digest in hashes[:5])


def test_no_part_is_all_alerts_and_ids_are_counted() -> None:
    assert Selection().description == "all alerts"
    assert Selection(visible_only=True).description == "visible only"
    assert Selection(ids=("a", "b", "a")).description == "exactly 3 given ids"
