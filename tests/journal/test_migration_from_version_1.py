"""A journal of the first version: migrated when it is opened, and read on."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from falcon_bulk.errors import Busy, JournalProblem
from falcon_bulk.journal.health import check_journal
from falcon_bulk.journal.journal import Journal
from falcon_bulk.model.plan import AlertPlan, IndicatorPlan
from falcon_bulk.model.run import AlertRunResult, IndicatorRunResult, ItemOutcome, Outcome, RunStatus
from tests.journal.conftest import InterruptAt, alert_plan
from tests.journal.version_1_journal import (
    ALLOWED,
    CID,
    CLOSED,
    UNDO_OF_ALLOWED,
    UNDO_OF_CLOSED,
    UNFINISHED,
    Tables,
    write_journal_of_version_1,
)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(write_journal_of_version_1(tmp_path))
    yield journal
    journal.close()


def test_its_runs_are_listed_newest_first(opened: Journal) -> None:
    assert [(row.run_id, row.status, row.planned, row.changed) for row in opened.rows()] == [
        (UNFINISHED, RunStatus.UNFINISHED, 24, 8),
        (UNDO_OF_ALLOWED, RunStatus.SUCCESS, 2, 2),
        (ALLOWED, RunStatus.SUCCESS, 2, 2),
        (UNDO_OF_CLOSED, RunStatus.SUCCESS, 5, 5),
        (CLOSED, RunStatus.PARTIAL, 6, 5),
    ]
    row = opened.rows()[0]
    assert (row.customer, row.cid, row.command, row.operator) == ("acme", CID, "bulk-close", "ann")
    assert (row.selection, row.comment) == ("exactly the given ids 24", f"Lab noise (by ann, falcon-bulk {UNFINISHED})")
    assert (row.started, row.finished, row.rule) == ("2026-11-28T03:22:17Z", None, "")
    assert opened.customers() == {"acme"}


def test_what_was_undone_is_known(opened: Journal) -> None:
    rows = {row.run_id: row for row in opened.rows()}
    assert opened.undone_by(CLOSED) == rows[UNDO_OF_CLOSED]
    assert opened.undone_by(ALLOWED) == rows[UNDO_OF_ALLOWED]
    assert opened.undone_by(UNDO_OF_CLOSED) is None


def test_what_runs_did_with_an_alert_is_known(opened: Journal) -> None:
    changed = next(record.item_id for record in opened.alerts.records(UNDO_OF_CLOSED))
    for run_id in (UNDO_OF_CLOSED, CLOSED):
        (record,) = [record for record in opened.alerts.records(run_id) if record.item_id == changed]
        assert (record.outcome, record.rule) == (Outcome.CHANGED, "")


def test_the_result_of_a_finished_run_is_read(opened: Journal) -> None:
    result = opened.result(CLOSED)
    assert isinstance(result, AlertRunResult)
    assert (result.status, result.closed, result.exit_code) == (RunStatus.PARTIAL, True, 6)
    assert (result.selected, result.planned, result.changed, result.failed, result.verified) == (13, 6, 5, 1, 5)
    assert result.held == {"no-severity": 1, "case": 1, "falcon-complete": 2, "assigned": 2, "true-positive": 1}
    assert (result.batches, result.requests, result.seconds) == (3, 10, 4.276)
    assert result.actions[0] == "status: closed"
    (failed,) = opened.alerts.records(CLOSED, Outcome.FAILED)
    assert [(error.code, error.ids) for error in result.errors] == [(500, (failed.item_id,))] * 4
    assert [error.trace_id[:4] for error in result.errors] == ["8c3d", "2dec", "a2d5", "a2d5"], "in their order"
    for record in opened.alerts.records(CLOSED, Outcome.CHANGED):
        assert record.before is not None
        assert record.after is not None
        assert (record.before.status, record.after.status) == ("new", "closed")
        assert record.after.tags == (*sorted({*record.before.tags, "false_positive", "vetted"}),)


def test_the_plans_are_read(opened: Journal) -> None:
    plan, undo, allowed = opened.plan(CLOSED), opened.plan(UNDO_OF_CLOSED), opened.plan(ALLOWED)
    assert isinstance(plan, AlertPlan)
    assert isinstance(undo, AlertPlan)
    assert isinstance(allowed, IndicatorPlan)
    assert (plan.target, plan.overrides, plan.undoes, plan.cids) == ("closed", (), "", (CID,))
    assert (undo.target, undo.undoes) == ("", CLOSED)
    assert allowed.spec.platforms == ("windows",)
    assert allowed.spec.expiration == "2027-02-26T03:22:16Z"


def test_overrides_keep_counting(opened: Journal) -> None:
    plan = opened.plan(UNFINISHED)
    assert isinstance(plan, AlertPlan)
    assert (plan.overrides[0], len(plan.overrides)) == ("critical", 9)
    assert opened.result(UNFINISHED).overridden == plan.overrides


def test_the_result_of_indicators_is_read(opened: Journal) -> None:
    result = opened.result(ALLOWED)
    assert isinstance(result, IndicatorRunResult)
    assert (result.changed, result.verified, result.spec) == (2, 2, opened.plan(ALLOWED).spec)  # type: ignore[union-attr]
    records = list(opened.indicators.records(ALLOWED))
    assert [record.item_id[-1] for record in records] == ["a", "b"]
    assert all(record.before is None and record.after and record.after.id == record.remote_id for record in records)
    assert [(entry.outcome, entry.indicator_id) for entry in result.hashes] == [
        (Outcome.CHANGED, record.remote_id) for record in records
    ]


def test_the_undo_of_indicators_is_read(opened: Journal) -> None:
    plan = opened.plan(UNDO_OF_ALLOWED)
    assert isinstance(plan, IndicatorPlan)
    assert plan.undoes == ALLOWED
    for created, deleted in zip(
        opened.indicators.records(ALLOWED), opened.indicators.records(UNDO_OF_ALLOWED), strict=True
    ):
        assert (deleted.before, deleted.after, deleted.remote_id) == (created.after, None, created.remote_id)


def test_the_unfinished_run_can_be_resumed(opened: Journal) -> None:
    row = opened.unfinished()
    assert row is not None
    assert row.run_id == UNFINISHED
    with pytest.raises(Busy, match=UNFINISHED):
        opened.draft(alert_plan())
    assert opened.counts(UNFINISHED) == {Outcome.CHANGED: 8, Outcome.UNKNOWN: 8, Outcome.NOT_SENT: 8}
    (lost,) = opened.alerts.unknown_batches(UNFINISHED)
    assert (lost.sent, len(lost.items)) == ("2026-11-28T03:22:18Z", 8)
    assert opened.sent_by_time(UNFINISHED) == {"2026-11-28T03:22:17Z": 8, "2026-11-28T03:22:18Z": 8}
    unknown = [item for items in opened.alerts.with_outcome(UNFINISHED, Outcome.UNKNOWN) for item in items]
    left = [item for items in opened.alerts.batches(UNFINISHED, 4) for item in items]
    assert (len(unknown), len(left)) == (8, 8)
    assert all(item.before and item.before.status == "new" for item in unknown + left)
    assert opened.alerts.action_sets(UNFINISHED)[0][0].value == "closed"

    ids = [item.item_id for item in left]
    batch = opened.alerts.intend(UNFINISHED, ids, "2026-11-28T04:00:00Z")
    assert batch.number == 3
    opened.alerts.record(UNFINISHED, [ItemOutcome(item_id=item_id, outcome=Outcome.CHANGED) for item_id in ids])
    assert opened.counts(UNFINISHED) == {Outcome.CHANGED: 16, Outcome.UNKNOWN: 8}


def test_alerts_keep_the_order_of_the_plan(tmp_path: Path) -> None:
    order: list[str] = []

    def note(tables: Tables) -> None:
        order.extend(
            row["composite_id"]
            for row in tables["alerts"]
            if row["run_id"] == UNFINISHED and row["state"] == Outcome.NOT_SENT
        )

    with closing(Journal(write_journal_of_version_1(tmp_path, note))) as journal:
        assert [item.item_id for items in journal.alerts.batches(UNFINISHED, 2) for item in items] == order


def test_all_indicators_that_are_left_come_in_batches(tmp_path: Path) -> None:
    def unsent(tables: Tables) -> None:
        for row in tables["indicators"]:
            row["state"] = Outcome.NOT_SENT.value

    with closing(Journal(write_journal_of_version_1(tmp_path, unsent))) as journal:
        batches = [[item.item_id[-1] for item in items] for items in journal.indicators.batches(ALLOWED, 1)]
        assert batches == [["a"], ["b"]]


def test_a_draft_that_a_crash_left_behind_is_gone(tmp_path: Path) -> None:
    def to_draft(tables: Tables) -> None:
        run = next(run for run in tables["runs"] if run["run_id"] == UNFINISHED)
        run |= {"status": "draft", "preview": "{}"}

    with closing(Journal(write_journal_of_version_1(tmp_path, to_draft))) as journal:
        assert not journal.knows(UNFINISHED)
        assert journal.unfinished() is None
        assert not list(journal.alerts.records(UNFINISHED))
        assert not journal.sent_by_time(UNFINISHED)


def test_a_migrated_journal_is_opened_again_as_it_is(opened: Journal) -> None:
    rows = opened.rows()
    opened.close()
    with closing(Journal(opened.path)) as again:
        assert again.rows() == rows
    health = check_journal(opened.path)
    assert (health.runs, health.unfinished, health.newer) == (5, 1, False)


def test_a_journal_that_is_not_yet_migrated_can_be_checked(tmp_path: Path) -> None:
    health = check_journal(write_journal_of_version_1(tmp_path))
    assert (health.runs, health.unfinished, health.newer) == (5, 1, False)


def test_a_migration_that_fails_leaves_the_journal_as_it_was(tmp_path: Path) -> None:
    def damage(tables: Tables) -> None:
        tables["runs"][-1]["plan"] = "{"

    path = write_journal_of_version_1(tmp_path, damage)
    before = _dump(path)
    with pytest.raises(JournalProblem, match="cannot be used"):
        Journal(path)
    assert _dump(path) == before


@pytest.mark.parametrize("table", ["v1_ways", "v1_alerts", "v1_runs"])
def test_a_migration_that_is_interrupted_leaves_the_journal_as_it_was(
    tmp_path: Path, table: str, interrupt_at: InterruptAt
) -> None:
    path = write_journal_of_version_1(tmp_path)
    before = _dump(path)
    with interrupt_at(f"DROP TABLE {table}"), pytest.raises(KeyboardInterrupt):
        Journal(path)
    assert _dump(path) == before
    with closing(Journal(path)) as journal:
        assert len(journal.rows()) == 5


def test_the_first_version_refuses_a_migrated_journal(opened: Journal) -> None:
    opened.close()
    with closing(sqlite3.connect(opened.path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (3,)


@pytest.mark.parametrize("statement", ["PRAGMA user_version = 4", "UPDATE schema_version SET version = 4"])
def test_a_later_version_is_refused(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "acme.sqlite3"
    Journal(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute(statement)
        db.commit()
    before = path.read_bytes()
    with pytest.raises(JournalProblem, match="later version"):
        Journal(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def _dump(path: Path) -> list[Any]:
    with closing(sqlite3.connect(path)) as db:
        return [*db.iterdump(), db.execute("PRAGMA user_version").fetchone()]
