"""docs/json.md: its examples keep the contracts they explain."""

import json
import re
from pathlib import Path

from tests.support.json_schemas import assert_counts_add_up, assert_valid, schemas

PAGE = (Path(__file__).parents[2] / "docs" / "json.md").read_text(encoding="utf-8")
EXAMPLES = [json.loads(block) for block in re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)]


def test_there_is_an_example_and_a_link_for_each_schema() -> None:
    assert sorted(example["schema"] for example in EXAMPLES) == sorted(schemas())
    rows = re.findall(
        r"^\| `(falcon-bulk/[^`]+)` .* \[(.+)\]\(\.\./src/falcon_bulk/schemas/(.+)\) \|$", PAGE, re.MULTILINE
    )
    files = {name: f"{name.removeprefix('falcon-bulk/').replace('/', '-')}.json" for name in schemas()}
    assert {name: file for name, label, file in rows if label == file} == files


def test_the_examples_keep_their_contracts() -> None:
    for example in EXAMPLES:
        assert_valid(example)
        if example["schema"] == "falcon-bulk/run/1":
            assert_counts_add_up(example)


def test_the_page_names_every_word_for_an_error() -> None:
    source = Path(__file__).parents[2] / "src" / "falcon_bulk"
    codes = {
        code
        for file in source.rglob("*.py")
        if "emulator" not in file.parts
        for code in re.findall(r'^    code = "(\w+)"', file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    named = set(re.findall(r"`(\w+)`", PAGE.partition("`code` is a word that stays:")[2]))
    assert named == codes
