"""Plans a change: which alerts of a selection get which actions, which are skipped, which a guardrail holds."""

from collections.abc import Callable, Iterable, Mapping

from falcon_bulk.model.alert import Alert
from falcon_bulk.model.plan import Action, AlertPlan, AlertState, PlannedItem
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.vocabulary import Status
from falcon_bulk.operations.changes.guardrails import Candidate, guardrail_for
from falcon_bulk.operations.changes.plan_recorder import PlanRecorder
from falcon_bulk.operations.changes.plan_sink import PlanSink
from falcon_bulk.operations.changes.preview_builder import AlertConsumer, PreviewBuilder
from falcon_bulk.operations.changes.request import ChangeRequest
from falcon_bulk.operations.reading.alert_document import AlertDocument
from falcon_bulk.operations.reading.tenant_check import check_tenant


def make_plan(
    alerts: Iterable[AlertDocument[Alert]],
    request: ChangeRequest,
    plan: AlertPlan,
    sink: PlanSink,
    *,
    ids: tuple[str, ...] = (),
    closed: bool = False,
    outliers: AlertConsumer | None = None,
    resolutions: Callable[[], Mapping[str, int]] = dict,
) -> Preview:
    """Plan a change of alerts, item by item into the sink, and return it counted.

    ids: the composite ids asked for, if the selection is by id. closed: whether closed alerts may be changed; else they
    are skipped, whatever the change would do to them. outliers: is given each planned alert, and reports in
    the preview which are unlike the others. resolutions: returns how often this customer gave each resolution to alerts
    of the selected hashes. Raises WrongTenant for an alert of a CID that the plan does not allow.
    """
    preview = PreviewBuilder(ids=ids, hashes=plan.hashes, outliers=outliers, resolutions=resolutions)
    recorder = PlanRecorder(sink, preview)
    selected, allowed = frozenset(plan.hashes), frozenset(plan.cids)
    for read in alerts:
        alert = read.alert
        check_tenant(alert, allowed)
        own = read.own_hashes.keys()
        state = AlertState.of(alert)
        lacking = request.lacking(state)
        actions = (*lacking, Action("append_comment", plan.comment))
        if reason := _skip_reason(request, state, needs_change=bool(lacking), closed=closed):
            recorder.skip(reason, alert.composite_id, own)
        elif guardrail := guardrail_for(Candidate(alert, own, actions, selected), request.overrides):
            recorder.hold(guardrail, alert.composite_id, own)
        else:
            item = PlannedItem(alert.composite_id, state, recorder.action_set_number(actions))
            recorder.plan(item, alert, own, actions)
    preview.add_missing()
    return preview.build(request.describe_actions(plan.comment))


def _skip_reason(request: ChangeRequest, state: AlertState, *, needs_change: bool, closed: bool) -> str:
    """Return why an alert is skipped, or ''. closed: whether closed alerts may be changed."""
    if state.status == Status.CLOSED and not closed:
        return "closed"
    return "already" if request.asks_for_state and not needs_change else ""
