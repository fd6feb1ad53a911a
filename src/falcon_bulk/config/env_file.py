"""Check, read and write env files.

An env file holds a customer's credentials, so it must belong to the user and be closed to everybody else. It is read
with python-dotenv's parser, which neither interpolates nor changes the process environment. No error contains a value
or the text of an unreadable line, since either may be a secret.
"""

import os
import re
import shlex
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from falcon_bulk.config.permissions import current_uid, first_foreign_folder
from falcon_bulk.errors import BadEnvFile

if TYPE_CHECKING:
    from dotenv.parser import Binding

MAX_BYTES = 64 * 1024

_POSIX = os.name == "posix"
# Links are resolved before the file is opened, so O_NOFOLLOW refuses one that appears in between. O_NONBLOCK keeps a
# FIFO from blocking the open.
_BINARY = getattr(os, "O_BINARY", 0)
_READ_FLAGS = os.O_RDONLY | _BINARY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NEWLINE = re.compile(r"\r\n|\n|\r")
_BARE = re.compile(r"[A-Za-z0-9_./:@%+,~-]+")


@dataclass(frozen=True)
class EnvFile:
    """The content of an env file.

    values: all keys in the file's order, including unknown ones. modified: when it was written, in Unix seconds.
    warnings: one sentence for each check that could not be made.
    """

    path: Path
    values: Mapping[str, str] = field(repr=False)
    warnings: tuple[str, ...] = ()
    modified: float = 0.0


def load_env_file(path: Path, *, posix: bool = _POSIX, uid: int | None = None) -> EnvFile:
    """Return the content of an env file after checking that it is safe to use.

    posix: whether owner and mode can be checked; if not, a warning says so.
    uid: the required owner; by default the current user.

    Raises BadEnvFile, which names the file and, if known, the line.
    """
    owner = current_uid() if uid is None else uid
    data, modified = _read_checked(path, owner if posix else None)
    warnings = () if posix else (f"{path}: file permissions were not checked: this system has no file modes.",)
    return EnvFile(path, _parse(path, _decode(path, data)), warnings, modified)


def read_env_file(path: Path) -> dict[str, str]:
    """Return the keys and values of an env file; see `load_env_file`."""
    return dict(load_env_file(path).values)


def write_env_file(path: Path, values: Mapping[str, str]) -> None:
    """Create an env file with mode 600 and one `KEY=value` line per item.

    Raises BadEnvFile if the file exists or cannot be written, or if a value has an unprintable character. The values
    read back exactly as given.
    """
    data = "".join(f"{key}={quote_value(key, value)}\n" for key, value in values.items()).encode()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
    except FileExistsError:
        raise BadEnvFile(f"{path} already exists.", "Edit it, or remove it first.") from None
    except OSError as error:
        raise BadEnvFile(f"{path} cannot be written: {error.strerror}.") from None
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        path.unlink(missing_ok=True)
        raise BadEnvFile(f"{path} cannot be written: {error.strerror}.") from None


def quote_value(key: str, value: str) -> str:
    """Return `value` quoted for the line `key=…` of an env file, so that it reads back unchanged.

    Versions of python-dotenv differ in how they read a backslash before a quote, so this tries several quotings and
    returns the first that the installed version reads back. Raises BadEnvFile if there is none.
    """
    if not value.isprintable():
        raise BadEnvFile(f"{key} has an unprintable character.", "Type the value again.")
    single = value.replace("\\", "\\\\").replace("'", "\\'")
    double = value.replace("\\", "\\\\").replace('"', '\\"')
    candidates = [value] if _BARE.fullmatch(value) else []
    candidates += [f"'{single}'", f'"{double}"', value]
    for quoted in candidates:
        bindings = _bindings(f"{key}={quoted}\nNEXT='x'\n")
        if [(binding.key, binding.value) for binding in bindings] == [(key, value), ("NEXT", "x")]:
            return quoted
    raise BadEnvFile(f"{key} cannot be written to an env file.", "Use the process environment instead.")


def _read_checked(path: Path, uid: int | None) -> tuple[bytes, float]:
    """Return the bytes of `path` and its time, checking the opened file itself.

    uid: required owner; None skips owner and mode.
    """
    try:
        real = path.resolve(strict=True)
        if uid is not None and real != Path(os.path.abspath(path)):  # noqa: PTH100 - absolute() keeps `..`
            _check_link(path, real, uid)
        descriptor = os.open(real, _READ_FLAGS)
        try:
            status = os.fstat(descriptor)
            _check_status(path, status, uid)
            with os.fdopen(descriptor, "rb", closefd=False) as stream:
                data = stream.read(MAX_BYTES + 1)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        raise BadEnvFile(f"{path} does not exist.", "Copy .env.example to it and fill it in.") from None
    except (OSError, RuntimeError, ValueError) as error:
        # RuntimeError: a loop of links, before Python 3.13. ValueError: a NUL in the path.
        reason = getattr(error, "strerror", None) or "the path is invalid"
        raise BadEnvFile(f"{path} cannot be read: {reason}.") from None
    if len(data) > MAX_BYTES:
        raise BadEnvFile(f"{path} is too large for an env file (more than {MAX_BYTES // 1024} KiB).")
    return data, status.st_mtime


def _check_status(path: Path, status: os.stat_result, uid: int | None) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise BadEnvFile(f"{path} is not a regular file.")
    if uid is None:
        return
    if status.st_uid != uid:
        raise BadEnvFile(f"{path} belongs to another user.", "Make a copy of your own, with mode 600.")
    if status.st_mode & 0o177:
        mode = stat.S_IMODE(status.st_mode)
        raise BadEnvFile(f"{path} has mode {mode:o}: only you may have access.", f"chmod 600 {shlex.quote(str(path))}")


def _check_link(path: Path, real: Path, uid: int) -> None:
    folder = first_foreign_folder(real, uid)
    if folder is not None:
        raise BadEnvFile(
            f"{path} is a link into {folder}, where others can write.",
            f"Move the file, or: chmod go-w {shlex.quote(str(folder))}",
        )


def _decode(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = 1 + len(re.findall(rb"\r\n|\n|\r", data[: error.start]))
        raise BadEnvFile(f"{path}, line {line}: not UTF-8 text.", "Save the file as UTF-8.") from None


def _parse(path: Path, text: str) -> dict[str, str]:
    values: dict[str, str] = {}
    lines: dict[str, int] = {}
    for binding in _bindings(text):
        line = binding.original.line + _blank_lines_before(binding.original.string)
        if not binding.error and binding.key is None:
            continue  # a comment, or nothing
        if binding.error or binding.key is None or binding.value is None or not _KEY.fullmatch(binding.key):
            raise BadEnvFile(
                f"{path}, line {line}: not a valid KEY=value line.",
                "Put a value with spaces, quotes or # in single quotes.",
            )
        key = binding.key
        if key in lines:
            # Only known prefixes are shown: another key may be a piece of a secret that contains a line break.
            name = key if key.startswith("FALCON_") else "the key"
            message = f"{path}, line {line}: {name} is already on line {lines[key]}."
            raise BadEnvFile(message, "Remove one of them.")
        lines[key] = line
        values[key] = binding.value
    return values


def _blank_lines_before(statement: str) -> int:
    """Return how many blank lines precede a statement; python-dotenv counts them as part of it."""
    return len(_NEWLINE.findall(statement[: len(statement) - len(statement.lstrip())]))


def _bindings(text: str) -> "list[Binding]":
    from dotenv.parser import parse_stream  # slow to import, and not needed without a tenant

    return list(parse_stream(StringIO(text, newline="")))
