"""The control API under /emulator/, which Falcon does not have: show the tenant's real state and change it.

It needs no token, is not rate-limited and is not in the request log.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from falcon_emulator.actions import Action, check_action
from falcon_emulator.alert_records import Alert
from falcon_emulator.faults import Fault
from falcon_emulator.http import Answer, ApiError, Call
from falcon_emulator.request_log import jsonl
from falcon_emulator.switches import Switches
from falcon_emulator.tenant import Tenant
from falcon_emulator.timestamps import rfc3339

PREFIX = "/emulator/"
ANALYST = "analyst@example.com"
_EDITS = {
    "status": "update_status",
    "assign": "assign_to_name",
    "tags": "add_tag",
    "comment": "append_comment",
    "show_in_ui": "show_in_ui",
}


class Edit(msgspec.Struct, forbid_unknown_fields=True):
    """Body of /emulator/edit.

    `set` keys: status, assign ("" unassigns), tags (these exactly), comment, show_in_ui.
    """

    composite_ids: list[str]
    set: dict[str, Any]


class Arrive(msgspec.Struct, forbid_unknown_fields=True):
    """Body of /emulator/arrive."""

    count: int


class Crawl(msgspec.Struct, forbid_unknown_fields=True):
    """Body of /emulator/crawl."""

    minutes: float = 60


class Advance(msgspec.Struct, forbid_unknown_fields=True):
    """Body of /emulator/advance."""

    seconds: float


def handle(tenant: Tenant, call: Call) -> Answer:
    """Handle one /emulator/ request; invalid ones get a plain 400 or 404."""
    handler = _HANDLERS.get((call.method, call.path.removeprefix(PREFIX)))
    if handler is None:
        return _json({"error": "no such control"}, 404)
    try:
        return handler(tenant, call)
    except (ValueError, msgspec.MsgspecError, ApiError) as mistake:
        return _json({"error": str(mistake)}, 400)


def describe_alert(alert: Alert) -> dict[str, Any]:
    """Return an alert's real state, independent of index lag; `hashes` are the alert's own."""
    state, assignee = alert.state, alert.state.assignee
    return {
        "composite_id": alert.composite_id,
        "cid": alert.cid,
        "kind": alert.kind,
        "status": state.status,
        "severity": alert.shared("severity"),
        "severity_name": alert.shared("severity_name"),
        "product": alert.shared("product"),
        "type": alert.shared("type"),
        "tactic": alert.shared("tactic"),
        "show_in_ui": state.show_in_ui,
        "tags": state.tags,
        "assigned_to_name": (assignee and assignee.name) or None,
        "assigned_to_uid": (assignee and assignee.uid) or None,
        "case": alert.case_ids,
        "hostile": alert.hostile,
        "hashes": alert.evidence.own_hashes(),
        "created_timestamp": rfc3339(alert.created),
        "updated_timestamp": rfc3339(state.updated),
        "comments": [comment.value for comment in state.comments],
    }


def edit_alerts(tenant: Tenant, composite_ids: list[str], wanted: dict[str, Any]) -> int:
    """Edit alerts as an analyst would in the console, and return how many changed.

    Raises ValueError for an unknown id or key.
    """
    alerts = [tenant.store.by_id[composite_id] for composite_id in composite_ids if composite_id in tenant.store.by_id]
    if len(alerts) != len(composite_ids) or not wanted.keys() <= _EDITS.keys():
        raise ValueError(
            f"cannot edit {composite_ids[:3]} with {sorted(wanted)}: "
            f"an alert is unknown, or a key is not one of {', '.join(_EDITS)}"
        )
    actions = [action for name, value in wanted.items() for action in _actions(name, value)]
    for action in actions:
        check_action(action)
    return sum(tenant.change(alert, _replace_tags(alert, wanted, actions), ANALYST) for alert in alerts)


def _actions(name: str, value: Any) -> list[Action]:
    if name == "tags":
        return [Action("add_tag", tag) for tag in value]
    if name == "assign" and not value:
        return [Action("unassign", "")]
    return [Action(_EDITS[name], msgspec.json.encode(value).decode() if name == "show_in_ui" else str(value))]


def _replace_tags(alert: Alert, wanted: dict[str, Any], actions: list[Action]) -> list[Action]:
    """Return the actions; if they set `tags`, also remove all other tags."""
    if "tags" not in wanted:
        return actions
    return [
        *(Action("remove_tag", tag) for tag in alert.state.tags or () if tag not in wanted["tags"]),
        *actions,
    ]


def _switches(tenant: Tenant, _call: Call) -> Answer:
    return _json(tenant.switches)


def _set_switches(tenant: Tenant, call: Call) -> Answer:
    wanted = msgspec.json.decode(call.body, type=dict[str, Any])
    for name, value in {name: Switches.value(name, value) for name, value in wanted.items()}.items():
        setattr(tenant.switches, name, value)
    tenant.cut_endpoints.clear()
    tenant.emptied.clear()
    return _json(tenant.switches)


def _add_fault(tenant: Tenant, call: Call) -> Answer:
    tenant.faults.add(msgspec.json.decode(call.body, type=Fault))
    return _json(tenant.faults.queued, 201)


def _clear_faults(tenant: Tenant, _call: Call) -> Answer:
    tenant.faults.clear()
    return _json([])


def _edit(tenant: Tenant, call: Call) -> Answer:
    wanted = msgspec.json.decode(call.body, type=Edit)
    return _json({"changed": edit_alerts(tenant, wanted.composite_ids, wanted.set)})


def _arrive(tenant: Tenant, call: Call) -> Answer:
    arrived = tenant.arrive(msgspec.json.decode(call.body, type=Arrive).count)
    return _json({"composite_ids": [alert.composite_id for alert in arrived]})


def _crawl(tenant: Tenant, call: Call) -> Answer:
    return _json({"crawled": tenant.crawl(msgspec.json.decode(call.body or b"{}", type=Crawl).minutes)})


def _advance(tenant: Tenant, call: Call) -> Answer:
    tenant.advance(msgspec.json.decode(call.body, type=Advance).seconds)
    return _json({"now": rfc3339(tenant.clock.now())})


def _json(value: object, status: int = 200) -> Answer:
    return Answer(status, msgspec.json.encode(value) + b"\n")


def _lines(entries: list[Any]) -> Answer:
    return Answer(200, jsonl(entries), content_type="application/x-ndjson")


_HANDLERS: dict[tuple[str, str], Callable[[Tenant, Call], Answer]] = {
    ("GET", "switches"): _switches,
    ("PATCH", "switches"): _set_switches,
    ("GET", "alerts"): lambda tenant, _: _lines([describe_alert(alert) for alert in tenant.store.newest_first]),
    ("GET", "requests"): lambda tenant, _: _lines(tenant.request_log.requests),
    ("GET", "changes"): lambda tenant, _: _lines(tenant.request_log.changes),
    ("GET", "indicators"): lambda tenant, _: _lines(list(tenant.indicators.by_id.values())),
    ("GET", "faults"): lambda tenant, _: _json(tenant.faults.queued),
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _clear_faults,
    ("POST", "edit"): _edit,
    ("POST", "arrive"): _arrive,
    ("POST", "crawl"): _crawl,
    ("POST", "advance"): _advance,
}
