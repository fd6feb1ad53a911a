"""The operations of the changing commands: what each plans, and from what."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from falcon_bulk.errors import Refused
from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.journal.customer_cids import check_customer_cid
from falcon_bulk.journal.files import already_carried_out, journal_path
from falcon_bulk.model.alert import Alert
from falcon_bulk.model.indicator import IndicatorSpec
from falcon_bulk.model.plan import AlertPlan, IndicatorPlan, Plan, PlanHeader
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.run import Outcome
from falcon_bulk.model.selection import Selection
from falcon_bulk.model.vocabulary import Status
from falcon_bulk.operations.changes.alert_target import read_rows
from falcon_bulk.operations.changes.guardrails import GUARDRAILS
from falcon_bulk.operations.changes.indicator_planner import add_alerts_of_hashes, plan_creation, plan_removal
from falcon_bulk.operations.changes.lifecycle import Operation, open_journal
from falcon_bulk.operations.changes.plan_file import PlanFile
from falcon_bulk.operations.changes.plan_header import Origin, plan_header, tenant_cids
from falcon_bulk.operations.changes.plan_recorder import PlanRecorder
from falcon_bulk.operations.changes.plan_sink import PlanSink
from falcon_bulk.operations.changes.planner import make_plan
from falcon_bulk.operations.changes.preview_builder import AlertConsumer, PreviewBuilder
from falcon_bulk.operations.changes.request import ChangeRequest, check_action_value, describe_actions
from falcon_bulk.operations.changes.rule_check import PlanRules
from falcon_bulk.operations.changes.saved_plan import SavedPlanner
from falcon_bulk.operations.changes.undo import changed_after_all, plan_undo
from falcon_bulk.operations.counting.hash_resolutions import count_resolutions
from falcon_bulk.operations.reading.read_progress import ReadProgress
from falcon_bulk.operations.reading.select_alerts import read_selection

if TYPE_CHECKING:
    from falcon_bulk.journal.journal import Journal

Reading = Callable[[], AbstractContextManager[ReadProgress]]
"""Shows the progress of a reading while a block runs."""


def change_alerts(
    tenant: Tenant,
    selection: Selection,
    request: ChangeRequest,
    origin: Origin,
    *,
    command: str,
    state_folder: Path,
    reading: Reading,
    readers: int,
    outliers: AlertConsumer | None = None,
) -> Operation:
    """Return the operation that changes the alerts of a selection.

    command: its name in the plan; with close-hash the guardrail `other-hashes` holds. readers: concurrent reads.
    Raises WrongTenant if the credentials are not those of the customer's former changes, Refused for times counted from
    now where this machine's clock is wrong.
    """
    if selection.relative:
        tenant.check_clock()
    header = plan_header(
        tenant,
        origin,
        tenant_cids(tenant, state_folder),
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
        with reading() as progress, ThreadPoolExecutor(1) as pool:
            pages = read_selection(tenant.alerts, selection, progress, Alert, readers=readers)
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
    tenant: Tenant,
    hashes: Sequence[str],
    spec: IndicatorSpec,
    origin: Origin,
    *,
    state_folder: Path,
    reading: Reading,
    readers: int,
    relative: bool = False,
) -> Operation:
    """Return the operation that creates an allow-list indicator for each hash. readers: concurrent reads.

    relative: whether their end was counted from now.

    Raises WrongTenant if the credentials see several CIDs, or are not those of the customer's former changes.
    """
    if relative:
        tenant.check_clock()
    cid = tenant.single_cid()
    check_customer_cid(state_folder, tenant.customer, (cid,))
    header = plan_header(
        tenant,
        origin,
        (cid,),
        command="allow-hash",
        selection=f"{len(hashes):,} hashes",
        comment=spec.description,
    )
    plan = IndicatorPlan(**msgspec.structs.asdict(header), hashes=tuple(hashes), spec=spec)

    def fill(sink: PlanSink) -> Preview:
        preview = plan_creation(tenant.indicators, hashes, spec, sink)
        with reading() as progress:
            return add_alerts_of_hashes(preview, tenant.alerts, hashes, progress, readers)

    return Operation(plan, fill)


def undo_run(
    tenant: Tenant, journal: "Journal", run_id: str, origin: Origin, *, reading: Reading, readers: int = 1
) -> Operation:
    """Return the operation that undoes a run of the journal. readers: concurrent reads.

    Raises Refused if these are another tenant's credentials, or the run deleted indicators.
    """
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
        with reading() as progress:
            changed = chain(
                journal.alerts.records(run_id, Outcome.CHANGED),
                changed_after_all(unknown, action_sets, tenant.alerts, frozenset(former.cids)),
            )
            return plan_undo(changed, tenant.alerts, plan, sink, progress, readers=readers)

    return Operation(plan, fill)


def apply_plan_file(
    tenant: Tenant,
    saved: PlanFile,
    overrides: Set[str],
    *,
    state_folder: Path,
    reading: Reading,
    readers: int = 1,
    outliers: AlertConsumer | None = None,
    rules: PlanRules | None = None,
) -> Operation:
    """Return the operation that carries out a saved plan: its alerts, as they are read now.

    overrides: the guardrails to override; those that the plan was saved with count only if they are among them.
    readers: concurrent reads. rules: those that made the plan, None for other plans.
    Raises WrongTenant if the credentials are not those of the customer's former changes; while it is filled, Refused if
    the file changed.
    """
    if saved.plan.cid:
        check_customer_cid(state_folder, tenant.customer, saved.plan.cids)
    counting = tuple(name for name in saved.plan.overrides if name in overrides)
    plan = msgspec.structs.replace(saved.plan, overrides=counting)
    carried_out = [ALREADY_CARRIED_OUT] if was_carried_out(state_folder, plan) else []

    def fill(sink: PlanSink) -> Preview:
        with reading() as progress, ThreadPoolExecutor(1) as pool:
            progress.add_expected(saved.preview.planned)
            preview = PreviewBuilder(
                hashes=plan.hashes,
                outliers=outliers,
                resolutions=pool.submit(count_resolutions, tenant.alerts, plan.hashes, progress).result,
                left=saved.preview.items,
            )
            planner = SavedPlanner(plan, PlanRecorder(sink, preview), rules)
            parts = read_rows(saved.rows(), lambda row: row[0].item_id, tenant.alerts, frozenset(plan.cids), readers)
            for rows, found in parts:
                progress.add_read(len(rows))
                planner.add(rows, found)
            return preview.build(
                describe_actions(preview.actions, plan.comment),
                warnings=(*carried_out, *planner.warnings(), *_not_repeated(saved.plan.overrides, counting)),
            )

    return Operation(plan, fill)


def _not_repeated(saved: Iterable[str], counting: Collection[str]) -> Iterator[str]:
    """Warn of overrides that a plan was saved with and that do not count."""
    if names := ",".join(name for name in saved if name not in counting):
        yield f"The plan was saved with --override {names}. That counts only if `apply --override {names}` repeats it."


ALREADY_CARRIED_OUT = "This plan was carried out already: `apply` will refuse it."


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
