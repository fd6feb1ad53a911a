"""A plan: exactly which items get exactly which actions, and what was seen of each when it was made."""

from collections.abc import Iterable
from typing import Any, Generic, TypeVar

import msgspec

from falcon_bulk.model.alert import Alert, text
from falcon_bulk.model.closing_rule import RuleFileRecord
from falcon_bulk.model.indicator import Indicator, IndicatorSpec

PLAN_SCHEMA = "falcon-bulk/plan/2"
RULES_COMMAND = "rules run"


class Action(msgspec.Struct, frozen=True, array_like=True):
    """One `action_parameters` entry of PATCH v3; both are strings, the API takes nothing else."""

    name: str
    value: str


ActionSet = tuple[Action, ...]
"""The actions that one alert gets in one PATCH. Alerts with the same action set share batches."""


class AlertState(msgspec.Struct, frozen=True, array_like=True):
    """What of an alert a change can touch, or would be drift if somebody else touched it.

    `updated` takes no part in comparisons: Falcon's own crawler moves `updated_timestamp`.
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
        """Return the state that an alert shows now."""
        return cls(
            status=alert.status_name,
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
        """Describe what changed in substance between this state and a later one; empty if nothing did."""
        pairs: Iterable[tuple[str, Any, Any]] = (
            ("status", self.status, now.status),
            ("assignee", self.assignee, now.assignee),
            ("tags", self.tags, now.tags),
            ("visibility", self.visible, now.visible),
            ("case", self.case, now.case),
            ("comments", self.comments, now.comments),
        )
        return tuple(
            f"{field} {_format(before)} → {_format(after)}" for field, before, after in pairs if before != after
        )

    @property
    def assignee(self) -> str:
        """Everything that names the assignee."""
        return " ".join(filter(str.strip, (self.assigned_name, self.assigned_uid, self.assigned_uuid)))

    @property
    def visible(self) -> str:
        """`shown` or `hidden`; an absent show_in_ui counts as shown."""
        return "hidden" if self.show_in_ui is False else "shown"


def _format(value: Any) -> str:
    return ",".join(value) if isinstance(value, tuple) and value else str(value or "none")


State = TypeVar("State", bound=AlertState | Indicator)
"""What is remembered of an item: an alert's state, or an indicator as a whole."""


class PlannedItem(msgspec.Struct, Generic[State], frozen=True, array_like=True):
    """An alert or an indicator of a plan.

    item_id: the composite id, or the SHA256. before: what was seen of it when the plan was made; None for an
    indicator that is to be created. action_set: the number of its action set in the plan, 0 for indicators.
    remote_id: the id of the indicator to delete, else ''. rule: the id of the closing rule that decided, else ''.
    compared: of such an alert, the values that the outlier check compares.
    """

    item_id: str
    before: State | None
    action_set: int = 0
    remote_id: str = ""
    rule: str = ""
    compared: tuple[str, ...] = ()


class PlanHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What all items of a plan have in common.

    cid: the tenant whose journal records the run; cids: all that its alerts may belong to. cloud: the base URL.
    machine: the host name of the machine that made it. selection: what was selected, as text. created: UTC, RFC 3339.
    comment: the whole comment that each item gets. undoes: the run that this one undoes, else ''.
    """

    run_id: str
    command: str
    customer: str
    cid: str
    cids: tuple[str, ...]
    cloud: str
    operator: str
    machine: str = ""
    created: str
    selection: str
    comment: str = ""
    undoes: str = ""
    version: str = ""

    @property
    def marker(self) -> str:
        """The text that a comment of this run contains and no other comment does."""
        return f"falcon-bulk {self.run_id}"


class AlertPlan(PlanHeader, frozen=True, kw_only=True, tag_field="kind", tag="alerts"):
    """The header of a plan that changes alerts.

    hashes: those of close-hash. overrides: the guardrails that do not hold alerts back. target: the status that is
    set; '' where it stays or, in an undo, where each alert has its own. rule_files: of a run of closing rules, the
    files that it was made from; each alert then has the comment of its rule.
    """

    hashes: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    target: str = ""
    rule_files: tuple[RuleFileRecord, ...] = ()

    @property
    def is_by_rules(self) -> bool:
        """Whether closing rules decide on its alerts."""
        return self.command == RULES_COMMAND


class IndicatorPlan(PlanHeader, frozen=True, kw_only=True, tag_field="kind", tag="indicators"):
    """The header of a plan that creates allow-list indicators or, as an undo, deletes them.

    hashes: those given. spec: what the indicators of the run look like.
    """

    hashes: tuple[str, ...] = ()
    spec: IndicatorSpec


Plan = AlertPlan | IndicatorPlan
