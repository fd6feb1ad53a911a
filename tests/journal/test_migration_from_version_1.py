"""A journal of the first version: migrated when it is opened, and read on."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from falcon_bulk.errors import Busy
from falcon_bulk.journal.health import check_journal
from falcon_bulk.journal.journal import Journal, JournalProblem
from falcon_bulk.model.plan import AlertPlan, IndicatorPlan
from falcon_bulk.model.run import AlertRunResult, IndicatorRunResult, ItemOutcome, Outcome, RunStatus
from tests.journal.conftest import InterruptAt, alert_plan
from tests.journal.version_1_journal import (
    ALLOWED,
    CID,
    CLOSED,
    UNDO,
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
        (UNFINISHED, RunStatus.UNFINISHED, 12, 3),
        (ALLOWED, RunStatus.SUCCESS, 2, 2),
        (UNDO, RunStatus.SUCCESS, 2, 2),
        (CLOSED, RunStatus.SUCCESS, 2, 2),
    ]
    row = opened.rows()[0]
    assert (row.customer, row.cid, row.command, row.operator) == ("acme", CID, "bulk-close", "ann")
    assert (row.selection, row.comment) == ("exactly the given ids 22", f"Lab noise (by ann, falcon-bulk {UNFINISHED})")
    assert opened.customers() == {"acme"}
    assert opened.undone_by(CLOSED) == opened.rows()[2]
    assert opened.undone_by(UNDO) is None


def test_the_result_of_a_finished_run_is_read(opened: Journal) -> None:
    result = opened.result(CLOSED)
    assert isinstance(result, AlertRunResult)
    assert (result.status, result.closed, result.exit_code) == (RunStatus.SUCCESS, True, 0)
    assert (result.selected, result.planned, result.changed, result.verified) == (7, 2, 2, 2)
    assert result.held == {"overwatch": 2, "critical": 2, "assigned": 1}
    assert (result.batches, result.requests, result.seconds) == (1, 4, 1.511)
    assert result.actions[0] == "status: closed"
    for record in opened.alerts.records(CLOSED):
        assert record.before is not None
        assert record.after is not None
        assert (record.outcome, record.before.status, record.after.status) == (Outcome.CHANGED, "new", "closed")
        assert record.after.tags == (*sorted({*record.before.tags, "false_positive", "vetted"}),)


def test_the_plans_are_read(opened: Journal) -> None:
    plan, undo, allowed = opened.plan(CLOSED), opened.plan(UNDO), opened.plan(ALLOWED)
    assert isinstance(plan, AlertPlan)
    assert isinstance(undo, AlertPlan)
    assert isinstance(allowed, IndicatorPlan)
    assert (plan.target, plan.overrides, plan.undoes, plan.cids) == ("closed", (), "", (CID,))
    assert (undo.target, undo.undoes) == ("", CLOSED)
    assert allowed.spec.platforms == ("windows",)
    assert allowed.spec.expiration == "2027-02-26T03:02:32Z"


def test_an_override_keeps_counting(tmp_path: Path) -> None:
    def override(tables: Tables) -> None:
        for run in tables["runs"]:
            run["plan"] = run["plan"].replace('"lifted":[]', '"lifted":["critical"]')

    with closing(Journal(write_journal_of_version_1(tmp_path, override))) as journal:
        plan = journal.plan(UNFINISHED)
        assert isinstance(plan, AlertPlan)
        assert plan.overrides == ("critical",)
        assert journal.result(UNFINISHED).overridden == ("critical",)


def test_the_result_of_indicators_is_read(opened: Journal) -> None:
    result = opened.result(ALLOWED)
    assert isinstance(result, IndicatorRunResult)
    assert (result.changed, result.verified, result.spec) == (2, 2, opened.plan(ALLOWED).spec)  # type: ignore[union-attr]
    records = list(opened.indicators.records(ALLOWED))
    assert [record.item_id[-1] for record in records] == ["a", "b"]
    assert all(record.before is None and record.after and record.after.id == record.remote_id for record in records)
    assert [(one.outcome, one.indicator_id) for one in result.hashes] == [
        (Outcome.CHANGED, record.remote_id) for record in records
    ]


def test_the_unfinished_run_can_be_resumed(opened: Journal) -> None:
    row = opened.unfinished()
    assert row is not None
    assert row.run_id == UNFINISHED
    with pytest.raises(Busy, match=UNFINISHED):
        opened.draft(alert_plan())
    assert opened.counts(UNFINISHED) == {Outcome.CHANGED: 3, Outcome.UNKNOWN: 3, Outcome.NOT_SENT: 6}
    assert opened.last_unanswered(UNFINISHED) == "2026-11-28T03:02:34Z"
    assert [error.code for error in opened.result(UNFINISHED).errors] == [404]
    unknown = [item for items in opened.alerts.with_outcome(UNFINISHED, Outcome.UNKNOWN) for item in items]
    left = [item for items in opened.alerts.batches(UNFINISHED, 4) for item in items]
    assert (len(unknown), len(left)) == (3, 6)
    assert all(item.before and item.before.status == "new" for item in unknown + left)
    assert opened.alerts.action_sets(UNFINISHED)[0][0].value == "closed"

    ids = [item.item_id for item in left]
    batch = opened.alerts.intend(UNFINISHED, ids, "2026-11-28T04:00:00Z")
    assert batch.number == 3
    opened.alerts.record(UNFINISHED, [ItemOutcome(item_id=item_id, outcome=Outcome.CHANGED) for item_id in ids])
    assert opened.counts(UNFINISHED) == {Outcome.CHANGED: 9, Outcome.UNKNOWN: 3}


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
    assert (health.runs, health.unfinished, health.newer) == (4, 1, False)


def test_a_journal_that_is_not_yet_migrated_can_be_checked(tmp_path: Path) -> None:
    health = check_journal(write_journal_of_version_1(tmp_path))
    assert (health.runs, health.unfinished, health.newer) == (4, 1, False)


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
        assert len(journal.rows()) == 4


def test_the_first_version_refuses_a_migrated_journal(opened: Journal) -> None:
    opened.close()
    with closing(sqlite3.connect(opened.path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (2,)


@pytest.mark.parametrize("statement", ["PRAGMA user_version = 3", "UPDATE schema_version SET version = 3"])
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
