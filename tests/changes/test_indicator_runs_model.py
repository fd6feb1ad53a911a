"""Creations of indicators and their undos, analysts, faults, kills and resumes in any order, held against a model.

Falcon is a list of indicators that refuses duplicates and shows what is new with a lag; the journal is real.
"""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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

from falcon_bulk.errors import AnswerLost, MissingScope, Refused, Rejected
from falcon_bulk.falcon.indicators import CreateResponse
from falcon_bulk.journal.journal import Journal
from falcon_bulk.model.clock import Stopwatch
from falcon_bulk.model.indicator import Indicator, IndicatorSpec
from falcon_bulk.model.plan import IndicatorPlan, Plan
from falcon_bulk.model.run import Outcome
from falcon_bulk.operations.changes.lifecycle import BegunRun, Operation, Workspace, begin_run, carry_out
from falcon_bulk.operations.changes.operations import create_indicators, undo_run
from falcon_bulk.operations.changes.plan_context import PlanContext
from falcon_bulk.operations.changes.plan_header import Origin
from falcon_bulk.operations.changes.throttle import Pace
from falcon_bulk.operations.reading.read_progress import ReadProgress
from tests.support.fake_clock import FakeClock
from tests.support.run_harness import SilentObserver, StubTenant

CID = "0123456789abcdef0123456789abcdef"
HASHES = [f"{number:064x}" for number in range(6)]
FAULTS = ("lost", "lost after the effect", "one refused", "refused", "forbidden", "killed", "killed after the effect")
LAGS = (0.0, 3.0, 9.0)
"""Seconds until a new indicator is found by its hash; shorter than a change may be under way."""


class Killed(BaseException):
    """The process is no more."""


class ForbiddenAlerts:
    """The alerts of a client that may only manage indicators."""

    def count(self, fql: str) -> int:
        raise MissingScope("Falcon refuses to read alerts (403).")


class IndicatorList:
    """A tenant's indicators, who made each, and what happens to the next changes."""

    def __init__(self, clock: FakeClock, lag: float) -> None:
        self.clock = clock
        self.lag = lag
        self.now: dict[str, tuple[float, Indicator]] = {}
        self.deleted: list[tuple[Indicator, str]] = []
        self.to_come: list[str] = []
        self.dead = False
        self.made = 0

    def find(self, hashes: Sequence[str]) -> dict[str, tuple[Indicator, ...]]:
        self._alive()
        shown = [indicator for made_at, indicator in self.now.values() if made_at + self.lag <= self.clock.monotonic()]
        found = {digest: tuple(indicator for indicator in shown if indicator.value == digest) for digest in hashes}
        return {digest: indicators for digest, indicators in found.items() if indicators}

    def by_id(self, ids: Sequence[str]) -> dict[str, Indicator]:
        self._alive()
        return {composite_id: self.now[composite_id][1] for composite_id in ids if composite_id in self.now}

    def create(self, hashes: Sequence[str], spec: IndicatorSpec, comment: str) -> CreateResponse:
        fault = self._before_effect()
        refused = {digest: "warning: Warning: Duplicate type: 'sha256'" for digest in hashes if self.of(digest)}
        if fault == "one refused":
            refused[hashes[0]] = "error: it is not valid"
        if refused:
            return CreateResponse((), refused, "rejected", "trace")
        created = tuple(self.add(digest, spec) for digest in hashes)
        self._after_effect(fault)
        return CreateResponse(created, {}, "", "trace")

    def delete(self, ids: Sequence[str], comment: str) -> str:
        fault = self._before_effect()
        if fault == "one refused":
            return "one of them cannot be deleted"
        for composite_id in ids:
            if composite_id in self.now:
                self.deleted.append((self.now.pop(composite_id)[1], comment))
        self._after_effect(fault)
        return ""

    def add(self, digest: str, spec: IndicatorSpec, **fields: Any) -> Indicator:
        self.made += 1
        indicator = Indicator(
            **{
                "id": f"id-{self.made}",
                "type": "sha256",
                "value": digest,
                "action": "allow",
                "platforms": list(spec.platforms),
                "applied_globally": True,
                "description": spec.description,
            }
            | fields
        )
        self.now[indicator.id] = (self.clock.monotonic(), indicator)
        return indicator

    def of(self, digest: str) -> list[Indicator]:
        return [indicator for _, indicator in self.now.values() if indicator.value == digest]

    def _before_effect(self) -> str:
        self._alive()
        fault = self.to_come.pop(0) if self.to_come else ""
        if fault == "killed":
            self.dead = True
            raise Killed
        if fault == "lost":
            raise AnswerLost("The answer to a change was lost.", status=503)
        if fault == "refused":
            raise Rejected("Falcon answers 400: no.", status=400)
        if fault == "forbidden":
            raise MissingScope("Falcon refuses to change indicators (403).")
        return fault

    def _after_effect(self, fault: str) -> None:
        if fault == "killed after the effect":
            self.dead = True
            raise Killed
        if fault == "lost after the effect":
            raise AnswerLost("The answer to a change was lost.")

    def _alive(self) -> None:
        if self.dead:
            raise Killed


