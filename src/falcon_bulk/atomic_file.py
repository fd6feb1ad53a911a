"""Writes a file so that a crash leaves the old content or the new, never a part."""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from falcon_bulk.errors import UsageProblem


@contextmanager
def write_atomically(path: str | Path, mode: int = 0o644) -> Iterator[BinaryIO]:
    """Yield a binary file that replaces `path` when the block succeeds; else `path` stays as it was.

    It is written beside the target, synced and renamed; a link is followed and stays a link. The mode is
    narrowed by the umask and never wider than that of the file replaced. A device or a pipe is written to
    directly. Raises UsageProblem if `path` is a folder or cannot be written to.
    """
    with _usage_problem_for(path):
        former = _status(Path(path))
        if former and stat.S_ISDIR(former.st_mode):
            raise IsADirectoryError
    if former and not stat.S_ISREG(former.st_mode):
        with Path(path).open("wb") as device:
            yield device
        return

    target = Path(os.path.realpath(path))
    temporary = _temporary(target)
    if former:
        mode &= stat.S_IMODE(former.st_mode)
    with _usage_problem_for(path):
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def check_writable(path: Path) -> None:
    """Raise UsageProblem now where `write_atomically` would do so when the work is done."""
    with _usage_problem_for(path):
        former = _status(path)
        if former is None or stat.S_ISREG(former.st_mode):
            temporary = _temporary(Path(os.path.realpath(path)))
            os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            temporary.unlink()


def _temporary(target: Path) -> Path:
    return target.with_name(f".falcon-bulk-{secrets.token_hex(8)}.tmp")


def _status(path: Path) -> os.stat_result | None:
    with suppress(FileNotFoundError):
        return path.stat()
    return None


def _sync_folder(folder: Path) -> None:
    # Some file systems and Windows cannot sync a folder; the file itself is safe by then.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _usage_problem_for(path: str | Path) -> Iterator[None]:
    try:
        yield
    except IsADirectoryError as error:
        raise UsageProblem(f"{str(path)!r} is a folder.", "Name a file in it.") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageProblem(
            f"Cannot write {str(path)!r}: {reason}.", "Name a file in a folder you can write to."
        ) from error
