"""Work that goes on in a thread of its own while the caller does something else."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

from falcon_bulk.model.clock import POLL_INTERVAL

Result = TypeVar("Result")


def in_background(work: Callable[[], Result]) -> Future[Result]:
    """Start the work and return its future. A command can end while work that nobody waits for goes on."""
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - the future raises it where it is waited for
            future.set_exception(error)

    threading.Thread(target=run, name="reader", daemon=True).start()
    return future


def result_of(future: Future[Result]) -> Result:
    """Wait for the result in steps, so that a signal is dealt with meanwhile. Raises what the work raised."""
    while not future.done():
        wait([future], timeout=POLL_INTERVAL)
    return future.result()
