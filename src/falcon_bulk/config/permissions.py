"""Which other users can write a file or a folder, by POSIX mode bits; ACLs are ignored."""

import os
import stat
from pathlib import Path


def current_uid() -> int:
    """Return the effective user id; -1 on systems without user ids (Windows)."""
    return os.geteuid() if hasattr(os, "geteuid") else -1


def others_can_write(status: os.stat_result, uid: int) -> bool:
    """Return whether a user other than `uid` and root can write the file or folder."""
    return status.st_uid not in (uid, 0) or bool(status.st_mode & (stat.S_IWGRP | stat.S_IWOTH))


def first_foreign_folder(path: Path, uid: int) -> Path | None:
    """Return the nearest folder above `path` in which other users can replace entries, or None.

    path: absolute, without links. A folder like /tmp passes, because its sticky bit lets only the owner of an
    entry rename or remove it.
    """
    for folder in path.parents:
        status = folder.stat()
        sticky = status.st_mode & stat.S_ISVTX and status.st_uid in (uid, 0)
        if others_can_write(status, uid) and not sticky:
            return folder
    return None
