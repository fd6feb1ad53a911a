"""The journal's statements and tables can be compiled for PostgreSQL, where a team's journal will be."""

from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from falcon_bulk.journal.activity import count_closed, count_closed_by_rule, count_held, count_undone
from falcon_bulk.journal.journal import Journal
from falcon_bulk.journal.pruning import prune_runs
from falcon_bulk.journal.schema import metadata
from falcon_bulk.model.run import BatchAnswer, ItemOutcome, Outcome, RunProblem, RunStatus
from tests.journal.conftest import STARTED, RecordRun

LATER = "2027-01-01T00:00:00Z"
SQLITE_ONLY = ("rowid", "json_extract", "ifnull", "insert or ", "collate", "glob")


def test_every_statement_can_be_compiled(journal: Journal, record_run: RecordRun) -> None:
    compiled: list[str] = []

    def compile_it(_connection: Any, element: Any, *_: Any) -> None:
        compiled.append(str(element.compile(dialect=postgresql.dialect())).lower())  # type: ignore[no-untyped-call]

    event.listen(Engine, "before_execute", compile_it)
    try:
        run_id = record_run().run_id
        batch = journal.alerts.intend(run_id, ["alert0000"], STARTED)
        outcome = ItemOutcome[Any](item_id="alert0000", outcome=Outcome.CHANGED)
        problem = RunProblem(code=404, message="no")
        journal.alerts.record(run_id, [outcome], problems=[problem], answer=BatchAnswer(batch, STARTED, "ok", ""))
        list(journal.alerts.batches(run_id, 10))
        list(journal.alerts.with_outcome(run_id, Outcome.UNKNOWN))
        list(journal.alerts.records(run_id))
        journal.alerts.created(run_id)
        journal.alerts.action_sets(run_id)
        journal.result(run_id)
        journal.undone_by(run_id)
        journal.sent_by_time(run_id)
        list(journal.alerts.unknown_batches(run_id))
        journal.is_open(run_id)
        journal.customers()
        journal.abandon(run_id, STARTED)
        journal.finish(run_id, RunStatus.SUCCESS, 0, at=STARTED, requests=1, seconds=1.0, closed=True)
        journal.rows()
        journal.rows(newest=1, since=STARTED, until=LATER)
        count_undone(journal.database, STARTED, LATER)
        count_held(journal.database, STARTED, LATER)
        count_closed_by_rule(journal.database, STARTED, LATER)
        for without_undone in (True, False):
            count_closed(journal.database, STARTED, LATER, without_undone=without_undone)
        prune_runs(journal.database, LATER)
    finally:
        event.remove(Engine, "before_execute", compile_it)
    assert len(compiled) > 40
    assert not [statement for statement in compiled for name in SQLITE_ONLY if name in statement]


def test_every_table_can_be_compiled_and_has_the_cid() -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    for table in metadata.sorted_tables:
        assert str(CreateTable(table).compile(dialect=dialect))
        assert all(str(CreateIndex(index).compile(dialect=dialect)) for index in table.indexes)
        assert "cid" in table.c or table.name == "schema_version"
