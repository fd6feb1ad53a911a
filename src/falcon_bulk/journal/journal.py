"""The journal of one CID. A batch's intent is committed before its request leaves, its outcome after."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from falcon_bulk.errors import Busy, FalconBulkError, Refused
from falcon_bulk.journal.alerts import AlertRecords
from falcon_bulk.journal.draft import Draft
from falcon_bulk.journal.indicators import IndicatorRecords
from falcon_bulk.journal.lock import running_run
from falcon_bulk.journal.schema import SCHEMA, VERSION
from falcon_bulk.model.plan import Plan
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.run import (
    Outcome,
    RunProblem,
    RunResult,
    RunRow,
    RunStatus,
)

DRAFT = "draft"
_encode = msgspec.json.encode
_plan = msgspec.json.Decoder(Plan).decode
_preview = msgspec.json.Decoder(Preview).decode
_problem = msgspec.json.Decoder(RunProblem).decode


class JournalProblem(FalconBulkError):
    """The journal cannot be read or written: nothing is sent without it."""

    code = "journal"


class Journal:
    """All runs of one CID. Safe to use from several threads.

    Raises JournalProblem from any method when the database cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self.alerts = AlertRecords(self._reading, self._writing)
        self.indicators = IndicatorRecords(self._reading, self._writing)
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10.0)
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            if version > VERSION:
                raise JournalProblem(
                    f"{path} was written by a later version of falcon-bulk.", "Use that version, or a later one."
                )
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(SCHEMA)
            self._db.execute(f"PRAGMA user_version={VERSION}")
        except (OSError, sqlite3.Error) as error:
            raise _unusable(path, error) from None

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._db.close()

    # Making a plan

    def draft(self, plan: Plan) -> Draft:
        """Begin to record a plan. Drafts that a crash left behind go; one run may be unfinished at most.

        A run that ended before it could change anything gives way to the same plan, carried out anew.
        Raises Busy if a run is unfinished; Refused if this run is already known.
        """
        with self._writing() as db:
            for (left,) in db.execute("SELECT run_id FROM runs WHERE status = ?", (DRAFT,)).fetchall():
                _forget(db, left)
            touched = db.execute(
                "SELECT 1 FROM alerts WHERE run_id = ? AND state != ? LIMIT 1", (plan.run_id, Outcome.NOT_SENT)
            ).fetchone()
        if unfinished := self.unfinished():
            raise Busy(
                f"The run {unfinished.run_id} of this customer is unfinished.",
                f"Go on with `falcon-bulk resume {unfinished.run_id}`, or close it with "
                f"`falcon-bulk runs abandon {unfinished.run_id}`.",
            )
        if touched:
            raise Refused(
                f"The plan {plan.run_id} was already carried out.", f"`falcon-bulk runs show {plan.run_id}` tells."
            )
        with self._writing() as db:
            _forget(db, plan.run_id)
            db.execute(
                "INSERT INTO runs (run_id, plan, preview, status, started) VALUES (?, ?, ?, ?, ?)",
                (plan.run_id, _encode(plan), b"{}", DRAFT, plan.created),
            )
        return Draft(self, plan.run_id)

    def discard(self, run_id: str) -> None:
        """Forget a draft."""
        with self._writing() as db:
            _forget(db, run_id)

    def begin(self, run_id: str, preview: Preview, started: str) -> None:
        """A draft becomes a run."""
        with self._writing() as db:
            db.execute(
                "UPDATE runs SET status = ?, preview = ?, started = ? WHERE run_id = ?",
                (RunStatus.RUNNING, _encode(preview), started, run_id),
            )

    def finish(
        self, run_id: str, status: RunStatus, exit_code: int, *, at: str, requests: int, seconds: float, closed: bool
    ) -> None:
        """Record how a run ended. Requests and seconds add up over resumes."""
        with self._writing() as db:
            db.execute(
                "UPDATE runs SET status = ?, exit_code = ?, finished = ?, closed = ?, "
                "requests = requests + ?, seconds = seconds + ? WHERE run_id = ?",
                (status, exit_code, at, closed, requests, seconds, run_id),
            )

    # Looking back

    def counts(self, run_id: str) -> dict[Outcome, int]:
        """How many alerts, or indicators, of a run have each outcome."""
        with self._reading() as db:
            rows = db.execute(
                "SELECT state, COUNT(*) FROM alerts WHERE run_id = ? GROUP BY state "
                "UNION ALL SELECT state, COUNT(*) FROM indicators WHERE run_id = ? GROUP BY state",
                (run_id, run_id),
            )
            return {Outcome(state): number for state, number in rows}

    def sent_by_time(self, run_id: str) -> dict[str, int]:
        """How many alerts the batches of a run had, by the time (UTC, RFC 3339) at which their intent was recorded."""
        with self._reading() as db:
            rows = db.execute("SELECT sent, SUM(alerts) FROM batches WHERE run_id = ? GROUP BY sent", (run_id,))
            return dict(rows)

    def last_unanswered(self, run_id: str) -> str:
        """When the intent of the last request was recorded whose answer was not (UTC, RFC 3339); '' if all were."""
        with self._reading() as db:
            (sent,) = db.execute(
                "SELECT MAX(sent) FROM batches WHERE run_id = ? AND answered IS NULL", (run_id,)
            ).fetchone()
        return sent or ""

    def verified(self, run_id: str) -> int:
        """How many alerts, or indicators, of a run were read back in the wanted state."""
        with self._reading() as db:
            (number,) = db.execute(
                "SELECT (SELECT COALESCE(SUM(verified), 0) FROM alerts WHERE run_id = ?) "
                "+ (SELECT COALESCE(SUM(verified), 0) FROM indicators WHERE run_id = ?)",
                (run_id, run_id),
            ).fetchone()
        return int(number)

    def plan(self, run_id: str) -> Plan:
        """The plan of a run. Raises Refused for an unknown run."""
        with self._reading() as db:
            row = db.execute("SELECT plan FROM runs WHERE run_id = ? AND status != ?", (run_id, DRAFT)).fetchone()
        if row is None:
            raise Refused(f"The journal knows no run {run_id!r} of this customer.", "`falcon-bulk runs` lists them.")
        return _plan(row[0])

    def result(self, run_id: str) -> RunResult:
        """The result of a run as it stands. Raises Refused for an unknown run."""
        plan = self.plan(run_id)
        counts = self.counts(run_id)
        with self._reading() as db:
            status, preview, exit_code, requests, seconds, closed = db.execute(
                "SELECT status, preview, exit_code, requests, seconds, closed FROM runs WHERE run_id = ?", (run_id,)
            ).fetchone()
            (batches,) = db.execute("SELECT COUNT(*) FROM batches WHERE run_id = ?", (run_id,)).fetchone()
            problems = db.execute("SELECT problem FROM problems WHERE run_id = ? ORDER BY rowid", (run_id,)).fetchall()
        seen = _preview(preview)
        settled = self.indicators.outcomes(run_id) if plan.allowance else {}
        return RunResult(
            run_id=run_id,
            customer=plan.customer,
            cid=plan.cid,
            command=plan.command,
            status=RunStatus(status),
            exit_code=exit_code,
            selected=seen.selected,
            skipped=seen.skipped,
            held=seen.held,
            planned=sum(counts.values()),
            changed=counts.get(Outcome.CHANGED, 0),
            failed=counts.get(Outcome.FAILED, 0),
            drifted=counts.get(Outcome.DRIFTED, 0),
            unknown=counts.get(Outcome.UNKNOWN, 0),
            not_sent=counts.get(Outcome.NOT_SENT, 0),
            verified=self.verified(run_id),
            batches=batches,
            requests=requests,
            seconds=round(seconds, 3),
            errors=tuple(_problem(row[0]) for row in problems),
            closed=bool(closed),
            allowance=plan.allowance,
            hashes=tuple(settled.get(one.sha256, one) for one in seen.hashes),
        )

    def rows(self) -> list[RunRow]:
        """All runs, newest first. One that is not closed is `running` while its lock is held, else `unfinished`."""
        alive = running_run(self.path.parent, self.path.stem)
        with self._reading() as db:
            rows = db.execute(
                "SELECT run_id, plan, status, started, finished, closed FROM runs WHERE status != ? "
                "ORDER BY started DESC, rowid DESC",
                (DRAFT,),
            ).fetchall()
        return [self._row(row, alive) for row in rows]

    def unfinished(self) -> RunRow | None:
        """The run that has alerts left to send or to settle, if there is one."""
        with self._reading() as db:
            row = db.execute(
                "SELECT run_id, plan, status, started, finished, closed FROM runs "
                "WHERE status != ? AND closed = 0 ORDER BY started LIMIT 1",
                (DRAFT,),
            ).fetchone()
        return self._row(row) if row else None

    def taken_back_by(self, run_id: str) -> RunRow | None:
        """The newest run that took this one back or is about to; one that ended without a change does not count."""
        alive = running_run(self.path.parent, self.path.stem)
        with self._reading() as db:
            rows = db.execute(
                "SELECT run_id, plan, status, started, finished, closed FROM runs "
                "WHERE status != ? AND json_extract(CAST(plan AS TEXT), '$.undoes') = ? ORDER BY started DESC",
                (DRAFT, run_id),
            ).fetchall()
        undos = [self._row(row, alive) for row in rows]
        return next((undo for undo in undos if undo.changed or undo.is_open), None)

    def knows(self, run_id: str) -> bool:
        """True if the run is recorded here."""
        with self._reading() as db:
            row = db.execute("SELECT 1 FROM runs WHERE run_id = ? AND status != ?", (run_id, DRAFT)).fetchone()
        return row is not None

    def is_open(self, run_id: str) -> bool:
        """True if the run has alerts left to send or to settle and was not abandoned."""
        with self._reading() as db:
            row = db.execute("SELECT closed FROM runs WHERE run_id = ? AND status != ?", (run_id, DRAFT)).fetchone()
        return row is not None and not row[0]

    def abandon(self, run_id: str, at: str) -> None:
        """Close an unfinished run: it blocks nothing any more, and what it did stays recorded."""
        self.plan(run_id)
        with self._writing() as db:
            db.execute(
                "UPDATE runs SET closed = 1, finished = COALESCE(finished, ?), "
                "status = CASE status WHEN 'running' THEN 'interrupted' ELSE status END WHERE run_id = ?",
                (at, run_id),
            )

    def prune(self, before: str) -> int:
        """Forget closed runs that started before that moment (UTC, RFC 3339). Returns how many."""
        with self._writing() as db:
            old = db.execute("SELECT run_id FROM runs WHERE closed = 1 AND started < ?", (before,)).fetchall()
            for (run_id,) in old:
                _forget(db, run_id)
        return len(old)

    def customers(self) -> set[str]:
        """The customers' names under which runs were recorded."""
        with self._reading() as db:
            rows = db.execute("SELECT DISTINCT json_extract(CAST(plan AS TEXT), '$.customer') FROM runs")
            return {name for (name,) in rows if name}

    def _row(self, row: tuple[str, bytes, str, str, str | None, int], alive: str = "") -> RunRow:
        run_id, plan_json, status, started, finished, closed = row
        plan, counts = _plan(plan_json), self.counts(run_id)
        shown = RunStatus.RUNNING if run_id == alive else RunStatus.UNFINISHED
        shown = RunStatus(status) if closed else shown
        return RunRow(
            run_id=run_id,
            customer=plan.customer,
            cid=plan.cid,
            command=plan.command,
            status=shown,
            started=started,
            finished=finished,
            planned=sum(counts.values()),
            changed=counts.get(Outcome.CHANGED, 0),
        )

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._db
            except sqlite3.Error as error:
                raise _unusable(self.path, error) from None

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, on disk when this ends."""
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    yield self._db
                except BaseException:
                    self._db.execute("ROLLBACK")
                    raise
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                raise _unusable(self.path, error) from None


def journals(folder: Path) -> list[Path]:
    """The databases in a state folder."""
    return sorted(folder.glob("*.sqlite3"))


def _forget(db: sqlite3.Connection, run_id: str) -> None:
    for table in ("alerts", "indicators", "action_sets", "batches", "problems", "runs"):
        db.execute(f"DELETE FROM {table} WHERE run_id = ?", (run_id,))  # noqa: S608 - names of ours


def _unusable(path: Path, error: Exception) -> JournalProblem:
    return JournalProblem(
        f"The journal {path} cannot be used: {error}.",
        "Nothing is sent without it. Check the disk's room and the folder's rights (FALCON_BULK_STATE_DIR).",
    )
