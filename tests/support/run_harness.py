"""A tenant on loopback, a journal on disk and a clock that does not wait: the harness that runs are tried on."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from falcon_bulk.config.secret import Secret
from falcon_bulk.config.settings import Settings
from falcon_bulk.errors import FalconBulkError
from falcon_bulk.falcon.alerts import UpdateResponse
from falcon_bulk.falcon.concurrency import INITIAL_CHANGES, ConcurrencyLimiter
from falcon_bulk.falcon.tenant import Tenant as Falcon
from falcon_bulk.journal.journal import Journal
from falcon_bulk.model.clock import Stopwatch, rfc3339
from falcon_bulk.model.plan import ActionSet, AlertPlan, AlertState, Plan, PlannedItem
from falcon_bulk.model.run import ItemRecord, Outcome, RunResult
from falcon_bulk.model.selection import Selection
from falcon_bulk.model.vocabulary import Status
from falcon_bulk.operations.changes.guardrails import GUARDRAILS
from falcon_bulk.operations.changes.lifecycle import (
    Approve,
    BegunRun,
    Execution,
    Operation,
    Workspace,
    begin_run,
    carry_out,
    dry_run,
    execute,
)
from falcon_bulk.operations.changes.operations import change_alerts, undo_run
from falcon_bulk.operations.changes.plan_context import PlanContext
from falcon_bulk.operations.changes.plan_file import PlanFile
from falcon_bulk.operations.changes.plan_header import Origin
from falcon_bulk.operations.changes.request import ChangeRequest
from falcon_bulk.operations.changes.saved_plan import apply_plan_file
from falcon_bulk.operations.changes.throttle import Pace
from falcon_bulk.operations.reading.read_progress import ReadProgress
from falcon_emulator import Fault, Server, Switches, Tenant
from falcon_emulator.actions import Action
from falcon_emulator.control import edit_alerts
from tests.support.fake_clock import FakeClock

ALL_GUARDRAILS = frozenset(GUARDRAILS)
CLOSE = ChangeRequest(status=Status.CLOSED, operator="ann", comment="Approved tool", overrides=ALL_GUARDRAILS)


class SilentObserver:
    """Takes what it is told of a run."""

    @contextmanager
    def progress(self, label: str) -> Iterator[Callable[[int, int], None]]:
        yield lambda _done, _expected: None

    def waiting(self, items: int, seconds: float) -> None: ...
    def run_started(self, run_id: str) -> None: ...
    def run_closed(self, run_id: str) -> None: ...


@dataclass
class StubPacer:
    """The numbers that a run takes from a tenant's pacer."""

    requests: int = 0


@dataclass
class StubTenant:
    """A tenant without a wire: `alerts` is what a test makes it."""

    alerts: Any
    cid: str
    customer: str = "acme"
    cloud: str = "http://127.0.0.1"
    indicators: Any = None
    pacer: StubPacer = field(default_factory=StubPacer)

    @property
    def cids(self) -> tuple[str, ...]:
        return (self.cid,)

    def single_cid(self) -> str:
        return self.cid

    def limit_changes(self, workers: int) -> ConcurrencyLimiter:
        return ConcurrencyLimiter(FakeClock(), initial=INITIAL_CHANGES, maximum=workers)

    def check_run_tenant(self, cids: tuple[str, ...], cloud: str) -> None:
        assert self.cid in cids
        assert cloud == self.cloud


@dataclass
class TenantWithAlerts:
    """A tenant whose alerts are another client."""

    tenant: Falcon
    alerts: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self.tenant, name)


