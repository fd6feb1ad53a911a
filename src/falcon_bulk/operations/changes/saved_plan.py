"""Plans what a saved plan holds: its alerts, judged and counted as they are now."""

from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec

from falcon_bulk.model.alert import Alert
from falcon_bulk.model.hashes import own_hashes
from falcon_bulk.model.plan import ActionSet, AlertPlan, AlertState, PlannedItem
from falcon_bulk.model.run import Outcome
from falcon_bulk.operations.changes.guardrails import Candidate, guardrail_for
from falcon_bulk.operations.changes.plan_recorder import PlanRecorder
from falcon_bulk.operations.changes.reconcile import UNKNOWN_ALERT, has_comment
from falcon_bulk.operations.changes.rule_check import PlanRules

COMMENT = "append_comment"


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
