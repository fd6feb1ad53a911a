"""Handles signals while a command works and while it waits for an answer."""

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from falcon_bulk.cli.session import Session
from falcon_bulk.errors import Stopped

SIGHUP = getattr(signal, "SIGHUP", None)  # Windows has none
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, *([SIGHUP] if SIGHUP else []))
REPEATED_WITHIN = 1.0
"""Seconds within which the same signal counts as one."""


@contextmanager
def stop_on_signals(context: Session) -> Iterator[None]:
    """On the first SIGINT, SIGTERM or SIGHUP stop the work in order; on the second end the process at once.

    The same signal again within a second is no second one: `timeout` and a terminal that closes send it twice. Nor is a
    SIGHUP after any other signal.
    """
    last: tuple[int, float] = (0, 0.0)

    def stop(signum: int) -> None:
        nonlocal last
        repeated = last[0] == signum and time.monotonic() - last[1] < REPEATED_WITHIN
        last = (signum, time.monotonic())
        if not context.clock.stop(signum) and not repeated and signum != SIGHUP:
            unfinished = list(context.unfinished.values())
            outcome = "`falcon-bulk resume` finishes what was in flight." if unfinished else "no change was under way."
            with suppress(OSError):
                os.write(2, "\n".join(["", f"Stopped at once: {outcome}", *unfinished, ""]).encode())
            os._exit(128 + signum)

    with _handlers(STOP_SIGNALS, stop):
        yield


@contextmanager
def abort_prompt_on_signals(state: str) -> Iterator[None]:
    """Raise Stopped on SIGINT, SIGTERM or SIGHUP, so that a question ends and the terminal is restored.

    state: what was done until then, for the message.
    """

    def abort(signum: int) -> None:
        raise Stopped(f"Stopped at the question; {state}.", terminated=signum != signal.SIGINT)

    with _handlers(STOP_SIGNALS, abort):
        yield


@contextmanager
def _handlers(signals: Iterable[signal.Signals], handle: Callable[[int], None]) -> Iterator[None]:
    """Handle signals in the block, and restore the former handlers after it. A SIGHUP that nohup ignores stays so."""

    def on_signal(signum: int, _frame: FrameType | None) -> None:
        handle(signum)

    ignored = [name for name in signals if name.name == "SIGHUP" and signal.getsignal(name) is signal.SIG_IGN]
    former = {name: signal.signal(name, on_signal) for name in signals if name not in ignored}
    try:
        yield
    finally:
        for name, handler in former.items():
            signal.signal(name, handler)
