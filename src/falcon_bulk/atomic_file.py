"""Writes a file so that a crash leaves the old content or the new, never a part, and replaces nothing unknown."""

import errno
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from falcon_bulk.errors import UsageProblem

MayReplace = Callable[[bytes], bool]
"""Whether a file that begins with these bytes (at most HEAD of them) may be replaced."""
HEAD = 256 * 1024
_DISK_ERRORS = {errno.ENOSPC, errno.EFBIG, errno.EIO, getattr(errno, "EDQUOT", errno.ENOSPC)}
MAX_LINKS = 40
"""As many links as Linux follows in one path."""


@contextmanager
def write_atomically(
    path: str | Path, mode: int = 0o644, *, may_replace: MayReplace = lambda _head: True
) -> Iterator[BinaryIO]:
    """Yield a binary file that replaces `path` when the block succeeds; else `path` stays as it was.

    It is written beside the target, synced and renamed; a link is followed and stays a link. The mode is
    narrowed by the umask and never wider than that of the file replaced. A device or a pipe is written to
    directly. may_replace: is asked about a file that is there and not empty. Raises UsageProblem if `path` is a
    folder, cannot be written to, may not be replaced, or leads through another user's link.
    """
    with _usage_problem_for(path):
        former = _checked_status(Path(path), may_replace)
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
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in _DISK_ERRORS and error.filename is None:
            error.filename = str(path)  # a write does not know its file's name, and an error message should have it
        raise
    _sync_folder(target.parent)


def check_writable(path: Path, *, may_replace: MayReplace = lambda _head: True) -> None:
    """Raise UsageProblem now where `write_atomically` would do so when the work is done."""
    with _usage_problem_for(path):
        former = _checked_status(path, may_replace)
        if former is None or stat.S_ISREG(former.st_mode):
            temporary = _temporary(Path(os.path.realpath(path)))
            os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            temporary.unlink()


def _temporary(target: Path) -> Path:
    return target.with_name(f".falcon-bulk-{secrets.token_hex(8)}.tmp")


def _checked_status(path: Path, may_replace: MayReplace) -> os.stat_result | None:
    """Return the status of what is there, None if nothing is. Raises UsageProblem if it may not be replaced."""
    if link := _link_of_another_user(path):
        raise UsageProblem(
            f"{str(path)!r} leads through {str(link)!r}, a link of another user.", "Name the file that is meant."
        )
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    if stat.S_ISREG(status.st_mode) and status.st_size:
        with path.open("rb") as file:
            if not may_replace(file.read(HEAD)):
                raise UsageProblem(
                    f"{str(path)!r} was not written by falcon-bulk and is left as it is.",
                    "Name another file, or move that one away.",
                )
    return status


def _link_of_another_user(path: Path) -> Path | None:
    """Return the first link on the way to a file that belongs neither to this user nor to root: it may be planted."""
    if not hasattr(os, "geteuid"):
        return None
    trusted = (os.geteuid(), 0)
    root, *pending = (Path.cwd() / path).parts
    resolved, links = Path(root), 0
    while pending and links <= MAX_LINKS:
        here = resolved / pending.pop(0)
        if here.name == ".." or not here.is_symlink():
            resolved = here
            continue
        if here.lstat().st_uid not in trusted:
            return here
        target = here.readlink()
        links += 1
        pending = [*target.parts[target.is_absolute() :], *pending]
        resolved = Path(target.anchor) if target.is_absolute() else resolved
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
