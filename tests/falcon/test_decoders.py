"""What several threads may decode at once is prepared before there are threads."""

import ast
from collections.abc import Iterator
from pathlib import Path

import falcon_bulk

BUILT_IN = {"str", "dict", "kind"}  # kind: those of flight_control.py, which one thread reads


def decoded_types(tree: ast.AST) -> Iterator[str]:
    """Yield the types that are given to msgspec's `decode`, without what they are made of."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "decode":
            for keyword in node.keywords:
                if keyword.arg == "type":
                    yield ast.unparse(keyword.value).split("[")[0]


def test_a_type_of_our_own_is_decoded_by_a_decoder_that_an_import_made() -> None:
    """msgspec 0.22 looks into a struct when it decodes it first, and crashes if another thread does so meanwhile."""
    sources = sorted(Path(falcon_bulk.__file__).parent.rglob("*.py"))
    found = {(path.name, name) for path in sources for name in decoded_types(ast.parse(path.read_text("utf-8")))}
    assert {name for _, name in found} >= {"str", "dict"}
    assert [(path, name) for path, name in sorted(found) if name not in BUILT_IN] == []
