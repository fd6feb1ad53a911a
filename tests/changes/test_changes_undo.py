"""Taking a run back, and journals that cannot be written."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from falcon_bulk.errors import ExitCode
from falcon_bulk.journal.journal import Journal, JournalProblem
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


def mixed(ground: RunHarness, count: int) -> list[str]:
    """Alerts of mixed statuses, assignees, resolutions and visibility."""
    alerts = ground.tenant.store.newest_first[:count]
    for number, alert in enumerate(alerts):
        alert.state = alert.indexed = msgspec.structs.replace(
            alert.state,
            status=STATUSES[number % 3],
            assignee=ASSIGNEES[number // 3 % 3],
            tags=TAGS[number // 9 % 3],
            show_in_ui=number % 2 == 0,
        )
    return [alert.composite_id for alert in alerts]


def restorable(ground: RunHarness, ids: list[str]) -> dict[str, Any]:
    """What of each alert an undo gives back; an empty tag is none."""
    states = {one: ground.tenant.store.by_id[one].state for one in ids}
    return {
        one: (state.status, state.assignee, frozenset(filter(None, state.tags or ())), state.show_in_ui)
        for one, state in states.items()
    }


def test_a_run_is_taken_back_and_the_undo_too(ground: RunHarness) -> None:
    ids = mixed(ground, 54)
    before = restorable(ground, ids)
    run = ground.planned(ids, FALSE_POSITIVE)
    assert ground.carry_out(run, batch_size=1000).verified == 54
    after = restorable(ground, ids)
    assert {state[:2] for state in after.values()} == {("closed", Assignee(uid="ann@example.com"))}

    undo = ground.undone(run.run_id)
    result = ground.carry_out(undo, batch_size=1000)
    assert (result.status, result.command, result.changed, result.verified) == (RunStatus.SUCCESS, "undo", 54, 54)
    assert restorable(ground, ids) == before
    assert ground.comments(undo, ids) == ground.comments(run, ids) == {1: 54}

    redo = ground.undone(undo.run_id)
    assert ground.carry_out(redo, batch_size=1000).verified == 54
    assert restorable(ground, ids) == after

    twice = ground.undone(undo.run_id)
    result = ground.carry_out(twice)
    assert (result.changed, result.drifted) == (0, 54), "what was taken back once is not as it was left"


def test_alerts_that_somebody_touched_since_stay_as_they_are_and_are_listed(ground: RunHarness) -> None:
    ids = ground.ids(20)
    run = ground.planned(ids)
    ground.carry_out(run)
    ground.edit(ids[:2], status="reopened")
    ground.edit(ids[2:4], comment="seen")
    ground.edit(ids[4:6], tags=["mine"])
    ground.server.call(lambda: ground.tenant.crawl(60))
    touched = {one: ground.tenant.store.by_id[one].state for one in ids[:6]}
    undo = ground.undone(run.run_id)
    result = ground.carry_out(undo)
    assert (result.changed, result.drifted, result.exit_code) == (14, 6, ExitCode.PARTIAL)
    assert {one: ground.tenant.store.by_id[one].state for one in ids[:6]} == touched
    assert ground.statuses(ids[6:]) == {"new": 14}
    listed = {one: record.reason for one, record in ground.records(undo).items() if record.outcome == Outcome.DRIFTED}
    assert listed.keys() == set(ids[:6])
    assert all(listed.values())


def test_alerts_that_somebody_touches_while_the_undo_waits_stay_as_they_are(ground: RunHarness) -> None:
    ids = ground.ids(10)
    run = ground.planned(ids)
    ground.carry_out(run)
    undo = ground.undone(run.run_id)
    ground.edit(ids[:3], comment="seen")
    result = ground.carry_out(undo, fresh=False)
    assert (result.changed, result.drifted) == (7, 3)
    assert ground.statuses(ids) == {"new": 7, "closed": 3}


def test_only_what_the_run_changed_is_taken_back(ground: RunHarness) -> None:
    ids = ground.ids(20)
    run = ground.planned(ids)
    ground.edit(ids[:5], assign="bo.birch")
    ground.order("poison", endpoint="patch", ids=ids[5:7], mode="only_itself", status=400, times=None)
    assert ground.carry_out(run, fresh=False).changed == 13
    ground.edit(ids[5:7], status="closed")
    undo = ground.undone(run.run_id)
    result = ground.carry_out(undo)
    assert (result.planned, result.changed) == (13, 13)
    assert ground.comments(undo, ids[:7]) == {0: 7}


def test_a_lost_answer_in_an_undo_leaves_one_comment(ground: RunHarness) -> None:
    ids = ground.ids(20)
    run = ground.planned(ids)
    ground.carry_out(run)
    undo = ground.undone(run.run_id)
    ground.order("drop", endpoint="patch", applied=True)
    ground.order("status", endpoint="patch", status=500)
    result = ground.carry_out(undo)
    assert (result.status, result.changed) == (RunStatus.SUCCESS, 20)
    assert ground.comments(undo, ids) == {1: 20}


@pytest.mark.slow
def test_twenty_thousand_mixed_alerts_are_restored_in_at_most_sixty_changes(tmp_path: Path) -> None:
    with serve_run_harness(tmp_path, alerts=20_500) as ground:
        ids = mixed(ground, 20_000)
        before = restorable(ground, ids)
        run = ground.planned(ids, FALSE_POSITIVE)
        assert ground.carry_out(run, batch_size=1000, workers=4).verified == 20_000
        sent = len(ground.patches)
        undo = ground.undone(run.run_id)
        result = ground.carry_out(undo, batch_size=1000, workers=4)
        assert (result.changed, result.verified) == (20_000, 20_000)
        assert len(ground.patches) - sent <= 60
        assert restorable(ground, ids) == before
        assert ground.comments(undo, ids) == {1: 20_000}


@pytest.mark.slow
def test_an_undo_is_asked_for_says_what_it_cannot_take_back_and_leaves_a_comment_that_says_undo(tmp_path: Path) -> None:
    with serve_customers(tmp_path) as shell:
        ids = shell.untouched_ids(40)
        run = shell(*shell.close_command(ids)).document["run_id"]
        sent = shell.patch_count()
        assert shell("undo", run).code == 2, "no terminal and no --yes"
        assert shell("undo", run, "--yes").code == 2
        assert shell("undo", run, "--yes", "--expect", "39").code == 7
        dry = shell("undo", run, "--dry-run")
        assert dry.code == 0
        assert "Comments cannot be taken back" in dry.text + dry.err
        assert shell.patch_count() == sent
        done = shell("undo", run, "--yes", "--expect", "40", "--format", "json")
        assert (done.code, done.document["command"], done.document["changed"]) == (0, "undo", 40)
        assert "Comments cannot be taken back" in done.err
        assert shell.closed_count(ids) == 0
        assert shell.comment_counts(ids, f"Undo of {run} (by ") == [1]
        assert shell("undo", "251124nosuch", "--yes", "--max", "5").code == 7


def pragma(ground: RunHarness, statement: str) -> Any:
    """Run a PRAGMA on the journal's connection and return its value."""
    with ground.journal.database.read() as db:
        result = db.exec_driver_sql(f"PRAGMA {statement}")
        return result.scalar() if result.returns_rows else None


