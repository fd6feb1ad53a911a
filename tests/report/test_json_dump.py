"""A JSON document on its way out."""

import io
import json
from typing import Any

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
    stream = io.BytesIO()
    dump({"value": value}, stream)
    assert json.loads(stream.getvalue()) == {"value": value}
    assert stream.getvalue().endswith(b"\n}\n")
