"""Lists are halved until the item at fault is alone, a limited number of times."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcon_bulk.errors import Rejected
from falcon_bulk.falcon.bisect import MAX_REJECTIONS, Bisection, bisect_rejected


@given(st.lists(st.integers(), min_size=2))
def test_the_halves_hold_all_items_in_their_order(items: list[int]) -> None:
    first, second = Bisection(1).split(items)
    assert [*first, *second] == items
    assert abs(len(first) - len(second)) <= 1


def test_a_single_item_is_not_split_and_counts() -> None:
    bisection = Bisection(2)
    assert bisection.split(["a"]) == ()
    assert not bisection.exhausted
    bisection.split(["a", "b"])
    assert bisection.exhausted


@given(st.sets(st.integers(0, 99), max_size=6))
def test_all_ids_but_the_unknown_ones_are_read(unknown: set[int]) -> None:
    def read(ids: Sequence[str]) -> list[str]:
        if unknown & set(map(int, ids)):
            raise Rejected("unknown id", status=404)
        return list(ids)

    found = [one for part in bisect_rejected([[str(number) for number in range(100)]], read) for one in part]
    assert sorted(map(int, found)) == sorted(set(range(100)) - unknown)


@pytest.mark.parametrize(("status", "calls"), [(404, MAX_REJECTIONS + 1), (400, MAX_REJECTIONS + 1), (413, 1)])
def test_too_many_rejections_or_another_status_end_it(status: int, calls: int) -> None:
    asked = []

    def read(ids: Sequence[str]) -> None:
        asked.append(ids)
        raise Rejected("no", status=status)

    with pytest.raises(Rejected):
        list(bisect_rejected([[str(number) for number in range(1_000)]], read))
    assert len(asked) == calls
