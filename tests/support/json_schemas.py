"""The shipped JSON Schemas, and validation of documents against them."""

import json
from functools import cache
from importlib import resources
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry, Resource

PREFIX = "falcon-bulk/"


@cache
def schemas() -> dict[str, dict[str, Any]]:
    """Return the shipped schemas by the name in their documents, such as falcon-bulk/run/1."""
    folder = resources.files("falcon_bulk") / "schemas"
    files = [file for file in folder.iterdir() if file.name.endswith(".json")]
    return {
        PREFIX + "/".join(file.name.removesuffix(".json").rsplit("-", 1)): json.loads(file.read_text("utf-8"))
        for file in files
    }


@cache
def _closed() -> dict[str, Draft202012Validator]:
    """Return validators that also refuse keys the schema does not describe, so that each addition is described."""
    closed = {name: close(schema) for name, schema in schemas().items()}
    resources_by_id = [(schema["$id"], Resource.from_contents(schema)) for schema in closed.values()]
    registry: Registry[Any] = Registry().with_resources(resources_by_id)
    return {name: Draft202012Validator(schema, registry=registry) for name, schema in closed.items()}


def close(schema: Any) -> Any:
    """Return the schema with additional properties forbidden in every object that has properties."""
    if isinstance(schema, list):
        return [close(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    ours = {key: close(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        ours.setdefault("additionalProperties", False)
    return ours


def assert_valid(document: dict[str, Any]) -> dict[str, Any]:
    """Assert that the document is valid by the schema it names, and return it."""
    error = best_match(_closed()[document["schema"]].iter_errors(document))
    assert error is None, f"{document['schema']} at {error.json_path}: {error.message[:500]}"
    return document


def assert_counts_add_up(document: dict[str, Any]) -> None:
    """Assert the sums that falcon-bulk/run/1 promises."""
    left_alone = sum(document["skipped"].values()) + sum(document["held"].values())
    assert document["selected"] == document["planned"] + left_alone
    outcomes = ("changed", "failed", "drifted", "unknown", "not_sent")
    assert document["planned"] == sum(document[outcome] for outcome in outcomes)
    assert document["verified"] <= document["planned"]
