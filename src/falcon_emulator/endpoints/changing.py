"""PATCH /alerts/entities/alerts/v3.

The swagger does not describe partial failure. Clients compare meta.writes.resources_affected with what they sent
and read errors[] of a 200; switches and faults cover the rest.
"""

import msgspec

from falcon_emulator.access import Token
from falcon_emulator.actions import Action, check_action
from falcon_emulator.alert_records import Alert
from falcon_emulator.endpoints.reading import composite_ids, find_by_id
from falcon_emulator.faults import Fault
from falcon_emulator.http import Answer, ApiError, Call, envelope, error
from falcon_emulator.tenant import Tenant

NOT_FOUND = "alert not found"


class Actions(msgspec.Struct):
    """The actions in a PATCH body."""

    action_parameters: list[Action] = []


def patch(tenant: Tenant, call: Call, token: Token, fault: Fault | None = None) -> Answer:
    """Apply the actions to every named alert. A 200 has no `resources`; its counts are in meta.writes.

    A 500 follows a change of third-party alerts that was made (crowdstrike-mcp #21); whether one among others is
    enough is not known.
    """
    body = call.json()
    ids = composite_ids(body, tenant.switches.patch_max_ids)
    actions = _actions(tenant, body)
    alerts, unknown = find_by_id(tenant, token, ids)
    errors = _refused(tenant, unknown)
    alerts = _visible(alerts, call.bool_parameter("include_hidden", True))
    alerts, faulted = _split_by_fault(alerts, fault)
    differing = sum(tenant.change(alert, actions, token_author(tenant), call.number) for alert in alerts)
    if _answers_500(tenant, alerts):
        raise ApiError(500, "Internal Server Error")
    affected = len(alerts) if tenant.switches.count_no_ops else differing
    return envelope(tenant.switches, None, errors + faulted, writes={"resources_affected": affected})


def _answers_500(tenant: Tenant, alerts: list[Alert]) -> bool:
    """Return whether these alerts, now changed, get a 500 because they are of third parties."""
    third_party = [alert.shared("product") == "thirdparty" for alert in alerts]
    mode = tenant.switches.third_party_patch
    return any(third_party) and (mode == "any_500" or (mode == "alone_500" and all(third_party)))


def token_author(tenant: Tenant) -> str:
    """Return the author of a comment: the API client, not a person (a field report)."""
    return tenant.client_id


def _actions(tenant: Tenant, body: object) -> list[Action]:
    try:
        actions = msgspec.convert(body, Actions).action_parameters
    except msgspec.ValidationError:
        raise ApiError(400, "failed to read and parse request") from None
    if not actions:
        raise ApiError(400, "action_parameters must not be empty")
    for action in actions:
        check_action(action, tenant.switches.action_value)
    return actions


def _refused(tenant: Tenant, unknown: list[str]) -> list[dict[str, object]]:
    """Return the errors for unknown ids, if any. Raises ApiError if the switch refuses the whole batch."""
    mode = tenant.switches.unknown_id
    if unknown and mode in ("batch_400", "batch_404"):
        raise ApiError(int(mode[-3:]), f"{NOT_FOUND}: {unknown[0]}")
    return [error(404, NOT_FOUND, id=composite_id) for composite_id in unknown] if mode == "only_itself" else []


def _visible(alerts: list[Alert], include_hidden: bool) -> list[Alert]:
    """Without include_hidden, drop hidden alerts. Raises ApiError 400 if none is left (falcon-mcp)."""
    if include_hidden or not alerts:
        return alerts
    visible = [alert for alert in alerts if alert.state.show_in_ui is not False]
    if not visible:
        raise ApiError(400, "no visible alert present in the update query")
    return visible


def _split_by_fault(alerts: list[Alert], fault: Fault | None) -> tuple[list[Alert], list[dict[str, object]]]:
    """Return the alerts that the actions reach despite a fault, and an error for each of the others."""
    kind = "" if fault is None else fault.kind
    if fault is None or kind not in ("partial", "nothing_applied", "poison"):
        return alerts, []
    if kind == "poison":
        poisoned = [alert for alert in alerts if alert.composite_id in fault.ids]
        if fault.mode != "only_itself" and poisoned:
            raise ApiError(404 if fault.mode == "batch_404" else 400, f"cannot update alert {poisoned[0].composite_id}")
        reached = [alert for alert in alerts if alert.composite_id not in fault.ids]
    else:
        reached = alerts[: fault.count] if kind == "partial" else []
    missed = set(alerts) - set(reached)
    return reached, [error(fault.status, fault.text, id=alert.composite_id) for alert in alerts if alert in missed]
