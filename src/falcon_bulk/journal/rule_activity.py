"""What the rules runs of a journal did in a period, counted in alerts and not in nights."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Select, func, or_, select

from falcon_bulk.journal.database import Database
from falcon_bulk.journal.files import DRAFT
from falcon_bulk.journal.schema import items, runs
from falcon_bulk.model.closing_rule import RuleResult
from falcon_bulk.model.plan import RULES_COMMAND
from falcon_bulk.model.run import Outcome

_undone = items.alias()


class _RulesOfPreview(msgspec.Struct):
    rules: tuple[RuleResult, ...] = ()
    incomplete: tuple[str, ...] = ()


_decode_rules = msgspec.json.Decoder(_RulesOfPreview).decode


class RecordedRulesRun(NamedTuple):
    """A run of closing rules. started: UTC, RFC 3339. incomplete: why not all alerts were read."""

    started: str
    rules: tuple[RuleResult, ...]
    incomplete: tuple[str, ...]


class RuleActivityRecords:
    """What rules did in the runs that started in a period. since, until: UTC, RFC 3339; until is exclusive.

    Raises JournalProblem from any method when the database cannot be read.
    """

    def __init__(self, database: Database, since: str, until: str) -> None:
        self._database = database
        query = select(runs.c.run_id, runs.c.undoes, runs.c.command, runs.c.started, runs.c.status)
        with database.read() as db:
            recorded = [run for run in db.execute(query.order_by(runs.c.position)) if run.status != DRAFT]
        # Their ids are found once: a row of `runs` is long, and a join would read it again for each alert.
        self._runs = {
            run.run_id: run.started
            for run in recorded
            if run.command == RULES_COMMAND and not run.undoes and since <= run.started < until
        }
        self._undos = {run.run_id: run.undoes for run in recorded if run.undoes}

    def runs(self) -> Iterator[RecordedRulesRun]:
        """Yield the runs, oldest first."""
        for run_id, started in self._runs.items():
            with self._database.read() as db:
                preview = db.execute(select(runs.c.preview).where(runs.c.run_id == run_id)).scalar()
            if preview is not None:
                decoded = _decode_rules(preview)
                yield RecordedRulesRun(started, decoded.rules, decoded.incomplete)

    def closed(self) -> dict[str, int]:
        """Return how many alerts each rule closed."""
        return self._counted(items.c.state == Outcome.CHANGED)

    def undone(self) -> dict[str, int]:
        """Return how many of these alerts an undo, or the revocation of the rule, took back."""
        found: set[tuple[str, str]] = set()
        for undo, undone in self._undos.items():
            taken_back = select(_undone.c.item_id).where(
                _undone.c.run_id == undo, _undone.c.state == Outcome.CHANGED, _undone.c.item_id == items.c.item_id
            )
            query = self._items(items.c.rule, items.c.item_id).where(
                items.c.state == Outcome.CHANGED,
                or_(items.c.run_id == undone, undone == "rule " + items.c.rule),
                taken_back.exists(),
            )
            with self._database.read() as db:
                found.update((rule, item_id) for rule, item_id in db.execute(query))
        return Counter(rule for rule, _ in found)

    def held(self) -> tuple[dict[str, dict[str, int]], dict[str, int]]:
        """Return how many alerts were held under each rule, by reason and in all.

        An alert counts once for each reason, in however many runs it was held, and once in all.
        """
        by_reason: defaultdict[str, dict[str, int]] = defaultdict(dict)
        number = func.count(items.c.item_id.distinct())
        query = self._items(items.c.rule, items.c.reason, number).where(items.c.state == Outcome.HELD)
        query = query.group_by(items.c.rule, items.c.reason).order_by(number.desc(), items.c.reason)
        with self._database.read() as db:
            for rule, reason, alerts in db.execute(query):
                by_reason[rule][reason] = int(alerts)
        return dict(by_reason), self._counted(items.c.state == Outcome.HELD)

    def held_ids(self, reason: str, limit: int) -> dict[str, tuple[str, ...]]:
        """Return the first alerts that were held for a reason under each rule, at most `limit` of each."""
        found: defaultdict[str, dict[str, None]] = defaultdict(dict)
        query = self._items(items.c.rule, items.c.item_id).where(
            items.c.state == Outcome.HELD, items.c.reason == reason
        )
        with self._database.read() as db:
            for rule, item_id in db.execute(query.order_by(items.c.run_id, items.c.position)):
                if len(found[rule]) < limit:
                    found[rule][item_id] = None
        return {rule: tuple(ids) for rule, ids in found.items()}

    def _counted(self, *conditions: ColumnElement[bool]) -> dict[str, int]:
        query = self._items(items.c.rule, func.count(items.c.item_id.distinct())).where(*conditions)
        with self._database.read() as db:
            return {rule: int(number) for rule, number in db.execute(query.group_by(items.c.rule))}

    def _items(self, *columns: Any) -> Select[Any]:
        return select(*columns).where(items.c.run_id.in_(self._runs), items.c.rule != "")
