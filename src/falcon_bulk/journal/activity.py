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


def count_undone(database: Database, since: str, until: str) -> int:
    """Return how many different alerts undos changed back in a period, as `count_closed` does."""
    return _count_changed(database, since, until, runs.c.undoes != "")


def count_closed_by_rule(database: Database, since: str, until: str) -> dict[str, int]:
    """Return how many different alerts were closed by each closing rule in a period, as `count_closed` does."""
    closes = action_sets.c.actions.contains(_CLOSES, autoescape=True)
    query = _changed(since, until, items.c.rule, func.count(items.c.item_id.distinct()))
    query = query.where(runs.c.undoes == "", closes, items.c.rule != "")
    query = query.group_by(items.c.rule).order_by(items.c.rule)
    with database.read() as db:
        return {name: int(number) for name, number in db.execute(query).all()}


def count_held(database: Database, since: str, until: str) -> dict[str, int]:
    """Return how many different alerts each guardrail held in runs that began in a period."""
    number = func.count(items.c.item_id.distinct())
    query: Select[Any] = (
        select(items.c.reason, number)
        .select_from(runs.join(items, items.c.run_id == runs.c.run_id))
        .where(
            runs.c.kind == "alerts",
            runs.c.status != DRAFT,
            runs.c.started >= since,
            runs.c.started < until,
            items.c.state == Outcome.HELD,
        )
        .group_by(items.c.reason)
        .order_by(number.desc(), items.c.reason)
    )
    with database.read() as db:
        return {reason: int(found) for reason, found in db.execute(query).all()}


def _count_changed(database: Database, since: str, until: str, *conditions: ColumnElement[bool]) -> int:
    """Return how many different alerts were changed by batches that were sent in a period."""
    query = _changed(since, until, func.count(items.c.item_id.distinct())).where(*conditions)
    with database.read() as db:
        return int(db.execute(query).scalar_one())


def _changed(since: str, until: str, *columns: ColumnElement[Any]) -> Select[Any]:
    """Return a query of alerts that were changed by batches that were sent in a period."""
    return (
        select(*columns)
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
            until > _sent,
        )
    )


def _in_period(since: str, until: str) -> tuple[ColumnElement[bool], ...]:
    """Return conditions for runs that may have done something in a period."""
    not_over_before = or_(runs.c.finished.is_(None), runs.c.finished >= since)
    return runs.c.status != DRAFT, runs.c.started < until, not_over_before
