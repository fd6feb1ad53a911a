"""An indicator of compromise as the tool sees it, and what the allow-list indicators of one run are like."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from falcon_bulk.model.alert import text, texts

ALLOW = "allow"
NO_ACTION = "no_action"
EXPIRY_TOLERANCE = 86_400.0
"""Seconds that an indicator may end before the requested time: `90d` requested an hour later means the same."""


class IndicatorSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What the indicators of a run look like.

    host_groups: ids; none of them means that it applies globally. expiration: UTC, RFC 3339; '' for never.
    """

    platforms: tuple[str, ...]
    host_groups: tuple[str, ...] = ()
    expiration: str = ""
    description: str


class Indicator(msgspec.Struct, frozen=True, kw_only=True):
    """An element of the IOC API's answers, typed loosely: the fields that decisions use (gofalcon's swagger)."""

    id: Any = None
    type: Any = None
    value: Any = None
    action: Any = None
    mobile_action: Any = None
    severity: Any = None
    platforms: Any = None
    applied_globally: Any = None
    host_groups: Any = None
    expiration: Any = None
    expired: Any = None
    description: Any = None
    tags: Any = None

    @property
    def sha256(self) -> str:
        """The hash, lower-cased; '' for an indicator of another type."""
        return text(self.value).lower() if text(self.type) == "sha256" else ""

    @property
    def blocks(self) -> bool:
        """True unless it is known that it neither detects nor prevents. An expired one has no action any more."""
        return not {text(self.action), text(self.mobile_action) or NO_ACTION} <= {ALLOW, NO_ACTION}

    @property
    def allows(self) -> bool:
        """True for an allow-list entry that is in force."""
        return text(self.action) == ALLOW and self.expired is not True

    @property
    def summary(self) -> str:
        """What it does, where and until when, for a person to read."""
        where = "globally" if self.applied_globally is True else f"in {len(texts(self.host_groups))} host groups"
        until = f" until {text(self.expiration)}" if text(self.expiration) else ""
        expired = ", expired" if self.expired is True else ""
        platforms = ", ".join(texts(self.platforms)) or "no platform"
        mobile = text(self.mobile_action)
        mobile_note = f", {mobile} on mobile devices" if mobile not in ("", NO_ACTION, text(self.action)) else ""
        return f"{text(self.action) or 'unknown action'} {where} on {platforms}{mobile_note}{until}{expired}"

    def missing_scope(self, spec: IndicatorSpec) -> tuple[str, ...]:
        """Describe what of the spec's scope it does not cover; empty if its scope is the same or wider."""
        return tuple(self._missing_scope(spec))

    def _missing_scope(self, spec: IndicatorSpec) -> Iterator[str]:
        if missing := [name for name in spec.platforms if name not in texts(self.platforms)]:
            yield f"not on {', '.join(missing)}"
        if self.applied_globally is not True:
            groups = texts(self.host_groups)
            if not spec.host_groups:
                yield "not globally"
            elif missing := [group for group in spec.host_groups if group not in groups]:
                yield f"not in the host groups {', '.join(missing)}"
        if self.expiration and _end_time(text(self.expiration)) + EXPIRY_TOLERANCE < _end_time(spec.expiration):
            yield f"only until {text(self.expiration)}"

    def matches(self, spec: IndicatorSpec) -> bool:
        """Return whether it allows exactly what the spec says."""
        scope = (tuple(sorted(texts(self.platforms))), self.applied_globally is True)
        groups = tuple(sorted(texts(self.host_groups)))
        return (
            self.allows
            and (*scope, groups)
            == (tuple(sorted(spec.platforms)), not spec.host_groups, tuple(sorted(spec.host_groups)))
            and _end_time(text(self.expiration)) == _end_time(spec.expiration)
        )

    def drift_to(self, now: "Indicator") -> tuple[str, ...]:
        """Describe what somebody changed between this state and a later one. Expiry is not a change by somebody."""
        if now.expired is True and text(now.action) == NO_ACTION:
            now = msgspec.structs.replace(now, action=self.action)
        before, after = self._substance(), now._substance()
        return tuple(
            f"{field} {before[field] or 'none'} → {after[field] or 'none'}"
            for field in before
            if before[field] != after[field]
        )

    def _substance(self) -> dict[str, str]:
        lists = {"platforms": self.platforms, "host groups": self.host_groups, "tags": self.tags}
        return {
            "action": text(self.action),
            "mobile action": text(self.mobile_action),
            "severity": text(self.severity),
            "scope": "global" if self.applied_globally is True else "",
            "expiration": text(self.expiration),
            "description": text(self.description),
            **{field: ", ".join(sorted(texts(values))) for field, values in lists.items()},
        }


def _end_time(expiration: str) -> float:
    """Return the time in seconds since the epoch; the far future for '', 0 for text that is not a time."""
    try:
        moment = datetime.fromisoformat(expiration) if expiration else datetime.max
        return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError):
        return 0.0


class HashOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of one hash of a run.

    outcome: a `model.run.Outcome`. reason: why, for a person to read. indicator_id: '' where none is known.
    """

    sha256: str
    outcome: str
    reason: str = ""
    indicator_id: str = ""


decode_indicator = msgspec.json.Decoder(Indicator).decode
