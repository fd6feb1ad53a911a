"""Shows a result that is longer than the screen through a pager, as git and gh do."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from falcon_bulk.textsafe import printable

IN_MEMORY = 1_000_000
"""Bytes of a result that are held in memory; more go to a temporary file."""
USUAL = "less"
NONE = ("", "cat")
_USUAL_SETTINGS = {"LESS": "FRX", "LV": "-c"}
"""What git sets too: colours, and no pager for what fits on one screen."""
_LINK = re.compile(rb"\x1b\]8;;[^\x1b]*\x1b\\")
_STYLING = re.compile(rb"\x1b\[[0-9;]*m")


def pager_command(environ: Mapping[str, str], configured: str | None = None) -> tuple[str, ...]:
    """Return the pager's command line: of FALCON_BULK_PAGER, else as configured, else of PAGER, else less; () for none.

    An empty value and `cat` stand for none, as does one that a shell could not read.
    """
    named = environ.get("FALCON_BULK_PAGER", environ.get("PAGER") if configured is None else configured)
    if named is None:
        return (USUAL,) if shutil.which(USUAL) else ()
    with suppress(ValueError):  # an open quote
        return () if named.strip() in NONE else tuple(shlex.split(named))
    return ()


@contextmanager
def paged(
    terminal: BinaryIO, command: tuple[str, ...], alone: Callable[[], AbstractContextManager[None]]
) -> Iterator[BinaryIO]:
    """Yield a file; at the end of the block show what was written to it: by the pager if it is longer than the screen.

    command: the pager's; () for none. alone: keeps everything else off the terminal. If the block raises, what was
    written until then is shown without a pager.
    """
    with SpooledTemporaryFile(IN_MEMORY) as held:
        try:
            yield cast(BinaryIO, held)
        except BaseException:
            with alone():
                _copy(held, terminal)
            raise
        size = shutil.get_terminal_size()
        with alone():
            if not (command and _is_longer(held, size.columns, size.lines - 1) and _page(held, command)):
                _copy(held, terminal)


def _copy(held: "SpooledTemporaryFile[bytes]", terminal: BinaryIO) -> None:
    held.seek(0)
    shutil.copyfileobj(held, terminal)
    terminal.flush()


def _is_longer(held: "SpooledTemporaryFile[bytes]", columns: int, lines: int) -> bool:
    """Return whether the text takes more lines of a terminal, which breaks lines that are too long for it."""
    from falcon_bulk.report.table_text import text_width  # loads rich

    held.seek(0)
    taken = 0
    for line in held:
        width = text_width(_STYLING.sub(b"", _LINK.sub(b"", line)).decode(errors="replace").rstrip("\r\n"))
        taken += max(1, -(-width // columns))
        if taken > lines:
            return True
    return False


def _page(held: "SpooledTemporaryFile[bytes]", command: tuple[str, ...]) -> bool:
    """Show the text with the pager and wait until it is left; return False if it cannot be started.

    Links are removed: not every pager passes them on. A Ctrl-C is the pager's. It gets no credentials.
    """
    environ = {name: value for name, value in os.environ.items() if not name.startswith("FALCON_CLIENT_")}
    try:
        environ = _USUAL_SETTINGS | environ
        pager = subprocess.Popen(command, stdin=subprocess.PIPE, env=environ)  # noqa: S603 - the user's own, no shell
    except OSError as error:
        sys.stderr.write(f"Note: the pager {printable(command[0])} cannot be started: {error.strerror}.\n")
        return False
    former = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        held.seek(0)
        with suppress(BrokenPipeError), cast(BinaryIO, pager.stdin) as stdin:  # it may be left before it has read all
            stdin.writelines(_LINK.sub(b"", line) for line in held)
        pager.wait()
    finally:
        signal.signal(signal.SIGINT, former)
    return True
