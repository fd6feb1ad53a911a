"""A tenant on loopback, a journal on disk and a clock that does not wait: the ground that runs are tried on."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from falcon_bulk.errors import FalconBulkError
from falcon_bulk.falcon.tenant import Tenant as Falcon
from falcon_bulk.journal.journal import Journal
from falcon_bulk.model.alert import Alert
from falcon_bulk.model.clock import rfc3339
from falcon_bulk.model.plan import Plan
from falcon_bulk.model.run import AlertRecord, Outcome, RunResult
from falcon_bulk.model.selection import Selection
from falcon_bulk.model.vocabulary import Status
from falcon_bulk.operations.changes.apply import AlertRun, Pace
from falcon_bulk.operations.changes.guardrails import GUARDRAILS
from falcon_bulk.operations.changes.planner import Change, make_plan
from falcon_bulk.operations.changes.undo import plan_undo
from falcon_bulk.operations.reading.read_all import ReadProgress
from falcon_bulk.operations.reading.select_alerts import read_selection
from falcon_emulator import Fault, Server, Switches, Tenant
from falcon_emulator.control import edit_alerts
from tests.support.clients import settings_for
from tests.support.fake_clock import FakeClock

ALL_GUARDRAILS = frozenset(GUARDRAILS)
CLOSE = Change(status=Status.CLOSED, operator="ann", comment="Approved tool", overrides=ALL_GUARDRAILS)


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

    def edit(self, ids: Sequence[str], **changes: Any) -> None:
        """What an analyst does in the console."""
        self.server.call(lambda: edit_alerts(self.tenant, list(ids), changes))

    def planned(self, ids: Sequence[str], change: Change = CLOSE, *, command: str = "bulk-close") -> Plan:
        """A run that is in the journal and not yet carried out."""
        plan = self._plan(command, change)
        draft = self.journal.draft(plan)
        found = read_selection(self.falcon.alerts, Selection(ids=tuple(ids)), ReadProgress(self.timing), Alert)
        draft.begin(make_plan(found, change, plan, draft, given=tuple(ids)), plan.created)
        return plan

    def undone(self, run_id: str) -> Plan:
        """The undo of a run, in the journal and not yet carried out."""
        plan = self._plan("undo", CLOSE, undoes=run_id)
        draft = self.journal.draft(plan)
        records = self.journal.alerts.records(run_id, Outcome.CHANGED)
        draft.begin(plan_undo(records, self.falcon.alerts, plan, draft, ReadProgress(self.timing)), plan.created)
        return plan

    def _plan(self, command: str, change: Change, undoes: str = "") -> Plan:
        self.runs += 1
        run_id = f"251124run{self.runs:03}"
        return Plan(
            run_id=run_id,
            command=command,
            customer="acme",
            cid=self.tenant.cid,
            cids=(self.tenant.cid,),
            cloud=self.falcon.cloud,
            operator=change.operator,
            created=rfc3339(self.timing.now()),
            selection="exactly the given ids",
            overrides=tuple(change.overrides),
            target=change.status,
            comment=change.comment_of(run_id),
            undoes=undoes,
        )

    def carry_out(self, plan: Plan, *, fresh: bool = True, alerts: Any = None, **pace: Any) -> RunResult:
        """Carry a run out, or go on with it. fresh: as if its alerts had been read just now."""
        run = AlertRun(
            alerts or self.falcon.alerts,
            self.journal,
            plan,
            self.timing,
            Pace(**{"batch_size": 10, "delay": 0.5, "workers": 2} | pace),
            read_at=self.timing.monotonic() if fresh else float("-inf"),
            trouble=lambda: self.falcon.pacer.failures,
        )
        result = run.carry_out(lambda: self.falcon.pacer.requests)
        self.causes.append(run.cause)
        assert result.planned == (result.changed + result.failed + result.drifted + result.unknown + result.not_sent), (
            "every planned alert stands in exactly one of the numbers"
        )
        assert result.selected == result.planned + sum(result.skipped.values()) + sum(result.held.values())
        return result

    def resume(self, plan: Plan, **pace: Any) -> RunResult:
        """Go on with a run in a new process: nothing but the journal on disk is known."""
        self.reopen()
        return self.carry_out(self.journal.plan(plan.run_id), fresh=False, **pace)

    def reopen(self) -> None:
        """Open the journal anew from the same file."""
        self.journal.close()
        self.journal = Journal(self.journal.path)

    def records(self, plan: Plan) -> dict[str, AlertRecord]:
        """What the journal knows of each alert of a run."""
        return {record.composite_id: record for record in self.journal.alerts.records(plan.run_id)}

    def comments(self, plan: Plan, ids: Sequence[str]) -> Counter[int]:
        """How many alerts carry how many comments of the run."""
        return Counter(self.comments_on(plan, one) for one in ids)

    def comments_on(self, plan: Plan, composite_id: str) -> int:
        """How many comments of the run an alert carries."""
        state = self.tenant.store.by_id[composite_id].state
        return sum(plan.marker in comment.value for comment in state.comments)

    def statuses(self, ids: Sequence[str]) -> Counter[str]:
        """How many alerts have which status."""
        return Counter(self.tenant.store.by_id[one].state.status for one in ids)

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
        ground = RunHarness(server, tenant, falcon, folder, timing, journal)
        try:
            yield ground
        finally:
            falcon.close()
            ground.journal.close()
