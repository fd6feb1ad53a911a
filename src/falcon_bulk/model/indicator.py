"""An indicator of compromise as the tool sees it, and what the allow-list indicators of one run are like."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from falcon_bulk.model.alert import text, texts

ALLOW = "allow"
NO_ACTION = "no_action"
EXPIRY_TOLERANCE = 86_400.0
"""Seconds that an indicator may end before the wanted time: `90d` said again an hour later is no other wish."""


class IndicatorSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What the indicators of a run are like.

    host_groups: ids; none of them means that it applies globally. expiration: UTC, RFC 3339; '' for never.
    """

    platforms: tuple[str, ...]
    host_groups: tuple[str, ...] = ()
    expiration: str = ""
    description: str


class Indicator(msgspec.Struct, frozen=True, kw_only=True):
    """An element of the IOC API's answers, typed loosely: only what is decided by (gofalcon's swagger)."""

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
    def words(self) -> str:
        """What it does, where and until when."""
        where = "globally" if self.applied_globally is True else f"in {len(texts(self.host_groups))} host groups"
        until = f" until {text(self.expiration)}" if text(self.expiration) else ""
        expired = ", expired" if self.expired is True else ""
        platforms = ", ".join(texts(self.platforms)) or "no platform"
        mobile = text(self.mobile_action)
        besides = f", {mobile} on mobile devices" if mobile not in ("", NO_ACTION, text(self.action)) else ""
        return f"{text(self.action) or 'unknown action'} {where} on {platforms}{besides}{until}{expired}"

    def lacks(self, wanted: IndicatorSpec) -> tuple[str, ...]:
        """In what its scope falls short of the one wanted, in words; empty if it is the same or wider."""
        return tuple(self._lacks(wanted))

    def _lacks(self, wanted: IndicatorSpec) -> Iterator[str]:
        if missing := [name for name in wanted.platforms if name not in texts(self.platforms)]:
            yield f"not on {', '.join(missing)}"
        if self.applied_globally is not True:
            groups = texts(self.host_groups)
            if not wanted.host_groups:
                yield "not globally"
            elif missing := [group for group in wanted.host_groups if group not in groups]:
                yield f"not in the host groups {', '.join(missing)}"
        if self.expiration and _ends(text(self.expiration)) + EXPIRY_TOLERANCE < _ends(wanted.expiration):
            yield f"only until {text(self.expiration)}"

    def is_as_wanted(self, wanted: IndicatorSpec) -> bool:
        """True if it allows exactly what was to be allowed."""
        scope = (tuple(sorted(texts(self.platforms))), self.applied_globally is True)
        groups = tuple(sorted(texts(self.host_groups)))
        return (
            self.allows
            and (*scope, groups)
            == (tuple(sorted(wanted.platforms)), not wanted.host_groups, tuple(sorted(wanted.host_groups)))
            and _ends(text(self.expiration)) == _ends(wanted.expiration)
        )

    def drift_to(self, now: "Indicator") -> tuple[str, ...]:
        """What somebody changed between this state and the later one, in words; that it expired is nobody's doing."""
        if now.expired is True and text(now.action) == NO_ACTION:
            now = msgspec.structs.replace(now, action=self.action)
        before, after = self._substance(), now._substance()
        return tuple(
            f"{what} {before[what] or 'none'} → {after[what] or 'none'}"
            for what in before
            if before[what] != after[what]
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
            **{what: ", ".join(sorted(texts(values))) for what, values in lists.items()},
        }


def _ends(expiration: str) -> float:
    """When that is, in seconds since the epoch; never for '', and long ago for what cannot be read."""
    try:
        moment = datetime.fromisoformat(expiration) if expiration else datetime.max
        return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError):
        return 0.0


class HashOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of one hash of a run.

    outcome: `skipped`, `held`, or a `model.run.Outcome`. reason: why, in words. indicator_id: '' where none is known.
    """

    sha256: str
    outcome: str
    reason: str = ""
    indicator_id: str = ""


decode_indicator = msgspec.json.Decoder(Indicator).decode
