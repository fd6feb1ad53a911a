"""The alerts or indicators of a run in the journal.

A batch's intent is committed before its request leaves, its outcome after.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, NamedTuple

import msgspec
from sqlalchemy import Connection, Select, bindparam, func, insert, select, tuple_, update

from falcon_bulk.journal.database import Database, execute_many
from falcon_bulk.journal.schema import action_sets, batches, items, problems, runs
from falcon_bulk.model.plan import ActionSet, PlannedItem, State
from falcon_bulk.model.run import NOT_PLANNED, Batch, BatchAnswer, ItemOutcome, ItemRecord, Outcome, RunProblem

ROWS_AT_ONCE = 1_000

_encode_json = msgspec.json.Encoder().encode
_decode_actions = msgspec.json.Decoder(ActionSet).decode
_insert_items = insert(items)
_insert_action_sets = insert(action_sets)
_PLANNED = (items.c.item_id, items.c.before, items.c.action_set, items.c.remote_id, items.c.rule)
_set_unknown = (
    update(items)
    .where(items.c.run_id == bindparam("of_run"), items.c.item_id == bindparam("of_item"))
    .values(state=bindparam("to_state"), batch=bindparam("in_batch"))
)
_set_outcome = (
    update(items)
    .where(items.c.run_id == bindparam("of_run"), items.c.item_id == bindparam("of_item"))
    .values(
        state=bindparam("to_state"),
        reason=bindparam("why"),
        after=bindparam("seen_after"),
        verified=bindparam("is_verified"),
        remote_id=func.coalesce(bindparam("new_remote_id"), items.c.remote_id),
    )
)


class DraftRow(NamedTuple, Generic[State]):
    """A selected item on its way into the journal. HELD and SKIPPED ones are no part of the plan."""

    item: PlannedItem[State]
    outcome: Outcome
    reason: str


class UnknownBatch(NamedTuple, Generic[State]):
    """Items that went with one request and whose outcome is not known. sent: when it was intended (UTC, RFC 3339)."""

    sent: str
    items: tuple[PlannedItem[State], ...]


class ItemRecords(Generic[State]):
    """The items of runs whose states are of one type.

    Raises JournalProblem from any method when the database cannot be read or written.
    """

    def __init__(self, database: Database, state: type[State]) -> None:
        self._database = database
        self._decode = msgspec.json.Decoder(state).decode

    def add(
        self, run_id: str, rows: Sequence[DraftRow[State]], numbered: Sequence[tuple[int, ActionSet]], first: int
    ) -> None:
        """Add items and action sets to a draft. first: position of the first row in the plan."""
        with self._database.write() as db:
            cid = _cid_of(db, run_id)
            execute_many(
                db,
                _insert_action_sets,
                [
                    {"cid": cid, "run_id": run_id, "number": number, "actions": _encode(actions)}
                    for number, actions in numbered
                ],
            )
            execute_many(
                db,
                _insert_items,
                [
                    {
                        "cid": cid,
                        "run_id": run_id,
                        "item_id": row.item.item_id,
                        "position": position,
                        "action_set": row.item.action_set,
                        "before": _encode(row.item.before),
                        "state": row.outcome.value,
                        "reason": row.reason,
                        "remote_id": row.item.remote_id,
                        "rule": row.item.rule,
                        "compared": _encode(row.item.compared or None),
                    }
                    for position, row in enumerate(rows, first)
                ],
            )

    def action_sets(self, run_id: str) -> dict[int, ActionSet]:
        """Return the action sets of a run by number."""
        query = select(action_sets.c.number, action_sets.c.actions).where(action_sets.c.run_id == run_id)
        with self._database.read() as db:
            rows = db.execute(query).all()
        return {number: _decode_actions(actions) for number, actions in rows}

    def batches(self, run_id: str, size: int) -> Iterator[tuple[PlannedItem[State], ...]]:
        """Yield the items not sent yet, in batches of one action set each, in the order of the plan.

        Exhaust the iterator before calling this again: it continues after the last item it yielded.
        """
        order = (items.c.action_set, items.c.position)
        last: tuple[int, int] = (-1, -1)
        while True:
            query = (
                select(*_PLANNED, items.c.position)
                .where(items.c.run_id == run_id, items.c.state == Outcome.NOT_SENT, tuple_(*order) > last)
                .order_by(*order)
                .limit(size)
            )
            with self._database.read() as db:
                rows = db.execute(query).all()
            if not rows:
                return
            number = rows[0].action_set
            rows = [row for row in rows if row.action_set == number]
            last = (number, rows[-1].position)
            yield tuple(self._planned(*row[:5]) for row in rows)

    def unknown_batches(self, run_id: str) -> "Iterator[UnknownBatch[State]]":
        """Yield the items whose outcome is not known, by the request that they went with, oldest first."""
        numbers = select(items.c.batch).where(items.c.run_id == run_id, items.c.state == Outcome.UNKNOWN).distinct()
        intents = select(batches.c.number, batches.c.sent).where(batches.c.run_id == run_id)
        with self._database.read() as db:
            found = sorted(number or 0 for number in db.execute(numbers).scalars())
            sent = {row.number: row.sent for row in db.execute(intents).all()}
        newest = max(sent.values(), default="")
        for number in found:
            in_batch = items.c.batch == number if number else items.c.batch.is_(None)
            query = (
                select(*_PLANNED)
                .where(items.c.run_id == run_id, items.c.state == Outcome.UNKNOWN, in_batch)
                .order_by(items.c.position)
            )
            with self._database.read() as db:
                rows = db.execute(query).all()
            yield UnknownBatch(sent.get(number, newest), tuple(self._planned(*row) for row in rows))

    def with_outcome(self, run_id: str, outcome: Outcome) -> Iterator[tuple[PlannedItem[State], ...]]:
        """Yield the items with an outcome, 1,000 at a time, in the order of their ids."""
        query = select(*_PLANNED).where(items.c.run_id == run_id, items.c.state == outcome)
        for rows in self._by_id(query):
            yield tuple(self._planned(*row) for row in rows)

    def created(self, run_id: str) -> list[PlannedItem[State]]:
        """Return what a run changed, as an undo would find it: with its state after the change."""
        query = (
            select(items.c.item_id, items.c.after, items.c.action_set, items.c.remote_id, items.c.rule)
            .where(items.c.run_id == run_id, items.c.state == Outcome.CHANGED)
            .order_by(items.c.item_id)
        )
        with self._database.read() as db:
            return [self._planned(*row) for row in db.execute(query).all()]

    def intend(self, run_id: str, item_ids: Sequence[str], at: str) -> Batch:
        """Commit that these items are about to be sent: unknown until an outcome is recorded. at: UTC, RFC 3339."""
        with self._database.write() as db:
            newest = select(func.coalesce(func.max(batches.c.number), 0)).where(batches.c.run_id == run_id)
            number = int(db.execute(newest).scalar_one()) + 1
            db.execute(
                batches.insert(),
                {"cid": _cid_of(db, run_id), "run_id": run_id, "number": number, "items": len(item_ids), "sent": at},
            )
            unknown = Outcome.UNKNOWN.value
            execute_many(
                db,
                _set_unknown,
                [
                    {"of_run": run_id, "of_item": item_id, "to_state": unknown, "in_batch": number}
                    for item_id in item_ids
                ],
            )
        return Batch(run_id=run_id, number=number)

    def record(
        self,
        run_id: str,
        outcomes: Iterable[ItemOutcome[State]],
        *,
        problems: Sequence[RunProblem] = (),
        answer: BatchAnswer | None = None,
    ) -> None:
        """Commit what became of some items, and of the batch they went with."""
        rows = [
            {
                "of_run": run_id,
                "of_item": outcome.item_id,
                "to_state": outcome.outcome.value,
                "why": outcome.reason,
                "seen_after": _encode(outcome.after),
                "is_verified": int(outcome.verified),
                "new_remote_id": outcome.remote_id or None,
            }
            for outcome in outcomes
        ]
        if not (rows or problems or answer):
            return
        with self._database.write() as db:
            execute_many(db, _set_outcome, rows)
            if problems:
                _add_problems(db, run_id, problems)
            if answer:
                _record_answer(db, answer)

    def records(self, run_id: str, outcome: Outcome | None = None) -> Iterator[ItemRecord[State]]:
        """Yield what is known of each planned item of a run, or of those with one outcome, in the order of ids."""
        wanted = items.c.state.not_in(NOT_PLANNED) if outcome is None else items.c.state == outcome
        query = select(*_PLANNED, items.c.state, items.c.reason, items.c.after).where(items.c.run_id == run_id, wanted)
        for rows in self._by_id(query):
            for item_id, before, _, remote_id, rule, state, reason, after in rows:
                yield ItemRecord(
                    item_id=item_id,
                    before=self._state(before),
                    outcome=Outcome(state),
                    reason=reason,
                    after=self._state(after),
                    remote_id=remote_id,
                    rule=rule,
                )

    def _by_id(self, query: Select[Any]) -> Iterator[Sequence[Any]]:
        """Yield the rows of a query of items, 1,000 at a time, in the order of their ids."""
        query, last = query.order_by(items.c.item_id).limit(ROWS_AT_ONCE), ""
        while True:
            with self._database.read() as db:
                rows = db.execute(query.where(items.c.item_id > last)).all()
            if not rows:
                return
            last = rows[-1].item_id
            yield rows

    def _planned(
        self, item_id: str, state: str | None, action_set: int, remote_id: str, rule: str
    ) -> PlannedItem[State]:
        return PlannedItem(item_id, self._state(state), action_set, remote_id, rule)

    def _state(self, value: str | None) -> State | None:
        return self._decode(value) if value else None


def _encode(value: Any) -> str | None:
    return None if value is None else _encode_json(value).decode()


def _cid_of(db: Connection, run_id: str) -> str:
    return str(db.execute(select(runs.c.cid).where(runs.c.run_id == run_id)).scalar_one())


def _add_problems(db: Connection, run_id: str, added: Sequence[RunProblem]) -> None:
    newest = select(func.coalesce(func.max(problems.c.position), 0)).where(problems.c.run_id == run_id)
    first = int(db.execute(newest).scalar_one()) + 1
    cid = _cid_of(db, run_id)
    db.execute(
        problems.insert(),
        [
            {"cid": cid, "run_id": run_id, "position": position, "problem": _encode(problem)}
            for position, problem in enumerate(added, first)
        ],
    )


def _record_answer(db: Connection, answer: BatchAnswer) -> None:
    db.execute(
        batches.update()
        .where(batches.c.run_id == answer.batch.run_id, batches.c.number == answer.batch.number)
        .values(answered=answer.at, outcome=answer.outcome, trace_id=answer.trace_id)
    )
