"""Indicators of compromise: their validation and the tenant's collection.

Fields and values: gofalcon's swagger. Rules: falcon-mcp's tests and psfalcon. Assumptions: the wording of
warnings, the shape of a problem inside `resources`, and that a duplicate created with ignore_warnings
replaces the existing one.
"""

import ipaddress
import re
import uuid
from collections.abc import Callable
from typing import Any

import msgspec

from falcon_emulator.alert_records import Fields
from falcon_emulator.fields import Field, Type
from falcon_emulator.timestamps import parse, rfc3339

ACTIONS = ("no_action", "allow", "detect", "prevent", "prevent_no_ui")
SEVERITIES = {"informational": 10, "low": 30, "medium": 50, "high": 70, "critical": 90}
PLATFORMS = ("windows", "mac", "linux", "ios", "android")
MAX_SOURCE = 256
FILENAME = "metadata.filename.raw"
_HASHES = {"sha256": 64, "md5": 32}
_DOMAIN = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", re.IGNORECASE)
_TYPES = (*_HASHES, "ipv4", "ipv6", "domain", "all_subdomains")
_KEYWORDS = "id type value action mobile_action severity source created_by modified_by description"


class Draft(msgspec.Struct, kw_only=True):
    """An indicator as the caller sends it."""

    type: str = ""
    value: str = ""
    action: str = ""
    mobile_action: str = ""
    severity: str = ""
    platforms: list[str] = []
    applied_globally: bool = False
    host_groups: list[str] = []
    description: str = ""
    source: str = ""
    tags: list[str] = []
    expiration: str = ""
    metadata: dict[str, Any] = {}

    def problems(self, now: int) -> list[str]:
        """Return a message for each problem; an empty list if the draft is valid."""
        needs_severity = self.action in ("detect", "prevent", "prevent_no_ui")
        known = self.type in _TYPES
        checks = {
            f"type: {self.type!r} is not supported": known,
            f"value: {self.value!r} is not a valid {self.type}": not known or self._has_value(),
            f"action: {self.action!r} is not valid": self.action in ACTIONS,
            "action: 'allow' is for hashes only": (self.action != "allow" or self.type in _HASHES or not known),
            "severity: cannot be empty for this 'action' and 'mobile_action' combination": (
                self.severity != "" or not needs_severity
            ),
            f"severity: {self.severity!r} is not valid": self.severity in ("", *SEVERITIES),
            "platforms: at least one of them is required": bool(self.platforms),
            f"platforms: {self.platforms} are not valid": set(self.platforms) <= set(PLATFORMS),
            "applied_globally: either this or host_groups": self.applied_globally is not bool(self.host_groups),
            "host_groups: must be group ids": all(
                re.fullmatch("[0-9a-f]{32}", group_id) for group_id in self.host_groups
            ),
            f"source: longer than {MAX_SOURCE} characters": len(self.source) <= MAX_SOURCE,
            "expiration: must be a future time in UTC": self._expires_after(now),
        }
        return [text for text, holds in checks.items() if not holds]

    def _has_value(self) -> bool:
        if length := _HASHES.get(self.type):
            return re.fullmatch(f"[0-9a-fA-F]{{{length}}}", self.value) is not None
        if self.type in ("ipv4", "ipv6"):
            try:
                return ipaddress.ip_address(self.value).version == int(self.type[-1])
            except ValueError:
                return False
        return _DOMAIN.fullmatch(self.value) is not None

    def _expires_after(self, now: int) -> bool:
        try:
            return not self.expiration or (self.expiration.endswith("Z") and parse(self.expiration, now) > now)
        except ValueError:
            return False


class Indicator(msgspec.Struct, frozen=True):
    """An indicator as the tenant stores it. Times are in ns."""

    id: str
    cid: str
    draft: Draft
    created: int
    created_by: str
    modified: int

    def document(self, now: int, viewer: str | None = None) -> Fields:
        """Return the JSON document as the CID `viewer` (None: its own) sees it.

        An expired indicator stays, without its action.
        """
        expired = bool(self.draft.expiration) and parse(self.draft.expiration, now) <= now
        fields: Fields = msgspec.to_builtins(self.draft)
        if expired:
            fields["action"] = "no_action"
        if not self.draft.expiration:
            del fields["expiration"]
        return fields | {
            "id": self.id,
            "severity_number": SEVERITIES.get(self.draft.severity, 0),
            "expired": expired,
            "deleted": False,
            "from_parent": viewer not in (None, self.cid),
            "created_on": rfc3339(self.created),
            "created_by": self.created_by,
            "modified_on": rfc3339(self.modified),
            "modified_by": self.created_by,
        }


class Indicators:
    """The tenant's indicators by id, oldest first."""

    def __init__(self) -> None:
        self.by_id: dict[str, Indicator] = {}
        self._ids: dict[tuple[str, str, str], str] = {}

    def of(self, cid: str) -> list[Indicator]:
        """Return the indicators of one CID."""
        return [indicator for indicator in self.by_id.values() if indicator.cid == cid]

    def same(self, cid: str, draft: Draft) -> Indicator | None:
        """Return the CID's indicator with the draft's type and value, or None."""
        return self.by_id.get(self._ids.get((cid, draft.type, draft.value.lower()), ""))

    def put(self, cid: str, draft: Draft, author: str, now: int) -> Indicator:
        """Store a valid draft. It replaces the one of the same type and value and keeps its id and creation time."""
        draft = msgspec.structs.replace(draft, value=draft.value.lower())
        existing = self.same(cid, draft)
        indicator = Indicator(
            existing.id if existing else uuid.uuid4().hex * 2,
            cid,
            draft,
            existing.created if existing else now,
            existing.created_by if existing else author,
            now,
        )
        self.by_id[indicator.id] = indicator
        self._ids[cid, draft.type, draft.value] = indicator.id
        return indicator

    def remove(self, identifier: str) -> None:
        """Delete an indicator."""
        draft = self.by_id[identifier].draft
        del self._ids[self.by_id.pop(identifier).cid, draft.type, draft.value]


def field(name: str, now: int, viewer: str) -> Field | None:
    """Return the field that the CID `viewer` can filter and sort indicators by, or None."""
    type_ = _FIELDS.get(name)

    def value(indicator: Indicator) -> Any:
        if name == FILENAME:
            return indicator.draft.metadata.get("filename")
        found = indicator.document(now, viewer).get(name)
        if type_ == "time":
            return None if found is None else parse(found, now)
        return tuple(found) or None if isinstance(found, list) else found

    getter: Callable[[Any], Any] = value
    return None if type_ is None else Field(name, type_, getter)


_FIELDS: dict[str, Type] = {
    **dict.fromkeys((*_KEYWORDS.split(), FILENAME), "keyword"),
    **dict.fromkeys(("expired", "deleted", "applied_globally", "from_parent"), "bool"),
    **dict.fromkeys(("created_on", "modified_on", "expiration"), "time"),
    **dict.fromkeys(("tags", "platforms", "host_groups"), "array"),
    "severity_number": "number",
}
