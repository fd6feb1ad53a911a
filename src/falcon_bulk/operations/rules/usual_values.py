r"""The usual values of a field among alerts, as globs that a person would write.

What differs from alert to alert becomes `*`: users' folders, versions, GUIDs, numbers, temporary names. Everything else
stays as it is. A field has usual values if a few globs fit at least nine in ten of the alerts.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

from falcon_bulk.operations.outliers.normalization import mask_random
from falcon_bulk.operations.rules.globs import fits_any, glob_problem, has_wildcard, without_volume

USUAL = 0.9
"""The share of the alerts that the globs of a field fit."""
MAX_GLOBS = 5
RARE = 0.02
"""A glob that fits fewer of the alerts, or a single one, is not listed."""
FEW = 5
"""So many values in one place that differ, and most of them once, are arbitrary; fewer are a choice of some."""
MANY = 20
"""So many values in one place are arbitrary if none of them is frequent."""
FREQUENT = 0.1

_ANY = "\x00"
_USER_FOLDER = re.compile(
    r"(\\(?:Users|Benutzer|Utilisateurs|Usuarios|Utenti|Gebruikers|Documents and Settings)\\)"
    r"(?!(?:Public|Default|All Users)\\)[^\\\"]+(?=\\)",
    re.IGNORECASE,
)
_HOME = re.compile(r"(?<![\w.~])(/(?:home|Users)/)(?!Shared\b)[^/\s\"]+(?=/)", re.IGNORECASE)
_VOLUME = re.compile(r"(?<=\\Device\\HarddiskVolume)\d+", re.IGNORECASE)
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# Three numbers at least, in a folder's or a program's name: an address such as \\10.0.0.1 or http://10.0.0.1 is none.
_VERSION = re.compile(r"(?<!\\\\)(?<!\\Mup\\)(?<![\d.])\d+(?:\.\d+){2,}(?=\\|\.exe\b)", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(?:[.,:_-]\d+)*")
_SEPARATORS = re.compile(r"([\\/\s\"'=,;:{}()\[\]<>|&@]+)")

Words = tuple[str, ...]
_Row = tuple[Words, int]


def usual_globs(values: Sequence[str], key: str) -> tuple[str, ...]:
    """Return the globs that fit the usual values of a field, most frequent first; () if it varies.

    values: one of each alert, '' where it has none. key: of the rule, such as `path`.
    """
    counts = Counter(value for value in values if value.strip())
    rare = max(2, RARE * len(values))
    prepared: Counter[str] = Counter()
    for value, number in counts.items():
        prepared[_prepared(value, key)] += number
    rows = [(tuple(_SEPARATORS.split(value)), number) for value, number in prepared.items()]
    for divide in (_by_masked_words, _by_frequent_words):
        clusters = sorted(divide(rows), key=lambda cluster: (-_alerts(cluster), cluster[0][0]))
        usual = [cluster for cluster in clusters if _alerts(cluster) >= rare][:MAX_GLOBS]
        globs = tuple(dict.fromkeys(glob for glob in map(_glob, usual) if not glob_problem(key, glob)))
        fitted = sum(number for value, number in counts.items() if fits_any(key, globs, value))
        if globs and fitted >= USUAL * len(values):
            return globs
    return ()


def single_value(values: Sequence[str]) -> tuple[str, ...]:
    """Return the one value that nine in ten alerts have, as it is; () if there is none or it reads as a glob."""
    counts = Counter(value.casefold() for value in values if value.strip())
    for folded, number in counts.most_common(1):
        if number >= USUAL * len(values) and not has_wildcard(folded):
            return (next(value for value in values if value.casefold() == folded),)
    return ()


def _prepared(value: str, key: str) -> str:
    """Return a value with what is never the same put as _ANY, and `?` for what a file would not show."""
    if key == "path":
        value = without_volume(value)
    value = "".join(character if character.isprintable() else "?" for character in value)
    value = re.sub(r"^\s+|\s+$", lambda blanks: "?" * len(blanks[0]), value)
    if key in ("path", "filename", "cmdline", "parent_cmdline"):
        value = _USER_FOLDER.sub(rf"\1{_ANY}", value)
        value = _HOME.sub(rf"\1{_ANY}", value)
        value = _VOLUME.sub(_ANY, _VERSION.sub(_ANY, value))
    return _GUID.sub(_ANY, value)


def _alerts(rows: Iterable[_Row]) -> int:
    return sum(number for _, number in rows)


def _by_masked_words(rows: Sequence[_Row]) -> Iterable[list[_Row]]:
    """Put together the values that differ in numbers and random words alone."""
    return _grouped(rows, lambda words: tuple(map(_masked, words)))


def _by_frequent_words(rows: Sequence[_Row]) -> Iterable[list[_Row]]:
    """Put together the values that differ in arbitrary words alone, which are hardly ever the same."""
    shapes = _grouped(rows, lambda words: words[1::2])
    return chain.from_iterable(map(_by_choices, shapes))


def _by_choices(rows: Sequence[_Row]) -> Iterable[list[_Row]]:
    choices = [position for position in range(0, len(rows[0][0]), 2) if not _is_arbitrary(rows, position)]
    return _grouped(rows, lambda words: tuple(_masked(words[position]) for position in choices))


def _is_arbitrary(rows: Sequence[_Row], position: int) -> bool:
    counts: Counter[str] = Counter()
    for words, number in rows:
        counts[_masked(words[position])] += number
    if len(counts) >= FEW and len(counts) * 2 > counts.total():
        return True
    return len(counts) >= MANY and max(counts.values()) <= FREQUENT * counts.total()


def _grouped(rows: Iterable[_Row], key: Callable[[Words], Words]) -> Iterable[list[_Row]]:
    groups: defaultdict[Words, list[_Row]] = defaultdict(list)
    for row in rows:
        groups[key(row[0])].append(row)
    return groups.values()


def _masked(word: str) -> str:
    return mask_random(word.casefold())


def _glob(rows: Sequence[_Row]) -> str:
    """Return the glob that fits all values of a group, which have the same number of words."""
    columns: Iterator[list[str]] = ([words[position] for words, _ in rows] for position in range(len(rows[0][0])))
    joined = "".join(map(_common, columns))
    return re.sub(rf"{_ANY}+", "*", joined)


def _common(words: Sequence[str]) -> str:
    """Return what words have in common, with _ANY for the rest."""
    if len({word.casefold() for word in words}) == 1:
        return Counter(words).most_common(1)[0][0]
    for masked in ([_NUMBER.sub(_ANY, word) for word in words], [_masked(word).replace("#", _ANY) for word in words]):
        if len({word.casefold() for word in masked}) == 1:
            return masked[0]
    folded = [word.casefold() for word in words]
    start = len(re.sub(r"\d[\d.]*$", "", _common_start(folded)))
    rest = [word[start:][::-1] for word in folded]
    end = len(re.sub(r"\d[\d.]*$", "", _common_start(rest)))
    return words[0][:start] + _ANY + (words[0][-end:] if end else "")


def _common_start(words: Sequence[str]) -> str:
    """Return how all of the words begin."""
    first, last = min(words), max(words)
    length = next(
        (position for position, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), None
    )
    return first if length is None else first[:length]
