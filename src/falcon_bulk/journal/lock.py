"""Allows one changing run per CID at a time, by a file lock that the OS releases even after SIGKILL."""

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from falcon_bulk.errors import Busy

PATIENCE = 0.3
"""Seconds to wait for a lock: `running_run` holds it for a moment to see whether a run does."""


@contextmanager
def hold_locks(folder: Path, cids: Iterable[str], run_id: str) -> Iterator[None]:
    """Hold the locks of all the CIDs for a run.

    Raises Busy, naming the run that holds one of them.
    """
    with ExitStack() as stack:
        for cid in sorted(set(cids)):
            stack.enter_context(_held(folder, cid, run_id))
        yield


@contextmanager
def _held(folder: Path, cid: str, run_id: str) -> Iterator[None]:
    holder = folder / f"{cid}.holder"
    lock = FileLock(folder / f"{cid}.lock", mode=0o600)
    try:
        lock.acquire(timeout=PATIENCE, poll_interval=0.01)
    except Timeout:
        raise Busy(
            f"The run {_named(holder)} is changing alerts of this customer right now.",
            "Wait until it ends; `falcon-bulk runs` shows how it stands.",
        ) from None
    try:
        descriptor = os.open(holder, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(run_id)
        yield
    finally:
        lock.release()


def running_run(folder: Path, cid: str) -> str:
    """Return the run that holds the lock of a CID right now; '' if none does."""
    lock = FileLock(folder / f"{cid}.lock", timeout=0, mode=0o600)
    try:
        lock.acquire()
    except Timeout:
        return _named(folder / f"{cid}.holder")
    lock.release()
    return ""


def _named(holder: Path) -> str:
    try:
        return holder.read_text(encoding="utf-8") or "that started just now"
    except OSError:
        return "that started just now"