class IndicatorRuns(RuleBasedStateMachine):
    """What an analyst, Falcon and the tool do to the indicators of six hashes."""

    @initialize(lag=st.sampled_from(LAGS))
    def begin(self, lag: float) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.clock = FakeClock(chance=0.5)
        self.indicators = IndicatorList(self.clock, lag)
        self.tenant: Any = StubTenant(ForbiddenAlerts(), CID, indicators=self.indicators)
        self.journal = Journal(self.folder / "acme.sqlite3")
        self.plans: dict[str, IndicatorPlan] = {}
        self.undone: set[str] = set()
        self.runs = 0

    def teardown(self) -> None:
        if hasattr(self, "journal"):
            self.journal.close()
            shutil.rmtree(self.folder)

    # What others do

    @rule(place=st.integers(0, len(HASHES) - 1))
    def an_analyst_creates_one(self, place: int) -> None:
        if not self.indicators.of(HASHES[place]):
            self.indicators.add(HASHES[place], IndicatorSpec(platforms=("windows",), description="by bo"))

    @rule(data=st.data(), change=st.sampled_from([{"platforms": ["mac"]}, {"action": "no_action"}, None]))
    def an_analyst_changes_or_deletes_one(self, data: st.DataObject, change: dict[str, Any] | None) -> None:
        if not self.indicators.now:
            return
        chosen = data.draw(st.sampled_from(sorted(self.indicators.now)))
        made_at, indicator = self.indicators.now[chosen]
        if change is None:
            self.indicators.deleted.append((self.indicators.now.pop(chosen)[1], "by bo"))
        else:
            self.indicators.now[chosen] = (made_at, msgspec.structs.replace(indicator, **change))

    @rule(seconds=st.sampled_from([1.0, 20.0, 120.0]))
    def time_goes_by(self, seconds: float) -> None:
        self.clock.wait(seconds)

    # What the tool does

    def no_run_is_open(self) -> bool:
        return hasattr(self, "journal") and self.journal.unfinished() is None

    @precondition(no_run_is_open)
    @rule(
        places=st.sets(st.integers(0, len(HASHES) - 1), min_size=1),
        faults=st.lists(st.sampled_from(("", *FAULTS)), max_size=4),
    )
    def a_creation(self, places: set[int], faults: list[str]) -> None:
        origin = self._origin()
        spec = IndicatorSpec(platforms=("windows",), description=f"Vetted (by ann, falcon-bulk {origin.run_id})")
        hashes = [HASHES[place] for place in sorted(places)]
        self._run(create_indicators(self._context(), hashes, spec, origin), faults)

    @precondition(no_run_is_open)
    @rule(data=st.data(), faults=st.lists(st.sampled_from(("", *FAULTS)), max_size=3))
    def an_undo(self, data: st.DataObject, faults: list[str]) -> None:
        former = sorted(run_id for run_id, plan in self.plans.items() if not plan.undoes)
        if former:
            run_id = data.draw(st.sampled_from(former))
            self._run(undo_run(self._context(), self.journal, run_id, self._origin()), faults)

    @rule(faults=st.lists(st.sampled_from(("", *FAULTS)), max_size=3))
    def a_resume(self, faults: list[str]) -> None:
        row = self.journal.unfinished()
        if row is not None:
            self._carry_out(self.journal.plan(row.run_id), faults, None)

    @rule()
    def resumes_on_a_healthy_tenant_leave_nothing_open(self) -> None:
        row = self.journal.unfinished()
        if row is not None:
            self._carry_out(self.journal.plan(row.run_id), [], None)
            assert self.journal.result(row.run_id).not_sent == 0
            # A duplicate that the search does not show yet may be ours or somebody else's.
            self.clock.wait(max(LAGS))
        row = self.journal.unfinished()
        if row is not None:
            self._carry_out(self.journal.plan(row.run_id), [], None)
            result = self.journal.result(row.run_id)
            assert (result.unknown, result.not_sent) == (0, 0)
        assert self.journal.unfinished() is None

    # What must hold

    @invariant()
    def no_hash_has_two_indicators(self) -> None:
        for digest in HASHES if hasattr(self, "indicators") else ():
            assert len(self.indicators.of(digest)) <= 1

    @invariant()
    def a_creation_made_exactly_what_it_says(self) -> None:
        for run_id, plan in self.plans.items() if hasattr(self, "journal") else ():
            if plan.undoes:
                continue
            ever = [indicator for _, indicator in self.indicators.now.values()] + [
                indicator for indicator, _ in self.indicators.deleted
            ]
            made = {
                (str(indicator.value), str(indicator.id))
                for indicator in ever
                if plan.marker in str(indicator.description)
            }
            for record in self.journal.indicators.records(run_id):
                if record.outcome is Outcome.CHANGED:
                    assert (record.item_id, record.remote_id) in made
                elif record.outcome in (Outcome.NOT_SENT, Outcome.HELD, Outcome.SKIPPED):
                    assert record.item_id not in {digest for digest, _ in made}

    @invariant()
    def only_what_a_run_made_and_nobody_touched_is_deleted(self) -> None:
        for indicator, comment in self.indicators.deleted if hasattr(self, "indicators") else ():
            if comment != "by bo":
                (undo,) = (plan for plan in self.plans.values() if plan.comment == comment)
                former = self.plans[undo.undoes]
                assert former.marker in str(indicator.description)
                assert indicator.matches(former.spec)

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
        return PlanContext(self.tenant, self.folder, self._reading, readers=1)

    def _origin(self) -> Origin:
        self.runs += 1
        return Origin(f"251124run{self.runs:03}", "ann", "test-machine", "2025-11-24T06:00:00Z", "test")

    @contextmanager
    def _reading(self) -> Iterator[ReadProgress]:
        yield ReadProgress(self.clock)

    def _workspace(self) -> Workspace:
        return Workspace(self.tenant, self.folder, self.clock, SilentObserver(), Pace(workers=1))

    def _run(self, operation: Operation, faults: list[str]) -> None:
        """Plan an operation and carry it out, if there is something to do."""
        try:
            begun = begin_run(operation, self._workspace(), self.journal, lambda _plan, _preview: None)
        except Refused:
            return
        if isinstance(begun, BegunRun):
            assert isinstance(begun.plan, IndicatorPlan)
            self.plans[begun.plan.run_id] = begun.plan
            self._carry_out(begun.plan, faults, begun.read)

    def _carry_out(self, plan: Plan, faults: list[str], read: Stopwatch | None) -> None:
        """One process, which may die; then the journal is opened anew and Falcon is well again."""
        self.indicators.to_come = list(faults)
        try:
            carry_out(BegunRun(plan, None, read), self._workspace(), self.journal)
        except Killed:
            self.journal.close()
            self.journal = Journal(self.folder / "acme.sqlite3")
        self.indicators.to_come, self.indicators.dead = [], False


BOUNDED = settings(deadline=None, suppress_health_check=list(HealthCheck))


def test_indicator_runs_in_any_order_keep_the_promises() -> None:
    run_state_machine_as_test(IndicatorRuns, settings=settings(BOUNDED, max_examples=30, stateful_step_count=12))


@pytest.mark.slow
def test_longer_orders_of_indicator_runs_keep_the_promises_too() -> None:
    run_state_machine_as_test(IndicatorRuns, settings=settings(BOUNDED, max_examples=150, stateful_step_count=25))
