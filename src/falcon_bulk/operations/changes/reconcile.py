"""What became of an alert that was sent, decided from what is read of it afterwards."""

from collections.abc import Sequence

import msgspec

from falcon_bulk.model.alert import Alert, text
from falcon_bulk.model.plan import ActionSet, AlertState, PlannedAlert
from falcon_bulk.model.run import AlertOutcome, Outcome

_ASSIGNEE = (("uid", "user_id"), ("name", "name"), ("uuid", "uuid"))


def reconcile_alert(
    planned: PlannedAlert, action_set: ActionSet, marker: str, now: Alert | None, *, accepted: bool = False
) -> AlertOutcome | None:
    """The outcome of one alert, or None if it is as it was before.

    marker: the text that only this run's comment contains. accepted: Falcon answered just now that this very
    alert was written, so that the wanted state counts as ours even where the comment does not show. Without that
    somebody else may have changed it too, after us: recorded is then what our change led to, so that an undo
    finds the difference and leaves the alert alone.
    """
    if now is None:
        return AlertOutcome(
            composite_id=planned.composite_id, outcome=Outcome.FAILED, reason="Falcon does not know this alert"
        )
    state = AlertState.of(now)
    done = is_in_target_state(action_set, state)
    if _bears(now, marker) or (accepted and done):
        return AlertOutcome(
            composite_id=planned.composite_id,
            outcome=Outcome.CHANGED,
            reason="" if done else "changed, but read back in another state",
            after=state if accepted and done else expected_state(planned.before, action_set, state),
            verified=done,
        )
    drift = planned.before.drift_to(state)
    return drifted_outcome(planned, drift) if drift else None


def _bears(alert: Alert, marker: str) -> bool:
    """True if a comment has the marker; where only the tokenised `comment` is there, if its word, the run id, is."""
    if alert.comments is None:
        return marker.rpartition(" ")[2] in text(alert.comment)
    return any(marker in comment for comment in alert.comment_texts)


def drifted_outcome(planned: PlannedAlert, drift: Sequence[str]) -> AlertOutcome:
    """The outcome of an alert that somebody else changed since the plan."""
    return AlertOutcome(composite_id=planned.composite_id, outcome=Outcome.DRIFTED, reason="; ".join(drift))


def failed_outcome(planned: PlannedAlert, reason: str) -> AlertOutcome:
    """The outcome of an alert that Falcon will not change."""
    return AlertOutcome(composite_id=planned.composite_id, outcome=Outcome.FAILED, reason=reason)


def is_in_target_state(action_set: ActionSet, state: AlertState) -> bool:
    """True if a state is what the way leads to: status, tags, assignee and visibility."""
    return all(_holds(action.name, action.value, state) for action in action_set)


def expected_state(before: AlertState, action_set: ActionSet, now: AlertState) -> AlertState:
    """The state that a way leads to; where that is Falcon's to decide (visibility, who a name is), as it is now."""
    values = {action.name: action.value for action in action_set}
    removed = {action.value for action in action_set if action.name == "remove_tag"}
    added = {action.value for action in action_set if action.name == "add_tag"}
    assigned = [(f"assigned_{part}", values.get(f"assign_to_{name}")) for part, name in _ASSIGNEE]
    known = now if any(value and getattr(now, field) == value for field, value in assigned) else None
    whom = {field: getattr(known, field) if known else value or "" for field, value in assigned}
    if "unassign" not in values and not any(value for _, value in assigned):
        whom = {field: getattr(before, field) for field in whom}
    return msgspec.structs.replace(
        now,
        status=values.get("update_status", before.status),
        tags=tuple(sorted((set(before.tags) - removed) | added)),
        case=before.case,
        comments=before.comments + ("append_comment" in values),
        **whom,
    )


def _holds(name: str, value: str, state: AlertState) -> bool:
    match name:
        case "update_status":
            return state.status == value
        case "add_tag":
            return value in state.tags
        case "remove_tag":
            return value not in state.tags
        case "show_in_ui":
            return (state.show_in_ui is not False) == (value == "true")
        case "unassign":
            return not state.assignee
        case "assign_to_uuid" | "assign_to_user_id" | "assign_to_name":
            return value in (state.assigned_uuid, state.assigned_uid, state.assigned_name)
        case _:
            return True
