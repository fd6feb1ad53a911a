"""No order of arrivals, runs, plans, undos, console work and changes of rules breaks a promise of closing rules."""

import tempfile
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

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

from falcon_bulk.model.run import RunStatus
from falcon_bulk.operations.changes.lifecycle import Execution, Workspace, dry_run, execute
from falcon_bulk.operations.changes.plan_file import PlanFile
from falcon_bulk.operations.changes.rule_check import PlanRules
from falcon_bulk.operations.changes.saved_plan import apply_plan_file
from falcon_bulk.operations.changes.throttle import Pace
from falcon_bulk.operations.rules.rule_book import CustomerRules
from falcon_bulk.operations.rules.rule_history import closed_before_in
from falcon_bulk.operations.rules.rule_recheck import RuleRecheck
from falcon_bulk.operations.rules.rule_source import RuleSource
from falcon_bulk.operations.rules.rules_run import RulesRequest, plan_rules, update_true_positives
from falcon_bulk.operations.rules.true_positives import TruePositiveStore
from falcon_emulator.control import edit_alerts
from tests.support.alert_groups import AlertGroupBuilder, Fields
from tests.support.planted_tenant import id_at, plant
from tests.support.rule_builders import rule as rule_text
from tests.support.rule_builders import rule_file, today, updater_alert
from tests.support.run_harness import RunHarness, SilentObserver, serve_run_harness

HASH = "ab" * 32
ODD: dict[str, Fields] = {
    "parent": {"parent": "winword.exe"},
    "folder": {"path": "\\Device\\HarddiskVolume3\\Users\\eve\\updater.exe"},
    "user": {"user_name": "eve"},
    "severity": {"severity": 90, "severity_name": "Critical"},
}
EXPECT = {
    "path": ["\\Program Files\\Vendor\\*"],
    "parent": ["services.exe"],
    "user": ["SYSTEM"],
    "max-severity": "high",
}


