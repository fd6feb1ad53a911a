"""Read several iterators in parallel threads; their items are yielded as they arrive."""

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TypeVar

from falcon_bulk.model.clock import POLL_INTERVAL

Item = TypeVar("Item")

MAX_QUEUED = 4
"""Maximum number of items waiting to be consumed: more would only use memory."""


class _ReaderFinished:
    """Put into the queue by a reader that has nothing left to read."""


@contextmanager
def read_in_parallel(
    chains: Sequence[Callable[[], Iterator[Item]]], readers: int
) -> Iterator[Iterator[tuple[int, Item]]]:
    """Yield an iterator over the items of all chains, each with the number of its chain; a chain keeps its order.

    The threads start at once, and each reads one chain at a time. An error in a chain is raised by the iterator. At the
    end of the block each thread stops after its current request. A single chain is read without a thread, on demand.
    """
    if len(chains) == 1:
        yield ((0, item) for item in chains[0]())
        return
    todo: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in range(len(chains)):
        todo.put(number)
    out: queue.Queue[tuple[int, Item] | _ReaderFinished | BaseException] = queue.Queue(MAX_QUEUED)
    stopping = threading.Event()

    def put(item: tuple[int, Item] | _ReaderFinished | BaseException) -> None:
        while not stopping.is_set():
            with suppress(queue.Full):
                out.put(item, timeout=POLL_INTERVAL)
                return

    def read() -> None:
        try:
            while True:
                number = todo.get_nowait()
                for item in chains[number]():
                    put((number, item))
                    if stopping.is_set():
                        return
        except queue.Empty:
            put(_ReaderFinished())
        except BaseException as error:
            put(error)
            if not isinstance(error, Exception):
                raise

    def take(readers_left: int) -> Iterator[tuple[int, Item]]:
        while readers_left:
            item = out.get()
            if isinstance(item, _ReaderFinished):
                readers_left -= 1
            elif isinstance(item, BaseException):
                raise item
            else:
                yield item

    started = min(readers, len(chains))
    try:
        for _ in range(started):
            threading.Thread(target=read, name="reader", daemon=True).start()
        yield take(started)
    finally:
        stopping.set()
