"""Plans the undo of a run from the former values that the journal kept.

Comments cannot be undone, nor what the change fired. Alerts that somebody changed since are left alone.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from operator import attrgetter

import msgspec

from falcon_bulk.model.alert import Alert
from falcon_bulk.model.hashes import own_hashes
from falcon_bulk.model.plan import Action, ActionSet, AlertPlan, AlertState, PlannedItem
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.run import ItemRecord, Outcome
from falcon_bulk.model.vocabulary import Status
from falcon_bulk.operations.changes.alert_target import AlertsById, read_alerts, read_rows
from falcon_bulk.operations.changes.plan_recorder import PlanRecorder
from falcon_bulk.operations.changes.plan_sink import PlanSink
from falcon_bulk.operations.changes.preview_builder import PreviewBuilder
from falcon_bulk.operations.changes.reconcile import reconcile_alert
from falcon_bulk.operations.reading.read_progress import ReadProgress

AlertRecord = ItemRecord[AlertState]


def undo_actions(before: AlertState, after: AlertState, comment: str) -> ActionSet:
    """Return the actions that lead from `after` back to `before`, removals of tags before additions."""
    actions: list[Action] = []
    if before.status != after.status and before.status in tuple(Status):
        actions.append(Action("update_status", before.status))
    actions += [Action("remove_tag", tag) for tag in after.tags if tag not in before.tags]
    actions += [Action("add_tag", tag) for tag in before.tags if tag not in after.tags]
    if before.assignee != after.assignee:
        actions.append(_assign_as(before))
    if before.visible != after.visible:
        actions.append(Action("show_in_ui", "false" if before.show_in_ui is False else "true"))
    return (*actions, Action("append_comment", comment))


def plan_undo(
    records: Iterable[AlertRecord],
    alerts: AlertsById,
    plan: AlertPlan,
    sink: PlanSink,
    progress: ReadProgress,
    *,
    readers: int = 1,
    hold: Callable[[Alert], str] = lambda _alert: "",
) -> Preview:
    """Plan the undo of all changed alerts of a run, item by item into the sink, and return it counted.

    An alert that is not any more as the run left it goes into the plan as drifted, so that it is listed. readers: parts
    of the run that are read at a time. hold: returns why an alert is held back, '' for one that is not.
    """
    preview = PreviewBuilder()
    recorder = PlanRecorder(sink, preview)
    changed = (record for record in records if record.outcome == Outcome.CHANGED)
    drifted = 0
    for chunk, found in read_rows(changed, attrgetter("item_id"), alerts, frozenset(plan.cids), readers):
        progress.add_read(len(chunk))
        for record in chunk:
            alert = found.get(record.item_id)
            if alert is None:
                recorder.skip("not_found", record.item_id)
                continue
            now = AlertState.of(alert)
            before, after = record.before or now, record.after or now
            if _is_back(before, now):
                recorder.skip("already", record.item_id)
            elif reason := hold(alert):
                recorder.hold(reason, record.item_id)
            else:
                drift = after.drift_to(now) if record.after else ("its state after the change is not known",)
                actions = undo_actions(before, after, plan.comment)
                item = PlannedItem(record.item_id, after, recorder.action_set_number(actions))
                recorder.plan(item, alert, own_hashes(alert).keys(), actions, drift="; ".join(drift))
                drifted += bool(drift)
    changed_since = f"{drifted:,} of these alerts were changed by someone since and will be left alone."
    warnings = [changed_since] if drifted else []
    described = ("each alert back to its former status, assignee, tags and visibility", f"comment: {plan.comment}")
    return preview.build(described, warnings=warnings)


def _is_back(before: AlertState, now: AlertState) -> bool:
    """Return whether an alert is as it was before the run, but for comments, which nothing takes back."""
    return not msgspec.structs.replace(before, comments=now.comments).drift_to(now)


def changed_after_all(
    unknown: Iterable[Sequence[PlannedItem[AlertState]]],
    action_sets: Mapping[int, ActionSet],
    alerts: AlertsById,
    cids: Set[str],
) -> Iterator[AlertRecord]:
    """Yield those of a run's unknown alerts that have its comment after all. Raises WrongTenant."""
    for items in unknown:
        now = read_alerts(alerts, [item.item_id for item in items], cids)
        for item in items:
            if item.before is None:
                continue
            outcome = reconcile_alert(item, item.before, action_sets[item.action_set], now.get(item.item_id))
            if outcome and outcome.outcome is Outcome.CHANGED:
                yield ItemRecord(
                    item_id=item.item_id,
                    before=item.before,
                    outcome=outcome.outcome,
                    reason=outcome.reason,
                    after=outcome.after,
                )


def _assign_as(state: AlertState) -> Action:
    if state.assigned_uuid:
        return Action("assign_to_uuid", state.assigned_uuid)
    if state.assigned_uid:
        return Action("assign_to_user_id", state.assigned_uid)
    if state.assigned_name:
        return Action("assign_to_name", state.assigned_name)
    return Action("unassign", "true")
