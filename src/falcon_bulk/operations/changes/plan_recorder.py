"""Records a plan of alerts, item by item: in the sink that keeps it, and in the numbers of its preview."""

from collections.abc import Collection

from falcon_bulk.model.alert import Alert
from falcon_bulk.model.plan import ActionSet, AlertState, PlannedItem
from falcon_bulk.model.run import Outcome
from falcon_bulk.operations.changes.plan_sink import PlanSink
from falcon_bulk.operations.changes.preview_builder import PreviewBuilder


class PlanRecorder:
    """Gives each alert of a plan to a sink and counts it for a preview."""

    def __init__(self, sink: PlanSink, preview: PreviewBuilder) -> None:
        self._sink = sink
        self._preview = preview
        self._action_sets: dict[ActionSet, int] = {}

    def action_set_number(self, actions: ActionSet) -> int:
        """Return the number of an action set; a new one is given to the sink first."""
        if actions not in self._action_sets:
            self._action_sets[actions] = len(self._action_sets)
            self._sink.add_action_set(self._action_sets[actions], actions)
        return self._action_sets[actions]

    def skip(self, reason: str, item_id: str, own_hashes: Collection[str] = (), *, rule: str = "") -> None:
        """Record an alert that needs no change. rule: the closing rule that matches it, if there is one."""
        self._preview.skip(reason, item_id, own_hashes)
        self._sink.leave(item_id, Outcome.SKIPPED, reason, rule)

    def hold(self, guardrail: str, item_id: str, own_hashes: Collection[str] = (), *, rule: str = "") -> None:
        """Record an alert that a guardrail holds. rule: the closing rule that matches it, if there is one."""
        self._preview.hold(guardrail, item_id, own_hashes)
        self._sink.leave(item_id, Outcome.HELD, guardrail, rule)

    def plan(
        self,
        item: PlannedItem[AlertState],
        alert: Alert,
        own_hashes: Collection[str],
        actions: ActionSet,
        *,
        drift: str = "",
    ) -> None:
        """Record an alert that is changed. drift: why it will be left alone, listed as drifted; '' if it is not."""
        self._sink.add(item, Outcome.DRIFTED if drift else Outcome.NOT_SENT, drift)
        self._preview.plan(alert, own_hashes, actions)

    def leave_planned(
        self, item: PlannedItem[AlertState], outcome: Outcome, reason: str, own_hashes: Collection[str] = ()
    ) -> None:
        """Record an alert of a saved plan that will be left alone, since it drifted or is not there any more."""
        self._sink.add(item, outcome, reason)
        self._preview.leave_planned(own_hashes)
