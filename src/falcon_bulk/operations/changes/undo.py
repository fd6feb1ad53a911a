"""Taking a run back: a plan made from the former values that the journal kept.

Comments cannot be taken back, nor what the change fired. Alerts that somebody changed since are left alone.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from falcon_bulk.falcon.alerts import PAGE
from falcon_bulk.model.alert import Alert, decode_alert
from falcon_bulk.model.plan import Action, ActionSet, AlertState, Plan, PlannedAlert
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.run import AlertRecord, Outcome
from falcon_bulk.model.vocabulary import Status
from falcon_bulk.operations.changes.planner import ActionSetNumbers, PlanSink, check_tenant
from falcon_bulk.operations.changes.preview_builder import PreviewBuilder
from falcon_bulk.operations.changes.reconcile import reconcile_alert
from falcon_bulk.operations.reading.read_all import AlertReader, ReadProgress


def undo_actions(before: AlertState, after: AlertState, comment: str) -> ActionSet:
    """The actions that lead from `after` back to `before`, removals of tags before additions."""
    actions: list[Action] = []
    if before.status != after.status and before.status in tuple(Status):
        actions.append(Action("update_status", before.status))
    actions += [Action("remove_tag", tag) for tag in after.tags if tag not in before.tags]
    actions += [Action("add_tag", tag) for tag in before.tags if tag not in after.tags]
    if before.assignee != after.assignee:
        actions.append(_assigned_as(before))
    if before.visible != after.visible:
        actions.append(Action("show_in_ui", "false" if before.show_in_ui is False else "true"))
    return (*actions, Action("append_comment", comment))


def plan_undo(
    records: Iterable[AlertRecord], alerts: AlertReader, plan: Plan, sink: PlanSink, progress: ReadProgress
) -> Preview:
    """Plan the way back of all changed alerts of a run.

    An alert that is not any more as the run left it goes into the plan as drifted, so that it is listed.
    """
    tally, action_sets = PreviewBuilder(), ActionSetNumbers(sink)
    changed = iter(record for record in records if record.outcome == Outcome.CHANGED)
    drifted = 0
    for chunk in _chunks(changed):
        found = {a.composite_id: a for a in map(decode_alert, alerts.by_id([r.composite_id for r in chunk]))}
        progress.add_read(len(chunk))
        for record in chunk:
            alert = found.get(record.composite_id)
            if alert is None:
                tally.skip("not_found")
                continue
            check_tenant(alert, frozenset(plan.cids))
            drift = _since(record, alert)
            after = record.after or AlertState.of(alert)
            number = action_sets.number(undo_actions(record.before, after, plan.comment))
            outcome = Outcome.DRIFTED if drift else Outcome.NOT_SENT
            sink.add(PlannedAlert(record.composite_id, number, after), outcome, "; ".join(drift))
            tally.plan(alert)
            drifted += bool(drift)
    warnings = ["Comments cannot be taken back, nor workflows, tickets and mails that the change fired."]
    if drifted:
        warnings.append(f"{drifted:,} of these alerts were changed by someone since and will be left alone.")
    sent = ("each alert back to its former status, assignee, tags and visibility", f"comment: {plan.comment}")
    return tally.preview(sent, by_hash=False, warnings=warnings)


def changed_after_all(
    unknown: Iterable[Sequence[PlannedAlert]], action_sets: Mapping[int, ActionSet], marker: str, alerts: AlertReader
) -> Iterator[AlertRecord]:
    """Of the alerts whose fate a run left unknown, those that turn out to bear its comment, as it changed them.

    marker: the text that only the run's comment contains.
    """
    for rows in unknown:
        now = {a.composite_id: a for a in map(decode_alert, alerts.by_id([row.composite_id for row in rows]))}
        for row in rows:
            settled = reconcile_alert(row, action_sets[row.action_set], marker, now.get(row.composite_id))
            if settled and settled.outcome is Outcome.CHANGED:
                yield AlertRecord(
                    composite_id=row.composite_id,
                    before=row.before,
                    outcome=settled.outcome,
                    reason=settled.reason,
                    after=settled.after,
                )


def _since(record: AlertRecord, alert: Alert) -> tuple[str, ...]:
    now = AlertState.of(alert)
    if record.after is None:
        return ("its state after the change is not known",)
    return record.after.drift_to(now)


def _assigned_as(state: AlertState) -> Action:
    if state.assigned_uuid:
        return Action("assign_to_uuid", state.assigned_uuid)
    if state.assigned_uid:
        return Action("assign_to_user_id", state.assigned_uid)
    if state.assigned_name:
        return Action("assign_to_name", state.assigned_name)
    return Action("unassign", "true")


def _chunks(records: Iterator[AlertRecord]) -> Iterator[list[AlertRecord]]:
    while chunk := list(islice(records, PAGE)):
        yield chunk
