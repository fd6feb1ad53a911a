"""The alerts of a run in the journal. A batch's intent is committed before its request leaves, its outcome after."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from falcon_bulk.journal.batches import Connect, begin_batch, end_batch
from falcon_bulk.model.plan import Action, ActionSet, AlertState, PlannedAlert
from falcon_bulk.model.run import AlertOutcome, AlertRecord, Batch, BatchAnswer, Outcome, RunProblem

ROWS_AT_ONCE = 1_000
_encode = msgspec.json.encode
_state = msgspec.json.Decoder(AlertState).decode
_action_set = msgspec.json.Decoder(tuple[Action, ...]).decode


class AlertRecords:
    """The part of a journal about alerts. reading, writing: the journal's own ways to its database."""

    def __init__(self, reading: Connect, writing: Connect) -> None:
        self._reading = reading
        self._writing = writing

    def add(
        self,
        run_id: str,
        rows: Sequence[tuple[PlannedAlert, Outcome, str]],
        action_sets: Sequence[tuple[int, ActionSet]],
    ) -> None:
        """Add alerts and ways to a draft."""
        with self._writing() as db:
            db.executemany(
                "INSERT INTO action_sets VALUES (?, ?, ?)",
                [(run_id, number, _encode(action_set)) for number, action_set in action_sets],
            )
            db.executemany(
                "INSERT INTO alerts (run_id, composite_id, action_set, before, state, reason) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (run_id, alert.composite_id, alert.action_set, _encode(alert.before), outcome, reason)
                    for alert, outcome, reason in rows
                ],
            )

    def action_sets(self, run_id: str) -> dict[int, ActionSet]:
        """The ways of a run by number."""
        with self._reading() as db:
            rows = db.execute("SELECT action_set, actions FROM action_sets WHERE run_id = ?", (run_id,)).fetchall()
        return {number: _action_set(actions) for number, actions in rows}

    def batches(self, run_id: str, size: int) -> Iterator[tuple[PlannedAlert, ...]]:
        """The alerts not sent yet, in batches of one way each. Ask for all of them before asking anew."""
        last = (-1, -1)
        while True:
            with self._reading() as db:
                rows = db.execute(
                    "SELECT rowid, composite_id, action_set, before FROM alerts "
                    "WHERE run_id = ? AND state = ? AND (action_set, rowid) > (?, ?) "
                    "ORDER BY action_set, rowid LIMIT ?",
                    (run_id, Outcome.NOT_SENT, *last, size),
                ).fetchall()
            if not rows:
                return
            action_set = rows[0][2]
            rows = [row for row in rows if row[2] == action_set]
            last = (action_set, rows[-1][0])
            yield tuple(PlannedAlert(row[1], row[2], _state(row[3])) for row in rows)

    def in_state(self, run_id: str, outcome: Outcome) -> Iterator[tuple[PlannedAlert, ...]]:
        """The alerts with that outcome, 1,000 at a time, in the order of their ids."""
        last = ""
        while True:
            with self._reading() as db:
                rows = db.execute(
                    "SELECT composite_id, action_set, before FROM alerts WHERE run_id = ? AND state = ? "
                    "AND composite_id > ? ORDER BY composite_id LIMIT ?",
                    (run_id, outcome, last, ROWS_AT_ONCE),
                ).fetchall()
            if not rows:
                return
            last = rows[-1][0]
            yield tuple(PlannedAlert(row[0], row[1], _state(row[2])) for row in rows)

    def intend(self, run_id: str, ids: Sequence[str], at: str) -> Batch:
        """Commit that these alerts are about to be sent: unknown until an outcome is recorded."""
        with self._writing() as db:
            batch = begin_batch(db, run_id, len(ids), at)
            db.executemany(
                "UPDATE alerts SET state = ?, batch = ? WHERE run_id = ? AND composite_id = ?",
                [(Outcome.UNKNOWN, batch.number, run_id, composite_id) for composite_id in ids],
            )
        return batch

    def record(
        self,
        run_id: str,
        settled: Iterable[AlertOutcome],
        *,
        problems: Sequence[RunProblem] = (),
        answered: BatchAnswer | None = None,
    ) -> None:
        """Commit what became of some alerts, and of the batch they went with."""
        with self._writing() as db:
            db.executemany(
                "UPDATE alerts SET state = ?, reason = ?, after = ?, verified = ? "
                "WHERE run_id = ? AND composite_id = ?",
                [
                    (
                        one.outcome,
                        one.reason,
                        _encode(one.after) if one.after else None,
                        one.verified,
                        run_id,
                        one.composite_id,
                    )
                    for one in settled
                ],
            )
            end_batch(db, run_id, answered, problems)

    def records(self, run_id: str, outcome: Outcome | None = None) -> Iterator[AlertRecord]:
        """What is known of each alert of a run, in the order of their ids."""
        last = ""
        while True:
            with self._reading() as db:
                rows = db.execute(
                    "SELECT composite_id, before, state, reason, after FROM alerts "
                    "WHERE run_id = ? AND composite_id > ? "
                    "AND (? IS NULL OR state = ?) ORDER BY composite_id LIMIT ?",
                    (run_id, last, outcome, outcome, ROWS_AT_ONCE),
                ).fetchall()
            if not rows:
                return
            last = rows[-1][0]
            for composite_id, before, state, reason, after in rows:
                yield AlertRecord(
                    composite_id=composite_id,
                    before=_state(before),
                    outcome=Outcome(state),
                    reason=reason,
                    after=_state(after) if after else None,
                )
