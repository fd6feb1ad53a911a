"""Messages, errors, progress bars and questions on stderr. Makes foreign text safe to show."""

import os
import select
import signal
import socket
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from copy import copy

from falcon_bulk.cli.customer_hints import name_customer
from falcon_bulk.cli.progress import ProgressLine, ProgressTask
from falcon_bulk.textsafe import printable

FIRST_VTE_WITH_LINKS = 5_000


class Console:
    """Writes to stderr. quiet: only errors. progress: whether bars may be drawn.

    customer_arguments: the options that name the customer, for the commands in hints.
    """

    def __init__(self, *, quiet: bool, verbose: bool, progress: bool) -> None:
        self.quiet = quiet
        self.verbose = verbose
        self.prefix = ""
        self.customer_arguments: tuple[str, ...] = ()
        self._progress = ProgressLine(sys.stderr, shown=progress and not quiet and sys.stderr.isatty())
        self._customer = ""

    def for_customer(self, customer: str, arguments: tuple[str, ...]) -> "Console":
        """Return a console that puts the customer's name before each message and bar.

        arguments: the options that name the customer.
        """
        console = copy(self)
        console.prefix = f"{customer}: "
        console._customer = customer
        console.customer_arguments = arguments
        return console

    def say(self, message: str) -> None:
        """Write a message, unless --quiet is set."""
        if not self.quiet:
            self._write(message)

    def warn(self, message: str) -> None:
        """Write a message that --quiet does not hide: without it a result would be taken for more than it is."""
        self._write(message)

    def detail(self, message: str) -> None:
        """Write a message if --verbose is set."""
        if self.verbose:
            self._write(message)

    def error(self, message: str, hint: str = "") -> None:
        """Write an error line and, if there is one, a hint line."""
        self._write(f"Error: {message}")
        if hint:
            self._write(f"Hint: {name_customer(hint, self.customer_arguments)}")

    def bar(self, label: str, unit: str = "alerts") -> AbstractContextManager[ProgressTask]:
        """Show a progress line while the block runs, if it takes a while. unit: what is counted."""
        return self._progress.task(label, unit, self._customer)

    def without_bar(self) -> AbstractContextManager[None]:
        """Keep the progress line away while the block writes a result to the terminal."""
        return self._progress.hidden()

    def ask(self, question: str) -> str | None:
        """Ask and return the line typed, None at the end of input or when the terminal is gone."""
        self._write(question, end=" ")
        line = ""
        with suppress(OSError):
            _wait_for_input()
            line = sys.stdin.readline()
        return line.rstrip("\r\n") if line else None

    def _write(self, message: str, end: str = "\n") -> None:
        with self._progress.hidden():
            sys.stderr.write(printable(self.prefix + message) + end)
            sys.stderr.flush()


def _wait_for_input() -> None:
    """Wait for input or a signal; one that arrives just before a plain read would be handled only after it."""
    if os.name != "posix":
        return
    wakeup, signalled = socket.socketpair()
    with wakeup, signalled:
        signalled.setblocking(False)
        former = signal.set_wakeup_fd(signalled.fileno(), warn_on_full_buffer=False)
        try:
            select.select([sys.stdin, wakeup], [], [])
        finally:
            signal.set_wakeup_fd(former)


def is_interactive() -> bool:
    """Return whether a person can be asked: stdin and stderr are terminals."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def wants_color(no_color: bool) -> bool:
    """Return whether to use colours: not with --no-color, nor with a NO_COLOR that is not empty."""
    return not no_color and not os.environ.get("NO_COLOR")


def has_links(environ: Mapping[str, str]) -> bool:
    """Return whether the terminal is one that makes links of OSC 8 sequences, by the variables that it sets.

    Others show them as garbage, so one that is not known gets none.
    """
    if environ.get("TMUX") or environ.get("STY"):
        return False
    vte = environ.get("VTE_VERSION", "")
    return (
        (vte.isdecimal() and int(vte) >= FIRST_VTE_WITH_LINKS)
        or environ.get("TERM_PROGRAM") in ("iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "rio")
        or environ.get("TERM") in ("xterm-kitty", "xterm-ghostty", "alacritty", "foot", "foot-extra", "contour")
        or any(environ.get(name) for name in ("WT_SESSION", "KONSOLE_VERSION", "DOMTERM"))
    )
