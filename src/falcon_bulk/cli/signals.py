"""Handles signals while a command works and while it waits for an answer."""

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from falcon_bulk.cli.session import Session
from falcon_bulk.errors import Stopped

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))


@contextmanager
def stop_on_signals(context: Session) -> Iterator[None]:
    """On the first SIGINT, SIGTERM or SIGHUP stop the work in order; on the second end the process at once."""

    def stop(signum: int) -> None:
        if not context.clock.stop(signum):
            unfinished = list(context.unfinished.values())
            outcome = "`falcon-bulk resume` finishes what was in flight." if unfinished else "no change was under way."
            with suppress(OSError):
                os.write(2, "\n".join(["", f"Stopped at once: {outcome}", *unfinished, ""]).encode())
            os._exit(128 + signum)

    with _handlers(STOP_SIGNALS, stop):
        yield


@contextmanager
def abort_prompt_on_signals(state: str) -> Iterator[None]:
    """Raise Stopped on SIGINT or SIGTERM, so that a question ends and the terminal is restored.

    state: what was done until then, for the message.
    """

    def abort(signum: int) -> None:
        raise Stopped(f"Stopped at the question; {state}.", terminated=signum == signal.SIGTERM)

    with _handlers((signal.SIGINT, signal.SIGTERM), abort):
        yield


@contextmanager
def _handlers(signals: Iterable[signal.Signals], handle: Callable[[int], None]) -> Iterator[None]:
    """Handle signals in the block, and restore the former handlers after it."""

    def on_signal(signum: int, _frame: FrameType | None) -> None:
        handle(signum)

    former = {name: signal.signal(name, on_signal) for name in signals}
    try:
        yield
    finally:
        for name, handler in former.items():
            signal.signal(name, handler)
