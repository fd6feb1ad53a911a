"""Set up the log of HTTP requests that `--debug` shows on stderr and `--log-file` writes.

Lines are masked and made safe to show. A handler that cannot write loses its lines and never stops the run.
"""

import logging
import os
import platform
import stat
import sys
import time
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TextIO

from falcon_bulk import __version__
from falcon_bulk.config.permissions import current_uid
from falcon_bulk.config.secret import mask_secrets
from falcon_bulk.errors import UsageProblem
from falcon_bulk.textsafe import printable

MAX_FILE_BYTES = 10_000_000
MAX_OLD_FILES = 5
HEADER = "# falcon-bulk log"
"""The start of each log file; a file that starts otherwise is never written to."""

_OPEN_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def start_logging(*, debug: bool, log_file: Path | None) -> None:
    """Log HTTP requests to stderr if `debug`, and to `log_file` if it is given; replace any earlier set-up.

    Raises UsageProblem if the file cannot be written or is not a log of falcon-bulk.
    """
    package, http = logging.getLogger("falcon_bulk"), logging.getLogger("falcon_bulk.http")
    for logger in (package, http):
        for handler in tuple(logger.handlers):
            logger.removeHandler(handler)
            handler.close()
    package.propagate = False
    package.setLevel(logging.DEBUG if debug or log_file else logging.NOTSET)
    if debug:
        _add_handler(http, StderrHandler(sys.stderr))  # main shows errors and tracebacks itself
    if log_file is not None:
        _add_handler(package, _open_log_file(log_file))
    http.debug("falcon-bulk %s, Python %s, %s", __version__, platform.python_version(), platform.platform())


def _add_handler(logger: logging.Logger, handler: logging.Handler) -> None:
    handler.setFormatter(SafeFormatter())
    logger.addHandler(handler)


def _open_log_file(path: Path) -> "PrivateRotatingFileHandler":
    try:
        return PrivateRotatingFileHandler(path)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageProblem(
            f"Cannot write the log file {str(path)!r}: {reason}.",
            "Name a new file, or an earlier log, in a folder you can write to.",
        ) from None


class SafeFormatter(logging.Formatter):
    """Format a record as `TIME PID MESSAGE`, without secrets or characters that are not seen."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(process)d %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - logging's name
        """Return the record's time in UTC, RFC 3339 with milliseconds."""
        return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{int(record.msecs):03d}Z"

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text; only a traceback has several lines."""
        return "\n".join(map(printable, mask_secrets(super().format(record)).splitlines()))


class SilentHandler(logging.Handler):
    """A handler that drops what it cannot write: with a full disk or without a terminal the run goes on."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Ignore the error."""


class StderrHandler(SilentHandler, logging.StreamHandler[TextIO]):
    """Write to standard error."""


class PrivateRotatingFileHandler(SilentHandler, RotatingFileHandler):
    """A rotated log file that only its owner can read. Raises OSError for any other file than a log of ours."""

    def __init__(self, path: Path, *, max_bytes: int = MAX_FILE_BYTES) -> None:
        super().__init__(path, maxBytes=max_bytes, backupCount=MAX_OLD_FILES, encoding="utf-8", errors="replace")

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, _OPEN_FLAGS, 0o600)
        try:
            _check_log_file(descriptor)
            stream = os.fdopen(descriptor, "a", encoding=self.encoding, errors=self.errors)
        except BaseException:
            os.close(descriptor)
            raise
        return stream


def _check_log_file(descriptor: int) -> None:
    """Write the header to a new file. Raises OSError unless the file is a log that belongs to this user alone."""
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise OSError("not a regular file")
    if os.name == "posix":
        if status.st_uid != current_uid():
            raise OSError("it belongs to another user")
        if stat.S_IMODE(status.st_mode) & 0o077:
            raise OSError(f"others can read or write it (mode {stat.S_IMODE(status.st_mode):o})")
    if not status.st_size:
        os.write(descriptor, f"{HEADER}\n".encode())
    elif os.read(descriptor, len(HEADER)) != HEADER.encode():
        raise OSError("it is not a log of falcon-bulk")
