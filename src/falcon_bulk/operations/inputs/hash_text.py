"""Find SHA256 hashes in lines of text: lists, notes, the output of sha256sum, certutil, openssl and Get-FileHash."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from falcon_bulk.operations.inputs.hash_labels import other_label, says_hash, says_sha256, titles_parents
from falcon_bulk.operations.inputs.input_text import normalized, uncommented

LENGTH = 64
SEARCHED_LENGTHS = (32, 40)
"""Of hashes by which alerts can be filtered."""
OTHER_HASH_LENGTHS = {32: "an MD5", 40: "a SHA1", 56: "a SHA224", 96: "a SHA384", 128: "a SHA512"}
# The length of a truncated SHA256, or of one with too many digits: always an error, even next to a valid hash.
NEAR_SHA256_LENGTHS = range(57, 72)
MAX_HEADING_WORDS = 3
_HEX_WORD = re.compile(r"(?<![^\W_])[0-9A-Fa-f]{32,}(?![^\W_])")
LONE_HASH = re.compile(r"[0-9A-Fa-f]{64}")
_SUM_LINE = re.compile(r"([0-9A-Fa-f]{64}) [ *](?!\S*[0-9A-Fa-f]{32})[^\s#,;|]*\.\w+")  # what sha256sum writes
# The beginnings of lines that are told apart from a line of a list.
_MAY_BE_OUTPUT = re.compile(r"[-=]|Algorithm|Path|Hash|CertUtil|[0-9A-F]{2} [0-9A-F]{2} ", re.IGNORECASE)
_SPACED_HASH = re.compile(r"(?:[0-9A-Fa-f]{2} ){31}[0-9A-Fa-f]{2}")
_DASHES = re.compile(r"[-=\s]*(?:--|==)[-=\s]*")
_TABLE_HEADER = re.compile(r"(Algorithm\s+)?Hash\s+Path|Algorithm\s+Hash", re.IGNORECASE)
_LIST_LINE = re.compile(r"(Algorithm|Path)\s+:\s*(.*)", re.IGNORECASE)
_ALGORITHM = re.compile(r"(?<![a-z0-9])(?:md\d|sha-?[0-9]+(?:[-_/]\d+)?|blake\w*)(?![a-z0-9])", re.IGNORECASE)
_CERTUTIL_END = re.compile(r"CertUtil: -hashfile\b(?!.*(?:FAILED|0x))", re.IGNORECASE)
_SHA256_NAMES = frozenset({"sha256", "sha2256"})
_OPENSSL = re.compile(r"(\S+)\s*\(.*\)\s*=\s*$")
_SEPARATORS = re.compile(r"[,;\t|]")
_URL_OF_FILE = re.compile(r"/(?:files?|samples?|sha256|hash|hashes)/$", re.IGNORECASE)
# What Sysmon writes: MD5=…,SHA256=…,IMPHASH=….
_SYSMON_LIST = re.compile(r"\w+=[0-9A-Fa-f]+(?:,\s*\w+=[0-9A-Fa-f]+)+")
_SYSMON_HASH = re.compile(r"(?<![^,\s])SHA256=([0-9A-Fa-f]{64})(?![0-9A-Fa-f])", re.IGNORECASE)
_PART_BEFORE = tuple("-.@#%+&~$\\?!^")
_LETTER = re.compile(r"[^\W_]")
_PART_AFTER = re.compile(r"[-_.=@+%]\w")


_PLACEHOLDER = "0" * LENGTH
_MAX_CONTEXT = 300
"""Characters around a hash for which the finding is remembered."""


class Finding(NamedTuple):
    """What a text, a cell or an item holds: hashes in lower case, or the problem: why it has none, or may have none.

    other: an MD5 or a SHA1 that stands there instead.
    """

    hashes: tuple[str, ...] = ()
    problem: str = ""
    other: str = ""


class Entry(NamedTuple):
    """A finding and where it is: its number, of a line or of another unit of the file."""

    number: int
    finding: Finding
    unit: str = "line"


_NOTHING = Finding(problem="no SHA256 in it")


def entries_of_text(lines: Iterable[str]) -> Iterator[Entry]:
    """Yield an entry for each line of text that holds something; headings that say SHA256 hold nothing.

    A heading of something else, such as `Lead IDs:`, and a column of something else hold for the lines below.
    """
    heading = ""
    columns: list[str] = []
    commented: list[str] = []
    for number, line in enumerate(lines, 1):
        if not heading and not columns and not commented and (finding := _known_finding(line)):
            yield Entry(number, finding)
            continue
        text = uncommented(line)
        if not text and _SEPARATORS.search(line):
            names = _SEPARATORS.split(line.strip("# "))
            commented = names if any(other_label(name, explicit=False, heading=True) for name in names) else []
        if not text:
            continue
        if _MAY_BE_OUTPUT.match(text):
            if _DASHES.fullmatch(text) or _TABLE_HEADER.fullmatch(text) or _CERTUTIL_END.match(text):
                continue
            if listed := _LIST_LINE.fullmatch(text):
                if listed[1].lower() == "algorithm":
                    heading = "" if normalized(listed[2]) in _SHA256_NAMES else listed[2]
                continue
            if _SPACED_HASH.fullmatch(text):
                text = text.replace(" ", "")
        if _HEX_WORD.search(text) is None:
            columns = _SEPARATORS.split(text) if _SEPARATORS.search(text) else []
            heading = _heading(text, heading)
            if not (text.endswith(":") and _ALGORITHM.search(text)):
                yield Entry(number, _NOTHING)
        elif heading:
            yield Entry(number, Finding(problem=f"below {heading[:40]!r}, not a SHA256", other=hashes_in(text).other))
        else:
            other = (columns and _other_column(columns, text)) or (commented and _other_comment(commented, text))
            yield Entry(number, Finding(problem=f"in the column {other[:40]!r}") if other else hashes_in(text))


def _known_finding(line: str) -> Finding | None:
    """Return what a line with one hash holds if that is certain by the text around it, else None."""
    match = _HEX_WORD.search(line)
    if match is None or len(match[0]) != LENGTH:
        return None
    if len(line) == LENGTH or (match.start() == 0 and _SUM_LINE.fullmatch(line)):
        return Finding((match[0].lower(),))
    if len(line) > _MAX_CONTEXT or _HEX_WORD.search(line, match.end()):
        return None
    before, after = line[: match.start()], line[match.end() :]
    # What follows a label and a hash, such as a file's name, says nothing of the hash if it is not a part of it.
    if _is_hash_between(before, after[:2] if _LETTER.search(before) else after):
        return Finding((match[0].lower(),))
    return None


@lru_cache(1024)
def _is_hash_between(before: str, after: str) -> bool:
    """Return whether 64 hex digits between two texts, without a heading, are a SHA256; most files repeat the texts."""
    text = uncommented(f"{before}{_PLACEHOLDER}{after}")
    if _LIST_LINE.fullmatch(text) or _CERTUTIL_END.match(text) or _SPACED_HASH.search(text):
        return False
    return hashes_in(text).hashes == (_PLACEHOLDER,)


def _heading(text: str, heading: str) -> str:
    """Return the heading of something else than SHA256 that holds below a line without a hash, or nothing."""
    label = text.rstrip(":")
    if label == text and len(text.split()) > MAX_HEADING_WORDS:
        return text if titles_parents(text) else heading
    algorithm = _ALGORITHM.search(label)
    if algorithm and normalized(algorithm[0]) in _SHA256_NAMES:
        if label == text and titles_parents(heading):  # the header of the table that has this title
            return heading
        return label if other_label(label[: algorithm.start()], explicit=False, heading=True) else ""
    if algorithm or (other_label(label, explicit=False, heading=True) and not _SEPARATORS.search(label)):
        return label
    return heading if label == text else ""


def _other_column(columns: list[str], text: str) -> str:
    """Return the column of the first 64 hex digits of a row if it says neither SHA256 nor hash, else ''."""
    cells = _SEPARATORS.split(text)
    if len(cells) != len(columns) or any(says_sha256(normalized(cell)) for cell in cells):
        return ""
    for column, cell in zip(map(str.strip, columns), cells, strict=True):
        if any(len(match[0]) == LENGTH for match in _HEX_WORD.finditer(cell)):
            name = normalized(column)
            return "" if says_sha256(name) or says_hash(name) else column or "without a name"
    return ""


def _other_comment(commented: list[str], text: str) -> str:
    """Return the column of the first 64 hex digits of a row if a comment above names it as something else, else ''."""
    column = _other_column(commented, text)
    return column if other_label(column, explicit=False, heading=True) else ""


def hash_of_value(value: str) -> Finding:
    """Return the hash that a value is, quotes aside; a value with other text around it is none."""
    if LONE_HASH.fullmatch(value):
        return Finding((value.lower(),))
    bare = value.strip("'\"`= \t\n")
    finding = hashes_in(bare)
    if finding.hashes and (len(finding.hashes) > 1 or len(bare) != LENGTH):
        named = _SYSMON_HASH.findall(bare) if _SYSMON_LIST.fullmatch(bare) else []
        return Finding((named[0].lower(),)) if len(named) == 1 else Finding(problem="more than a SHA256 in the value")
    return finding


def hashes_in(value: str) -> Finding:
    """Return what a text holds."""
    candidates = list(_HEX_WORD.finditer(value))
    cut = [match[0] for match in candidates if len(match[0]) in NEAR_SHA256_LENGTHS and len(match[0]) != LENGTH]
    if cut:
        return Finding(problem=f"{len(cut[0])} hex digits, a SHA256 has {LENGTH}")
    found, other, end = [], False, 0
    for match in candidates:
        if len(match[0]) == LENGTH:
            if _is_other(value, match, end):
                other = True
            else:
                found.append(match[0].lower())
        end = match.end()
    if other:
        return Finding(problem="64 hex digits that are not said to be a file's SHA256")
    if found:
        return Finding(tuple(found))
    others = [match[0].lower() for match in candidates if len(match[0]) in OTHER_HASH_LENGTHS]
    if not others:
        return _NOTHING
    searched = next((digest for digest in others if len(digest) in SEARCHED_LENGTHS), "")
    return Finding(problem=f"{OTHER_HASH_LENGTHS[len(others[0])]}, not a SHA256", other=searched)


def _is_other(value: str, match: re.Match[str], previous_end: int) -> bool:
    """Return whether what stands around 64 hex digits makes them something else than a file's SHA256."""
    before, after = value[previous_end : match.start()], value[match.end() :]
    if _PART_AFTER.match(after):
        return True
    if before.endswith("/"):
        return _URL_OF_FILE.search(before) is None
    if before.endswith("_"):
        return before != "_" or not previous_end
    if before.endswith(_PART_BEFORE):
        return True
    if signed := _OPENSSL.search(before):
        return normalized(signed[1]) not in _SHA256_NAMES
    label = before.rstrip("\"'`([{<*\\ \t")
    explicit = label.endswith((":", "="))
    parts = [part for part in _SEPARATORS.split(label.rstrip(":= \"'`\t")) if part.strip(" \"'`")]
    following = _SEPARATORS.split(after.lstrip("\"'` \t").lstrip(",;|\t \"'"), maxsplit=1)[0].strip("\"' ")
    if following and len(following.split()) == 1 and other_label(following, explicit=False) and not parts:
        return True
    if not parts:
        return explicit and bool(previous_end)
    return other_label(parts[-1].strip(" \"'`"), explicit=explicit)
