"""What a signal does while a command works, and while it asks."""

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
    """SIGINT, SIGTERM and a lost terminal: the first asks the work to stop in good order, the second ends it."""

    def stop(signum: int) -> None:
        if not context.timing.stop(signum):
            unfinished = list(context.unfinished.values())
            said = "`falcon-bulk resume` settles what was in flight." if unfinished else "no change was under way."
            with suppress(OSError):
                os.write(2, "\n".join(["", f"Stopped at once: {said}", *unfinished, ""]).encode())
            os._exit(128 + signum)

    with _handled(STOP_SIGNALS, stop):
        yield


@contextmanager
def abort_prompt_on_signals(meanwhile: str) -> Iterator[None]:
    """SIGINT and SIGTERM end a question, so that the terminal is as before. meanwhile: what was done until then.

    Raises Stopped.
    """

    def give_up(signum: int) -> None:
        raise Stopped(f"Stopped at the question; {meanwhile}.", terminated=signum == signal.SIGTERM)

    with _handled((signal.SIGINT, signal.SIGTERM), give_up):
        yield


@contextmanager
def _handled(signals: Iterable[signal.Signals], handle: Callable[[int], None]) -> Iterator[None]:
    def on_signal(signum: int, _frame: FrameType | None) -> None:
        handle(signum)

    former = {name: signal.signal(name, on_signal) for name in signals}
    try:
        yield
    finally:
        for name, handler in former.items():
            signal.signal(name, handler)
