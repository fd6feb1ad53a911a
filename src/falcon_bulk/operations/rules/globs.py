r"""Globs of closing rules: `*` and `?` only, without case, against what Falcon sends.

In a path `*` stays in one folder, and only a final `\**` takes the folders below. From an alert's path a leading
`\Device\HarddiskVolumeN` or `X:` is taken off, and nothing else.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

MIN_LITERALS = 4
"""Letters and digits that a glob has at least, so that it cannot fit everything."""

_VOLUME = re.compile(r"(?:\\Device\\HarddiskVolume\d+(?=\\)|[A-Za-z]:(?=[\\/]))", re.IGNORECASE)
_FIRST_WORD = re.compile(r"""\s*(?:"[^"]*"?|\S+)""")

Glob = re.Pattern[str]


@lru_cache(maxsize=65_536)
def compile_glob(value: str) -> Glob:
    """Return the pattern of a text: `*` stands for any text, `?` for one character."""
    return _compile(value, any_text=".*", any_character=".")


@lru_cache(maxsize=65_536)
def compile_path_glob(value: str) -> Glob:
    """Return the pattern of a path without its volume, see the module."""
    head, below = (value[:-2], r".+") if value.endswith(("\\**", "/**")) else (value, "")
    pattern = _compile(head, any_text=r"[^\\/]*", any_character=r"[^\\/]")
    return re.compile(pattern.pattern + below, pattern.flags) if below else pattern


def _compile(value: str, *, any_text: str, any_character: str) -> Glob:
    """Translate a glob. Each part after a `*` is atomic: its first place is the best, so nothing is tried twice."""
    first, *others = re.split(r"\*+", value.casefold())
    translated = _translate(first, any_character)
    if others:
        *middle, last = others
        translated += "".join(f"(?>{any_text}?{_translate(part, any_character)})" for part in middle)
        translated += f"{any_text}{_translate(last, any_character)}"
    return re.compile(translated, re.DOTALL)


def _translate(part: str, any_character: str) -> str:
    return any_character.join(map(re.escape, part.split("?")))


def comparable(text: str) -> str:
    """Return a text as globs are held against it."""
    return text.casefold()


def comparable_path(path: str) -> str:
    r"""Return a path as globs are held against it; '' for one that goes up, as `\Vendor\..\Temp` does."""
    rooted = without_volume(path)
    if "." in rooted and any(part in (".", "..") for part in re.split(r"[\\/]", rooted)):
        return ""
    return rooted.casefold()


def without_volume(path: str) -> str:
    r"""Return a path from its root on, as the globs of `path` are written."""
    return _VOLUME.sub("", path, count=1)


def fits_any(field: str, values: Iterable[str], text: str) -> bool:
    """Return whether one of a field's globs fits a text. A missing text, '', is fitted by none."""
    known = comparable_path(text) if field == "path" else comparable(text)
    compiled = compile_path_glob if field == "path" else compile_glob
    return bool(known) and any(compiled(value).fullmatch(known) is not None for value in values)


def has_wildcard(value: str) -> bool:
    """Return whether a value is more than a literal text."""
    return "*" in value or "?" in value


def glob_problem(key: str, value: str) -> str:
    """Return why a value cannot be used for a key of `match` or `expect`, '' if it can."""
    if not value.strip():
        return "is blank"
    if key == "path":
        if re.match(r"[A-Za-z]:|\\Device\\HarddiskVolume", value, re.IGNORECASE):
            return "begins with a volume; begin at the root, such as '\\Program Files\\Vendor\\*'"
        if not value.startswith(("\\", "/")):
            return "does not begin at the root, such as '\\Program Files\\Vendor\\*'"
        if "**" in (value[:-2] if value.endswith(("\\**", "/**")) else value):
            return "has ** elsewhere than as its last folder"
    if has_wildcard(value) and _literals(key, value) < MIN_LITERALS:
        return f"is too wide: beside * and ? it needs {MIN_LITERALS} letters or digits at least"
    return ""


def _literals(key: str, value: str) -> int:
    """Count the letters and digits, not those of `.exe` nor, in a command line, of the program's own name."""
    counted = value.casefold()
    if key == "cmdline" and (word := _FIRST_WORD.match(counted)):
        program = re.split(r"[\\/]", word[0].strip(' "*'))[-1]
        counted = counted.replace(program, "", 1) if program else counted
    return sum(character.isalnum() for character in counted.replace(".exe", ""))
