"""Interpreters and system programs: a hash of theirs says little about what happened."""

import re
from collections.abc import Iterable

from falcon_bulk.model.alert import Alert, text
from falcon_bulk.model.vocabulary import same_text

# Programs that run other people's code: their hash tells little about what happened.
INTERPRETERS = frozenset(
    {
        *("cmd", "conhost", "cscript", "explorer", "msbuild", "mshta", "msiexec", "powershell", "pwsh"),
        *("regsvr32", "rundll32", "svchost", "wmic", "wscript"),
        *("bash", "curl", "dash", "osascript", "sh", "zsh"),
        *("java", "javaw", "node", "perl", "php", "python", "pythonw", "ruby"),
    }
)

_FOLDER = re.compile(r".*[\\/]")
_VERSION = re.compile(r"[\d.]+$")
SYSTEM_FOLDERS = ("\\windows\\system32\\", "\\windows\\syswow64\\", "/usr/bin/", "/usr/sbin/", "/system/library/")


def is_interpreter(filename: str) -> bool:
    """Return whether a file name, or a path, is that of a program that runs other people's code: `python3.11` too."""
    name = _FOLDER.sub("", filename.strip().casefold()).removesuffix(".exe")
    return name in INTERPRETERS or _VERSION.sub("", name) in INTERPRETERS


def interpreters_in(alert: Alert) -> Iterable[str]:
    """Yield the alert's file name if it is an interpreter's, or that of a system program found everywhere."""
    name, path = text(alert.filename), text(alert.filepath).casefold()
    common = same_text(text(alert.global_prevalence), "common") and any(folder in path for folder in SYSTEM_FOLDERS)
    if name and (common or is_interpreter(name)):
        yield name