@dataclass
class RunHarness:
    """One customer's tenant, the client that is logged in to it, and the folder of its journal."""

    server: Server
    tenant: Tenant
    falcon: Falcon
    folder: Path
    timing: FakeClock
    journal: Journal
    causes: list[FalconBulkError | None] = field(default_factory=list)
    runs: int = 0

    def ids(self, count: int, status: str = "new") -> list[str]:
        """That many alerts with a status which no run has touched yet."""
        found = [
            alert.composite_id
            for alert in self.tenant.store.newest_first
            if alert.state.status == status and not alert.state.comments and not alert.state.assignee
        ]
        assert len(found) >= count, f"the tenant has {len(found)} such alerts only"
        return found[:count]

    def order(self, kind: Any, **more: Any) -> None:
        """Order a fault."""
        fault = Fault(kind=kind, **more)
        self.server.call(lambda: self.tenant.faults.add(fault))

    def healthy(self) -> None:
        """No fault any more."""
        self.server.call(self.tenant.faults.clear)

    def on_patch(self, sent: Callable[[int], object]) -> None:
        """Call a function with the number of alerts of each PATCH, before it is sent."""
        update = self.falcon.alerts.update

        def watched(ids: Sequence[str], action_set: ActionSet) -> UpdateResponse:
            sent(len(ids))
            return update(ids, action_set)

        self.falcon.alerts.update = watched  # type: ignore[method-assign]

    def take_effect(self, plan: Plan, ids: Sequence[str]) -> None:
        """Let a change of a plan take effect at the tenant, as if its request had only just arrived."""
        action_sets = self.journal.alerts.action_sets(plan.run_id)
        numbers = {item.item_id: item.action_set for item in self._items(plan)}

        def change() -> None:
            for composite_id in ids:
                actions = [Action(action.name, action.value) for action in action_sets[numbers[composite_id]]]
                self.tenant.change(self.tenant.store.by_id[composite_id], actions, "client", request=1)

        self.server.call(change)

    def _items(self, plan: Plan) -> Iterator[PlannedItem[AlertState]]:
        for outcome in Outcome:
            for items in self.journal.alerts.with_outcome(plan.run_id, outcome):
                yield from items

    def edit(self, ids: Sequence[str], **changes: Any) -> None:
        """What an analyst does in the console."""
        self.server.call(lambda: edit_alerts(self.tenant, list(ids), changes))

    def planned(self, ids: Sequence[str], request: ChangeRequest = CLOSE, *, command: str = "bulk-close") -> AlertPlan:
        """Plan a change of alerts in the journal, approve it, and send nothing yet."""
        return self._begin(self.operation(ids, request, command=command))

    def operation(
        self, ids: Sequence[str], request: ChangeRequest = CLOSE, *, command: str = "bulk-close"
    ) -> Operation:
        """Return the operation that changes alerts."""
        return change_alerts(
            self.context(), Selection(ids=tuple(ids)), request, self._origin(request.operator), command=command
        )

    def run(self, ids: Sequence[str], request: ChangeRequest = CLOSE, **pace: Any) -> Execution:
        """Plan a change of alerts, approve it, and carry it out if anything is to be done."""
        workspace = self._workspace(Pace(**{"batch_size": 10, "delay": 0.5, "workers": 2} | pace))
        begun = begin_run(self.operation(ids, request), workspace, self.journal, lambda _plan, _preview: None)
        return begun if isinstance(begun, Execution) else carry_out(begun, workspace, self.journal)

    def save_plan(self, ids: Sequence[str], request: ChangeRequest, path: Path) -> Execution:
        """Make a dry run whose plan is saved in a file."""
        return dry_run(self.operation(ids, request), self.falcon, lambda _plan, _preview: None, path)

    def apply(self, path: Path, overrides: frozenset[str], approve: Approve, **pace: Any) -> Execution:
        """Carry out a saved plan as `apply` does, if it is approved."""
        saved = PlanFile(path)
        saved.check(
            customer=self.falcon.customer,
            cids=self.falcon.cids,
            cloud=self.falcon.cloud,
            now=self.timing.now(),
            max_age=timedelta(days=1),
        )
        operation = apply_plan_file(self.context(), saved, overrides)
        workspace = self._workspace(Pace(**{"batch_size": 10, "delay": 0.5, "workers": 2} | pace))
        begun = begin_run(operation, workspace, self.journal, approve)
        return begun if isinstance(begun, Execution) else carry_out(begun, workspace, self.journal)

    def undone(self, run_id: str) -> AlertPlan:
        """Plan the undo of a run in the journal, approve it, and send nothing yet."""
        return self._begin(undo_run(self.context(), self.journal, run_id, self._origin("ann")))

    def execute_undo(self, run_id: str) -> Execution:
        """Undo a run from its plan to its end."""
        operation = undo_run(self.context(), self.journal, run_id, self._origin("ann"))
        return execute(operation, self._workspace(Pace()), lambda _plan, _preview: None)

    def _begin(self, operation: Operation) -> AlertPlan:
        begun = begin_run(operation, self._workspace(Pace()), self.journal, lambda _plan, _preview: None)
        assert isinstance(begun, BegunRun), f"nothing was planned: {begun}"
        assert isinstance(begun.plan, AlertPlan)
        return begun.plan

    def context(self) -> PlanContext:
        """Return what plans of the tenant are made with."""
        return PlanContext(self.falcon, self.folder, self._reading, readers=1)

    def _origin(self, operator: str) -> Origin:
        self.runs += 1
        return Origin(f"251124run{self.runs:03}", operator, "test-machine", rfc3339(self.timing.now()), "test")

    @contextmanager
    def _reading(self) -> Iterator[ReadProgress]:
        yield ReadProgress(self.timing)

    def _workspace(self, pace: Pace, alerts: Any = None) -> Workspace:
        tenant = self.falcon if alerts is None else TenantWithAlerts(self.falcon, alerts)
        return Workspace(cast("Falcon", tenant), self.folder, self.timing, SilentObserver(), pace)

    def carry_out(
        self, plan: Plan, *, fresh: bool = True, age: float = 0.0, alerts: Any = None, **pace: Any
    ) -> RunResult:
        """Carry out a run, or continue it. fresh: as if its alerts had been read, `age` seconds ago."""
        read = Stopwatch(self.timing, age) if fresh else None
        workspace = self._workspace(Pace(**{"batch_size": 10, "delay": 0.5, "workers": 2} | pace), alerts)
        execution = carry_out(BegunRun(plan, None, read), workspace, self.journal)
        result = execution.result
        self.causes.append(execution.cause)
        assert result.planned == (result.changed + result.failed + result.drifted + result.unknown + result.not_sent), (
            "every planned alert stands in exactly one of the numbers"
        )
        assert result.selected == result.planned + sum(result.skipped.values()) + sum(result.held.values())
        return result

    def resume(self, plan: Plan, **pace: Any) -> RunResult:
        """Continue a run as a new process would: nothing but the journal on disk is known."""
        self.reopen()
        return self.carry_out(self.journal.plan(plan.run_id), fresh=False, **pace)

    def reopen(self) -> None:
        """Open the journal anew from the same file."""
        self.journal.close()
        self.journal = Journal(self.journal.path)

    def records(self, plan: Plan) -> dict[str, ItemRecord[AlertState]]:
        """What the journal knows of each alert of a run."""
        return {record.item_id: record for record in self.journal.alerts.records(plan.run_id)}

    def comments(self, plan: Plan, ids: Sequence[str]) -> Counter[int]:
        """How many alerts carry how many comments of the run."""
        return Counter(self.comments_on(plan, composite_id) for composite_id in ids)

    def comments_on(self, plan: Plan, composite_id: str) -> int:
        """How many comments of the run an alert carries."""
        state = self.tenant.store.by_id[composite_id].state
        return sum(plan.marker in comment.value for comment in state.comments)

    def statuses(self, ids: Sequence[str]) -> Counter[str]:
        """How many alerts have which status."""
        return Counter(self.tenant.store.by_id[composite_id].state.status for composite_id in ids)

    @property
    def patches(self) -> list[Any]:
        """The PATCH requests so far."""
        return self.requests("patch")

    def requests(self, endpoint: str) -> list[Any]:
        """The requests to an endpoint so far."""
        return [request for request in self.tenant.request_log.requests if request.endpoint == endpoint]


Start = Callable[..., RunHarness]


@contextmanager
def serve_run_harness(folder: Path, *, alerts: int = 400, seed: int = 1, **switches: Any) -> Iterator[RunHarness]:
    """A small tenant; keywords set its switches."""
    tenant = Tenant(alerts=alerts, seed=seed, switches=Switches(**switches))
    timing = FakeClock(datetime.now(UTC), chance=0.5)
    with Server(tenant) as server:
        falcon = Falcon(settings_for(tenant, server.url), timing)
        journal = Journal(folder / f"{tenant.cid}.sqlite3")
        harness = RunHarness(server, tenant, falcon, folder, timing, journal)
        try:
            yield harness
        finally:
            falcon.close()
            harness.journal.close()


def settings_for(tenant: Tenant, url: str) -> Settings:
    """What the tenant's env file would give."""
    return Settings(
        customer=tenant.customer,
        client_id=tenant.client_id,
        client_secret=Secret(tenant.client_secret),
        base_url=url,
        member_cid="",
        cids=(tenant.cid,),
        operator="ann",
        source="acme.env",
        named=True,
    )
