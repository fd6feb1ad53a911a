"""Plans, analysts, faults, kills, resumes and undos in any order, held against a model of what may happen.

Falcon is the emulator's tenant without a wire; the journal is real.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from falcon_bulk.errors import AnswerLost, FalconAnswer, MissingScope, Rejected, Unreachable
from falcon_bulk.falcon.alerts import UpdateResponse
from falcon_bulk.falcon.fql import equals_any
from falcon_bulk.falcon.responses import decode_response
from falcon_bulk.falcon.tenant import Tenant as Client
from falcon_bulk.journal.journal import Journal
from falcon_bulk.model.alert_decoder import decode_alert
from falcon_bulk.model.clock import Stopwatch
from falcon_bulk.model.plan import ActionSet, AlertPlan, AlertState, Plan
from falcon_bulk.model.run import Outcome
from falcon_bulk.model.selection import Selection
from falcon_bulk.model.timing import MAX_LATENESS
from falcon_bulk.model.vocabulary import Resolution, Status
from falcon_bulk.operations.changes.lifecycle import BegunRun, Operation, Workspace, begin_run, carry_out
from falcon_bulk.operations.changes.operations import change_alerts, undo_run
from falcon_bulk.operations.changes.plan_context import PlanContext
from falcon_bulk.operations.changes.plan_header import Origin
from falcon_bulk.operations.changes.request import ChangeRequest
from falcon_bulk.operations.changes.throttle import Pace
from falcon_bulk.operations.reading.read_progress import ReadProgress
from falcon_emulator import Switches, Tenant
from falcon_emulator.actions import Action
from falcon_emulator.alert_records import State
from falcon_emulator.control import edit_alerts
from falcon_emulator.documents import render
from falcon_emulator.request_log import Change as LedgerChange
from tests.support.fake_clock import FakeClock
from tests.support.in_process_client import in_process_clients
from tests.support.run_harness import ALL_GUARDRAILS, SilentObserver, StubTenant

ALERTS = 12
FAULTS = (
    "lost",
    "late",
    "lost after the effect",
    "part",
    "nothing",
    "refused",
    "forbidden",
    "killed",
    "killed after the effect",
)
READ_FAULTS: dict[str, dict[str, Any]] = {
    "whole": {},
    "in part, once": {"partial_pages": "once"},
    "in part, once, 429": {"partial_pages": "once", "partial_code": 429},
    "in part, always": {"partial_pages": "always"},
    "in part, always, 404": {"partial_pages": "always", "partial_code": 404},
    "an empty last page": {"empty_page": "last"},
    "empty pages, once": {"empty_page": "once"},
    "empty pages, always": {"empty_page": "always"},
    "after expires": {"after_seconds": 1e-6},
    "after expires, 200": {"after_seconds": 1e-6, "after_expired": "200"},
    "in part, once, and after expires": {"partial_pages": "once", "after_seconds": 1e-6},
    "empty pages, once, in part, once": {"partial_pages": "once", "empty_page": "once"},
}
"""How the tenant answers reads, by the emulator's switches."""
READ_FAULT = st.sampled_from(["whole", "whole", *READ_FAULTS])
PAGE_SIZE = 5
"""So that twelve alerts are several pages."""


class Killed(BaseException):
    """The process is no more."""


