"""What the journal of a CID knows for closing rules: what they closed and held, and what any run ever closed."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

import msgspec
from sqlalchemy import ColumnElement, func, select

from falcon_bulk.journal.database import Database
from falcon_bulk.journal.files import DRAFT
from falcon_bulk.journal.schema import action_sets, closed_alerts, items, runs
from falcon_bulk.model.plan import Action, ActionSet
from falcon_bulk.model.run import Outcome
from falcon_bulk.model.vocabulary import Status

OUTLIER = "outlier"
"""The reason under which an outlier among what a rule would close is held."""
MAX_COMPARED = 5_000
"""So many of the newest alerts that a rule closed are compared with."""

_CLOSE = Action("update_status", Status.CLOSED)
_MAY_BE_CHANGED = (Outcome.CHANGED, Outcome.UNKNOWN)
_decode_actions: Callable[[str], ActionSet] = msgspec.json.Decoder(ActionSet).decode
_decode_compared: Callable[[str], tuple[str, ...]] = msgspec.json.Decoder(tuple[str, ...]).decode


class RuleRecords:
    """The records of closing rules in one journal.

    Raises JournalProblem from any method when the database cannot be read.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def closed_by_run(self, rule: str = "") -> dict[str, dict[str, int]]:
        """Return how many alerts each rule closed in each run in which it closed something. rule: only this one."""
        query = (
            select(items.c.rule, items.c.run_id, func.count())
            .where(items.c.rule != "", items.c.state == Outcome.CHANGED, _is_recorded())
            .group_by(items.c.rule, items.c.run_id)
        )
        found: dict[str, dict[str, int]] = defaultdict(dict)
        with self._database.read() as db:
            for name, run_id, number in db.execute(query.where(items.c.rule == rule) if rule else query):
                found[name][run_id] = int(number)
        return dict(found)

    def closed_in(self, run_id: str) -> dict[str, int]:
        """Return how many alerts each rule closed in a run."""
        query = (
            select(items.c.rule, func.count())
            .where(items.c.run_id == run_id, items.c.rule != "", items.c.state == Outcome.CHANGED)
            .group_by(items.c.rule)
        )
        with self._database.read() as db:
            return {rule: int(number) for rule, number in db.execute(query)}

    def closing_action_sets(self) -> set[tuple[str, int]]:
        """Return the action sets that close alerts, as (run id, number)."""
        query = select(action_sets.c.run_id, action_sets.c.number, action_sets.c.actions)
        with self._database.read() as db:
            rows = db.execute(query).all()
        return {(run_id, number) for run_id, number, actions in rows if _CLOSE in _decode_actions(actions)}

    def closed_before(
        self, item_ids: Sequence[str], closing: set[tuple[str, int]], but_for: str = ""
    ) -> dict[str, str]:
        """Return which of these alerts a run closed, or may have closed, each with the run ('' if it was pruned).

        closing: of `closing_action_sets`. but_for: a run that does not count.
        """
        query = select(items.c.item_id, items.c.run_id, items.c.action_set).where(
            items.c.item_id.in_(item_ids), items.c.state.in_(_MAY_BE_CHANGED), items.c.run_id != but_for
        )
        pruned = select(closed_alerts.c.item_id).where(closed_alerts.c.item_id.in_(item_ids))
        with self._database.read() as db:
            found = dict.fromkeys(db.execute(pruned).scalars(), "")
            for item_id, run_id, number in db.execute(query):
                if (run_id, number) in closing:
                    found[item_id] = run_id
        return found

    def held_outliers(self) -> set[tuple[str, str]]:
        """Return the alerts that were ever held as an outlier, as (rule, composite id)."""
        query = select(items.c.rule, items.c.item_id).where(
            items.c.rule != "", items.c.state == Outcome.HELD, items.c.reason == OUTLIER, _is_recorded()
        )
        with self._database.read() as db:
            return {(rule, item_id) for rule, item_id in db.execute(query)}

    def compared(self, rule: str) -> Iterator[tuple[str, ...]]:
        """Yield the compared values of the newest alerts that a rule closed and that no undo took back."""
        undone = select(runs.c.undoes).where(runs.c.undoes != "", runs.c.status != DRAFT)
        query = (
            select(items.c.compared)
            .join(runs, runs.c.run_id == items.c.run_id)
            .where(
                items.c.rule == rule,
                items.c.state == Outcome.CHANGED,
                items.c.compared.is_not(None),
                runs.c.status != DRAFT,
                items.c.run_id.not_in(undone),
            )
            .order_by(runs.c.position.desc(), items.c.position.desc())
            .limit(MAX_COMPARED)
        )
        with self._database.read() as db:
            rows = db.execute(query).scalars().all()
        yield from map(_decode_compared, rows)


def _is_recorded() -> ColumnElement[bool]:
    return items.c.run_id.in_(select(runs.c.run_id).where(runs.c.status != DRAFT))
