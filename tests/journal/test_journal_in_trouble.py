"""A journal that is interrupted, full, damaged or busy stays valid, and says so in one sentence."""

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from falcon_bulk.errors import Busy, JournalProblem, Refused
from falcon_bulk.journal import pruning
from falcon_bulk.journal.journal import Journal
from falcon_bulk.journal.pruning import prune_runs
from falcon_bulk.model.plan import PlannedItem
from falcon_bulk.model.run import ItemOutcome, Outcome, RunStatus
from tests.journal.conftest import BEFORE, STARTED, InterruptAt, RecordRun, alert_plan, preview_of


@contextmanager
def interrupted(journal: Journal, moment: str) -> Iterator[None]:
    """Press Ctrl-C in the block right after `begin`, or right before `commit`."""

    def interrupt(_connection: Any) -> None:
        raise KeyboardInterrupt

    with journal.database.read() as db:
        engine = db.engine
    event.listen(engine, moment, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            yield
    finally:
        event.remove(engine, moment, interrupt)


@pytest.mark.parametrize("moment", ["begin", "commit"])
def test_an_interrupted_transaction_is_rolled_back_and_the_journal_usable(
    journal: Journal, record_run: RecordRun, moment: str
) -> None:
    run_id = record_run().run_id
    with interrupted(journal, moment):
        journal.alerts.intend(run_id, ["alert0000"], STARTED)
    assert journal.counts(run_id) == {Outcome.NOT_SENT: 3}
    assert journal.alerts.intend(run_id, ["alert0000"], STARTED).number == 1
    with interrupted(journal, moment):
        journal.counts(run_id)
    assert journal.counts(run_id) == {Outcome.NOT_SENT: 2, Outcome.UNKNOWN: 1}


@pytest.mark.parametrize("statement", ["INSERT INTO batches", "UPDATE items"])
def test_an_intent_is_recorded_whole_or_not_at_all(
    journal: Journal, record_run: RecordRun, interrupt_at: InterruptAt, statement: str
) -> None:
    run_id = record_run().run_id
    with interrupt_at(statement), pytest.raises(KeyboardInterrupt):
        journal.alerts.intend(run_id, ["alert0000"], STARTED)
    assert journal.counts(run_id) == {Outcome.NOT_SENT: 3}
    assert journal.sent_by_time(run_id) == {}


def test_what_is_recorded_is_on_disk_for_another_process(journal: Journal, record_run: RecordRun) -> None:
    run_id = record_run().run_id
    with closing(sqlite3.connect(journal.path)) as other:
        journal.alerts.intend(run_id, ["alert0000"], STARTED)
        assert other.execute("SELECT COUNT(*) FROM items WHERE state = 'unknown'").fetchone() == (1,)
        journal.alerts.record(run_id, [ItemOutcome(item_id="alert0000", outcome=Outcome.CHANGED)])
        assert other.execute("SELECT COUNT(*) FROM items WHERE state = 'changed'").fetchone() == (1,)
    with journal.database.read() as db:
        assert db.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert db.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600


def test_a_full_disk_is_a_journal_problem_and_loses_nothing(journal: Journal, record_run: RecordRun) -> None:
    run_id = record_run(items=500).run_id
    with journal.database.read() as db:
        pages = db.exec_driver_sql("PRAGMA page_count").scalar_one()
        db.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    outcomes = [
        ItemOutcome[Any](item_id=f"alert{number:04}", outcome=Outcome.FAILED, reason="x" * 500) for number in range(500)
    ]
    with pytest.raises(JournalProblem, match="database or disk is full"):
        journal.alerts.record(run_id, outcomes)
    assert journal.counts(run_id) == {Outcome.NOT_SENT: 500}
    with journal.database.read() as db:
        db.exec_driver_sql(f"PRAGMA max_page_count = {pages * 100}")
    journal.alerts.record(run_id, outcomes)
    assert journal.counts(run_id) == {Outcome.FAILED: 500}


def test_a_file_that_is_no_journal_is_a_journal_problem(tmp_path: Path) -> None:
    path = tmp_path / "acme.sqlite3"
    path.write_bytes(b"no database" * 100)
    with pytest.raises(JournalProblem, match="cannot be used: file is not a database"):
        Journal(path)
    assert path.read_bytes() == b"no database" * 100


def test_a_folder_that_is_missing_is_a_journal_problem(tmp_path: Path) -> None:
    with pytest.raises(JournalProblem, match="No such file or directory"):
        Journal(tmp_path / "missing" / "acme.sqlite3")


def test_a_closed_journal_is_a_journal_problem(journal: Journal, record_run: RecordRun) -> None:
    journal.close()
    with pytest.raises(JournalProblem):
        journal.rows()


def test_an_unfinished_run_blocks_another_until_it_is_abandoned(journal: Journal, record_run: RecordRun) -> None:
    record_run("run1")
    with pytest.raises(Busy, match="The run run1 of this customer is unfinished"):
        journal.draft(alert_plan("run2"))
    journal.abandon("run1", "2026-11-24T01:00:00Z")
    row = journal.rows()[0]
    assert (row.status, row.finished) == (RunStatus.INTERRUPTED, "2026-11-24T01:00:00Z")
    journal.draft(alert_plan("run2"))


def test_a_plan_that_was_carried_out_is_refused(journal: Journal, record_run: RecordRun) -> None:
    record_run("run1", outcome=Outcome.CHANGED)
    with pytest.raises(Refused, match="The plan run1 was already carried out"):
        journal.draft(alert_plan("run1"))


def test_a_run_that_changed_nothing_gives_way_to_the_same_plan(journal: Journal, record_run: RecordRun) -> None:
    record_run("run1", outcome=Outcome.NOT_SENT)
    draft = journal.draft(alert_plan("run1"))
    draft.add(PlannedItem("another", BEFORE))
    draft.finish()
    journal.begin(draft.run_id, preview_of(1), STARTED)
    assert [record.item_id for record in journal.alerts.records("run1")] == ["another"]


def test_a_draft_that_a_crash_left_behind_goes_with_the_next(journal: Journal) -> None:
    left = journal.draft(alert_plan("run1"))
    for number in range(1_500):
        left.add(PlannedItem(f"alert{number}", BEFORE))
    assert not journal.knows("run1")
    assert journal.rows() == []
    journal.draft(alert_plan("run2"))
    with journal.database.read() as db:
        assert db.exec_driver_sql("SELECT COUNT(*) FROM items").scalar_one() == 0
        assert db.exec_driver_sql("SELECT run_id FROM runs").scalars().all() == ["run2"]


def test_closed_runs_are_deleted_in_pieces(
    journal: Journal, record_run: RecordRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "DELETED_AT_ONCE", 2)
    record_run("run1", 5, outcome=Outcome.CHANGED)
    record_run("run2", 4, outcome=Outcome.CHANGED, created="2026-11-26T00:00:00Z")
    assert prune_runs(journal.database, "2026-11-25T00:00:00Z") == 1
    assert [row.run_id for row in journal.rows()] == ["run2"]
    assert prune_runs(journal.database, "2026-11-27T00:00:00Z") == 1
    assert journal.rows() == []
    with journal.database.read() as db:
        for table in ("runs", "items", "action_sets", "batches", "problems"):
            assert db.exec_driver_sql(f"SELECT COUNT(*) FROM {table}").scalar_one() == 0


def test_an_unfinished_run_is_not_deleted(journal: Journal, record_run: RecordRun) -> None:
    record_run("run1")
    assert prune_runs(journal.database, "2027-01-01T00:00:00Z") == 0
    assert journal.counts("run1") == {Outcome.NOT_SENT: 3}


def test_a_run_that_is_half_deleted_is_no_run_any_more(
    journal: Journal, record_run: RecordRun, interrupt_at: InterruptAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "DELETED_AT_ONCE", 2)
    record_run("run1", 5, outcome=Outcome.CHANGED)
    with interrupt_at("DELETE FROM action_sets"), pytest.raises(KeyboardInterrupt):
        prune_runs(journal.database, "2027-01-01T00:00:00Z")
    assert not journal.knows("run1")
    assert journal.rows() == []
    journal.draft(alert_plan("run2"))
    with journal.database.read() as db:
        assert db.exec_driver_sql("SELECT run_id FROM runs").scalars().all() == ["run2"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_the_right_to_write_is_a_journal_problem(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(JournalProblem, match="Permission denied"):
            Journal(tmp_path / "acme.sqlite3")
    finally:
        tmp_path.chmod(0o700)
