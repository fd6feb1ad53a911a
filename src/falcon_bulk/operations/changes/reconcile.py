"""Decides what became of an alert that was sent, from what is read of it afterwards."""

import unicodedata
from collections.abc import Sequence

import msgspec

from falcon_bulk.model.alert import Alert, text
from falcon_bulk.model.plan import Action, ActionSet, AlertState, PlannedItem
from falcon_bulk.model.run import ItemOutcome, Outcome
from falcon_bulk.model.vocabulary import same_text

UNKNOWN_ALERT = "Falcon does not know this alert"
_ASSIGN_ACTIONS = (("uid", "user_id"), ("name", "name"), ("uuid", "uuid"))

PlannedAlert = PlannedItem[AlertState]
AlertOutcome = ItemOutcome[AlertState]


def reconcile_alert(
    planned: PlannedAlert,
    before: AlertState,
    actions: ActionSet,
    now: Alert | None,
    *,
    accepted: bool = False,
) -> AlertOutcome | None:
    """Return the outcome of one alert, or None if it is as it was before.

    It is ours if it has the comment of the actions, which has the run's id and which no alert had when it was planned.
    accepted: Falcon answered just now that this very alert was written, so the target state counts as ours even where
    the comment does not show. Without an answer somebody else may have changed it as well, after us: what our change
    led to is recorded then, so that an undo finds the difference and leaves the alert alone.
    """
    if now is None:
        return failed_outcome(planned, UNKNOWN_ALERT)
    state = AlertState.of(now)
    done = is_in_target_state(actions, state)
    comments = [action.value for action in actions if action.name == "append_comment"]
    if any(has_comment(now, comment) for comment in comments) or (accepted and done):
        return ItemOutcome(
            item_id=planned.item_id,
            outcome=Outcome.CHANGED,
            reason="" if done else "changed, but read back in another state",
            after=state if accepted and done else expected_state(before, actions, state),
            verified=done,
        )
    drift = before.drift_to(state)
    return drifted_outcome(planned, drift) if drift else None


def has_comment(alert: Alert, comment: str) -> bool:
    """Return whether one of the alert's comments is this one, as a whole.

    Unicode is normalised and white space folded, which Falcon may have done. Where only the tokenised `comment` is
    there, which has each word of all comments once, it must have all words of this one.
    """
    if alert.comments is None:
        return not set(_folded(comment).split()) - set(_folded(text(alert.comment)).split())
    return any(_folded(known) == _folded(comment) for known in alert.comment_texts)


def _folded(comment: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", comment).split())


def drifted_outcome(planned: PlannedAlert, drift: Sequence[str]) -> AlertOutcome:
    """Return the outcome of an alert that somebody else changed since the plan."""
    return ItemOutcome(item_id=planned.item_id, outcome=Outcome.DRIFTED, reason="; ".join(drift))


def failed_outcome(planned: PlannedAlert, reason: str) -> AlertOutcome:
    """Return the outcome of an alert that Falcon will not change."""
    return ItemOutcome(item_id=planned.item_id, outcome=Outcome.FAILED, reason=reason)


def is_in_target_state(actions: ActionSet, state: AlertState) -> bool:
    """Return whether a state is what the actions lead to: status, tags, assignee and visibility."""
    return all(has_effect(action, state) for action in actions)


def expected_state(before: AlertState, actions: ActionSet, now: AlertState) -> AlertState:
    """Return the state that actions lead to; what Falcon decides (visibility, who a name is) is taken from `now`."""
    values = {action.name: action.value for action in actions}
    removed = {action.value for action in actions if action.name == "remove_tag"}
    added = {action.value for action in actions if action.name == "add_tag"}
    assigned = [(f"assigned_{part}", values.get(f"assign_to_{name}")) for part, name in _ASSIGN_ACTIONS]
    known = now if any(value and same_text(getattr(now, field), value) for field, value in assigned) else None
    assignee = {field: getattr(known, field) if known else value or "" for field, value in assigned}
    if "unassign" not in values and not any(value for _, value in assigned):
        assignee = {field: getattr(before, field) for field in assignee}
    return msgspec.structs.replace(
        now,
        status=values.get("update_status", before.status),
        tags=tuple(sorted((set(before.tags) - removed) | added)),
        case=before.case,
        comments=before.comments + ("append_comment" in values),
        **assignee,
    )


def has_effect(action: Action, state: AlertState) -> bool:
    """Return whether a state is what an action leads to. An assignee is compared without case and odd blanks."""
    value = action.value
    match action.name:
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
            return any(
                same_text(known, value) for known in (state.assigned_uuid, state.assigned_uid, state.assigned_name)
            )
        case _:
            return True
