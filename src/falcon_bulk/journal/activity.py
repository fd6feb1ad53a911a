"""What the runs of a journal did in a period."""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal_column, or_, select

from falcon_bulk.journal.database import Database
from falcon_bulk.journal.files import DRAFT
from falcon_bulk.journal.schema import action_sets, batches, items, runs
from falcon_bulk.model.run import Outcome

_CLOSES = '["update_status","closed"]'
"""The action that closes an alert, in an action set as JSON; inside another value its quotes would be escaped."""
_undone_items, _undos = items.alias(), runs.alias()
_sent = func.coalesce(batches.c.sent, runs.c.started)


def count_closed(database: Database, since: str, until: str, *, without_undone: bool) -> int:
    """Return how many different alerts runs closed in a period, undos aside.

    since, until: UTC, RFC 3339; until is exclusive. without_undone: leave out alerts that an undo of their run changed
    back. Raises JournalProblem.
    """
    conditions = [runs.c.undoes == "", action_sets.c.actions.contains(_CLOSES, autoescape=True)]
    if without_undone:
        undone: Select[Any] = (
            select(literal_column("1"))
            .select_from(_undone_items.join(_undos, _undos.c.run_id == _undone_items.c.run_id))
            .where(
                _undos.c.undoes == runs.c.run_id,
                _undone_items.c.item_id == items.c.item_id,
                _undone_items.c.state == Outcome.CHANGED,
            )
        )
        conditions.append(~undone.exists())
    return _count_changed(database, since, until, *conditions)


def _count_changed(database: Database, since: str, until: str, *conditions: ColumnElement[bool]) -> int:
    """Return how many different alerts were changed by batches that were sent in a period."""
    query = (
        select(func.count(items.c.item_id.distinct()))
        .select_from(
            runs.join(items, items.c.run_id == runs.c.run_id)
            .join(
                action_sets,
                and_(action_sets.c.run_id == items.c.run_id, action_sets.c.number == items.c.action_set),
            )
            .outerjoin(batches, and_(batches.c.run_id == items.c.run_id, batches.c.number == items.c.batch))
        )
        .where(
            runs.c.kind == "alerts",
            *_in_period(since, until),
            items.c.state == Outcome.CHANGED,
            _sent >= since,
            _sent < until,
            *conditions,
        )
    )
    with database.read() as db:
        return int(db.execute(query).scalar_one())


def _in_period(since: str, until: str) -> tuple[ColumnElement[bool], ...]:
    """Return conditions for runs that may have done something in a period."""
    not_over_before = or_(runs.c.finished.is_(None), runs.c.finished >= since)
    return runs.c.status != DRAFT, runs.c.started < until, not_over_before