class RulesMachine(RuleBasedStateMachine):
    """One customer, two rules that overlap, and everything that people do around them."""

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self.harness: RunHarness = self._stack.enter_context(serve_run_harness(self.folder, alerts=3))
        self.rules: dict[str, dict[str, Any]] = {}
        self.path = self.folder / "rules.toml"
        self.source = RuleSource([self.path], today, None, asks_git=False)
        self.store = TruePositiveStore(self.folder)
        self.count = 0
        self.intrusions: set[str] = set()
        self.usual: set[str] = set()
        self.marked: set[str] = set()
        self.known_marked: set[str] = set()
        self.touched: set[str] = set()
        self.runs: list[str] = []
        self.plan: Path | None = None

    def teardown(self) -> None:
        self._stack.close()

    @initialize()
    def begin(self) -> None:
        self.rules = {
            "by-hash": {"match": {"sha256": [HASH]}, "expect": EXPECT},
            "by-name": {"match": {"name": ["MLSensor-*"]}, "expect": {"parent": ["services.exe"], "user": ["SYSTEM"]}},
        }
        self.rules["by-name"]["expect"] = self.rules["by-name"]["expect"] | {"path": EXPECT["path"]}
        self.write()

    def write(self) -> None:
        self.path.write_text(rule_file(*(rule_text(name, **values) for name, values in self.rules.items())))
        self.path.chmod(0o644)

    # What happens at the tenant

    @rule(count=st.integers(1, 4))
    def usual_alerts_arrive(self, count: int) -> None:
        self.usual |= set(self.arrive(count, {}))

    @rule(why=st.sampled_from(sorted(ODD)))
    def an_intrusion_arrives(self, why: str) -> None:
        self.intrusions |= set(self.arrive(1, ODD[why]))

    def arrive(self, count: int, changed: Fields) -> list[str]:
        self.count += 1
        builder = AlertGroupBuilder(f"arrival {self.count}", updater_alert)
        builder.sha256 = HASH
        group = builder.ordinary(count, **changed).group()
        tenant = self.harness.tenant
        self.harness.server.call(lambda: plant(tenant, [group]))
        return [id_at(tenant, document["composite_id"]) for document in group.documents]

    @precondition(lambda self: self.intrusions - self.marked)
    @rule()
    def an_analyst_finds_an_intrusion(self) -> None:
        one = min(self.intrusions - self.marked)
        self.edit(one, tags=["true_positive"])
        self.marked.add(one)

    @precondition(lambda self: self.marked)
    @rule()
    def an_analyst_takes_a_mark_back(self) -> None:
        one = min(self.marked)
        self.edit(one, tags=[])
        self.marked.discard(one)

    @precondition(lambda self: self.usual - self.touched)
    @rule(how=st.sampled_from(({"status": "new"}, {"assign": "Ann"}, {"comment": "Looked at it"})))
    def an_analyst_works(self, how: dict[str, str]) -> None:
        one = min(self.usual - self.touched)
        self.edit(one, **how)
        self.touched.add(one)

    def edit(self, one: str, **changes: Any) -> None:
        self.harness.server.call(lambda: edit_alerts(self.harness.tenant, [one], changes))

    # What happens to the rules

    @rule(name=st.sampled_from(("by-hash", "by-name")))
    def a_rule_is_revoked_or_renewed(self, name: str) -> None:
        revoked = self.rules[name].get("revoked")
        self.rules[name]["revoked"] = None if revoked else today() - timedelta(days=1)
        self.write()

    # What the tool does

    @rule()
    def the_rules_run(self) -> None:
        self.learn()
        execution = execute(self.operation(), self.workspace(), lambda _plan, _preview: None)
        self.check(execution)
        if execution.result.changed:
            self.runs.append(execution.plan.run_id)
        again = execute(self.operation(), self.workspace(), lambda _plan, _preview: None)
        assert again.result.planned == 0, "twice in a row does nothing the second time"

    @rule()
    def a_plan_is_saved(self) -> None:
        self.learn()
        self.plan = self.folder / "saved.plan"
        dry_run(self.operation(), self.harness.falcon, lambda _plan, _preview: None, self.plan)

    @precondition(lambda self: self.plan is not None)
    @rule()
    def a_saved_plan_is_applied(self) -> None:
        assert self.plan is not None
        saved = PlanFile(self.plan)
        self.plan = None
        operation = apply_plan_file(
            self.harness.context(),
            saved,
            frozenset(),
            rules=PlanRules(self.recheck(), closed_before_in(self.folder, saved.plan.cid, saved.plan.run_id)),
        )
        execution = execute(operation, self.workspace(), lambda _plan, _preview: None)
        self.check(execution)
        if execution.result.changed:
            self.runs.append(execution.plan.run_id)

    @precondition(lambda self: self.runs)
    @rule()
    def a_run_is_undone(self) -> None:
        self.harness.execute_undo(self.runs.pop())

    def learn(self) -> None:
        update_true_positives(self.harness.context(), self.store)
        self.known_marked = set(self.marked)

    def operation(self) -> Any:
        book = self.source.load()
        assert book.is_valid, book.problems
        rules = CustomerRules(book, "acme", frozenset(), today(), book.suspensions(self.store.load()))
        return plan_rules(self.harness.context(), book, rules, RulesRequest(), self.harness._origin("ann"))

    def recheck(self) -> RuleRecheck:
        return RuleRecheck(self.source, self.store, "acme", frozenset())

    def workspace(self) -> Workspace:
        harness = self.harness
        pace = Pace(batch_size=3, delay=0.0, workers=2)
        return Workspace(harness.falcon, self.folder, harness.timing, SilentObserver(), pace, self.recheck())

    def check(self, execution: Execution) -> None:
        result = execution.result
        assert result.selected == result.planned + sum(result.skipped.values()) + sum(result.held.values())
        assert result.planned == result.changed + result.drifted
        assert result.status in (RunStatus.SUCCESS, RunStatus.NOTHING_TO_DO, RunStatus.PARTIAL, RunStatus.FAILED)
        if self.known_marked and not self.rules["by-hash"].get("revoked"):
            assert result.changed == 0, "a true positive of the hash suspends, and the other rule closes nothing of it"

    # What holds at every moment

    @invariant()
    def no_intrusion_is_closed(self) -> None:
        states = self.states(self.intrusions)
        assert all(status == "new" and not comments for status, comments in states), states

    @invariant()
    def nothing_is_closed_twice(self) -> None:
        assert all(comments <= 1 for _, comments in self.states(self.usual))

    def states(self, ids: set[str]) -> list[tuple[str, int]]:
        store = self.harness.tenant.store

        def read() -> list[tuple[str, int]]:
            found = [store.by_id[composite_id].state for composite_id in sorted(ids)]
            return [(one.status, sum("rule by-" in comment.value for comment in one.comments)) for one in found]

        return self.harness.server.call(read)


@pytest.mark.slow
def test_no_order_of_events_breaks_a_promise_of_rules() -> None:
    bounded = settings(
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
    run_state_machine_as_test(RulesMachine, settings=settings(bounded, max_examples=30, stateful_step_count=20))
