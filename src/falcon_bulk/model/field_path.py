"""What stands at a dot path (`device.hostname`) of a document, through objects and lists."""

from collections.abc import Iterator
from typing import Any


def value_at(value: Any, path: list[str]) -> Any:
    """What stands at the path, or None; through a list, a list of what stands at it in the elements."""
    if not path:
        return value
    if isinstance(value, dict):
        return value_at(value.get(path[0]), path[1:])
    if isinstance(value, list):
        return list(_found_in(value, path)) or None
    return None


def _found_in(items: list[Any], path: list[str]) -> Iterator[Any]:
    for item in items:
        found = value_at(item, path)
        if isinstance(found, list):
            yield from found
        elif found is not None:
            yield found
