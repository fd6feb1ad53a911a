"""JSON of an input file is read in parts: the parts never show, and a million lines need little memory."""

import json
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcon_bulk.errors import UsageProblem
from falcon_bulk.operations.inputs import input_json
from falcon_bulk.operations.inputs.input_json import JsonValue, is_json, json_values
from falcon_bulk.operations.inputs.input_text import InputText
from tests.support.command import PATIENCE
from tests.support.peak_memory import run_measured

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def text(content: str) -> InputText:
    return InputText(BytesIO(content.encode()), "x.json", "hashes")


def values(content: str) -> list[JsonValue]:
    return list(json_values(text(content)))


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("part", [1, 7, 2**18])
@given(document=st.lists(JSON, max_size=6))
def test_a_list_gives_its_items_whatever_the_size_of_the_parts(
    indent: int | None, part: int, document: list[Any]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(input_json, "_PART", part)
        found = values(f"\n {json.dumps(document, indent=indent)} \n")
    assert [value for _, _, value in found] == document
    assert [number for number, _, _ in found] == list(range(1, len(document) + 1))


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("part", [1, 2**18])
@given(documents=st.lists(st.dictionaries(st.text(max_size=5), JSON, min_size=1, max_size=3), min_size=1, max_size=5))
def test_documents_one_after_another_are_read_with_their_lines(
    indent: int | None, part: int, documents: list[dict[str, Any]]
) -> None:
    content, lines = "", []
    for document in documents:
        lines.append(content.count("\n") + 1)
        content += json.dumps(document, indent=indent) + "\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(input_json, "_PART", part)
        assert values(content) == [
            JsonValue(line, False, document) for line, document in zip(lines, documents, strict=True)
        ]


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("[1,\n 2", "line 2 column 3"),
        ("[\n1 2]", "line 2 column 3"),
        ("[\n1,]", "line 2 column 3"),
        ("[\n1,\n,2]", "line 3 column 1"),
        ("[\n 1] x", "line 2 column 5"),
        ('{\n"a": 1} x', "line 2 column 9"),
        ('{\n"a": tru}', "line 2 column 6"),
        ('{"a": 1}\n{"a" 1}\n', "Line 2 of x.json"),
        ('{\n"a": 1}\n{\n"a" 1}\n', "Line 4 of x.json"),
    ],
)
@pytest.mark.parametrize("part", [1, 2**18])
def test_what_is_no_json_is_refused_with_its_place(
    content: str, place: str, part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(input_json, "_PART", part)
    with pytest.raises(UsageProblem, match=r"is not valid JSON") as caught:
        values(content)
    assert place in caught.value.message


@pytest.mark.parametrize(
    "content", ["[IOCs]\n", "[link](https://example.test)\n", "['a']\n", "[1a:ind:2, b]", "a\n", ""]
)
def test_a_heading_in_brackets_is_no_json(content: str) -> None:
    assert not is_json(text(content))


def test_a_number_that_no_standard_has_is_read_as_other_tools_write_it() -> None:
    assert [value["a"] for _, _, value in values('{"a": 1}\n{"a": Infinity}\n')] == [1, float("inf")]


_READ = """
import sys
from falcon_bulk.operations.inputs.{module} import {function}
with open(sys.argv[1], "rb") as file:
    assert len({function}(file, "x")[0]) == 1_000_000
"""


def write_lines(path: Path, kind: str) -> tuple[str, str]:
    """Write a million lines, and return the module and the function that read them."""
    cid = "0123456789abcdef" * 2
    ids = (f"{cid}:ind:{number:032x}:{number}-10304-{number % 977}" for number in range(1_000_000))
    hashes = (f"{number % 90_000:064x}" for number in range(1_000_000))
    lines = {
        "ids": (f"{composite_id}\n" for composite_id in ids),
        "ids as JSON lines": (f'{{"composite_id": "{composite_id}"}}\n' for composite_id in ids),
        "ids as a list": (f'{",["[not number]}"{one}"\n' for number, one in enumerate(ids)),
        "hashes with labels": (f"SHA256: {digest}\n" for digest in hashes),
        "hashes as a list": (f'{",["[not number]}"{one}"' for number, one in enumerate(hashes)),
    }
    with path.open("w") as file:
        file.writelines(lines[kind])
        file.write("]" if "list" in kind else "")
    return ("ids_file", "read_id_list") if "ids" in kind else ("hash_file", "read_hash_list")


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", ["ids", "ids as JSON lines", "ids as a list", "hashes with labels", "hashes as a list"]
)
def test_a_million_lines_need_less_than_200_megabytes(tmp_path: Path, kind: str) -> None:
    module, function = write_lines(tmp_path / "large", kind)
    code = _READ.format(module=module, function=function)
    _, memory = run_measured([sys.executable, "-c", code, str(tmp_path / "large")], timeout=PATIENCE)
    assert memory < 200_000_000
