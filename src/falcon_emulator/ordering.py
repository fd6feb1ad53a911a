"""The order of search results, and the position of a page in it."""

from bisect import bisect_left
from collections.abc import Callable
from operator import attrgetter
from typing import Any, TypeVar

import msgspec

from falcon_emulator.fields import Field, field
from falcon_emulator.switches import Switches
from falcon_emulator.timestamps import MILLISECOND

T = TypeVar("T")


class Order(msgspec.Struct, frozen=True):
    """A sort order: by `field`, ties by `identity` ascending, what lacks the field last."""

    field: Field
    descending: bool
    identity: Callable[[Any], str] = attrgetter("composite_id")

    def key(self, item: Any) -> Any:
        """Return the value an item sorts by; times in milliseconds, as in Elasticsearch's `after`."""
        value = self.field.value(item)
        return value // MILLISECOND if value is not None and self.field.type == "time" else value

    def sorted(self, items: list[T]) -> list[T]:
        """Return the items in this order; alerts come newest first and stay so if that is the order."""
        if self.field.name == "created_timestamp" and self.descending:
            return items
        absent = [item for item in items if self.key(item) is None]
        present = [item for item in items if self.key(item) is not None]
        by_id = sorted(present, key=self.identity)
        return sorted(by_id, key=self.key, reverse=self.descending) + sorted(absent, key=self.identity)

    def position_after(self, items: list[Any], value: Any, identity: str) -> int:
        """Return the index of the first item that sorts after (value, identity), which need not exist."""

        def sorts_after(item: Any) -> bool:
            own = self.key(item)
            if own == value:
                return self.identity(item) > identity
            if own is None or value is None:
                return own is None
            return bool(own < value if self.descending else own > value)

        return bisect_left(items, True, key=sorts_after)


def split_sort(sort: str) -> tuple[str, str]:
    """Return the field and direction of `field|asc` or `field.desc`; the direction is empty if it is neither."""
    name, _, direction = sort.rpartition("|") if "|" in sort else sort.rpartition(".")
    return name, direction if direction in ("asc", "desc") else ""


def parse_sort(sort: str, switches: Switches) -> Order:
    """Parse `field|asc`, `field|desc` or `field.desc`; anything else is silently the default order (live use)."""
    name, direction = split_sort(sort)
    found = field(name, switches) if direction else None
    if found is None or not found.sortable:
        newest = field("created_timestamp", switches)
        assert newest is not None, "the mapping has created_timestamp"
        return Order(newest, descending=True)
    return Order(found, descending=direction == "desc")
