"""Read several iterators in parallel threads; their items are yielded as they arrive."""

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, TypeVar

from falcon_bulk.falcon.body import unpacking_after
from falcon_bulk.model.clock import POLL_INTERVAL

Item = TypeVar("Item")

MAX_ITEMS = 4
"""Maximum number of unpacked items that wait to be consumed or are being consumed: more would only use memory."""


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
    parallel = _ParallelReaders(chains)
    try:
        yield parallel.start(min(readers, len(chains)))
    finally:
        parallel.stop()


class _ReaderFinished:
    """Put into the queue by a reader that has nothing left to read."""


class _ParallelReaders(Generic[Item]):
    """Threads that read chains, and the queue in which their items wait to be consumed."""

    def __init__(self, chains: Sequence[Callable[[], Iterator[Item]]]) -> None:
        self._chains = chains
        self._unread: queue.SimpleQueue[int] = queue.SimpleQueue()
        for number in range(len(chains)):
            self._unread.put(number)
        self._received: queue.SimpleQueue[tuple[int, Item] | _ReaderFinished | BaseException] = queue.SimpleQueue()
        self._room = threading.Semaphore(MAX_ITEMS)
        self._stopping = threading.Event()

    def start(self, readers: int) -> Iterator[tuple[int, Item]]:
        """Start so many threads; return an iterator over what they read, which raises what a chain raised."""
        for _ in range(readers):
            threading.Thread(target=self._read, name="reader", daemon=True).start()
        return self._items(readers)

    def stop(self) -> None:
        """Let each thread stop after its current request."""
        self._stopping.set()

    def _items(self, readers: int) -> Iterator[tuple[int, Item]]:
        while readers:
            received = self._received.get()
            if isinstance(received, _ReaderFinished):
                readers -= 1
            elif isinstance(received, BaseException):
                raise received
            else:
                yield received
                del received  # or it would stay in memory until the next one is there
                self._room.release()

    def _read(self) -> None:
        """Read one chain after another until none is left."""
        place = _Place(self._room, self._stopping)
        try:
            with unpacking_after(place.take):
                while True:
                    number = self._unread.get_nowait()
                    for item in self._chains[number]():
                        place.take()
                        if self._stopping.is_set():
                            return
                        self._received.put((number, item))
                        place.hand_over()
                        del item  # or each thread would keep its last page while it waits for the next
        except queue.Empty:
            self._received.put(_ReaderFinished())
        except BaseException as error:
            self._received.put(error)
            if not isinstance(error, Exception):
                raise
        finally:
            place.give_back()


class _Place:
    """A reader's place among the items that may be unpacked: taken before one is, and released when it is consumed."""

    def __init__(self, room: threading.Semaphore, stopping: threading.Event) -> None:
        self._room = room
        self._stopping = stopping
        self._is_taken = False

    def take(self) -> None:
        """Take a place, unless this reader has one; wait for it until the reading stops."""
        while not self._is_taken and not self._stopping.is_set():
            self._is_taken = self._room.acquire(timeout=POLL_INTERVAL)

    def hand_over(self) -> None:
        """Leave the place to the item: who consumes it releases it."""
        self._is_taken = False

    def give_back(self) -> None:
        """Release the place if this reader still has it."""
        if self._is_taken:
            self._room.release()
