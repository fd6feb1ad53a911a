"""Handles signals while a command works and while it waits for an answer."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING

from falcon_bulk.errors import Stopped

if TYPE_CHECKING:
    from falcon_bulk.cli.session import Session

SIGHUP = getattr(signal, "SIGHUP", None)  # Windows has none
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, *([SIGHUP] if SIGHUP else []))
REPEATED_WITHIN = 1.0
"""Seconds within which the same signal counts as one."""
TELL_AFTER = 0.3
"""Seconds after which whoever pressed Ctrl-C is told that it was seen."""


@contextmanager
def stop_on_signals(context: "Session") -> Iterator[None]:
    """On the first SIGINT, SIGTERM or SIGHUP say so and stop the work in order; on the second end the process at once.

    The same signal again within a second is no second one: `timeout` and a terminal that closes send it twice. Nor is a
    SIGHUP after any other signal, or another within a second of a SIGHUP: of two that come at once, Python handles the
    SIGHUP first.
    """
    last: tuple[int, float] = (0, 0.0)

    def stop(signum: int) -> None:
        nonlocal last
        repeated = last[0] in (signum, SIGHUP) and time.monotonic() - last[1] < REPEATED_WITHIN
        if not repeated:  # whoever keeps pressing Ctrl-C means it
            last = (signum, time.monotonic())
        unfinished = list(context.unfinished.values())
        if context.clock.stop(signum):
            what = "Stopping after the batches in flight" if unfinished else "Stopping before anything is changed"
            _tell(f"{what}; press again to stop now." if signum == signal.SIGINT else f"{what}.")
        elif not repeated and signum != SIGHUP:
            outcome = "`falcon-bulk resume` finishes what was in flight." if unfinished else "no change was under way."
            _tell_last(f"Stopped at once: {outcome}", *unfinished)
            os._exit(128 + signum)

    with _handlers(STOP_SIGNALS, stop):
        yield


@contextmanager
def interrupt_on_sigint() -> Iterator[None]:
    """Raise KeyboardInterrupt on the first SIGINT in the block, and say so if that takes a while; exit on the second.

    For what only reads: nothing is lost, but a request in flight may keep the process waiting for its answer.
    """
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:  # ignored, or somebody else's
        yield
        return
    slow = threading.Timer(TELL_AFTER, _tell, ["Stopping; press again to stop now."])
    slow.daemon = True
    first = 0.0

    def interrupt(signum: int) -> None:
        nonlocal first
        if not first:
            first = time.monotonic()
            slow.start()
            raise KeyboardInterrupt
        if time.monotonic() - first > TELL_AFTER:  # else it is the same one: `timeout` sends it twice
            _tell_last("Stopped at once: no change was under way.")
            os._exit(128 + signum)

    try:
        with _handlers((signal.SIGINT,), interrupt):
            yield
    except RuntimeError:
        if not first:
            raise
        raise KeyboardInterrupt from None  # it came while a lock was taken, which the library then releases in vain
    finally:
        slow.cancel()


def _tell(*lines: str, descriptor: int = 2) -> None:
    """Write lines to stderr past its buffer, which the interrupted code may be using; a progress line is erased."""
    begin = "\r\x1b[K" if os.isatty(descriptor) else ""
    with suppress(OSError):
        os.write(descriptor, (begin + "".join(f"{line}\n" for line in lines)).encode())


def _tell_last(*lines: str) -> None:
    """Write the last lines to stderr: another thread may draw its progress there until the process has ended."""
    descriptor = 2
    with suppress(OSError):
        descriptor = os.dup(2)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    _tell(*lines, descriptor=descriptor)


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
