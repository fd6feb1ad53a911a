"""The requests of a run in the journal: begun with their intent, ended with their outcome."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import msgspec

from falcon_bulk.model.run import Batch, BatchAnswer, RunProblem

Connect = Callable[[], AbstractContextManager[sqlite3.Connection]]
"""A journal's way to its database, to read or in a transaction."""


def begin_batch(db: sqlite3.Connection, run_id: str, size: int, at: str) -> Batch:
    """Record that a request about so many items is about to leave."""
    (number,) = db.execute("SELECT COALESCE(MAX(batch), 0) + 1 FROM batches WHERE run_id = ?", (run_id,)).fetchone()
    db.execute("INSERT INTO batches (run_id, batch, alerts, sent) VALUES (?, ?, ?, ?)", (run_id, number, size, at))
    return Batch(run_id=run_id, number=number)


def end_batch(
    db: sqlite3.Connection, run_id: str, answered: BatchAnswer | None, problems: Sequence[RunProblem]
) -> None:
    """Record how a request was answered, if it is one that ended, and what went wrong."""
    db.executemany(
        "INSERT INTO problems VALUES (?, ?)", [(run_id, msgspec.json.encode(problem)) for problem in problems]
    )
    if answered:
        db.execute(
            "UPDATE batches SET answered = ?, outcome = ?, trace_id = ? WHERE run_id = ? AND batch = ?",
            (answered.at, answered.words, answered.trace_id, run_id, answered.batch.number),
        )
