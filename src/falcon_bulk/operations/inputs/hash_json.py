"""Find SHA256 hashes in JSON: lists, API answers, alerts, indicators, MISP events, STIX bundles, VirusTotal objects."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from falcon_bulk.model.hashes import HEX64
from falcon_bulk.operations.inputs.hash_labels import pair_of, says_hash, says_sha256, value_of_type
from falcon_bulk.operations.inputs.hash_text import Entry, hashes_in
from falcon_bulk.operations.inputs.input_files import normalized

# Keys of what wraps a list of objects, by tool; nothing below another key is looked at.
_ENVELOPES = (
    "resources", "results", "result", "body", "data", "items", "alerts", "hits", "_source", "events", "rows",
    "indicators", "iocs", "objects", "response", "Event", "Attribute", "Object", "value",
)  # fmt: skip
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


def entries_of_json(documents: Iterable[tuple[int, Any]]) -> Iterator[Entry]:
    """Yield an entry for each item of the documents; an alert without a hash is none."""
    for line, document in documents:
        items = list(_items(document, top=True))
        for number, item in enumerate(items, 1):
            if (found := _hashes_of(item)) is not None:
                yield Entry(f"line {line}" if line else f"item {number}", *found)


def _items(document: Any, *, top: bool = False) -> Iterator[Any]:
    """Yield what a document lists, without what wraps it."""
    if isinstance(document, list) and top:
        for item in document:
            yield from _items(item)
    elif isinstance(document, dict) and (inner := _inner(document)):
        for part in inner:
            yield from _items(part, top=True)
    else:
        yield document


def _inner(document: Mapping[str, Any]) -> list[Any]:
    """Return what a document wraps; [] if it is an item itself."""
    if isinstance(document.get("hashes"), list):  # the summary of hashes, and a run of indicators
        return [document["hashes"]]
    if document.get("type") == "observed-data" and isinstance(document.get("objects"), dict):
        return [list(document["objects"].values())]
    if document.get("type") not in (None, "bundle", "collection") and "Attribute" not in document:
        return []
    keys = [key for key in _ENVELOPES if isinstance(document.get(key), list | dict)]
    return [document[key] for key in keys if not _is_item(document)]


def _is_item(document: Mapping[str, Any]) -> bool:
    return any(says_sha256(normalized(key)) for key in document) or "composite_id" in document


def _hashes_of(item: Any) -> tuple[tuple[str, ...], str] | None:
    """Return the hashes of an item and its problem; None for an item that need not have one."""
    if isinstance(item, str):
        return _exact(item)
    if not isinstance(item, dict):
        return (), "no SHA256 in it"
    kind = item.get("type")
    if kind in _CONTEXT and str(item.get("id", "")).startswith(f"{kind}--"):
        return None
    if kind == "indicator" and isinstance(item.get("pattern"), str):
        pattern = item["pattern"]
        found = tuple(digest.lower() for digest in _STIX_HASH.findall(pattern))
        if found and not _STIX_NOT.search(re.sub(r"'(?:\\.|[^'\\])*'", "''", pattern)):
            return found, ""
        return (), "an indicator of something else than a SHA256"
    if kind in ("x509-certificate", "url", "domain", "ip_address") and "value" not in item:
        return (), f"a {kind}, not a file"
    if own := _own(item):
        return own
    if kind == "file" and HEX64.fullmatch(str(item.get("id", "")).lower()):
        return (str(item["id"]).lower(),), ""
    if "composite_id" in item or ("uuid" in item and "info" in item):
        return None
    return (), "no SHA256 in it"


def _own(item: Mapping[str, Any]) -> tuple[tuple[str, ...], str] | None:
    """Return the file's own hash by the keys that say so, best first; None if there is none."""
    names = {normalized(key): value for key, value in item.items() if isinstance(key, str)}
    for name, value in names.items():
        if says_sha256(name) and isinstance(value, str) and value:
            return _exact(value)
    header = list(names)
    if (pair := pair_of(header)) is not None:
        kind, value = names[header[pair.kind]], names[header[pair.value]]
        if isinstance(kind, str) and isinstance(value, str):
            if digest := value_of_type(kind, value):
                return _exact(digest)
            if "compositeid" not in names:
                return (), f"{kind[:40]!r}, not a SHA256"
    for name, value in names.items():
        if says_hash(name) and isinstance(value, str) and value:
            return _exact(value)
    for part in _OWN_PARTS:
        inner = item.get(part)
        if isinstance(inner, dict) and (own := _own(_of_entities(inner) if part == "entities" else inner)):
            return own
    return None


def _of_entities(entities: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entities of an alert with the first of several values."""
    return {key: value[0] if isinstance(value, list) and value else value for key, value in entities.items()}


def _exact(value: str) -> tuple[tuple[str, ...], str]:
    digest = value.strip().lower()
    if HEX64.fullmatch(digest):
        return (digest,), ""
    _, problem = hashes_in(value)
    return (), problem or "more than a SHA256"
