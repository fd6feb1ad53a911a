"""Get the value at a dotted path (`device.hostname`) of a document, through objects and lists."""

from collections.abc import Iterator
from typing import Any


def value_at(value: Any, path: list[str]) -> Any:
    """Return the value at the path, or None; for a list on the way, a list of its elements' values."""
    if not path:
        return value
    if isinstance(value, dict):
        return value_at(value.get(path[0]), path[1:])
    if isinstance(value, list):
        return list(_element_values(value, path)) or None
    return None


def _element_values(items: list[Any], path: list[str]) -> Iterator[Any]:
    for item in items:
        found = value_at(item, path)
        if isinstance(found, list):
            yield from found
        elif found is not None:
            yield found
