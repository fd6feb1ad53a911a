"""Ask for fewer alerts at a time after a 413 or a 504 on a large request."""

import threading
from collections.abc import Callable
from typing import TypeVar

from falcon_bulk.errors import FalconAnswer

TOO_LARGE = (413, 504)
"""Statuses after which a smaller request may succeed: too many ids, or a gateway that does not wait so long."""
MIN_SIZE = 10
SLOW_SIZE = 100
"""A gateway that does not wait for so few alerts does not wait for fewer."""

Result = TypeVar("Result")


class RequestSize:
    """The number of alerts to ask for in one request, shared by all threads. It only ever shrinks."""

    def __init__(self, largest: int) -> None:
        self._lock = threading.Lock()
        self.current = largest

    def shrink_below(self, size: int, smallest: int = MIN_SIZE) -> bool:
        """Make later requests smaller than one of `size`; return False if that is small already."""
        if size <= smallest:
            return False
        with self._lock:
            self.current = min(self.current, max(smallest, size // 2))
        return True

    def fit(self, wanted: int, request: Callable[[int], Result]) -> Result:
        """Return what `request` returns for the largest size that is answered, at most `wanted`.

        Raises what `request` raises, if a smaller size cannot help.
        """
        while True:
            size = min(wanted, self.current)
            try:
                return request(size)
            except FalconAnswer as error:
                smallest = SLOW_SIZE if error.status == 504 else MIN_SIZE
                if error.status not in TOO_LARGE or not self.shrink_below(size, smallest):
                    raise
