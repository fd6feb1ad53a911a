"""Standard error as a stream that drops what cannot be written, so that a message never stops a run."""

import os
import sys
from io import BufferedWriter, FileIO, TextIOWrapper
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _DroppingFile(FileIO):
    """A file whose writes always succeed: its terminal may be gone, its disk full, its reader dead."""

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write what can be written; return the length of all of it."""
        try:
            written = super().write(data)
        except OSError:
            return memoryview(data).nbytes
        return written or 0


def drop_failing_messages() -> None:
    """Make standard error drop what it cannot write. Messages, prompts, bars, hints and logs all go there."""
    if os.name == "posix":  # Windows writes to its console in another manner
        sys.stderr = _dropping(sys.stderr)


def _dropping(stream: TextIO) -> TextIO:
    file = _DroppingFile(stream.fileno(), "wb", closefd=False)
    return TextIOWrapper(BufferedWriter(file), encoding=stream.encoding, errors="backslashreplace", line_buffering=True)
