"""Read several iterators in parallel threads; their items are yielded as they arrive."""

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from falcon_bulk.falcon.body import unpacking_after
from falcon_bulk.model.clock import POLL_INTERVAL

Item = TypeVar("Item")

MAX_ITEMS = 4
"""Maximum number of unpacked items that wait to be consumed or are being consumed: more would only use memory."""


class _ReaderFinished:
    """Put into the queue by a reader that has nothing left to read."""


@contextmanager
def read_in_parallel(
    chains: Sequence[Callable[[], Iterator[Item]]], readers: int
) -> Iterator[Iterator[tuple[int, Item]]]:
    """Yield an iterator over the items of all chains, each with the number of its chain; a chain keeps its order.

    The threads start at once, and each reads one chain at a time. What they receive stays packed until there is room
    for it. An error in a chain is raised by the iterator. At the end of the block each thread stops after its current
    request. A single chain is read without a thread, on demand.
    """
    if len(chains) == 1:
        yield ((0, item) for item in chains[0]())
        return
    todo: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in range(len(chains)):
        todo.put(number)
    out: queue.SimpleQueue[tuple[int, Item] | _ReaderFinished | BaseException] = queue.SimpleQueue()
    rooms = threading.Semaphore(MAX_ITEMS)
    stopping = threading.Event()

    def read() -> None:
        has_room = False

        def take_room() -> None:
            nonlocal has_room
            while not has_room and not stopping.is_set():
                has_room = rooms.acquire(timeout=POLL_INTERVAL)

        try:
            with unpacking_after(take_room):
                while True:
                    number = todo.get_nowait()
                    for item in chains[number]():
                        take_room()
                        if stopping.is_set():
                            return
                        out.put((number, item))
                        has_room = False
                        del item  # or each thread would keep its last page while it waits for the next
        except queue.Empty:
            out.put(_ReaderFinished())
        except BaseException as error:
            out.put(error)
            if not isinstance(error, Exception):
                raise
        finally:
            if has_room:
                rooms.release()

    def take(readers_left: int) -> Iterator[tuple[int, Item]]:
        while readers_left:
            item = out.get()
            if isinstance(item, _ReaderFinished):
                readers_left -= 1
            elif isinstance(item, BaseException):
                raise item
            else:
                yield item
                del item
                rooms.release()

    started = min(readers, len(chains))
    try:
        for _ in range(started):
            threading.Thread(target=read, name="reader", daemon=True).start()
        yield take(started)
    finally:
        stopping.set()
