"""Taking a run back, and journals that cannot be written."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from falcon_bulk.errors import ExitCode, JournalProblem
from falcon_bulk.journal.journal import Journal
from falcon_bulk.journal.schema import schema_version
from falcon_bulk.model.run import Outcome, RunStatus
from falcon_bulk.model.vocabulary import Resolution, Status
from falcon_bulk.operations.changes.request import ChangeRequest
from falcon_emulator.alert_records import Assignee
from tests.support.command import serve_customers
from tests.support.run_harness import ALL_GUARDRAILS, RunHarness, serve_run_harness

FALSE_POSITIVE = ChangeRequest(
    status=Status.CLOSED,
    operator="ann",
    resolution=Resolution.FALSE_POSITIVE,
    tags=("triage-42",),
    assign_to="ann@example.com",
    overrides=ALL_GUARDRAILS,
)
STATUSES = ("new", "in_progress", "reopened")
ASSIGNEES = (None, Assignee(uid="bo@example.com"), Assignee(uuid="2ad9a8b6-2da9-9a76-b896-05b29ef48a1d"))
TAGS = (None, ("true_positive", "acme"), ("ignored", ""))


def mixed(harness: RunHarness, count: int) -> list[str]:
    """Alerts of mixed statuses, assignees, resolutions and visibility."""
    alerts = harness.tenant.store.newest_first[:count]
    for number, alert in enumerate(alerts):
        alert.state = alert.indexed = msgspec.structs.replace(
            alert.state,
            status=STATUSES[number % 3],
            assignee=ASSIGNEES[number // 3 % 3],
            tags=TAGS[number // 9 % 3],
            show_in_ui=number % 2 == 0,
        )
    return [alert.composite_id for alert in alerts]


def restorable(harness: RunHarness, ids: list[str]) -> dict[str, Any]:
    """What of each alert an undo gives back; an empty tag is none."""
    states = {composite_id: harness.tenant.store.by_id[composite_id].state for composite_id in ids}
    return {
        composite_id: (state.status, state.assignee, frozenset(filter(None, state.tags or ())), state.show_in_ui)
        for composite_id, state in states.items()
    }


def test_a_run_is_undone_and_the_undo_too(harness: RunHarness) -> None:
    ids = mixed(harness, 54)
    before = restorable(harness, ids)
    run = harness.planned(ids, FALSE_POSITIVE)
    assert harness.carry_out(run, batch_size=1000).verified == 54
    after = restorable(harness, ids)
    assert {state[:2] for state in after.values()} == {("closed", Assignee(uid="ann@example.com"))}

    undo = harness.undone(run.run_id)
    result = harness.carry_out(undo, batch_size=1000)
    assert (result.status, result.command, result.changed, result.verified) == (RunStatus.SUCCESS, "undo", 54, 54)
    assert restorable(harness, ids) == before
    assert harness.comments(undo, ids) == harness.comments(run, ids) == {1: 54}

    redo = harness.undone(undo.run_id)
    assert harness.carry_out(redo, batch_size=1000).verified == 54
    assert restorable(harness, ids) == after

    twice = harness.execute_undo(undo.run_id).result
    assert (twice.status, twice.changed, twice.skipped) == (RunStatus.NOTHING_TO_DO, 0, {"already": 54})


def test_alerts_that_somebody_touched_since_stay_as_they_are_and_are_listed(harness: RunHarness) -> None:
    ids = harness.ids(20)
    run = harness.planned(ids)
    harness.carry_out(run)
    harness.edit(ids[:2], status="reopened")
    harness.edit(ids[2:4], comment="seen")
    harness.edit(ids[4:6], tags=["mine"])
    harness.server.call(lambda: harness.tenant.crawl(60))
    touched = {composite_id: harness.tenant.store.by_id[composite_id].state for composite_id in ids[:6]}
    undo = harness.undone(run.run_id)
    result = harness.carry_out(undo)
    assert (result.changed, result.drifted, result.exit_code) == (14, 6, ExitCode.PARTIAL)
    assert {composite_id: harness.tenant.store.by_id[composite_id].state for composite_id in ids[:6]} == touched
    assert harness.statuses(ids[6:]) == {"new": 14}
    listed = {
        composite_id: record.reason
        for composite_id, record in harness.records(undo).items()
        if record.outcome == Outcome.DRIFTED
    }
    assert listed.keys() == set(ids[:6])
    assert all(listed.values())


def test_alerts_that_somebody_touches_while_the_undo_waits_stay_as_they_are(harness: RunHarness) -> None:
    ids = harness.ids(10)
    run = harness.planned(ids)
    harness.carry_out(run)
    undo = harness.undone(run.run_id)
    harness.edit(ids[:3], comment="seen")
    result = harness.carry_out(undo, fresh=False)
    assert (result.changed, result.drifted) == (7, 3)
    assert harness.statuses(ids) == {"new": 7, "closed": 3}


def test_only_what_the_run_changed_is_undone(harness: RunHarness) -> None:
    ids = harness.ids(20)
    run = harness.planned(ids)
    harness.edit(ids[:5], assign="bo.birch")
    harness.order("poison", endpoint="patch", ids=ids[5:7], mode="only_itself", status=400, times=None)
    assert harness.carry_out(run, fresh=False).changed == 13
    harness.edit(ids[5:7], status="closed")
    undo = harness.undone(run.run_id)
    result = harness.carry_out(undo)
    assert (result.planned, result.changed) == (13, 13)
    assert harness.comments(undo, ids[:7]) == {0: 7}


def test_a_lost_answer_in_an_undo_leaves_one_comment(harness: RunHarness) -> None:
    ids = harness.ids(20)
    run = harness.planned(ids)
    harness.carry_out(run)
    undo = harness.undone(run.run_id)
    harness.order("drop", endpoint="patch", applied=True)
    harness.order("status", endpoint="patch", status=500)
    result = harness.carry_out(undo)
    assert (result.status, result.changed) == (RunStatus.SUCCESS, 20)
    assert harness.comments(undo, ids) == {1: 20}


@pytest.mark.slow
def test_twenty_thousand_mixed_alerts_are_restored_in_at_most_sixty_changes(tmp_path: Path) -> None:
    with serve_run_harness(tmp_path, alerts=20_500) as harness:
        ids = mixed(harness, 20_000)
        before = restorable(harness, ids)
        run = harness.planned(ids, FALSE_POSITIVE)
        assert harness.carry_out(run, batch_size=1000, workers=4).verified == 20_000
        sent = len(harness.patches)
        undo = harness.undone(run.run_id)
        result = harness.carry_out(undo, batch_size=1000, workers=4)
        assert (result.changed, result.verified) == (20_000, 20_000)
        assert len(harness.patches) - sent <= 60
        assert restorable(harness, ids) == before
        assert harness.comments(undo, ids) == {1: 20_000}


@pytest.mark.slow
def test_an_undo_is_asked_for_says_what_it_cannot_undo_and_leaves_a_comment_that_says_undo(tmp_path: Path) -> None:
    with serve_customers(tmp_path) as shell:
        ids = shell.untouched_ids(40)
        run = shell(*shell.close_command(ids)).document["run_id"]
        sent = shell.patch_count()
        assert shell("undo", run).code == 2, "no terminal and no --yes"
        assert shell("undo", run, "--yes").code == 2
        assert shell("undo", run, "--yes", "--expect", "39").code == 7
        dry = shell("undo", run, "--dry-run")
        assert dry.code == 0
        assert "Comments cannot be undone" in dry.text + dry.err
        assert shell.patch_count() == sent
        done = shell("undo", run, "--yes", "--expect", "40", "--format", "json")
        assert (done.code, done.document["command"], done.document["changed"]) == (0, "undo", 40)
        assert "Comments cannot be undone" in done.err
        assert shell.closed_count(ids) == 0
        assert shell.comment_counts(ids, f"Undo of {run} (by ") == [1]
        assert shell("undo", "251124nosuch", "--yes", "--max", "5").code == 7


def pragma(harness: RunHarness, statement: str) -> Any:
    """Run a PRAGMA on the journal's connection and return its value."""
    with harness.journal.database.read() as db:
        result = db.exec_driver_sql(f"PRAGMA {statement}")
        return result.scalar() if result.returns_rows else None


