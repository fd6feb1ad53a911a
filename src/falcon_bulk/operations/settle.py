"""What became of an alert that was sent, decided from what is read of it afterwards."""

from collections.abc import Iterable, Mapping, Sequence

from falcon_bulk.model.alert import Alert
from falcon_bulk.model.plan import AlertState, PlannedAlert, Way
from falcon_bulk.model.run import Outcome, Settled


def settle(
    planned: PlannedAlert, way: Way, marker: str, now: Alert | None, *, accepted: bool = False
) -> Settled | None:
    """The outcome of one alert, or None if it is as it was before.

    marker: the text that only this run's comment contains. accepted: Falcon answered that this very alert was
    written, so that the wanted state counts as ours even where the comment does not show.
    """
    if now is None:
        return Settled(
            composite_id=planned.composite_id, outcome=Outcome.FAILED, reason="Falcon does not know this alert"
        )
    state = AlertState.of(now)
    done = reached(way, state)
    if any(marker in comment for comment in now.comment_texts) or (accepted and done):
        reason = "" if done else "changed, but read back in another state"
        return Settled(
            composite_id=planned.composite_id, outcome=Outcome.CHANGED, reason=reason, after=state, verified=done
        )
    drift = planned.before.drift_to(state)
    return drifted(planned, drift) if drift else None


def drifted(planned: PlannedAlert, drift: Sequence[str]) -> Settled:
    """The outcome of an alert that somebody else changed since the plan."""
    return Settled(composite_id=planned.composite_id, outcome=Outcome.DRIFTED, reason="; ".join(drift))


def failed(planned: PlannedAlert, reason: str) -> Settled:
    """The outcome of an alert that Falcon will not change."""
    return Settled(composite_id=planned.composite_id, outcome=Outcome.FAILED, reason=reason)


def reached(way: Way, state: AlertState) -> bool:
    """True if a state is what the way leads to: status, tags and visibility."""
    return all(_holds(action.name, action.value, state) for action in way)


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
        case _:
            return True


def by_id(alerts: Iterable[Alert]) -> Mapping[str, Alert]:
    """Alerts by composite id: entities v2 answers in arbitrary order."""
    return {alert.composite_id: alert for alert in alerts}