def unwritable(ground: RunHarness) -> None:
    """From now on SQLite refuses every write of this journal."""
    pragma(ground, "query_only = ON")


def test_a_journal_that_cannot_be_written_lets_no_plan_be_made(ground: RunHarness) -> None:
    unwritable(ground)
    with pytest.raises(JournalProblem, match="cannot be used"):
        ground.planned(ground.ids(10))
    assert ground.patches == []


def test_a_journal_that_cannot_be_written_lets_nothing_be_sent(ground: RunHarness) -> None:
    ids = ground.ids(30)
    plan = ground.planned(ids)
    unwritable(ground)
    with pytest.raises(JournalProblem):
        ground.carry_out(plan)
    assert ground.patches == []
    assert ground.resume(plan).changed == 30
    assert ground.comments(plan, ids) == {1: 30}


def test_a_journal_that_is_full_lets_nothing_be_sent(ground: RunHarness) -> None:
    ground.planned(ground.ids(1))
    pages = pragma(ground, "page_count")
    ground.journal.abandon("251124run001", "2025-11-24T06:50:35Z")
    pragma(ground, f"max_page_count = {pages}")
    with pytest.raises(JournalProblem, match="full"):
        ground.planned(ground.ids(150))
    assert ground.patches == []
    assert ground.journal.unfinished() is None


def test_a_journal_that_fills_up_in_the_middle_stops_the_run_and_a_resume_settles_what_was_in_flight(
    ground: RunHarness,
) -> None:
    ids = ground.ids(40)
    plan = ground.planned(ids)

    class Filling:
        by_id = ground.falcon.alerts.by_id

        def update(self, batch: Any, action_set: Any) -> Any:
            written = ground.falcon.alerts.update(batch, action_set)
            if len(ground.patches) == 2:
                unwritable(ground)
            return written

    with pytest.raises(JournalProblem):
        ground.carry_out(plan, alerts=Filling(), workers=1)
    assert len(ground.patches) == 2, "nothing is sent once its intent cannot be written"
    result = ground.resume(plan)
    assert (result.status, result.changed) == (RunStatus.SUCCESS, 40)
    assert ground.comments(plan, ids) == {1: 40}


def test_a_journal_of_a_later_version_is_left_alone(ground: RunHarness) -> None:
    path = ground.journal.path
    with ground.journal.database.write() as db:
        db.execute(schema_version.update().values(version=99))
    with pytest.raises(JournalProblem, match="later version"):
        Journal(path)
    with ground.journal.database.read() as db:
        assert db.execute(schema_version.select()).scalar_one() == 99
