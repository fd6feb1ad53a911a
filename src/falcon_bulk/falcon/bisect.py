"""Split lists in half to find the items at fault; read ids although one unknown id may reject the whole request."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from falcon_bulk.errors import Rejected

MAX_REJECTIONS = 64
"""Rejections that `bisect_rejected` tolerates."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class Bisection:
    """Split lists in half, a limited number of times. It knows nothing about requests."""

    def __init__(self, limit: int) -> None:
        self._left = limit

    @property
    def exhausted(self) -> bool:
        """Whether the limit is reached."""
        return self._left <= 0

    def split(self, items: Sequence[Item]) -> tuple[Sequence[Item], ...]:
        """Return the two halves of the items; () if there is only one. Each call counts."""
        self._left -= 1
        middle = len(items) // 2
        return (items[:middle], items[middle:]) if middle else ()


def bisect_rejected(parts: Iterable[Sequence[str]], read: Callable[[Sequence[str]], Result]) -> Iterator[Result]:
    """Yield what `read` returns for each part, and for the halves of parts that are rejected with 400 or 404.

    A rejected part of a single id is dropped. Raises Rejected for any other status and after too many rejections;
    and whatever else `read` raises. It is not known whether Falcon rejects a request for one unknown id.
    """
    bisection = Bisection(MAX_REJECTIONS)
    queue = list(parts)
    while queue:
        part = queue.pop()
        try:
            yield read(part)
        except Rejected as error:
            if error.status not in (400, 404) or bisection.exhausted:
                raise
            queue += bisection.split(part)
