"""docs/testing.md names a test for each promise, and the tests it names are there."""

import ast
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (?!promise |-)(.+?) \| (.*) \|$", PAGE, re.MULTILINE)
BREAKS: list[dict[str, Any]] = tomllib.loads((ROOT / "tools" / "breaks.toml").read_text(encoding="utf-8"))["break"]


@cache
def collected_from(file: str) -> frozenset[str]:
    """The test functions that pytest collects from a file."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(
        node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


def assert_is_a_test(named: str) -> None:
    file, _, name = named.partition("::")
    assert Path(file).match("tests/**/test_*.py") or Path(file).match("tests/test_*.py"), named
    assert (ROOT / file).is_file(), named
    assert name in collected_from(file), named


def test_the_page_has_the_promises() -> None:
    assert len(ROWS) > 50
    assert all(promise.endswith(".") for promise, _ in ROWS)


@pytest.mark.parametrize(("promise", "tests"), ROWS)
def test_each_promise_names_tests_that_exist(promise: str, tests: str) -> None:
    named = re.findall(r"`([^`]+)`", tests)
    assert named, f"no test proves: {promise}"
    for name in named:
        assert_is_a_test(name)


@pytest.mark.parametrize("broken", BREAKS, ids=lambda broken: broken["promise"])
def test_each_break_is_one_line_that_stands_once_and_names_a_test(broken: dict[str, Any]) -> None:
    assert (ROOT / broken["file"]).read_text(encoding="utf-8").count(broken["old"]) == 1
    assert "\n" not in broken["old"] + broken["new"]
    assert broken["old"] != broken["new"]
    assert_is_a_test(broken["test"])


def test_the_page_lists_every_break() -> None:
    assert len(BREAKS) >= 10
    assert [(entry["promise"], f"`{entry['test']}`") for entry in BREAKS] == ROWS[-len(BREAKS) :]
