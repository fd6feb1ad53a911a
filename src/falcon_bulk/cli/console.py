"""What a person reads on stderr: messages, hints, progress, questions. Foreign text is made safe here."""

import os
import select
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from copy import copy

from falcon_bulk.textsafe import printable

BAR_AFTER = 1.0


class Console:
    """Messages to stderr. quiet: only errors. progress: whether bars may be drawn."""

    def __init__(self, *, quiet: bool, verbose: bool, progress: bool) -> None:
        self.quiet = quiet
        self.verbose = verbose
        self.prefix = ""
        self._progress = progress and not quiet and sys.stderr.isatty()

    def of(self, customer: str) -> "Console":
        """The same, with the customer's name before each message and bar."""
        one = copy(self)
        one.prefix = f"{customer}: "
        return one

    def say(self, message: str) -> None:
        """A message, not shown with --quiet."""
        if not self.quiet:
            self._write(message)

    def detail(self, message: str) -> None:
        """A message for --verbose."""
        if self.verbose:
            self._write(message)

    def error(self, message: str, hint: str = "") -> None:
        """One line, and a hint."""
        self._write(f"Error: {message}")
        if hint:
            self._write(f"Hint: {hint}")

    @contextmanager
    def bar(self, label: str) -> Iterator[Callable[[int, int], None]]:
        """A progress bar for work that takes more than a second; takes the number done and expected."""
        from tqdm import tqdm

        with tqdm(
            desc=self.prefix + label,
            unit=" alerts",
            delay=BAR_AFTER,
            leave=False,
            dynamic_ncols=True,
            disable=not self._progress,
            file=sys.stderr,
        ) as drawn:

            def move(done: int, expected: int) -> None:
                drawn.total = expected
                drawn.update(done - drawn.n)

            yield move

    def ask(self, question: str) -> str | None:
        """The line typed as an answer, None at the end of input."""
        self._write(question, end=" ")
        _until_typed()
        line = sys.stdin.readline()
        return line.rstrip("\r\n") if line else None

    def _write(self, message: str, end: str = "\n") -> None:
        with suppress(BrokenPipeError):
            sys.stderr.write(printable(self.prefix + message) + end)
            sys.stderr.flush()


def _until_typed() -> None:
    """Wait for input. A signal that comes just before the wait ends it too; a plain read would sleep through it."""
    if os.name != "posix":
        return
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.setblocking(False)
        former = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        try:
            select.select([sys.stdin, ours], [], [])
        finally:
            signal.set_wakeup_fd(former)


def is_interactive() -> bool:
    """True if a person can be asked: input and messages are on a terminal."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def wants_color(no_color: bool) -> bool:
    """Whether colours are wanted; NO_COLOR is honoured when set to anything but ''."""
    return not no_color and not os.environ.get("NO_COLOR")
