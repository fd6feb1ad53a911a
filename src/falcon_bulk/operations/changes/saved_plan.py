"""The operation that carries out a saved plan: its alerts are read, judged, counted and shown as they are now."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from falcon_bulk.journal.customer_cids import check_customer_cid
from falcon_bulk.journal.files import already_carried_out, journal_path
from falcon_bulk.model.alert import Alert
from falcon_bulk.model.hashes import own_hashes
from falcon_bulk.model.plan import ActionSet, AlertPlan, AlertState, Plan, PlannedItem
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.run import Outcome
from falcon_bulk.operations.changes.alert_target import read_rows
from falcon_bulk.operations.changes.guardrails import Candidate, guardrail_for
from falcon_bulk.operations.changes.lifecycle import Operation, open_journal
from falcon_bulk.operations.changes.plan_context import PlanContext
from falcon_bulk.operations.changes.plan_file import PlanFile
from falcon_bulk.operations.changes.plan_recorder import PlanRecorder
from falcon_bulk.operations.changes.plan_sink import PlanSink
from falcon_bulk.operations.changes.preview_builder import AlertConsumer, PreviewBuilder
from falcon_bulk.operations.changes.reconcile import UNKNOWN_ALERT, has_comment
from falcon_bulk.operations.changes.request import describe_actions
from falcon_bulk.operations.changes.rule_check import PlanRules
from falcon_bulk.operations.counting.hash_resolutions import count_resolutions

COMMENT = "append_comment"
ALREADY_CARRIED_OUT = "This plan was carried out already: `apply` will refuse it."


def apply_plan_file(
    context: PlanContext,
    saved: PlanFile,
    overrides: Set[str],
    *,
    outliers: AlertConsumer | None = None,
    rules: PlanRules | None = None,
) -> Operation:
    """Return the operation that carries out a saved plan: its alerts, as they are read now.

    overrides: the guardrails to override; those that the plan was saved with count only if they are among them.
    rules: those that made the plan, None for other plans.

    Raises WrongTenant if the credentials are not those of the customer's former changes; while it is filled, Refused if
    the file changed.
    """
    tenant = context.tenant
    if saved.plan.cid:
        check_customer_cid(context.state_folder, tenant.customer, saved.plan.cids)
    counting = tuple(name for name in saved.plan.overrides if name in overrides)
    plan = msgspec.structs.replace(saved.plan, overrides=counting)
    carried_out = [ALREADY_CARRIED_OUT] if was_carried_out(context.state_folder, plan) else []

    def fill(sink: PlanSink) -> Preview:
        with context.reading() as progress, ThreadPoolExecutor(1) as pool:
            progress.add_expected(saved.preview.planned)
            preview = PreviewBuilder(
                hashes=plan.hashes,
                outliers=outliers,
                resolutions=pool.submit(count_resolutions, tenant.alerts, plan.hashes, progress).result,
                left=saved.preview.items,
            )
            planner = SavedPlanner(plan, PlanRecorder(sink, preview), rules)
            parts = read_rows(
                saved.rows(), lambda row: row[0].item_id, tenant.alerts, frozenset(plan.cids), context.readers
            )
            for rows, found in parts:
                progress.add_read(len(rows))
                planner.add(rows, found)
            return preview.build(
                describe_actions(preview.actions, plan.comment),
                warnings=(*carried_out, *planner.warnings(), *_not_repeated(saved.plan.overrides, counting)),
            )

    return Operation(plan, fill)


def refuse_if_carried_out(state_folder: Path, plan: Plan) -> None:
    """Raise Refused if the journal of the plan's CID has sent anything of it."""
    if was_carried_out(state_folder, plan):
        raise already_carried_out(plan.run_id)


def was_carried_out(state_folder: Path, plan: Plan) -> bool:
    """Return whether the journal of the plan's CID has sent anything of it. Raises JournalProblem."""
    if not journal_path(state_folder, plan.cid).exists():
        return False
    with open_journal(state_folder, plan.cid) as journal:
        return journal.was_carried_out(plan.run_id)


class SavedPlanner:
    """Plans what a saved plan holds, as its alerts are now, and counts those that will be left alone.

    plan: with the overrides that count. rules: those that made the plan, None for other plans. An alert that somebody
    changed since goes into the plan as drifted, one that Falcon does not know any more as failed, so that both are
    listed; one that a guardrail holds is held.
    """

    def __init__(self, plan: AlertPlan, recorder: PlanRecorder, rules: PlanRules | None = None) -> None:
        self._plan = plan
        self._recorder = recorder
        self._rules = rules
        self._selected = frozenset(plan.hashes)
        self._overrides = frozenset(plan.overrides)
        self._drifted = self._unknown = 0

    def add(self, rows: Sequence[tuple[PlannedItem[AlertState], ActionSet]], found: Mapping[str, Alert]) -> None:
        """Plan some of the alerts. found: those that Falcon knows, by id.

        Raises Refused, UsageProblem or AccessProblem if the rules cannot be read again.
        """
        closed_before: Collection[str] = ()
        if self._rules is not None:
            self._rules.check.refresh()
            closed_before = frozenset(self._rules.closed_before([item.item_id for item, _ in rows]))
        for saved, actions in rows:
            item = msgspec.structs.replace(saved, action_set=self._recorder.action_set_number(actions))
            alert = found.get(item.item_id)
            if alert is None or item.before is None:
                self._recorder.leave_planned(item, Outcome.FAILED, UNKNOWN_ALERT)
                self._unknown += 1
                continue
            own, state = own_hashes(alert).keys(), AlertState.of(alert)
            drift = _drift(item.before.drift_to(state), alert, actions)
            if not drift and self._rules is not None:
                drift = self._rules.check.objection(self._plan, item.rule, alert, own, actions)
                drift = drift or ("it was closed before" if item.item_id in closed_before else "")
            if drift:
                self._recorder.leave_planned(item, Outcome.DRIFTED, drift, own)
                self._drifted += 1
            elif self._rules is None and (
                guardrail := guardrail_for(Candidate(alert, own, actions, self._selected), self._overrides)
            ):
                self._recorder.hold(guardrail, item.item_id, own)
            else:
                self._recorder.plan(msgspec.structs.replace(item, before=state), alert, own, actions)

    def warnings(self) -> Iterator[str]:
        """Yield how many alerts will be left alone, and why."""
        if self._drifted:
            by_whom = "by someone, or are no rule's to close," if self._plan.is_by_rules else "by someone"
            yield f"{self._drifted:,} of these alerts were changed {by_whom} since the plan and will be left alone."
        if self._unknown:
            yield f"Falcon does not know {self._unknown:,} of these alerts any more."


def _drift(changes: Sequence[str], alert: Alert, actions: ActionSet) -> str:
    """Return why an alert is not as the plan saw it, '' if it is. changes: what somebody changed since."""
    if changes:
        return "; ".join(changes)
    has_ours = any(has_comment(alert, action.value) for action in actions if action.name == COMMENT)
    return "it has the comment of this plan already" if has_ours else ""


def _not_repeated(saved: Iterable[str], counting: Collection[str]) -> Iterator[str]:
    """Warn of overrides that a plan was saved with and that do not count."""
    if names := ",".join(name for name in saved if name not in counting):
        yield f"The plan was saved with --override {names}. That counts only if `apply --override {names}` repeats it."
