"""The indicators of a run in the journal. A request's intent is committed before it leaves, its outcome after."""

from collections.abc import Iterable, Sequence

import msgspec

from falcon_bulk.journal.batches import Connect, begin_batch, end_batch
from falcon_bulk.model.indicator import HashOutcome, Indicator, PlannedIndicator
from falcon_bulk.model.run import Batch, BatchAnswer, IndicatorOutcome, Outcome, RunProblem

_encode = msgspec.json.encode
_decode = msgspec.json.Decoder(Indicator).decode


class IndicatorRecords:
    """The part of a journal about indicators. reading, writing: the journal's own ways to its database."""

    def __init__(self, reading: Connect, writing: Connect) -> None:
        self._reading = reading
        self._writing = writing

    def add(self, run_id: str, rows: Iterable[tuple[PlannedIndicator, Outcome, str]]) -> None:
        """Add what is planned to a draft. An outcome other than NOT_SENT is final already."""
        with self._writing() as db:
            db.executemany(
                "INSERT INTO indicators (run_id, sha256, before, state, reason, indicator_id) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (run_id, row.sha256, _encode(row.before) if row.before else None, outcome, reason, row.indicator_id)
                    for row, outcome, reason in rows
                ],
            )

    def in_state(self, run_id: str, outcome: Outcome) -> list[PlannedIndicator]:
        """What has that outcome, in the order of the hashes."""
        with self._reading() as db:
            rows = db.execute(
                "SELECT sha256, indicator_id, before FROM indicators WHERE run_id = ? AND state = ? ORDER BY sha256",
                (run_id, outcome),
            ).fetchall()
        return [_planned(*row) for row in rows]

    def made(self, run_id: str) -> list[PlannedIndicator]:
        """What a run made, as what an undo would delete."""
        with self._reading() as db:
            rows = db.execute(
                "SELECT sha256, indicator_id, after FROM indicators WHERE run_id = ? AND state = ? ORDER BY sha256",
                (run_id, Outcome.CHANGED),
            ).fetchall()
        return [_planned(*row) for row in rows]

    def intend(self, run_id: str, rows: Sequence[PlannedIndicator], at: str) -> Batch:
        """Commit that a request about these is about to leave: unknown until an outcome is recorded."""
        with self._writing() as db:
            batch = begin_batch(db, run_id, len(rows), at)
            db.executemany(
                "UPDATE indicators SET state = ? WHERE run_id = ? AND sha256 = ?",
                [(Outcome.UNKNOWN, run_id, row.sha256) for row in rows],
            )
        return batch

    def record(
        self,
        run_id: str,
        settled: Iterable[IndicatorOutcome],
        *,
        problems: Sequence[RunProblem] = (),
        answered: BatchAnswer | None = None,
    ) -> None:
        """Commit what became of some, and of the request they went with."""
        with self._writing() as db:
            db.executemany(
                "UPDATE indicators SET state = ?, reason = ?, indicator_id = ?, after = ?, verified = ? "
                "WHERE run_id = ? AND sha256 = ?",
                [
                    (
                        one.outcome,
                        one.reason,
                        one.indicator_id,
                        _encode(one.after) if one.after else None,
                        one.verified,
                        run_id,
                        one.sha256,
                    )
                    for one in settled
                ],
            )
            end_batch(db, run_id, answered, problems)

    def outcomes(self, run_id: str) -> dict[str, HashOutcome]:
        """What became of each hash."""
        with self._reading() as db:
            rows = db.execute(
                "SELECT sha256, state, reason, indicator_id FROM indicators WHERE run_id = ? ORDER BY sha256", (run_id,)
            ).fetchall()
        return {
            sha256: HashOutcome(sha256=sha256, outcome=state, reason=reason, indicator_id=indicator_id)
            for sha256, state, reason, indicator_id in rows
        }


def _planned(sha256: str, indicator_id: str, state: bytes | None) -> PlannedIndicator:
    return PlannedIndicator(sha256=sha256, indicator_id=indicator_id, before=_decode(state) if state else None)
