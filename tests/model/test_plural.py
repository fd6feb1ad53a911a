"""A number and its noun agree."""

import pytest

from falcon_bulk.model.plural import counted


@pytest.mark.parametrize(
    ("number", "shown"), [(0, "0 alerts"), (1, "1 alert"), (2, "2 alerts"), (12_000, "12,000 alerts")]
)
def test_a_noun_follows_its_number(number: int, shown: str) -> None:
    assert counted(number, "alert") == shown


def test_a_plural_of_its_own_is_given() -> None:
    assert counted(1, "hash", "hashes") == "1 hash"
    assert counted(3, "hash", "hashes") == "3 hashes"
