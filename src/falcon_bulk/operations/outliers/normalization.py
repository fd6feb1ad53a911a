"""Normalize values of alerts, so that values with only ordinary differences become equal.

The same program has another user folder, drive, version, process id or temporary name from alert to alert. In a
normalized value numbers, GUIDs and random words are `#`, and a user's folder is `~`. All functions accept any text and
raise nothing; '' stands for a missing value.
"""

import re
from collections.abc import Callable
from functools import lru_cache

MAX_LENGTH = 1_000
"""Maximum length of a value. Callers cut values to it, so that no longer ones are cached."""

_cached = lru_cache(maxsize=4_096)

_VOLUME = re.compile(r"\\device\\(?:harddiskvolume|cdrom)\d+(?=\\)")
_VOLUME_NAME = re.compile(r"^\\Device\\HarddiskVolume\d+(?=\\)")
_DRIVE = re.compile(r"(?:volume\{[^}]*\}|[a-z]:)(?=\\)")
_SHARE = re.compile(r"(?:\\\\\?\\unc|\\device\\mup|(?<!\\)\\)\\[\w.$-]+(?=\\)")
# Windows localizes the names of some folders, and gives each folder with a space or a long name also a short name.
_USER = re.compile(
    r"\\(?:users|benutzer|utilisateurs|usuarios|usuários|utenti|gebruikers|documents and settings|docume~\d)"
    r"\\(?!public\b|default\b)[^\\\"]+"
    r"|\\windows\\(?:system32\\config\\systemprofile|serviceprofiles\\\w+)"
)
_HOME = re.compile(r"(?<![\w.~])(?:/(?:home|users)/(?!shared\b)[^/\s\"]+|(?:/var)?/root(?=[/\s]|$))")
_PROGRAMS = re.compile(
    r"\\(?:program files|progra~[12]|programme|programmi|programmes|programas|programfiler|programmer"
    r"|archivos de programa|arquivos de programas)(?: ?\((?:x86|arm)\))?(?=\\|$)"
)
# The same folders by the names that NT and the shell use.
_NAMED = {
    r"%systemroot%": r"\windows",
    r"%windir%": r"\windows",
    r"%programfiles%": r"\program files",
    r"%programfiles(x86)%": r"\program files",
    r"%programdata%": r"\programdata",
    r"%userprofile%": r"\~",
    r"%localappdata%": r"\~\appdata\local",
    r"%appdata%": r"\~\appdata\roaming",
    r"%temp%": r"\~\appdata\local\temp",
}
_NAME = re.compile(r"%[a-z()0-9]+%")
_ROOT = re.compile(r"^\\systemroot(?=\\)")
_UNPARSED = re.compile(r"\\\\[?.]\\(?!unc\\)|\\\?\?\\")
_PROGRAM_DATA = re.compile(r"\\progra~3(?=\\|$)")
_SYSTEM = re.compile(r"\\(?:syswow64|sysnative)(?=\\|$)")
_TEMP = re.compile(r"\\te?mp(?=\\|$)|^(?:/private)?(?:/var)?/tmp(?=/|$)|^(?:/private)?/var/folders/|^/dev/shm(?=/|$)")
_IN_TEMP = re.compile(r"(?:(\\te?mp)\\|(?<!\w)(/tmp|/var/tmp|/dev/shm)/)[^\"'\s]*?(\.[a-z#]{1,4})?(?=[\"'\s,;]|$)")
_GUID = re.compile(r"\{?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?")
_BASE64 = re.compile(r"(?<![\w/\\.-])[a-z0-9+][a-z0-9+/]{39,}={0,2}")
_DIGITS = str.maketrans("123456789", "000000000")
_LOWER = bytes(range(256)).lower()
_LOWER_AND_DIGITS = _LOWER.translate(bytes.maketrans(b"123456789", b"000000000"))
_NUMBER = re.compile(r"\d+(?:[.,:_-]\d+)*")
# After numbers became `#`: a word of hexadecimal digits, or with numbers in two places (`is-QK3F2`, `7zS0C3`).
_RANDOM = re.compile(r"(?<![a-z#])(?:[a-f]*#[a-f#]*(?![a-z#])|[a-z]*#[a-z]+#[a-z#]*)")
_COPY = re.compile(r"(?: ?\(#\)| - copy)+(?=\.|$)")
_FIRST_WORD = re.compile(r"\s*(?:\"[^\"]*\"?|\S+)")
_SWITCH = re.compile(r" [-/]|\" ")

