"""A plan: exactly which alerts get exactly which actions, and what was seen of each when it was made."""

from collections.abc import Iterable
from typing import Any

import msgspec

from falcon_bulk.model.alert import Alert, text
from falcon_bulk.model.indicator import IndicatorSpec

PLAN_SCHEMA = "falcon-bulk/plan/2"


class Action(msgspec.Struct, frozen=True, array_like=True):
    """One `action_parameters` entry of PATCH v3; both are strings, the API takes nothing else."""

    name: str
    value: str


ActionSet = tuple[Action, ...]
"""The actions that one alert gets. Alerts with the same way share batches."""


class AlertState(msgspec.Struct, frozen=True, array_like=True):
    """What of an alert a change can touch, or would be drift if somebody else touched it.

    `updated` is no part of it in comparisons: Falcon's own crawler moves `updated_timestamp`.
    """

    status: str
    assigned_uid: str
    assigned_name: str
    assigned_uuid: str
    tags: tuple[str, ...]
    show_in_ui: bool | None
    case: str
    comments: int
    updated: str = ""

    @classmethod
    def of(cls, alert: Alert) -> "AlertState":
        """The state that an alert shows now."""
        return cls(
            status=text(alert.status),
            assigned_uid=text(alert.assigned_to_uid),
            assigned_name=text(alert.assigned_to_name),
            assigned_uuid=text(alert.assigned_to_uuid),
            tags=tuple(sorted(alert.tag_set)),
            show_in_ui=alert.show_in_ui if isinstance(alert.show_in_ui, bool) else None,
            case=alert.case,
            comments=len(alert.comments or ()),
            updated=text(alert.updated_timestamp),
        )

    def drift_to(self, now: "AlertState") -> tuple[str, ...]:
        """What changed in substance between this state and the later one, in words."""
        pairs: Iterable[tuple[str, Any, Any]] = (
            ("status", self.status, now.status),
            ("assignee", self.assignee, now.assignee),
            ("tags", self.tags, now.tags),
            ("visibility", self.visible, now.visible),
            ("case", self.case, now.case),
            ("comments", self.comments, now.comments),
        )
        return tuple(f"{what} {_said(before)} → {_said(after)}" for what, before, after in pairs if before != after)

    @property
    def assignee(self) -> str:
        """Everything that names the assignee."""
        return " ".join(filter(None, (self.assigned_name, self.assigned_uid, self.assigned_uuid)))

    @property
    def visible(self) -> str:
        """`shown` or `hidden`; an absent show_in_ui counts as shown."""
        return "hidden" if self.show_in_ui is False else "shown"


def _said(value: Any) -> str:
    return ",".join(value) if isinstance(value, tuple) and value else str(value or "none")


class PlannedAlert(msgspec.Struct, frozen=True, array_like=True):
    """An alert of a plan: its id, which of the plan's ways it goes, what was seen of it."""

    composite_id: str
    action_set: int
    before: AlertState


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What all alerts of a plan have in common.

    cid: the tenant whose journal records the run; cids: all that its alerts may belong to.
    cloud: the base URL. selection: the filter in words. created: UTC, RFC 3339. target: the status that
    `verified` is counted by; empty for an undo, where each alert has its own. undoes: the run taken back.
    allowance: what the indicators of allow-hash, or of its undo, are like; None for a plan about alerts.
    """

    run_id: str
    command: str
    customer: str
    cid: str
    cids: tuple[str, ...]
    cloud: str
    operator: str
    created: str
    selection: str
    hashes: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    target: str = ""
    comment: str = ""
    undoes: str = ""
    version: str = ""
    allowance: IndicatorSpec | None = None

    @property
    def marker(self) -> str:
        """The text that a comment of this run contains and no other comment does."""
        return f"falcon-bulk {self.run_id}"
