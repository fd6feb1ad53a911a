"""Plans what a saved plan holds: its alerts are read, judged, counted and shown as they are now."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from falcon_bulk.model.alert import Alert
from falcon_bulk.model.hashes import own_hashes
from falcon_bulk.model.plan import ActionSet, AlertPlan, AlertState, PlannedItem
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.run import NamedItem, Outcome
from falcon_bulk.operations.changes.alert_target import AlertsById, read_rows
from falcon_bulk.operations.changes.guardrails import Candidate, guardrail_for
from falcon_bulk.operations.changes.plan_sink import ActionSetNumbers, PlanSink
from falcon_bulk.operations.changes.preview_builder import AlertConsumer, PreviewBuilder
from falcon_bulk.operations.changes.reconcile import UNKNOWN_ALERT, has_comment
from falcon_bulk.operations.changes.request import describe_actions
from falcon_bulk.operations.changes.rule_check import RuleCheck
from falcon_bulk.operations.reading.read_all import ReadProgress

COMMENT = "append_comment"


def plan_saved_alerts(
    rows: Iterable[tuple[PlannedItem[AlertState], ActionSet]],
    alerts: AlertsById,
    plan: AlertPlan,
    sink: PlanSink,
    progress: ReadProgress,
    *,
    readers: int = 1,
    saved_overrides: Iterable[str] = (),
    left: Iterable[NamedItem] = (),
    outliers: AlertConsumer | None = None,
    resolutions: Callable[[], Mapping[str, int]] = dict,
    warnings: Iterable[str] = (),
    rule_check: RuleCheck | None = None,
    closed_before: Callable[[Sequence[str]], Iterable[str]] = lambda _ids: (),
) -> Preview:
    """Plan the alerts of a saved plan, item by item into the sink, and return them counted as they are now.

    plan: with the overrides that count; saved_overrides: those that the plan was saved with. An alert that somebody
    changed since goes into the plan as drifted, one that Falcon does not know any more as failed, so that both are
    listed; one that a guardrail holds is held. readers: parts of the plan that are read at a time. left: what was given
    by name and not planned when the plan was saved. warnings: more of them for the preview. rule_check: asks the rules
    again that made the plan; closed_before: returns which alerts were closed before, which no rule closes again.
    Raises WrongTenant for an alert of a CID that the plan does not allow.
    """
    preview = PreviewBuilder(hashes=plan.hashes, outliers=outliers, resolutions=resolutions, left=left)
    action_sets = ActionSetNumbers(sink)
    selected, overrides, cids = frozenset(plan.hashes), frozenset(plan.overrides), frozenset(plan.cids)
    drifted = unknown = 0
    for chunk, found in read_rows(rows, lambda row: row[0].item_id, alerts, cids, readers):
        progress.add_read(len(chunk))
        if rule_check is not None:
            rule_check.refresh()
        came_back = frozenset(closed_before([item.item_id for item, _ in chunk]) if rule_check is not None else ())
        for item, actions in chunk:
            number = action_sets.number(actions)
            alert = found.get(item.item_id)
            if alert is None or item.before is None:
                sink.add(msgspec.structs.replace(item, action_set=number), Outcome.FAILED, UNKNOWN_ALERT)
                preview.leave_planned()
                unknown += 1
                continue
            own, state = own_hashes(alert).keys(), AlertState.of(alert)
            drift = _drift(item.before.drift_to(state), alert, actions)
            if not drift and rule_check is not None:
                drift = rule_check.objection(plan, item.rule, alert, own, actions)
                drift = drift or ("it was closed before" if item.item_id in came_back else "")
            if drift:
                sink.add(msgspec.structs.replace(item, action_set=number), Outcome.DRIFTED, drift)
                preview.leave_planned(own)
                drifted += 1
            elif rule_check is None and (
                guardrail := guardrail_for(Candidate(alert, own, actions, selected), overrides)
            ):
                sink.leave(item.item_id, Outcome.HELD, guardrail)
                preview.hold(guardrail, item.item_id, own)
            else:
                sink.add(msgspec.structs.replace(item, before=state, action_set=number))
                preview.plan(alert, own, actions)
    not_repeated = [name for name in saved_overrides if name not in overrides]
    return preview.build(
        describe_actions(preview.actions, plan.comment),
        warnings=(*warnings, *_warnings(drifted, unknown, not_repeated, by_rules=plan.is_by_rules)),
    )


def _drift(changes: Sequence[str], alert: Alert, actions: ActionSet) -> str:
    """Return why an alert is not as the plan saw it, '' if it is. changes: what somebody changed since."""
    if changes:
        return "; ".join(changes)
    has_ours = any(has_comment(alert, action.value) for action in actions if action.name == COMMENT)
    return "it has the comment of this plan already" if has_ours else ""


def _warnings(drifted: int, unknown: int, not_repeated: Sequence[str], *, by_rules: bool) -> Iterator[str]:
    if drifted:
        by_whom = "were changed by someone, or are no rule's to close," if by_rules else "were changed by someone"
        yield f"{drifted:,} of these alerts {by_whom} since the plan and will be left alone."
    if unknown:
        yield f"Falcon does not know {unknown:,} of these alerts any more."
    if not_repeated:
        names = ",".join(not_repeated)
        yield f"The plan was saved with --override {names}. That counts only if `apply --override {names}` repeats it."
