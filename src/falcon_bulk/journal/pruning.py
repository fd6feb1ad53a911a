"""Deletes runs from a journal; which alerts they closed stays known."""

from collections.abc import Callable

from sqlalchemy import Connection, select, update

from falcon_bulk.journal.database import Database
from falcon_bulk.journal.files import DRAFT
from falcon_bulk.journal.rule_records import OUTLIER, RuleRecords
from falcon_bulk.journal.schema import RUN_TABLES, closed_alerts, items, runs
from falcon_bulk.model.run import Outcome

DELETED_AT_ONCE = 10_000
"""Items deleted in one transaction, so that a reader never waits long."""


def prune_runs(database: Database, before: str, is_kept: Callable[[str], bool] = lambda _rule: True) -> int:
    """Delete closed runs that started before that moment (UTC, RFC 3339), in pieces; return how many.

    is_kept: whether the runs of a closing rule are kept, by its id. A run becomes a draft first, so that an
    interruption leaves no run with part of its items; which alerts it closed stays known.
    """
    query = select(runs.c.run_id).where(runs.c.closed == 1, runs.c.started < before, runs.c.status != DRAFT)
    with database.read() as db:
        old = [run_id for run_id in db.execute(query).scalars() if not any(map(is_kept, _rules_of(db, run_id)))]
    for run_id in old:
        _keep_closed(database, run_id)
        with database.write() as db:
            db.execute(update(runs).where(runs.c.run_id == run_id).values(status=DRAFT))
        delete_in_pieces(database, run_id)
    return len(old)


def delete_in_pieces(database: Database, run_id: str) -> None:
    """Delete a draft, its items first and some at a time, so that nobody who reads or writes waits long."""
    some = select(items.c.item_id).where(items.c.run_id == run_id).limit(DELETED_AT_ONCE)
    while True:
        with database.write() as db:
            deleted = db.execute(items.delete().where(items.c.run_id == run_id, items.c.item_id.in_(some)))
        if deleted.rowcount < DELETED_AT_ONCE:
            break
    with database.write() as db:
        delete_run(db, run_id)


def delete_run(db: Connection, run_id: str) -> None:
    """Delete a run with all that is recorded of it."""
    for table in RUN_TABLES:
        db.execute(table.delete().where(table.c.run_id == run_id))


def _keep_closed(database: Database, run_id: str) -> None:
    """Remember the alerts that a run closed, or may have closed, beyond its deletion."""
    numbers = [number for known, number in RuleRecords(database).closing_action_sets() if known == run_id]
    changed = select(items.c.cid, items.c.item_id).where(
        items.c.run_id == run_id,
        items.c.action_set.in_(numbers),
        items.c.state.in_((Outcome.CHANGED, Outcome.UNKNOWN)),
        items.c.item_id.not_in(select(closed_alerts.c.item_id)),
    )
    with database.write() as db:
        db.execute(closed_alerts.insert().from_select(["cid", "item_id"], changed))


def _rules_of(db: Connection, run_id: str) -> list[str]:
    """Return the closing rules that closed something in a run, or whose outliers it held."""
    of_rule = (items.c.state == Outcome.CHANGED) | (items.c.reason == OUTLIER)
    query = select(items.c.rule).where(items.c.run_id == run_id, items.c.rule != "", of_rule).distinct()
    return list(db.execute(query).scalars())
