"""Find SHA256 hashes in JSON: lists, API answers, alerts, indicators, MISP events, STIX bundles, VirusTotal objects."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from falcon_bulk.model.hashes import HEX64
from falcon_bulk.operations.inputs.hash_labels import pair_of, says_hash, says_sha256, value_of_type
from falcon_bulk.operations.inputs.hash_text import Entry, Finding, hash_of_value, hashes_in
from falcon_bulk.operations.inputs.input_json import ENVELOPES, JsonValue
from falcon_bulk.operations.inputs.input_text import normalized

_WRAPPERS = ENVELOPES | {"hashes", "objects"}
_OWN_PARTS = ("hashes", "hash", "attributes", "file", "entities")
"""Objects inside an object that describe the same file."""
# STIX objects that hold no indicator.
_CONTEXT = frozenset(
    {
        "identity", "relationship", "report", "malware", "marking-definition", "campaign", "threat-actor", "tool",
        "intrusion-set", "attack-pattern", "course-of-action", "vulnerability", "sighting", "note", "grouping",
        "opinion", "location", "infrastructure", "extension-definition", "language-content", "x-mitre-tactic",
    }
)  # fmt: skip
_STIX_HASH = re.compile(
    r"(?<![\w.:-])file:hashes\.(?:'SHA-?256'|\"SHA-?256\"|SHA-?256)\s*=\s*'([0-9A-Fa-f]{64})'", re.IGNORECASE
)
_STIX_NOT = re.compile(r"\bNOT\b|!=", re.IGNORECASE)


def entries_of_json(values: Iterable[JsonValue]) -> Iterator[Entry]:
    """Yield an entry for each item of the documents; an alert without a hash is none."""
    for number, is_item, value in values:
        if _is_wrapper(value):
            for place, item in enumerate(_items(value), 1):
                if (found := _hashes_of(item)) is not None:
                    yield Entry(place, found, f"{'item' if is_item else 'line'} {number}, item")
        elif (found := _hashes_of(value)) is not None:
            yield Entry(number, found, "item" if is_item else "line")


def _items(document: Any, *, top: bool = False) -> Iterator[Any]:
    """Yield what a document lists, without what wraps it."""
    if isinstance(document, list) and top:
        for item in document:
            yield from _items(item)
    elif _is_wrapper(document):
        for part in _inner(document):
            yield from _items(part, top=True)
    else:
        yield document


def _is_wrapper(document: Any) -> bool:
    if not isinstance(document, dict) or (_WRAPPERS.isdisjoint(document) and not next(iter(document), "").isdigit()):
        return False
    return bool(_inner(document))


def _inner(document: Mapping[str, Any]) -> list[Any]:
    """Return what a document wraps; [] if it is an item itself."""
    if isinstance(document.get("hashes"), list):  # the summary of hashes, and a run of indicators
        return [document["hashes"]]
    if document.get("type") == "observed-data" and isinstance(document.get("objects"), dict):
        return [list(document["objects"].values())]
    if document.get("type") not in (None, "bundle", "collection") and "Attribute" not in document:
        return []
    if all(key.isdigit() for key in document):  # objects by their number, as ThreatFox exports them
        return list(document.values())
    parts = [value for key, value in document.items() if key in ENVELOPES and isinstance(value, list | dict)]
    return [] if parts and _is_item(document) else parts


def _is_item(document: Mapping[str, Any]) -> bool:
    return any(map(_says_sha256, document)) or "composite_id" in document


def _hashes_of(item: Any) -> Finding | None:
    """Return the hashes of an item and its problem; None for an item that need not have one."""
    if isinstance(item, str):
        return hash_of_value(item)
    if not isinstance(item, dict):
        return Finding(problem="no SHA256 in it")
    kind = item.get("type")
    if kind in _CONTEXT and str(item.get("id", "")).startswith(f"{kind}--"):
        return None
    if item.get("deleted") is True or item.get("revoked") is True:
        return Finding(problem="withdrawn by its publisher")
    if kind == "indicator" and isinstance(item.get("pattern"), str):
        pattern = item["pattern"]
        found = tuple(digest.lower() for digest in _STIX_HASH.findall(pattern))
        if found and not _STIX_NOT.search(re.sub(r"'(?:\\.|[^'\\])*'", "''", pattern)):
            return Finding(found)
        return Finding(problem="an indicator of something else than a SHA256")
    if kind in ("x509-certificate", "url", "domain", "ip_address") and "value" not in item:
        return Finding(problem=f"a {kind}, not a file")
    if own := _own(item):
        return own
    if kind == "file" and HEX64.fullmatch(str(item.get("id", "")).lower()):
        return Finding((str(item["id"]).lower(),))
    if "composite_id" in item or ("uuid" in item and "info" in item):
        return None
    return Finding(problem="no SHA256 in it")


def _own(item: Mapping[str, Any], *, in_list: bool = False) -> Finding | None:
    """Return the file's own hash by the keys that say so, best first; None if there is none.

    in_list: whether a value may be a list of hashes, as in the entities of an alert.
    """
    keys = _keys(tuple(item))
    for key in keys.sha256:
        if found := _finding(item[key], in_list=in_list):
            return found
    if keys.pair is not None:
        kind, value = item[keys.pair[0]], item[keys.pair[1]]
        if isinstance(kind, str) and isinstance(value, str):
            if digest := value_of_type(kind, value):
                return hash_of_value(digest)
            if not keys.of_alert:
                return Finding(problem=f"{kind[:40]!r}, not a SHA256", other=hashes_in(value).other)
    for key in keys.any_hash:
        if found := _finding(item[key], in_list=in_list):
            return found
    for part in _OWN_PARTS:
        inner = item.get(part)
        if isinstance(inner, dict) and (own := _own(inner, in_list=part == "entities")):
            return own
    return None


class _Keys(NamedTuple):
    """The keys of an object that may hold its hash. pair: those of a type and its value."""

    sha256: tuple[str, ...]
    pair: tuple[str, str] | None
    any_hash: tuple[str, ...]
    of_alert: bool


@lru_cache(1024)
def _keys(keys: tuple[str, ...]) -> _Keys:
    """Return what the keys of an object say; the objects of a file have few sets of keys."""
    names = {normalized(key): key for key in keys}
    header = list(names)
    pair = pair_of(header)
    return _Keys(
        tuple(sorted(filter(_says_sha256, keys), key=lambda key: normalized(key) != "sha256")),
        None if pair is None else (names[header[pair.kind]], names[header[pair.value]]),
        tuple(key for name, key in names.items() if says_hash(name)),
        "compositeid" in names,
    )


def _says_sha256(key: str) -> bool:
    return says_sha256(normalized(key))


def _finding(value: object, *, in_list: bool) -> Finding | None:
    """Return what the value of a key that says SHA256 holds; None if it is empty or of another kind."""
    if in_list and isinstance(value, list) and value and all(isinstance(element, str) for element in value):
        found = [hash_of_value(element) for element in value]
        problem = next((finding.problem for finding in found if finding.problem), "")
        return Finding(tuple(digest for finding in found for digest in finding.hashes), problem)
    return hash_of_value(value) if isinstance(value, str) and value else None
