"""Making a plan: which alerts of a selection get which actions, which are skipped, which are held by a guardrail."""

from collections.abc import Iterable

from falcon_bulk.model.alert import Alert
from falcon_bulk.model.plan import ActionSet, AlertPlan, AlertState, PlannedItem
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.run import Outcome
from falcon_bulk.model.vocabulary import Status
from falcon_bulk.operations.changes.guardrails import guardrail_for
from falcon_bulk.operations.changes.plan_sink import ActionSetNumbers, PlanSink
from falcon_bulk.operations.changes.preview_builder import AlertConsumer, PreviewBuilder
from falcon_bulk.operations.changes.reconcile import is_in_target_state
from falcon_bulk.operations.changes.request import ChangeRequest
from falcon_bulk.operations.reading.read_all import AlertDocument
from falcon_bulk.operations.reading.tenant_check import check_tenant

CLOSE_WARNING = "Closing can fire workflows, tickets and mails that no undo can reverse."


def make_plan(
    alerts: Iterable[AlertDocument[Alert]],
    request: ChangeRequest,
    plan: AlertPlan,
    sink: PlanSink,
    *,
    ids: tuple[str, ...] = (),
    outliers: AlertConsumer | None = None,
) -> Preview:
    """Plan a change of alerts, item by item into the sink, and return it counted.

    ids: the composite ids asked for, if the selection is by id. outliers: is given each planned alert, and reports in
    the preview which are unlike the others. Raises WrongTenant for an alert of a CID that the plan does not allow.
    """
    preview = PreviewBuilder(ids=ids, hashes=plan.hashes, outliers=outliers)
    action_sets = ActionSetNumbers(sink)
    selected, allowed = frozenset(plan.hashes), frozenset(plan.cids)
    for item in alerts:
        alert = item.alert
        check_tenant(alert, allowed)
        own = item.own_hashes.keys()
        state = AlertState.of(alert)
        actions = request.action_set(alert, plan.comment)
        if _is_unneeded(request, actions, state):
            preview.skip("already", alert.composite_id, own)
            sink.leave(alert.composite_id, Outcome.SKIPPED, "already")
        elif guardrail := guardrail_for(alert, own, selected, request.overrides):
            preview.hold(guardrail, alert.composite_id, own)
            sink.leave(alert.composite_id, Outcome.HELD, guardrail)
        else:
            sink.add(PlannedItem(alert.composite_id, state, action_sets.number(actions)))
            preview.plan(alert, own)
    preview.add_missing()
    warnings = [CLOSE_WARNING] if request.status == Status.CLOSED else []
    return preview.build(request.describe_actions(plan.comment), warnings=warnings)


def _is_unneeded(request: ChangeRequest, actions: ActionSet, state: AlertState) -> bool:
    """Return whether an alert is in the target status or, where the status stays, as the other actions want it."""
    if request.status is not None:
        return state.status == request.status
    *lasting, _comment = actions
    return bool(lasting) and is_in_target_state(tuple(lasting), state)
