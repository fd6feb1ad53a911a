"""Ordinary variation taken out of what alerts say, so that alike values become equal.

The same program shows another user's folder, another drive, version, process id or temporary name from alert to
alert. A shape has none of these: numbers, GUIDs and random words are `#`, a user's folder is `~`. All functions take
foreign text and raise nothing; '' stands for what is not known.
"""

import re
from collections.abc import Callable
from functools import lru_cache

MAX_LENGTH = 1_000
"""Characters of a value that are looked at; callers cut it, so that nothing longer is remembered."""

_cached = lru_cache(maxsize=4_096)

_VOLUME = re.compile(r"\\device\\(?:harddiskvolume|cdrom)\d+(?=\\)")
_VOLUME_NAME = re.compile(r"^\\Device\\HarddiskVolume\d+(?=\\)")
_DRIVE = re.compile(r"(?:volume\{[^}]*\}|[a-z]:)(?=\\)")
_SHARE = re.compile(r"(?:\\\\\?\\unc|\\device\\mup|(?<!\\)\\)\\[\w.$-]+(?=\\)")
# Windows shows some folders in its own language, and every folder with a space or a long name also as a short one.
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
# The same folders by the names that NT and the shell have for them.
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
# With numbers as `#`: a word of hexadecimal digits, and one with numbers in two places (`is-QK3F2`, `7zS0C3`).
_RANDOM = re.compile(r"(?<![a-z#])(?:[a-f]*#[a-f#]*(?![a-z#])|[a-z]*#[a-z]+#[a-z#]*)")
_COPY = re.compile(r"(?: ?\(#\)| - copy)+(?=\.|$)")
_FIRST_WORD = re.compile(r"\s*(?:\"[^\"]*\"?|\S+)")
_SWITCH = re.compile(r" [-/]|\" ")

# In this order; the mark stands in all that the pattern finds, and is found much faster.
_PLACES: tuple[tuple[str, re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
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
"""Windows' own accounts by their SID: their names are in the system's language."""

_SERVICE = re.compile(r"(?:svc|srv|service|g?msa|sa)[-_.].*|.*[-_.](?:svc|srv|service|g?msa|sa)\$?")


@_cached
def normalize_file_name(name: str) -> str:
    """A file's name without case, numbers, random parts and the mark of a copy."""
    return _COPY.sub("", _numberless(name.casefold()))


@_cached
def normalize_folder(path: str) -> str:
    """The folder of a file's path, up to its last separator, without drive, user, version and language.

    What lies in a temporary folder counts as in that folder itself.
    """
    folder = _placed(path[: folder_length(path)].casefold())
    temporary = _TEMP.search(folder)
    return folder[: temporary.end()] if temporary else folder


def mask_numbers(cmdline: str) -> str:
    """A command line without case and GUIDs, each digit as 0 unless there may be short names (8.3) in it.

    It has the same shape. Most lines that are seen again differ in a number or a GUID only, and this is made fast.
    """
    if cmdline.isascii():
        data = cmdline.encode()
        line = data.translate(_LOWER if "~" in cmdline else _LOWER_AND_DIGITS).decode()
    else:
        line = cmdline.casefold() if "~" in cmdline else cmdline.casefold().translate(_DIGITS)
    return _GUID.sub("0", line) if line.count("-") >= 4 else line


@_cached
def normalize_arguments(cmdline: str, filename: str) -> str:
    """A command line without its program (which has fields of its own), quotes, numbers and places that vary.

    A program without arguments has the shape `.`.
    """
    line = mask_numbers(cmdline)
    program = filename.casefold()
    end = _end_of_program(line, program if "~" in line else program.translate(_DIGITS))
    text = _placed(_BASE64.sub("#", line[end:]))
    if any(mark in text for mark in ("temp", "tmp", "/shm")):
        text = _IN_TEMP.sub(r"\1\2\\\3", text)
    return " ".join(text.replace('"', " ").split()) or (cmdline and ".")


@_cached
def normalize_user(name: str, sid: str) -> str:
    """A user without domain and case. A machine's account (`HOST$`) is how SYSTEM shows itself to others."""
    if built_in := BUILT_IN_SIDS.get(sid):
        return built_in
    user = name.casefold().rpartition("\\")[2].partition("@")[0].strip()
    return "system" if user.endswith("$") and not _SERVICE.fullmatch(user) else user


@_cached
def account_kind(name: str, sid: str) -> str:
    """What kind of account it is: `built-in`, `service` (by the way such are named) or `person`."""
    user = normalize_user(name, sid)
    if user in (*BUILT_IN_SIDS.values(), "root"):
        return "built-in"
    return user and ("service" if _SERVICE.fullmatch(user) else "person")


@_cached
def normalize_disposition(number: str, description: str) -> str:
    """`prevention` or `detection`: the first word of Falcon's description, such as `Prevention, process killed.`

    Without a description by the number; seen are 0 (detected), 128 (also quarantined), 16, 2048 and 2176 (prevented).
    """
    if word := re.search(r"\w+", description):
        return word[0].casefold()
    return number and ("detection" if number in ("0", "128") else "prevention")


@_cached
def normalize_tactic(tactic: str) -> str:
    """A tactic without case and spaces: both `Machine Learning` and `MachineLearning` are seen."""
    return re.sub(r"[\W_]+", "", tactic.casefold())


def strip_volume(path: str) -> str:
    r"""A path as people read it: what is left of `\Device\HarddiskVolume3\Windows` is `\Windows`."""
    return _VOLUME_NAME.sub("", path)


def folder_length(path: str) -> int:
    """Where a path's file name begins; 0 for a name without a folder."""
    return max(path.rfind("\\"), path.rfind("/")) + 1


def is_short_name_of(short: str, long: str) -> bool:
    """True if two shapes are equal but for short names (8.3) in the first: `globex~#` may be `globex remote`."""
    parts, others = short.split("\\"), long.split("\\")
    return len(parts) == len(others) and all(map(_stands_for, parts, others))


def _stands_for(short: str, long: str) -> bool:
    stem, mark, rest = short.partition("~#")
    if not mark:
        return short == long
    return bool(stem) and re.sub(r"[ .]", "", long).startswith(stem) and long.endswith(rest)


def _end_of_program(text: str, filename: str) -> int:
    """Where a command line's arguments begin: behind the file's name, or else behind the first word."""
    found = text.find(filename) if filename else -1
    while found >= 0 and not _SWITCH.search(text, 0, found):
        end = found + len(filename)
        if text[max(found - 1, 0) : found] in ("", "\\", "/", '"') and text[end : end + 1] in ("", " ", "\t", '"'):
            return end
        found = text.find(filename, end)
    first = _FIRST_WORD.match(text)
    return first.end() if first else 0


def _placed(text: str) -> str:
    """Text without numbers, and with the paths in it made general."""
    for mark, pattern, instead in _PLACES:
        if mark in text:
            text = pattern.sub(instead, text)
    return _numberless(text)


def _numberless(text: str) -> str:
    """Text with numbers and what is random as `#`."""
    if text.count("-") >= 4:
        text = _GUID.sub("#", text)
    text = _NUMBER.sub("#", text)
    return _RANDOM.sub("#", text) if "#" in text else text
