"""Read what is asked for by id in parts: some are read before their turn, and all are yielded in order."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from itertools import islice
from typing import TypeVar

from falcon_bulk.falcon.body import unpacking_after
from falcon_bulk.operations.reading.background import in_background, result_of
from falcon_bulk.operations.reading.parallel import MAX_ITEMS

Item = TypeVar("Item")
Part = TypeVar("Part")
Result = TypeVar("Result")


def parts_of(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yield the items in lists of so many; the last may be shorter."""
    left = iter(items)
    while part := list(islice(left, size)):
        yield part


def read_ahead(parts: Iterable[Part], read: Callable[[Part], Result], *, readers: int) -> Iterator[tuple[Part, Result]]:
    """Yield each part with what `read` returns for it, in the order of the parts.

    read: called in threads, for so many parts at a time as there are readers. What is received for a part stays packed
    until its turn is near. What it raises is raised when its turn comes. At the end each thread stops after its current
    request.
    """
    turn = threading.Condition()
    taken = 0
    is_over = False

    def wait_for_turn(number: int) -> None:
        with turn:
            turn.wait_for(lambda: is_over or number < taken + MAX_ITEMS)

    def start(number: int, part: Part) -> Future[Result]:
        def work() -> Result:
            with unpacking_after(lambda: wait_for_turn(number)):
                return read(part)

        return in_background(work)

    left = enumerate(parts)
    running: deque[tuple[Part, Future[Result]]] = deque()
    try:
        while True:
            while len(running) < readers and not (running and running[0][1].done()):
                if (numbered := next(left, None)) is None:
                    break
                running.append((numbered[1], start(*numbered)))
            if not running:
                return
            part, future = running.popleft()
            yield part, result_of(future)
            del future  # or its result would stay in memory until the next one is there
            with turn:
                taken += 1
                turn.notify_all()
    finally:
        with turn:
            is_over = True
            turn.notify_all()
