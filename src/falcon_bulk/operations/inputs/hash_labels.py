"""What names, types and words say of a value: that it is a file's own SHA256, or something else of 64 hex digits."""

import re
from functools import lru_cache
from typing import NamedTuple

from falcon_bulk.operations.inputs.input_text import normalized

# `SHA256`, `SHA256HashData`, `file.hash.sha256`, `sha256sum`; never a parent's, a certificate's or an initiator's.
_SHA256 = re.compile(
    r"(?:crowdstrike|falcon|vendor|event|alert|detection|threatindicator)*"
    r"(?:file|files|filehash|targetfile|tgtfile|actionfile|actionprocessimage|objectfile|objectfilehash|target|image|"
    r"process|processhash|hash|hashes|attributes|ioc|malware|sample)?"
    r"(?:hash)?sha(?:2)?256(?:hash|hashes|hashdata|string|sum|digest|value|checksum|hex|offile)?"
)
_ANY_HASH = frozenset({"hash", "hashes", "filehash", "hashvalue", "file"})
_TYPE_NAMES = ("type", "indicatortype", "ioctype", "observabletype", "algorithm", "hashtype", "itype", "kind")
_VALUE_NAMES = ("value", "indicatorvalue", "iocvalue", "indicator", "ioc", "observable", "observablevalue", "hash")
_SHA256_WITH_NAME = "filenamesha256"
_HASH_TYPE = re.compile(r"sha256|sha2256|hashsha256|sha256hash|filesha256|filehashsha256|filesha256hash|sha256filehash")
# Words before a value that say that it is not a file's own SHA256.
_OTHER_WORDS = re.compile(
    r"(?<![a-z0-9])(?:[a-z]*ids?|lead|[ug]uid|aid|cid|parent|grandparent|initiat\w+|authentihash|imphash|tlsh|vhash|"
    r"permhash|thumbprint|fingerprint|cert\w*|serial|signature|token|key|secret|tx\w*|transaction|address|md\d|"
    r"pass(?:word|wd|phrase)?|salt|nonce|jarm|ja[34]\w*|hmac\S*|"
    r"sha-?1|sha-?224|sha-?384|sha-?512\S*|sha-?3\S*|blake\w*|keccak\S*|sm3|gost\S*|ripemd\S*|uuid)(?![a-z0-9])"
)
# Words directly before a value that say so too; in a heading they mean other things.
_OTHER_WORDS_BEFORE = re.compile(
    r"(?<![a-z0-9])(?:commit|mutex|session|cookie|(?:fav)?icon|body|section|resource|overlay|docker|container|layer|"
    r"manifest|by)(?![a-z0-9])"
)
_OF_PARENTS = re.compile(r"(?<![a-z0-9])(?:(?:grand)?parents?|initiat\w+)(?![a-z0-9])")
_HASHES = re.compile(r"(?<![a-z0-9])(?:hash(?:es)?|sha-?256)(?![a-z0-9])")
# Words that a sentence has before a file's hash.
_FILE_WORDS = frozenset({"file", "files", "sample", "samples", "malware", "executable", "binary", "dll", "payload"})
MAX_WORDS = 4
"""A text of more words before a value is a sentence."""
_BLANKS = {ord("_"): " ", ord("/"): " "}
_FILE_NAME = re.compile(r"[^\s:=]+\.\w{1,5}$")


class Pair(NamedTuple):
    """The columns of a type and its value, by their numbers in a header."""

    kind: int
    value: int


@lru_cache(4096)
def says_sha256(name: str) -> bool:
    """Return whether a normalized column or key holds a file's own SHA256."""
    return _SHA256.fullmatch(name) is not None


def says_hash(name: str) -> bool:
    """Return whether a normalized column or key holds a hash of a kind that it does not say."""
    return name in _ANY_HASH and name != "file"


def pair_of(header: list[str]) -> Pair | None:
    """Return the columns of type and value in a normalized header, or None."""
    kind = next((header.index(name) for name in _TYPE_NAMES if name in header), None)
    value = next((header.index(name) for name in _VALUE_NAMES if name in header), None)
    return None if kind is None or value is None else Pair(kind, value)


def value_of_type(kind: str, value: str) -> str:
    """Return the hash in a pair of type and value if the type says SHA256, else ''."""
    name = normalized(kind)
    if name == _SHA256_WITH_NAME:
        return value.rpartition("|")[2]
    return value if _HASH_TYPE.fullmatch(name) or name in _ANY_HASH else ""


def titles_parents(text: str) -> bool:
    """Return whether a line without a hash is the title of parents' hashes, such as that of hash-summary."""
    lowered = text.lower()
    return _OF_PARENTS.search(lowered) is not None and _HASHES.search(lowered) is not None


def other_label(text: str, *, explicit: bool, heading: bool = False) -> bool:
    """Return whether the text before a value says that the value is no file's SHA256.

    explicit: whether a colon or an equals sign ends the text; then, and at the end of a sentence, it has to say SHA256
    or hash, or be a file's name. heading: whether the text is above the value and not beside it.
    """
    text = text.strip().lower()
    bare = text.translate(_BLANKS)
    if _OTHER_WORDS.search(bare) or (not heading and _OTHER_WORDS_BEFORE.search(bare)):
        return True
    words = text.split()
    if not words or not (explicit or len(words) > MAX_WORDS) or _FILE_NAME.search(text):
        return False
    if not explicit and not _FILE_WORDS.isdisjoint(words[-2:]):
        return False
    endings = (normalized(text), normalized(words[-1]), normalized("".join(words[-2:])))
    return not any(says_sha256(name) or name in _ANY_HASH for name in endings)