def unwritable(harness: RunHarness) -> None:
    """From now on SQLite refuses every write of this journal."""
    pragma(harness, "query_only = ON")


def test_a_journal_that_cannot_be_written_lets_no_plan_be_made(harness: RunHarness) -> None:
    unwritable(harness)
    with pytest.raises(JournalProblem, match="cannot be used"):
        harness.planned(harness.ids(10))
    assert harness.patches == []


def test_a_journal_that_cannot_be_written_lets_nothing_be_sent(harness: RunHarness) -> None:
    ids = harness.ids(30)
    plan = harness.planned(ids)
    unwritable(harness)
    with pytest.raises(JournalProblem):
        harness.carry_out(plan)
    assert harness.patches == []
    assert harness.resume(plan).changed == 30
    assert harness.comments(plan, ids) == {1: 30}


def test_a_journal_that_is_full_lets_nothing_be_sent(harness: RunHarness) -> None:
    harness.planned(harness.ids(1))
    pages = pragma(harness, "page_count")
    harness.journal.abandon("251124run001", "2025-11-24T06:50:35Z")
    pragma(harness, f"max_page_count = {pages}")
    with pytest.raises(JournalProblem, match="full"):
        harness.planned(harness.ids(150))
    assert harness.patches == []
    assert harness.journal.unfinished() is None


def test_a_journal_that_fills_up_in_the_middle_stops_the_run_and_a_resume_reconciles_what_was_in_flight(
    harness: RunHarness,
) -> None:
    ids = harness.ids(40)
    plan = harness.planned(ids)

    class Filling:
        by_id = harness.falcon.alerts.by_id

        def update(self, batch: Any, action_set: Any) -> Any:
            written = harness.falcon.alerts.update(batch, action_set)
            if len(harness.patches) == 2:
                unwritable(harness)
            return written

    with pytest.raises(JournalProblem):
        harness.carry_out(plan, alerts=Filling(), workers=1)
    assert len(harness.patches) == 2, "nothing is sent once its intent cannot be written"
    result = harness.resume(plan)
    assert (result.status, result.changed) == (RunStatus.SUCCESS, 40)
    assert harness.comments(plan, ids) == {1: 40}


def test_a_journal_of_a_later_version_is_left_alone(harness: RunHarness) -> None:
    path = harness.journal.path
    with harness.journal.database.write() as db:
        db.execute(schema_version.update().values(version=99))
    with pytest.raises(JournalProblem, match="later version"):
        Journal(path)
    with harness.journal.database.read() as db:
        assert db.execute(schema_version.select()).scalar_one() == 99
