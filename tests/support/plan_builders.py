"""Builds alerts and plans, and collects what is planned."""

import json
from typing import Any

import msgspec

from falcon_bulk.model.alert import Alert
from falcon_bulk.model.alert_decoder import decode_alert
from falcon_bulk.model.plan import ActionSet, AlertPlan, AlertState, PlannedItem
from falcon_bulk.model.run import Outcome
from falcon_bulk.operations.reading.alert_document import AlertDocument

CID = "0123456789abcdef0123456789abcdef"
OTHER_CID = "fedcba9876543210fedcba9876543210"
RUN = "261117r7f3a2"
HASH, OTHER_HASH = "a" * 64, "b" * 64
CLOUD = "https://api.us-2.crowdstrike.com"


def a_document(number: int = 1, **fields: Any) -> bytes:
    """Return an alert that no guardrail holds, with these fields; a value of `...` leaves a field out."""
    document = {
        "composite_id": f"{CID}:ind:{number}:2-3-4",
        "cid": CID,
        "status": "new",
        "severity": 50,
        "severity_name": "Medium",
        "product": "epp",
        "name": "Suspicious activity",
        "created_timestamp": f"2026-11-{number % 28 + 1:02}T06:50:00Z",
        "sha256": HASH,
    } | fields
    return json.dumps({name: value for name, value in document.items() if value is not ...}).encode()


def an_alert(number: int = 1, **fields: Any) -> Alert:
    return decode_alert(a_document(number, **fields))


def documents_of(*alerts: Alert) -> list[AlertDocument[Alert]]:
    """Return the alerts as they are read."""
    return [AlertDocument(alert, msgspec.Raw(b"{}")) for alert in alerts]


def a_plan(**fields: Any) -> AlertPlan:
    usual: dict[str, Any] = {
        "run_id": RUN,
        "command": "bulk-close",
        "customer": "acme",
        "cid": CID,
        "cids": (CID,),
        "cloud": CLOUD,
        "operator": "alice",
        "created": "2026-11-17T06:50:00Z",
        "selection": "status new",
        "target": "closed",
        "comment": f"Set to closed (by alice, falcon-bulk {RUN})",
    }
    return AlertPlan(**usual | fields)


def planned(alert: Alert, action_set: int = 0) -> PlannedItem[AlertState]:
    return PlannedItem(alert.composite_id, AlertState.of(alert), action_set)


class Collected:
    """A sink that keeps what is planned."""

    def __init__(self) -> None:
        self.action_sets: dict[int, ActionSet] = {}
        self.alerts: list[PlannedItem[AlertState]] = []
        self.left: dict[str, tuple[Outcome, str]] = {}

    def add_action_set(self, number: int, action_set: ActionSet) -> None:
        self.action_sets[number] = action_set

    def add(self, item: PlannedItem[AlertState], outcome: Outcome = Outcome.NOT_SENT, reason: str = "") -> None:
        assert item.action_set in self.action_sets, "an action set is added before its first alert"
        assert (outcome, reason) == (Outcome.NOT_SENT, "")
        self.alerts.append(item)

    def leave(self, item_id: str, outcome: Outcome, reason: str, rule: str = "") -> None:
        self.left[item_id] = (outcome, reason)