class Unwired:
    """The tenant as a run sees it: its client reads, and what happens to its next changes, one after another."""

    def __init__(self, tenant: Tenant, connect: Callable[[], Client], timing: FakeClock) -> None:
        self.tenant = tenant
        self.connect = connect
        self.client = connect()
        self.timing = timing
        self.to_come: list[str] = []
        self.lateness = 30.0
        self.unreadable = 0
        self.dead = False
        self.sent_states: dict[int, State] = {}

    def by_id(self, ids: Sequence[str]) -> list[msgspec.Raw]:
        self._alive()
        if self.unreadable:
            self.unreadable -= 1
            raise Unreachable("Falcon cannot be reached to read alerts.")
        return self.client.alerts.by_id(ids)

    def answer_reads(self, fault: str) -> None:
        """Answer reads in this manner from now on, and log in anew, as another process does."""
        switches = Switches(**READ_FAULTS[fault])
        for name in ("partial_pages", "partial_code", "empty_page", "after_seconds", "after_expired"):
            setattr(self.tenant.switches, name, getattr(switches, name))
        self.tenant.cut_endpoints.clear()
        self.tenant.emptied.clear()
        self.client = self.connect()
        self.client.alerts._size.current = PAGE_SIZE

    def __getattr__(self, name: str) -> Any:
        """Return the client's other ways to read."""
        self._alive()
        return getattr(self.client.alerts, name)

    def update(self, ids: Sequence[str], action_set: ActionSet) -> UpdateResponse:
        self._alive()
        fault = self.to_come.pop(0) if self.to_come else ""
        if fault == "killed":
            self.dead = True
            raise Killed
        if fault == "lost":
            raise AnswerLost("The answer to a change was lost.", status=503)
        if fault == "late":
            due = self.timing.passed + self.lateness
            sent = {composite_id: self.tenant.store.by_id[composite_id].state for composite_id in ids}
            self.timing.at(due, lambda: self._take_effect(ids, action_set, sent))
            raise AnswerLost("The answer to a change was lost.", status=504)
        if fault == "refused":
            raise Rejected("Falcon answers 400: cannot update.", status=400)
        if fault == "forbidden":
            raise MissingScope("Falcon refuses to change alerts (403).")
        reached = {"part": ids[: len(ids) // 2], "nothing": ()}.get(fault, ids)
        self._take_effect(reached, action_set)
        if fault == "killed after the effect":
            self.dead = True
            raise Killed
        if fault == "lost after the effect":
            raise AnswerLost("The answer to a change was lost.")
        spared = [composite_id for composite_id in ids if composite_id not in reached]
        errors = [{"code": 409, "message": "left out", "id": composite_id} for composite_id in spared]
        document = {"meta": {"writes": {"resources_affected": len(reached)}}, "errors": errors}
        answer = decode_response(msgspec.json.encode(document))
        return UpdateResponse(answer.affected, tuple(answer.problems), "")

    def _take_effect(self, ids: Sequence[str], action_set: ActionSet, sent: dict[str, State] | None = None) -> None:
        """Change alerts. sent: their states when the request was sent, if it takes effect late."""
        actions = [Action(action.name, action.value) for action in action_set]
        for composite_id in ids:
            if sent:
                self.sent_states[len(self.tenant.request_log.changes)] = sent[composite_id]
            self.tenant.change(self.tenant.store.by_id[composite_id], actions, "client", request=1)

    def _alive(self) -> None:
        if self.dead:
            raise Killed


class Changes(RuleBasedStateMachine):
    """What an analyst, Falcon and the tool do to twelve alerts."""

    @initialize(
        seed=st.integers(1, 5),
        no_ops=st.booleans(),
        hides=st.booleans(),
        lateness=st.floats(1, MAX_LATENESS - 5),
    )
    def begin(self, seed: int, no_ops: bool, hides: bool, lateness: float) -> None:
        self.folder = Path(tempfile.mkdtemp())
        switches = Switches(count_no_ops=no_ops, closing_hides=hides, index_lag=0.0, rate_limit=10**6)
        self.tenant = Tenant(alerts=ALERTS, seed=seed, switches=switches)
        self.timing = FakeClock(chance=0.5)
        self.opened = ExitStack()
        connect = self.opened.enter_context(in_process_clients(self.tenant, self.timing))
        self.falcon = Unwired(self.tenant, connect, self.timing)
        self.stub: Any = StubTenant(self.falcon, self.tenant.cid)
        self.journal = Journal(self.folder / "acme.sqlite3")
        self.falcon.lateness = lateness
        self.plans: dict[str, tuple[Plan, dict[str, ActionSet], dict[str, AlertState]]] = {}
        self.runs = 0

    def teardown(self) -> None:
        if hasattr(self, "opened"):
            self.opened.close()
        if hasattr(self, "journal"):
            self.journal.close()
            shutil.rmtree(self.folder)

    # What others do

    @rule(
        places=st.sets(st.integers(0, ALERTS - 1), min_size=1, max_size=4),
        changes=st.sampled_from(
            [
                {"status": "in_progress"},
                {"status": "closed"},
                {"status": "reopened"},
                {"assign": "bo.birch"},
                {"assign": ""},
                {"tags": ["mine"]},
                {"comment": "looking"},
                {"show_in_ui": False},
            ]
        ),
    )
    def an_analyst_works(self, places: set[int], changes: dict[str, Any]) -> None:
        alerts = self.tenant.store.newest_first
        edit_alerts(self.tenant, [alerts[place].composite_id for place in places], changes)

    @rule()
    def the_crawler_comes_by(self) -> None:
        self.tenant.crawl(60)

    @rule(count=st.integers(1, 2))
    def alerts_arrive(self, count: int) -> None:
        self.tenant.arrive(count)

    # What the tool does

    def no_run_is_open(self) -> bool:
        return hasattr(self, "journal") and self.journal.unfinished() is None

    @precondition(no_run_is_open)
    @rule(
        places=st.sets(st.integers(0, ALERTS - 1), min_size=1),
        status=st.sampled_from(Status),
        resolution=st.sampled_from([None, *Resolution]),
        assign_to=st.sampled_from(["", "ann@example.com"]),
        overrides=st.sampled_from([ALL_GUARDRAILS, frozenset(), frozenset({"assigned", "in-progress", "no-severity"})]),
        fresh=st.booleans(),
        faults=st.lists(st.sampled_from(("", *FAULTS)), max_size=4),
        unreadable=st.sampled_from([0, 0, 0, 1, 2]),
        meanwhile=st.booleans(),
        by_filter=st.booleans(),
        reads=READ_FAULT,
    )
    def a_run(
        self,
        places: set[int],
        status: Status,
        resolution: Resolution | None,
        assign_to: str,
        overrides: frozenset[str],
        fresh: bool,
        faults: list[str],
        unreadable: int,
        meanwhile: bool,
        by_filter: bool,
        reads: str,
    ) -> None:
        self.falcon.answer_reads(reads)
        change = ChangeRequest(
            status=status, operator="ann", resolution=resolution, assign_to=assign_to, overrides=overrides
        )
        ids = tuple(self.tenant.store.newest_first[place].composite_id for place in sorted(places))
        plan = self._begin(
            change_alerts(
                self._context(),
                Selection(filter=equals_any("composite_id", ids)) if by_filter else Selection(ids=ids),
                change,
                self._origin(),
                command="bulk-close",
            ),
            selected=len(ids),
        )
        if plan is None:
            return
        if meanwhile and not fresh:
            edit_alerts(self.tenant, list(ids[:2]), {"comment": "hold on"})
            edit_alerts(self.tenant, list(ids[1:3]), {"status": "in_progress"})
        self._carry_out(plan, faults, unreadable, fresh=fresh)

    @precondition(no_run_is_open)
    @rule(data=st.data(), faults=st.lists(st.sampled_from(("", *FAULTS)), max_size=3), reads=READ_FAULT)
    def an_undo(self, data: st.DataObject, faults: list[str], reads: str) -> None:
        if not self.plans:
            return
        self.falcon.answer_reads(reads)
        former = data.draw(st.sampled_from(sorted(self.plans)))
        plan = self._begin(undo_run(self._context(), self.journal, former, self._origin()))
        if plan is not None:
            self._carry_out(plan, faults, 0, fresh=True)

    @rule(
        faults=st.lists(st.sampled_from(("", *FAULTS)), max_size=3),
        unreadable=st.sampled_from([0, 0, 1]),
        reads=READ_FAULT,
    )
    def a_resume(self, faults: list[str], unreadable: int, reads: str) -> None:
        self.falcon.answer_reads(reads)
        row = self.journal.unfinished()
        if row is not None:
            self._carry_out(self.journal.plan(row.run_id), faults, unreadable, fresh=False)

    @rule()
    def a_resume_on_a_healthy_tenant_leaves_nothing_unknown(self) -> None:
        self.falcon.answer_reads("whole")
        row = self.journal.unfinished()
        if row is not None:
            self._carry_out(self.journal.plan(row.run_id), [], 0, fresh=False)
            result = self.journal.result(row.run_id)
            assert (result.unknown, result.not_sent) == (0, 0)
        assert self.journal.unfinished() is None

    # What must hold

    @invariant()
    def no_alert_outside_a_plan_is_changed_and_each_one_gets_the_actions_of_its_plan(self) -> None:
        for change in self.tenant.request_log.changes if hasattr(self, "tenant") else ():
            if change.request:
                (run_id,) = (run_id for run_id in self.plans if _is_of(change, run_id))
                _, action_sets, _ = self.plans[run_id]
                assert [(action.name, action.value) for action in action_sets[change.composite_id]] == change.actions

    @invariant()
    def each_run_leaves_at_most_one_comment_and_one_where_it_says_changed(self) -> None:
        if not hasattr(self, "journal"):
            return
        for run_id, (plan, _, _) in self.plans.items():
            outcomes = {record.item_id: record.outcome for record in self.journal.alerts.records(run_id)}
            for alert in self.tenant.store.newest_first:
                carried = sum(plan.marker in comment.value for comment in alert.state.comments)
                outcome = outcomes.get(alert.composite_id)
                if outcome == Outcome.CHANGED:
                    assert carried == 1
                elif outcome == Outcome.UNKNOWN:
                    assert carried <= 1
                else:
                    assert carried == 0, f"{outcome}, and it carries the run's comment"

    @invariant()
    def the_numbers_add_up(self) -> None:
        for run_id in self.plans if hasattr(self, "journal") else ():
            result = self.journal.result(run_id)
            assert result.selected == result.planned + sum(result.skipped.values()) + sum(result.held.values())
            assert result.planned == (
                result.changed + result.failed + result.drifted + result.unknown + result.not_sent
            )
            assert result.verified <= result.changed

    def _context(self) -> PlanContext:
        return PlanContext(self.stub, self.folder, self._reading, readers=1)

    def _origin(self) -> Origin:
        self.runs += 1
        created = f"2025-11-24T06:{self.runs // 60:02}:{self.runs % 60:02}Z"
        return Origin(f"251124run{self.runs:03}", "ann", "test-machine", created, "test")

    @contextmanager
    def _reading(self) -> Iterator[ReadProgress]:
        yield ReadProgress(self.timing)

    def _workspace(self) -> Workspace:
        return Workspace(self.stub, self.folder, self.timing, SilentObserver(), Pace(4, 0.5, 1))

    def _begin(self, operation: Operation, *, selected: int | None = None) -> AlertPlan | None:
        """Plan an operation; None where nothing is to be done, or where it cannot be read what.

        selected: how many alerts the plan must account for. Only where every answer is in part may it be none.
        """
        try:
            begun = begin_run(operation, self._workspace(), self.journal, lambda _plan, _preview: None)
        except FalconAnswer:
            assert self.tenant.switches.partial_pages == "always"
            return None
        if selected is not None:
            assert begun.preview is not None
            assert begun.preview.selected == selected
            assert not begun.preview.incomplete
            assert "not_found" not in begun.preview.skipped
        if not isinstance(begun, BegunRun):
            return None
        assert isinstance(begun.plan, AlertPlan)
        self._know(begun.plan)
        return begun.plan

    def _know(self, plan: Plan) -> None:
        action_sets = self.journal.alerts.action_sets(plan.run_id)
        rows = [row for batch in self.journal.alerts.batches(plan.run_id, 1000) for row in batch]
        self.plans[plan.run_id] = (
            plan,
            {row.item_id: action_sets[row.action_set] for row in rows},
            {row.item_id: row.before for row in rows if row.before},
        )

    def _carry_out(self, plan: Plan, faults: list[str], unreadable: int, *, fresh: bool) -> None:
        """One process, which may die; then the journal is opened anew and Falcon is well again."""
        self.falcon.to_come, self.falcon.unreadable = list(faults), unreadable
        read = Stopwatch(self.timing) if fresh else None
        done = len(self.tenant.request_log.changes)
        try:
            carry_out(BegunRun(plan, None, read), self._workspace(), self.journal)
        except Killed:
            self.journal.close()
            self.journal = Journal(self.folder / "acme.sqlite3")
        self.falcon.to_come, self.falcon.unreadable, self.falcon.dead = [], 0, False
        for number, change in enumerate(self.tenant.request_log.changes[done:], start=done):
            self._nobodys_work_is_overwritten(plan, change, self.falcon.sent_states.get(number, change.before))

    def _nobodys_work_is_overwritten(self, plan: Plan, change: LedgerChange, before: State) -> None:
        """An alert is changed only as it was planned, and taken back only as the run left it.

        before: its state when the change was sent: what somebody does before a late effect cannot be helped.
        """
        alert = self.tenant.store.by_id[change.composite_id]
        seen = AlertState.of(decode_alert(render(alert, before)))
        assert self.plans[plan.run_id][2][change.composite_id].drift_to(seen) == ()
        if plan.undoes:
            left = [
                change.after
                for change in self.tenant.request_log.changes
                if change.request and _is_of(change, plan.undoes)
            ]
            assert substance(before) in map(substance, left)


def substance(state: State) -> tuple[Any, ...]:
    """What of a state is somebody's work."""
    return state.status, state.assignee, frozenset(filter(None, state.tags or ())), state.comments


def _is_of(change: LedgerChange, run_id: str) -> bool:
    """Return whether a run made a change: its marker is in the comment. An undo also names the run that it undoes."""
    return any(f"falcon-bulk {run_id}" in value for _, value in change.actions)


BOUNDED = settings(deadline=None, suppress_health_check=list(HealthCheck))


def test_no_order_of_events_breaks_a_promise() -> None:
    run_state_machine_as_test(Changes, settings=settings(BOUNDED, max_examples=30, stateful_step_count=12))


@pytest.mark.slow
def test_no_longer_order_of_events_breaks_a_promise_either() -> None:
    run_state_machine_as_test(Changes, settings=settings(BOUNDED, max_examples=200, stateful_step_count=25))
