"""Where settings come from: an env file or the process environment, never both."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from falcon_bulk.config import secret_command
from falcon_bulk.config.env_file import load_env_file
from falcon_bulk.config.env_keys import CREDENTIALS, PROCESS_ONLY_KEYS, REGION_KEYS, unknown_key_warnings
from falcon_bulk.errors import BadEnvFile

PROCESS_ENVIRONMENT = "process environment"

_UNSPACED_KEYS = (*CREDENTIALS, secret_command.KEY, "FALCON_BASE_URL", "FALCON_MEMBER_CID", "FALCON_CID", *REGION_KEYS)
_CURLY_QUOTES = re.compile("[\u2018\u2019\u201c\u201d\u201e\u201a]")


@dataclass(frozen=True)
class SettingsSource:
    """The keys of one source. name: for messages. unchecked: a sentence for each check that could not be made.

    modified: the date of a file.
    """

    values: Mapping[str, str]
    name: str
    customer: str
    warnings: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()
    is_file: bool = False
    modified: str = ""

    def get(self, key: str) -> str:
        """Return the value of `key`, stripped, or ''. Raises BadEnvFile if it has an unprintable character."""
        return self.get_unstripped(key).strip()

    def get_unstripped(self, key: str) -> str:
        """Return the value of `key` unchanged, or ''. Raises BadEnvFile if it has an unprintable character."""
        value = self.values.get(key, "")
        if not value.isprintable():
            raise self.problem(f"{key} has a control or invisible character.", "Type the value again.")
        if key in _UNSPACED_KEYS and self.is_file:
            self._check_paste(key, value)
        return value

    def _check_paste(self, key: str, value: str) -> None:
        """Raise BadEnvFile for what a word processor or a script adds to a pasted value."""
        if _CURLY_QUOTES.search(value):
            raise self.problem(f"{key} has curly quotes.", "Use straight quotes, or none.")
        if value.endswith(";"):
            raise self.problem(f"{key} ends with a semicolon.", "Remove it.")

    def problem(self, message: str, hint: str = "") -> BadEnvFile:
        """Return the error to raise for what is wrong here; the message names the source."""
        return BadEnvFile(f"{self.name}: {message}", hint)


def file_source(path: Path) -> SettingsSource:
    """Read an env file. Raises BadEnvFile for one that is missing, unsafe or unreadable."""
    file = load_env_file(path)
    ignored = tuple(
        f"{path}: {key} is ignored: it works only in the process environment."
        for key in PROCESS_ONLY_KEYS
        if key in file.values
    )
    stem = "default" if path.name == ".env" else path.stem
    blanks = tuple(
        f"{path}: {key} has blanks inside its quotes."
        for key in (*CREDENTIALS, "FALCON_BASE_URL")
        if (value := file.values.get(key, "")).strip() and value != value.strip()
    )
    warnings = ignored + blanks + unknown_key_warnings(file.values, str(path))
    modified = datetime.fromtimestamp(file.modified, UTC).date().isoformat()
    return SettingsSource(file.values, str(path), stem, warnings, file.warnings, is_file=True, modified=modified)


def unnamed_source(environ: Mapping[str, str], cwd: Path) -> SettingsSource:
    """Return the process environment if it has credentials, else `.env` in the current folder. Raises BadEnvFile."""
    missing = [key for key in CREDENTIALS if not environ.get(key, "").strip()]
    if not missing:
        warnings = unknown_key_warnings(environ, f"The {PROCESS_ENVIRONMENT}", only_similar=True)
        return SettingsSource(environ, PROCESS_ENVIRONMENT, "default", warnings)
    path = cwd / ".env"
    if not os.path.lexists(path):
        names = " and ".join(missing)
        raise BadEnvFile(
            f"No credentials: {path} does not exist, and the {PROCESS_ENVIRONMENT} lacks {names}.",
            "Use --customer NAME (`falcon-bulk customers add NAME` creates its file), or create a .env with mode 600.",
        )
    return file_source(path)
