"""Items of a run: added, batched, intended, recorded, and found over all runs."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import event

from falcon_bulk.journal.journal import Journal
from falcon_bulk.model.indicator import Indicator, IndicatorSpec
from falcon_bulk.model.plan import Action, AlertState, IndicatorPlan, PlannedItem
from falcon_bulk.model.run import BatchAnswer, ItemOutcome, Outcome, RunProblem
from tests.journal.conftest import BEFORE, STARTED, RecordRun, alert_plan, preview_of

AFTER = AlertState("closed", "", "", "", ("seen",), True, "", 1, STARTED)


def ids(items: Any) -> list[str]:
    return [item.item_id for item in items]


def test_batches_have_one_action_set_each_and_keep_the_order_of_the_plan(journal: Journal) -> None:
    draft = journal.draft(plan := alert_plan())
    for number in (0, 1):
        draft.add_action_set(number, (Action("add_tag", f"tag{number}"),))
    order = [("z", 0), ("c", 1), ("y", 0), ("b", 1), ("x", 0), ("a", 1)]
    for item_id, number in order:
        draft.add(PlannedItem(item_id, BEFORE, number))
    draft.finish()
    journal.begin(draft.run_id, preview_of(6), STARTED)
    batches = list(journal.alerts.batches(plan.run_id, 2))
    assert [ids(items) for items in batches] == [["z", "y"], ["x"], ["c", "b"], ["a"]]
    assert batches[0][0] == PlannedItem("z", BEFORE, 0)
    assert journal.alerts.action_sets(plan.run_id)[1] == (Action("add_tag", "tag1"),)


def test_the_order_of_the_plan_holds_beyond_one_piece_of_the_draft(journal: Journal, record_run: RecordRun) -> None:
    draft = journal.draft(plan := alert_plan())
    order = [f"{number * 7919 % 2500:04}" for number in range(2500)]
    for item_id in order:
        draft.add(PlannedItem(item_id, BEFORE))
    draft.finish()
    journal.begin(draft.run_id, preview_of(2500), STARTED)
    assert [item for items in journal.alerts.batches(plan.run_id, 1000) for item in ids(items)] == order


def test_what_was_held_or_skipped_is_recorded_and_no_part_of_the_plan(journal: Journal) -> None:
    draft = journal.draft(plan := alert_plan())
    draft.add(PlannedItem("b", BEFORE))
    draft.leave("a", Outcome.HELD, "critical")
    draft.leave("c", Outcome.SKIPPED, "already")
    draft.finish()
    journal.begin(draft.run_id, preview_of(1, selected=3), STARTED)
    assert journal.counts(plan.run_id) == {Outcome.NOT_SENT: 1}
    assert journal.rows()[0].planned == journal.result(plan.run_id).planned == 1
    assert ids(journal.alerts.records(plan.run_id)) == ["b"]
    assert [ids(items) for items in journal.alerts.batches(plan.run_id, 10)] == [["b"]]
    (held,) = journal.alerts.records(plan.run_id, Outcome.HELD)
    assert (held.item_id, held.before, held.reason) == ("a", None, "critical")
    assert ids(journal.alerts.records(plan.run_id, Outcome.SKIPPED)) == ["c"]


def test_an_item_is_unknown_from_its_intent_until_its_outcome(journal: Journal, record_run: RecordRun) -> None:
    run_id = record_run().run_id
    batch = journal.alerts.intend(run_id, ["alert0000", "alert0001"], "2026-11-24T00:00:01Z")
    assert journal.counts(run_id) == {Outcome.UNKNOWN: 2, Outcome.NOT_SENT: 1}
    (unknown,) = journal.alerts.unknown_batches(run_id)
    assert (unknown.sent, ids(unknown.items)) == ("2026-11-24T00:00:01Z", ["alert0000", "alert0001"])
    journal.alerts.record(
        run_id,
        [
            ItemOutcome(item_id="alert0000", outcome=Outcome.CHANGED, after=AFTER, verified=True),
            ItemOutcome(item_id="alert0001", outcome=Outcome.FAILED, reason="no such alert"),
        ],
        problems=[RunProblem(code=404, message="no such alert", ids=("alert0001",))],
        answer=BatchAnswer(batch, "2026-11-24T00:00:02Z", "ok", "trace"),
    )
    assert list(journal.alerts.unknown_batches(run_id)) == []
    assert journal.verified(run_id) == 1
    assert journal.sent_by_time(run_id) == {"2026-11-24T00:00:01Z": 2}
    changed, failed, left = journal.alerts.records(run_id)
    assert (changed.outcome, changed.before, changed.after) == (Outcome.CHANGED, BEFORE, AFTER)
    assert (failed.outcome, failed.reason, failed.after) == (Outcome.FAILED, "no such alert", None)
    assert left.outcome == Outcome.NOT_SENT
    result = journal.result(run_id)
    assert (result.batches, [error.code for error in result.errors]) == (1, [404])


def test_problems_keep_their_order(journal: Journal, record_run: RecordRun) -> None:
    run_id = record_run().run_id
    for codes in ([500, 404], [429]):
        journal.alerts.record(run_id, [], problems=[RunProblem(code=code, message="no") for code in codes])
    assert [error.code for error in journal.result(run_id).errors] == [500, 404, 429]


def test_the_id_of_an_indicator_stays_once_it_is_known(journal: Journal) -> None:
    plan = IndicatorPlan(
        run_id="run1",
        command="allow-hash",
        customer="acme",
        cid="acme",
        cids=("acme",),
        cloud="https://api.example",
        operator="ann",
        created=STARTED,
        selection="1 hash",
        spec=IndicatorSpec(platforms=("windows",), description="Vetted"),
    )
    digest = "a" * 64
    draft = journal.draft(plan)
    draft.add(PlannedItem(digest, None))
    draft.finish()
    journal.begin(draft.run_id, preview_of(1), STARTED)
    journal.indicators.intend("run1", [digest], STARTED)
    created = Indicator(id="id1", type="sha256", value=digest)
    for remote_id, after in (("id1", None), ("", created)):
        outcome = ItemOutcome(item_id=digest, outcome=Outcome.CHANGED, after=after, remote_id=remote_id)
        journal.indicators.record("run1", [outcome])
    assert journal.indicators.created("run1") == [PlannedItem(digest, created, remote_id="id1")]


def test_no_query_reads_the_items_of_other_runs(journal: Journal, record_run: RecordRun) -> None:
    run_id = record_run().run_id
    queries: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if " items" in statement and not statement.startswith("INSERT"):
            queries.append((statement, parameters[0] if isinstance(parameters, list) else parameters))

    with journal.database.read() as db:
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    batch = journal.alerts.intend(run_id, ["alert0000"], STARTED)
    outcome = ItemOutcome(item_id="alert0000", outcome=Outcome.CHANGED, after=AFTER)
    journal.alerts.record(run_id, [outcome], answer=BatchAnswer(batch, STARTED, "ok", ""))
    list(journal.alerts.records(run_id))
    list(journal.alerts.records(run_id, Outcome.CHANGED))
    list(journal.alerts.batches(run_id, 10))
    list(journal.alerts.with_outcome(run_id, Outcome.UNKNOWN))
    journal.result(run_id)
    event.remove(engine, "before_cursor_execute", note)
    assert len(queries) > 8
    with journal.database.read() as db:
        for statement, parameters in queries:
            plan = [row[3] for row in db.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            assert not [step for step in plan if step.startswith("SCAN items")], statement


def test_threads_may_record_at_once(journal: Journal, record_run: RecordRun) -> None:
    run_id = record_run(items=400).run_id

    def send(first: int) -> int:
        sent = [f"alert{number:04}" for number in range(first, first + 10)]
        batch = journal.alerts.intend(run_id, sent, STARTED)
        assert journal.counts(run_id)
        outcomes = [ItemOutcome(item_id=item_id, outcome=Outcome.CHANGED, verified=True) for item_id in sent]
        journal.alerts.record(run_id, outcomes, answer=BatchAnswer(batch, STARTED, "ok", ""))
        return batch.number

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(send, range(0, 400, 10)))
    assert sorted(numbers) == list(range(1, 41))
    assert journal.counts(run_id) == {Outcome.CHANGED: 400}
    assert journal.verified(run_id) == 400
