"""A JSON document on its way out."""

import io
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcon_bulk.report.output import StreamedDocument, dump


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9) | st.text(st.characters()),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=20,
    )
)
def test_a_document_is_dumped_as_the_same_value_whatever_its_texts_hold(value: Any) -> None:
    stream = io.BytesIO()
    dump({"value": value}, stream)
    assert json.loads(stream.getvalue()) == {"value": value}
    assert stream.getvalue().endswith(b"\n}\n")


class ListDocument(msgspec.Struct):
    name: str
    items: list[object]


@pytest.mark.parametrize("items", [[], [1], [{"a": "b\n\u202e"}, {"c": []}, "x", [[], {"d": {}}]]])
def test_a_document_that_is_streamed_has_the_same_bytes(items: list[object]) -> None:
    whole, streamed = io.BytesIO(), io.BytesIO()
    dump(ListDocument("n\x1b", items), whole)
    dump(StreamedDocument(ListDocument("n\x1b", []), iter(items)), streamed)
    assert streamed.getvalue() == whole.getvalue()