# Applied in this order. The first element is in every match of the pattern, and is much faster to look for.
_PATH_RULES: tuple[tuple[str, re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    ("%", _NAME, lambda found: _NAMED.get(found[0], found[0])),
    ("\\systemroot\\", _ROOT, r"\\windows"),
    ("\\\\?\\unc\\", _SHARE, r"\\\\server"),
    ("?\\", _UNPARSED, ""),
    ("\\\\.\\", _UNPARSED, ""),
    ("\\device\\mup", _SHARE, r"\\\\server"),
    ("\\\\", _SHARE, r"\\\\server"),
    ("\\device\\", _VOLUME, ""),
    (":\\", _DRIVE, ""),
    ("volume{", _DRIVE, ""),
    ("\\prog", _PROGRAMS, r"\\program files"),
    ("\\ar", _PROGRAMS, r"\\program files"),
    ("\\progra~3", _PROGRAM_DATA, r"\\programdata"),
    ("\\sys", _SYSTEM, r"\\system32"),
    ("\\", _USER, r"\\~"),
    ("/home/", _HOME, "/~"),
    ("/users/", _HOME, "/~"),
    ("/root", _HOME, "/~"),
)

BUILT_IN_SIDS = {"S-1-5-18": "system", "S-1-5-19": "local service", "S-1-5-20": "network service"}
"""Windows' built-in accounts by SID, because their names are localized."""

_SERVICE = re.compile(r"(?:svc|srv|service|g?msa|sa)[-_.].*|.*[-_.](?:svc|srv|service|g?msa|sa)\$?")


@_cached
def normalize_file_name(name: str) -> str:
    """Normalize a file name: no case, numbers, random parts or copy suffix."""
    return _COPY.sub("", mask_random(name.casefold()))


@_cached
def normalize_folder(path: str) -> str:
    """Normalize the folder of a file's path: no drive, user, version or localized name.

    Anything below a temporary folder counts as in that folder itself.
    """
    folder = _normalize_paths(path[: folder_length(path)].casefold())
    temporary = _TEMP.search(folder)
    return folder[: temporary.end()] if temporary else folder


def mask_numbers(cmdline: str) -> str:
    """Remove case and GUIDs from a command line and turn its digits into 0, unless it may contain short names (8.3).

    Its normalized form stays the same. Most repeated command lines differ only in a number or a GUID; masked like this
    they are found in the cache.
    """
    if cmdline.isascii():
        data = cmdline.encode()
        line = data.translate(_LOWER if "~" in cmdline else _LOWER_AND_DIGITS).decode()
    else:
        line = cmdline.casefold() if "~" in cmdline else cmdline.casefold().translate(_DIGITS)
    return _GUID.sub("0", line) if line.count("-") >= 4 else line


@_cached
def normalize_arguments(cmdline: str, filename: str) -> str:
    """Normalize a command line: no quotes, numbers, varying paths, or program, whose name and folder are other fields.

    A program without arguments becomes `.`.
    """
    line = mask_numbers(cmdline)
    program = filename.casefold()
    end = _end_of_program(line, program if "~" in line else program.translate(_DIGITS))
    text = _normalize_paths(_BASE64.sub("#", line[end:]))
    if any(mark in text for mark in ("temp", "tmp", "/shm")):
        text = _IN_TEMP.sub(r"\1\2\\\3", text)
    return " ".join(text.replace('"', " ").split()) or (cmdline and ".")


@_cached
def normalize_user(name: str, sid: str) -> str:
    """Normalize a user name: no domain or case. A computer account (`HOST$`) is SYSTEM as other computers see it."""
    if built_in := BUILT_IN_SIDS.get(sid):
        return built_in
    user = name.casefold().rpartition("\\")[2].partition("@")[0].strip()
    return "system" if user.endswith("$") and not _SERVICE.fullmatch(user) else user


@_cached
def account_kind(name: str, sid: str) -> str:
    """Return the kind of account: `built-in`, `service` (recognized by usual names) or `person`."""
    user = normalize_user(name, sid)
    if user in (*BUILT_IN_SIDS.values(), "root"):
        return "built-in"
    return user and ("service" if _SERVICE.fullmatch(user) else "person")


@_cached
def normalize_disposition(number: str, description: str) -> str:
    """Return `prevention` or `detection`: the first word of Falcon's description, such as `Prevention, process killed.`

    Without a description, the number decides. Seen are 0 (detected), 128 (also quarantined), 16, 2048 and 2176
    (prevented).
    """
    if word := re.search(r"\w+", description):
        return word[0].casefold()
    return number and ("detection" if number in ("0", "128") else "prevention")


@_cached
def normalize_tactic(tactic: str) -> str:
    """Normalize a tactic: no case or spaces, since both `Machine Learning` and `MachineLearning` are seen."""
    return re.sub(r"[\W_]+", "", tactic.casefold())


def strip_volume(path: str) -> str:
    r"""Remove the volume from a path, for display: `\Device\HarddiskVolume3\Windows` becomes `\Windows`."""
    return _VOLUME_NAME.sub("", path)


def folder_length(path: str) -> int:
    """Return the position of a path's file name; 0 if there is no folder."""
    return max(path.rfind("\\"), path.rfind("/")) + 1


def is_short_name_of(short: str, long: str) -> bool:
    """Return whether values differ only in short names (8.3) in the first: `globex~#` for `globex remote`."""
    parts, others = short.split("\\"), long.split("\\")
    return len(parts) == len(others) and all(map(_is_part_or_short_name, parts, others))


def _is_part_or_short_name(short: str, long: str) -> bool:
    stem, mark, rest = short.partition("~#")
    if not mark:
        return short == long
    return bool(stem) and re.sub(r"[ .]", "", long).startswith(stem) and long.endswith(rest)


def _end_of_program(text: str, filename: str) -> int:
    """Return where a command line's arguments begin: after the file's name, else after the first word."""
    found = text.find(filename) if filename else -1
    while found >= 0 and not _SWITCH.search(text, 0, found):
        end = found + len(filename)
        if text[max(found - 1, 0) : found] in ("", "\\", "/", '"') and text[end : end + 1] in ("", " ", "\t", '"'):
            return end
        found = text.find(filename, end)
    first = _FIRST_WORD.match(text)
    return first.end() if first else 0


def _normalize_paths(text: str) -> str:
    """Replace what varies in paths, and numbers."""
    for mark, pattern, replacement in _PATH_RULES:
        if mark in text:
            text = pattern.sub(replacement, text)
    return mask_random(text)


def mask_random(text: str) -> str:
    """Replace numbers, GUIDs and random words by `#`."""
    if text.count("-") >= 4:
        text = _GUID.sub("#", text)
    text = _NUMBER.sub("#", text)
    return _RANDOM.sub("#", text) if "#" in text else text
