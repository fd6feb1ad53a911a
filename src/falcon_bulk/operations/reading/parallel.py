"""Several readers at work at once, their pages handed on as they come."""

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TypeVar

from falcon_bulk.model.clock import POLL_INTERVAL

Item = TypeVar("Item")

MAX_QUEUED = 4
"""Items that may wait to be taken: more would only fill the memory."""


class _ReaderFinished:
    """A reader has nothing left to read."""


@contextmanager
def read_in_parallel(
    chains: Sequence[Callable[[], Iterator[Item]]], readers: int
) -> Iterator[Iterator[tuple[int, Item]]]:
    """Gives the items of all chains, each with its chain's number; those of one chain in their order.

    Each of the threads reads one chain at a time, and they begin at once. What a chain raises is raised by the
    iterator. At the end of the block, each stops after the request it is at. One chain alone is read without a thread,
    as its items are taken.
    """
    if len(chains) == 1:
        yield ((0, item) for item in chains[0]())
        return
    todo: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in range(len(chains)):
        todo.put(number)
    out: queue.Queue[tuple[int, Item] | _ReaderFinished | BaseException] = queue.Queue(MAX_QUEUED)
    quitting = threading.Event()

    def hand_on(item: tuple[int, Item] | _ReaderFinished | BaseException) -> None:
        while not quitting.is_set():
            with suppress(queue.Full):
                out.put(item, timeout=POLL_INTERVAL)
                return

    def read() -> None:
        try:
            while True:
                number = todo.get_nowait()
                for item in chains[number]():
                    hand_on((number, item))
                    if quitting.is_set():
                        return
        except queue.Empty:
            hand_on(_ReaderFinished())
        except BaseException as error:
            hand_on(error)
            if not isinstance(error, Exception):
                raise

    def handed_on(reading: int) -> Iterator[tuple[int, Item]]:
        while reading:
            item = out.get()
            if isinstance(item, _ReaderFinished):
                reading -= 1
            elif isinstance(item, BaseException):
                raise item
            else:
                yield item

    started = min(readers, len(chains))
    try:
        for _ in range(started):
            threading.Thread(target=read, name="reader", daemon=True).start()
        yield handed_on(started)
    finally:
        quitting.set()
