"""The folder that holds the journal and the locks."""

import os
import shlex
import stat
from collections.abc import Mapping
from pathlib import Path

from falcon_bulk.config.permissions import current_uid, others_can_write
from falcon_bulk.errors import AccessProblem

_POSIX = os.name == "posix"
_HINT = "Set FALCON_BULK_STATE_DIR to another folder."


def state_dir(environ: Mapping[str, str]) -> Path:
    """Return the state folder: FALCON_BULK_STATE_DIR, else the platform's folder for user state.

    Raises AccessProblem if it is below the home folder, and that is not known.
    """
    named = environ.get("FALCON_BULK_STATE_DIR", "").strip()
    if named:
        folder = os.path.expanduser(named)  # noqa: PTH111 - Path's raises on an unknown user
        if folder == "~" or folder.startswith("~/"):
            raise _no_home()
        return Path(folder).absolute()
    from platformdirs import user_state_path

    try:
        path = user_state_path("falcon-bulk", appauthor=False)
    except RuntimeError:  # neither HOME nor the password database has a home folder
        raise _no_home() from None
    if not path.is_absolute():  # what earlier versions of platformdirs return then
        raise _no_home()
    return path


def _no_home() -> AccessProblem:
    return AccessProblem(
        "The state folder cannot be found: HOME is not set, and the system does not know this user.",
        "Set HOME, or FALCON_BULK_STATE_DIR to a folder for the journal.",
    )


def prepare_state_dir(path: Path, *, posix: bool = _POSIX, uid: int | None = None) -> None:
    """Create the state folder with mode 700, and its parents.

    A folder of the user's that others can read is changed to mode 700. Raises AccessProblem for one that others own
    or can write, since they could change a journal. On Windows the folder is created and nothing is checked.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if posix:
            _close_to_others(path, current_uid() if uid is None else uid)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or "invalid path"
        raise AccessProblem(f"Cannot use the state folder {path}: {reason}.", _HINT) from None


def _close_to_others(path: Path, uid: int) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        status = os.fstat(descriptor)
        if status.st_uid != uid:
            raise AccessProblem(f"The state folder {path} belongs to another user.", _HINT)
        if others_can_write(status, uid):
            hint = f"chmod 700 {shlex.quote(str(path))}"
            raise AccessProblem(f"Others can write the state folder {path}.", hint)
        if stat.S_IMODE(status.st_mode) != 0o700:
            os.fchmod(descriptor, 0o700)
    finally:
        os.close(descriptor)
