"""Asking by id where one unknown id may refuse the whole request: whether it does is not known."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from falcon_bulk.errors import Rejected

MAX_REJECTIONS = 64
"""Refusals of one reading at most."""

Found = TypeVar("Found")


def bisect_rejected(parts: Iterable[Sequence[str]], read: Callable[[Sequence[str]], Found]) -> Iterator[Found]:
    """What is read for each part; one that is refused with 400 or 404 is halved until the id at fault stands alone.

    Raises Rejected if too much is refused, and what else `read` raises.
    """
    refused = 0
    left = list(parts)
    while left:
        part = left.pop()
        try:
            yield read(part)
        except Rejected as error:
            refused += 1
            if error.status not in (400, 404) or refused > MAX_REJECTIONS:
                raise
            half = len(part) // 2
            left += [part[:half], part[half:]] if half else []
