"""A JSON document on its way out."""

import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcon_bulk.report.output import dump


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9) | st.text(st.characters()),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=20,
    )
)
def test_a_document_is_dumped_as_the_same_value_whatever_its_texts_hold(value: Any) -> None:
    written = dumped({"value": value})
    assert json.loads(written) == {"value": value}
    assert written.endswith(b"\n}\n")


ITEMS = [[], [1], [{"a": "b\n\u202e"}, {"c": []}, "x", [[], {"d": {}}]], [{"name": "\udc80"}]]


class ListDocument(msgspec.Struct):
    name: str
    items: Iterable[object]
    last: object = None


@pytest.mark.parametrize("name", ["n\x1b", "[]", "\udc80"])
@pytest.mark.parametrize("items", ITEMS)
def test_an_iterator_gives_the_bytes_of_a_list(items: list[object], name: str) -> None:
    assert dumped(ListDocument(name, iter(items), iter(items))) == dumped(ListDocument(name, items, items))


@pytest.mark.parametrize("items", ITEMS)
def test_an_iterator_may_give_what_has_iterators(items: list[object]) -> None:
    documents = (ListDocument("inner", iter(items)) for _ in range(3))
    whole = ListDocument("outer", [ListDocument("inner", items) for _ in range(3)])
    assert dumped({"deep": {"er": ListDocument("outer", documents)}}) == dumped({"deep": {"er": whole}})


def test_an_item_is_written_before_the_next_is_asked_for() -> None:
    stream = io.BytesIO()

    def items() -> Iterator[dict[str, int]]:
        for number in range(3):
            yield {"number": number}
            assert stream.getvalue().endswith(b'"number": %d\n    }' % number)

    dump(ListDocument("n", items()), stream)


def test_what_cannot_be_written_is_an_error() -> None:
    with pytest.raises(TypeError, match="object cannot be written as JSON"):
        dumped({"a": object()})


def dumped(document: object) -> bytes:
    stream = io.BytesIO()
    dump(document, stream)
    return stream.getvalue()
