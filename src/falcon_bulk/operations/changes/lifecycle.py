"""The lifecycle of every change: plan, preview, approve, journal, apply, read back, reconcile, result.

Closing, allowing, applying a saved plan and undoing differ in how their plan is made (an `Operation`); a resume begins
where the journal stands. From there all go through here. Terraform's local backend is the model.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

from falcon_bulk.atomic_file import write_atomically
from falcon_bulk.errors import Declined, ExitCode, FalconBulkError, Refused
from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.journal.customer_cids import remember_customer_cid
from falcon_bulk.journal.files import journal_path
from falcon_bulk.journal.lock import hold_locks
from falcon_bulk.journal.shared_cids import check_no_unfinished_run
from falcon_bulk.model.clock import Clock, Stopwatch, rfc3339
from falcon_bulk.model.plan import AlertPlan, Plan, State
from falcon_bulk.model.plan_result import result_without_changes
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.run import RunResult, RunStatus
from falcon_bulk.operations.changes.alert_target import AlertTarget
from falcon_bulk.operations.changes.engine import Engine
from falcon_bulk.operations.changes.indicator_targets import CreateTarget, DeleteTarget
from falcon_bulk.operations.changes.plan_file import PlanFileWriter, is_plan
from falcon_bulk.operations.changes.plan_sink import NullSink, PlanSink
from falcon_bulk.operations.changes.rule_check import RuleCheck
from falcon_bulk.operations.changes.target import Current, Target
from falcon_bulk.operations.changes.throttle import Pace

if TYPE_CHECKING:
    from falcon_bulk.journal.journal import Journal

Approve = Callable[[Plan, Preview], None]
"""Has a plan approved: returns for a yes. Raises Declined or Refused for a no."""

EMPTY_PREVIEW = Preview(selected=0, planned=0, skipped={}, held={}, samples=(), oldest="", newest="", actions=())


ONE_AT_A_TIME = Pace(workers=1)
"""The pace of indicator runs."""


class Operation(NamedTuple):
    """A change that is about to be planned.

    fill: reads what the plan is about, gives it item by item to a sink, and returns it counted. keeps_empty: whether
    the journal keeps it also if nothing is to be done and nothing was held.
    """

    plan: Plan
    fill: Callable[[PlanSink], Preview]
    keeps_empty: bool = False


class RunObserver(Protocol):
    """Is told how a run goes on."""

    def progress(self, label: str) -> AbstractContextManager[Callable[[int, int], None]]:
        """Show progress while the block runs; yields what takes the numbers of items done and expected."""

    def waiting(self, items: int, seconds: float) -> None:
        """Show that items wait so many seconds at most: their request may still take effect. Called repeatedly."""

    def run_started(self, run_id: str) -> None:
        """Take note that the run may send changes from now on."""

    def run_closed(self, run_id: str) -> None:
        """Take note that nothing of the run is left to do."""


@dataclass(frozen=True)
class Workspace:
    """What changes of one customer work with.

    state_folder: where the journals and locks are. rule_check: asks the closing rules again, for a plan that they made.
    """

    tenant: Tenant
    state_folder: Path
    clock: Clock
    observer: RunObserver
    pace: Pace
    rule_check: RuleCheck | None = None


class Execution(NamedTuple):
    """What became of an operation: done, declined, nothing to do, or a dry run. cause: why it stopped early."""

    plan: Plan
    preview: Preview | None
    result: RunResult
    cause: FalconBulkError | None = None


class BegunRun(NamedTuple):
    """A run that the journal holds. preview: None in a resume. read: time since its items were read, if so."""

    plan: Plan
    preview: Preview | None
    read: Stopwatch | None


def dry_run(operation: Operation, tenant: Tenant, approve: Approve, plan_file: Path | None = None) -> Execution:
    """Plan an operation and send nothing; save the plan of alerts in a file, if one is given.

    approve: raises Refused if a bound is not met; then no file is left. Raises what reading raises.
    """
    plan = operation.plan
    if plan_file is None or not isinstance(plan, AlertPlan):
        preview = operation.fill(NullSink())
        approve(plan, preview)
    else:
        with write_atomically(plan_file, 0o600, may_replace=is_plan) as file:
            writer = PlanFileWriter(file, plan)
            preview = operation.fill(writer)
            approve(plan, preview)
            writer.finish(preview)
    result = msgspec.structs.replace(
        result_without_changes(plan, preview, RunStatus.DRY_RUN),
        plan_file=str(plan_file) if plan_file else None,
        requests=tenant.pacer.requests,
    )
    return Execution(plan, preview, result)


def execute(operation: Operation, workspace: Workspace, approve: Approve) -> Execution:
    """Plan an operation in the journal, have it approved, and carry it out.

    Raises Busy, Refused, and what reading and approving raise; what Falcon answers to the changes is in the result.
    """
    plan = operation.plan
    if not plan.cid:
        return Execution(plan, None, result_without_changes(plan, EMPTY_PREVIEW, RunStatus.NOTHING_TO_DO))
    folder = workspace.state_folder
    with hold_locks(folder, plan.cids, plan.run_id), open_journal(folder, plan.cid) as journal:
        begun = begin_run(operation, workspace, journal, approve)
        return begun if isinstance(begun, Execution) else carry_out(begun, workspace, journal)


def begin_run(operation: Operation, workspace: Workspace, journal: "Journal", approve: Approve) -> BegunRun | Execution:
    """Plan an operation in the journal and have it approved; nothing is sent.

    Returns the run that may be carried out, or how the operation ended: declined, or nothing to do. The caller holds
    the locks of the plan's CIDs. Raises as `execute` does.
    """
    plan = operation.plan
    read = Stopwatch(workspace.clock)
    check_no_unfinished_run(workspace.state_folder, plan.cids)
    draft = journal.draft(plan)
    preview = EMPTY_PREVIEW
    try:
        preview = operation.fill(draft)
        approve(plan, preview)
    except Declined as declined:
        journal.discard(plan.run_id)
        result = result_without_changes(plan, preview, RunStatus.DECLINED, ExitCode.DECLINED)
        return Execution(plan, preview, result, declined)
    except BaseException:
        journal.discard(plan.run_id)
        raise
    if not (preview.planned or preview.held or operation.keeps_empty):
        journal.discard(plan.run_id)
        return Execution(plan, preview, result_without_changes(plan, preview, RunStatus.NOTHING_TO_DO))
    draft.finish()
    return _begin(plan, preview, workspace, journal, read)


def _begin(
    plan: Plan, preview: Preview, workspace: Workspace, journal: "Journal", read: Stopwatch | None
) -> BegunRun | Execution:
    """Make a draft, which is whole and approved, a run; one with nothing to do is closed at once."""
    now = rfc3339(workspace.clock.now())
    remember_customer_cid(workspace.state_folder, plan.customer, plan.cid)
    journal.begin(plan.run_id, preview, now)
    if preview.planned:
        return BegunRun(plan, preview, read)
    requests = workspace.tenant.pacer.requests
    journal.finish(
        plan.run_id, RunStatus.NOTHING_TO_DO, ExitCode.DONE, at=now, requests=requests, seconds=0.0, closed=True
    )
    return Execution(plan, preview, journal.result(plan.run_id))


def draft_run(operation: Operation, workspace: Workspace) -> Preview:
    """Plan an operation in the journal and leave it there as a draft, for `execute_draft` once all are approved.

    Raises Busy, Refused, and what reading raises.
    """
    plan, folder = operation.plan, workspace.state_folder
    if not plan.cid:
        return EMPTY_PREVIEW
    with hold_locks(folder, plan.cids, plan.run_id), open_journal(folder, plan.cid) as journal:
        check_no_unfinished_run(folder, plan.cids)
        draft = journal.draft(plan)
        try:
            preview = operation.fill(draft)
            draft.finish()
        except BaseException:
            journal.discard(plan.run_id)
            raise
    return preview


def execute_draft(plan: Plan, preview: Preview, workspace: Workspace) -> Execution:
    """Carry out a plan that `draft_run` left in the journal, now that it is approved.

    Raises Busy; Refused if another command of this customer deleted the draft meanwhile.
    """
    folder = workspace.state_folder
    if not plan.cid:
        return Execution(plan, preview, result_without_changes(plan, preview, RunStatus.NOTHING_TO_DO))
    with hold_locks(folder, plan.cids, plan.run_id), open_journal(folder, plan.cid) as journal:
        check_no_unfinished_run(folder, plan.cids)
        if not journal.has_draft(plan.run_id):
            raise Refused(
                "Another command changed alerts of this customer meanwhile.", "Nothing was changed. Run it again."
            )
        begun = _begin(plan, preview, workspace, journal, None)
        return begun if isinstance(begun, Execution) else carry_out(begun, workspace, journal)


def discard_draft(plan: Plan, state_folder: Path) -> None:
    """Delete a draft that was not approved."""
    if plan.cid:
        with hold_locks(state_folder, plan.cids, plan.run_id), open_journal(state_folder, plan.cid) as journal:
            if journal.has_draft(plan.run_id):
                journal.discard(plan.run_id)


def resume(
    journal: "Journal", run_id: str, open_workspace: Callable[[Plan], AbstractContextManager[Workspace]]
) -> Execution:
    """Continue an unfinished run of the journal.

    open_workspace: logs in; called while the locks are held. Raises Busy, and Refused if the run is finished or was
    made with another tenant's credentials.
    """
    plan = journal.plan(run_id)
    with hold_locks(journal.path.parent, plan.cids, run_id):
        if not journal.is_open(run_id):
            raise Refused(
                f"The run {run_id} is finished: nothing is left to do.", f"See `falcon-bulk runs show {run_id}`."
            )
        with open_workspace(plan) as workspace:
            workspace.tenant.check_run_tenant(plan.cids, plan.cloud)
            return carry_out(BegunRun(plan, None, None), workspace, journal)


def abandon(journal: "Journal", run_id: str, now: str) -> None:
    """Close an unfinished run: what it did stays, what it did not is left undone. now: UTC, RFC 3339. Raises Busy."""
    with hold_locks(journal.path.parent, journal.plan(run_id).cids, run_id):
        journal.abandon(run_id, now)


def prune(journal: "Journal", before: str, is_kept: Callable[[str], bool]) -> int:
    """Delete closed runs that started before that moment (UTC, RFC 3339); return how many. Raises Busy.

    is_kept: whether the runs of a closing rule are kept, by its id.
    """
    from falcon_bulk.journal.pruning import prune_runs  # loads SQLAlchemy

    with hold_locks(journal.path.parent, (journal.path.stem,), ""):
        return prune_runs(journal.database, before, is_kept)


@contextmanager
def open_journal(folder: Path, cid: str) -> "Iterator[Journal]":
    """Open the journal of a CID, and close it at the end of the block."""
    from falcon_bulk.journal.journal import Journal

    journal = Journal(journal_path(folder, cid))
    try:
        yield journal
    finally:
        journal.close()


def carry_out(begun: BegunRun, workspace: Workspace, journal: "Journal") -> Execution:
    """Send what the journal holds of a run. Never raises what Falcon answers."""
    plan, tenant, observer = begun.plan, workspace.tenant, workspace.observer
    rule_check = workspace.rule_check if isinstance(plan, AlertPlan) and plan.is_by_rules else None
    if isinstance(plan, AlertPlan) and plan.is_by_rules and rule_check is None:
        raise Refused("This run was made by closing rules, and they are not at hand.", "Name them with --rules.")
    observer.run_started(plan.run_id)
    with observer.progress("changing") as progress:
        if isinstance(plan, AlertPlan):
            execution = _run_engine(AlertTarget(tenant.alerts, plan, rule_check), begun, workspace, journal, progress)
        else:
            workspace = replace(workspace, pace=ONE_AT_A_TIME)
            if plan.undoes:
                deletion = DeleteTarget(tenant.indicators, plan)
                execution = _run_engine(deletion, begun, workspace, journal, progress)
            else:
                creation = CreateTarget(tenant.indicators, plan)
                execution = _run_engine(creation, begun, workspace, journal, progress)
    if not (execution.result.unknown or execution.result.not_sent):
        observer.run_closed(plan.run_id)
    return execution


def _run_engine(
    target: Target[State, Current],
    begun: BegunRun,
    workspace: Workspace,
    journal: "Journal",
    progress: Callable[[int, int], None],
) -> Execution:
    pacer, pace = workspace.tenant.pacer, workspace.pace
    engine = Engine(
        target,
        journal,
        begun.plan,
        workspace.clock,
        pace,
        read=begun.read,
        progress=progress,
        waiting=workspace.observer.waiting,
        concurrency=workspace.tenant.limit_changes(pace.workers),
    )
    result = engine.carry_out(lambda: pacer.requests)
    return Execution(begun.plan, begun.preview, result, engine.cause)
