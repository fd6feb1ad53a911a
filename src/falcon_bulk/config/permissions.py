"""Who else can write a file or a folder, as the POSIX mode bits tell it. ACLs are not looked at."""

import os
import stat
from pathlib import Path


def current_uid() -> int:
    """The user the process acts as; -1 where there are no user ids (Windows)."""
    return os.geteuid() if hasattr(os, "geteuid") else -1


def others_can_write(status: os.stat_result, uid: int) -> bool:
    """Whether a user other than `uid` and root can write what `status` describes."""
    return status.st_uid not in (uid, 0) or bool(status.st_mode & (stat.S_IWGRP | stat.S_IWOTH))


def first_foreign_folder(path: Path, uid: int) -> Path | None:
    """The first folder above `path` in which others can swap entries, or None.

    path: absolute and free of links. A folder like /tmp passes: its sticky bit lets only the owner of an
    entry rename or remove it.
    """
    for folder in path.parents:
        status = folder.stat()
        sticky = status.st_mode & stat.S_ISVTX and status.st_uid in (uid, 0)
        if others_can_write(status, uid) and not sticky:
            return folder
    return None
