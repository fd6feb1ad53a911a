"""The operations of the changing commands: what each plans, and from what."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import TYPE_CHECKING

import msgspec

from falcon_bulk.errors import Refused
from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.journal.customer_cids import check_customer_cid
from falcon_bulk.model.alert import Alert
from falcon_bulk.model.indicator import IndicatorSpec
from falcon_bulk.model.plan import AlertPlan, IndicatorPlan, Plan, PlanHeader
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.run import Outcome
from falcon_bulk.model.selection import Selection, describe_hashes
from falcon_bulk.model.vocabulary import Status
from falcon_bulk.operations.changes.guardrails import GUARDRAILS
from falcon_bulk.operations.changes.indicator_planner import add_alerts_of_hashes, plan_creation, plan_removal
from falcon_bulk.operations.changes.lifecycle import Operation
from falcon_bulk.operations.changes.plan_context import PlanContext
from falcon_bulk.operations.changes.plan_header import Origin, plan_header
from falcon_bulk.operations.changes.plan_sink import PlanSink
from falcon_bulk.operations.changes.planner import make_plan
from falcon_bulk.operations.changes.preview_builder import AlertConsumer
from falcon_bulk.operations.changes.request import ChangeRequest, check_action_value
from falcon_bulk.operations.changes.undo import changed_after_all, plan_undo
from falcon_bulk.operations.counting.hash_resolutions import count_resolutions
from falcon_bulk.operations.reading.select_alerts import read_selection

if TYPE_CHECKING:
    from falcon_bulk.journal.journal import Journal


def change_alerts(
    context: PlanContext,
    selection: Selection,
    request: ChangeRequest,
    origin: Origin,
    *,
    command: str,
    outliers: AlertConsumer | None = None,
) -> Operation:
    """Return the operation that changes the alerts of a selection.

    command: its name in the plan; with close-hash the guardrail `other-hashes` holds.
    Raises WrongTenant if the credentials are not those of the customer's former changes, Refused for times counted from
    now where this machine's clock is wrong.
    """
    tenant = context.tenant
    if selection.relative:
        tenant.check_clock()
    header = plan_header(
        tenant,
        origin,
        context.cids(),
        command=command,
        selection=selection.description,
        comment=request.full_comment(origin.run_id),
    )
    plan = AlertPlan(
        **msgspec.structs.asdict(header),
        hashes=selection.hashes if command == "close-hash" else (),
        overrides=tuple(name for name in GUARDRAILS if name in request.overrides),
        target=request.status or "",
    )

    def fill(sink: PlanSink) -> Preview:
        with context.reading() as progress, ThreadPoolExecutor(1) as pool:
            pages = read_selection(
                tenant.alerts, selection, progress, Alert, readers=context.readers, in_host_lists=False
            )
            alerts = (item for page in pages for item in page)
            preview = make_plan(
                alerts,
                request,
                plan,
                sink,
                ids=selection.ids,
                closed=Status.CLOSED in selection.statuses,
                outliers=outliers,
                resolutions=pool.submit(count_resolutions, tenant.alerts, plan.hashes, progress).result,
            )
        incomplete = tuple(progress.incomplete)
        warnings = (*preview.warnings, *(f"Incomplete: {reason}" for reason in incomplete))
        return msgspec.structs.replace(preview, incomplete=incomplete, warnings=warnings)

    return Operation(plan, fill)


def create_indicators(
    context: PlanContext,
    hashes: Sequence[str],
    spec: IndicatorSpec,
    origin: Origin,
    *,
    relative: bool = False,
) -> Operation:
    """Return the operation that creates an allow-list indicator for each hash.

    relative: whether their end was counted from now. Raises WrongTenant if the credentials see several CIDs, or are not
    those of the customer's former changes.
    """
    tenant = context.tenant
    if relative:
        tenant.check_clock()
    cid = tenant.single_cid()
    check_customer_cid(context.state_folder, tenant.customer, (cid,))
    header = plan_header(
        tenant,
        origin,
        (cid,),
        command="allow-hash",
        selection=" ".join(describe_hashes(tuple(hashes))),
        comment=spec.description,
    )
    plan = IndicatorPlan(**msgspec.structs.asdict(header), hashes=tuple(hashes), spec=spec)

    def fill(sink: PlanSink) -> Preview:
        preview = plan_creation(tenant.indicators, hashes, spec, sink)
        with context.reading() as progress:
            return add_alerts_of_hashes(preview, tenant.alerts, hashes, progress, context.readers)

    return Operation(plan, fill)


def undo_run(context: PlanContext, journal: "Journal", run_id: str, origin: Origin) -> Operation:
    """Return the operation that undoes a run of the journal.

    Raises Refused if these are another tenant's credentials, or the run deleted indicators.
    """
    tenant = context.tenant
    former = journal.plan(run_id)
    tenant.check_run_tenant(former.cids, former.cloud)
    comment = check_action_value("comment", f"Undo of {run_id} (by {origin.operator}, falcon-bulk {origin.run_id})")
    if isinstance(former, IndicatorPlan):
        return _undo_indicators(tenant, journal, former, origin, comment)
    header = _undo_header(tenant, former, origin, comment, f"the alerts that {run_id} changed")
    plan = AlertPlan(**msgspec.structs.asdict(header))

    def fill(sink: PlanSink) -> Preview:
        unknown = journal.alerts.with_outcome(run_id, Outcome.UNKNOWN)
        action_sets = journal.alerts.action_sets(run_id)
        with context.reading() as progress:
            changed = chain(
                journal.alerts.records(run_id, Outcome.CHANGED),
                changed_after_all(unknown, action_sets, tenant.alerts, frozenset(former.cids)),
            )
            return plan_undo(changed, tenant.alerts, plan, sink, progress, readers=context.readers)

    return Operation(plan, fill)


def _undo_indicators(
    tenant: Tenant, journal: "Journal", former: IndicatorPlan, origin: Origin, comment: str
) -> Operation:
    if former.undoes:
        raise Refused(
            f"{former.run_id} deleted indicators; that cannot be undone.", "`falcon-bulk allow-hash` creates new ones."
        )
    header = _undo_header(tenant, former, origin, comment, f"the indicators that {former.run_id} created")
    plan = IndicatorPlan(**msgspec.structs.asdict(header), hashes=former.hashes, spec=former.spec)
    created = journal.indicators.created(former.run_id)
    return Operation(plan, lambda sink: plan_removal(tenant.indicators, created, former, sink))


def _undo_header(tenant: Tenant, former: Plan, origin: Origin, comment: str, selection: str) -> PlanHeader:
    return plan_header(
        tenant, origin, former.cids, command="undo", selection=selection, comment=comment, undoes=former.run_id
    )
