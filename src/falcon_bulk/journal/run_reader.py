"""Reads the runs of one CID from its journal."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Row, Select, func, literal_column, select

from falcon_bulk.errors import ExitCode, Refused
from falcon_bulk.journal.database import Database
from falcon_bulk.journal.files import DRAFT
from falcon_bulk.journal.items import ItemRecords
from falcon_bulk.journal.lock import running_run
from falcon_bulk.journal.rule_records import RuleRecords
from falcon_bulk.journal.schema import batches, items, problems, runs
from falcon_bulk.model.closing_rule import RuleResult
from falcon_bulk.model.indicator import HashOutcome, Indicator
from falcon_bulk.model.plan import AlertState, Plan
from falcon_bulk.model.plan_result import result_without_changes
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.run import (
    NOT_PLANNED,
    AlertRunResult,
    IndicatorRunResult,
    Outcome,
    RunProblem,
    RunResult,
    RunRow,
    RunStatus,
)

_decode_plan: Callable[[str], Plan] = msgspec.json.Decoder(Plan).decode
_decode_preview = msgspec.json.Decoder(Preview).decode
_decode_problem = msgspec.json.Decoder(RunProblem).decode


class _PlanOverrides(msgspec.Struct):
    """The part of a plan that a row shows."""

    overrides: tuple[str, ...] = ()


class _PreviewActions(msgspec.Struct):
    """The part of a preview that a row shows."""

    actions: tuple[str, ...] = ()


_decode_overrides = msgspec.json.Decoder(_PlanOverrides).decode
_decode_actions = msgspec.json.Decoder(_PreviewActions).decode
_ROW = (
    runs.c.run_id,
    runs.c.customer,
    runs.c.cid,
    runs.c.command,
    runs.c.operator,
    runs.c.selection,
    runs.c.comment,
    runs.c.rule,
    runs.c.plan,
    runs.c.preview,
    runs.c.status,
    runs.c.started,
    runs.c.finished,
    runs.c.closed,
)


class RunReader:
    """The runs of one CID. Safe to use from several threads.

    Raises JournalProblem from any method when the database cannot be read.
    """

    def __init__(self, path: Path, database: Database | None = None) -> None:
        """Open a journal. database: what it is kept in; by default the SQLite file at `path`."""
        self.path = path
        self.database = database or Database(path)
        self.alerts = ItemRecords(self.database, AlertState)
        self.indicators = ItemRecords(self.database, Indicator)
        self.rules = RuleRecords(self.database)

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def counts(self, run_id: str) -> dict[Outcome, int]:
        """Return how many planned items of a run have each outcome."""
        query = select(items.c.state, func.count()).where(items.c.run_id == run_id).group_by(items.c.state)
        with self.database.read() as db:
            return {Outcome(state): number for state, number in db.execute(query).all() if state not in NOT_PLANNED}

    def sent_by_time(self, run_id: str) -> dict[str, int]:
        """Return how many items the batches of a run had, by the time (UTC, RFC 3339) of their intent."""
        query = (
            select(batches.c.sent, func.sum(batches.c["items"]))
            .where(batches.c.run_id == run_id)
            .group_by(batches.c.sent)
            .order_by(batches.c.sent)
        )
        with self.database.read() as db:
            return {sent: int(number) for sent, number in db.execute(query).all()}

    def verified(self, run_id: str) -> int:
        """Return how many items of a run were read back in the target state."""
        query = select(func.coalesce(func.sum(items.c.verified), 0)).where(items.c.run_id == run_id)
        with self.database.read() as db:
            return int(db.execute(query).scalar_one())

    def plan(self, run_id: str) -> Plan:
        """Return the plan of a run. Raises Refused for an unknown run."""
        with self.database.read() as db:
            plan = db.execute(select(runs.c.plan).where(runs.c.run_id == run_id, runs.c.status != DRAFT)).scalar()
        if plan is None:
            raise Refused(f"The journal knows no run {run_id!r} of this customer.", "`falcon-bulk runs` lists them.")
        return _decode_plan(plan)

    def result(self, run_id: str) -> RunResult:
        """Return the result of a run as it stands. Raises Refused for an unknown run."""
        plan = self.plan(run_id)
        counts = self.counts(run_id)
        with self.database.read() as db:
            run = db.execute(select(runs).where(runs.c.run_id == run_id)).one()
            sent = db.execute(select(func.count()).where(batches.c.run_id == run_id)).scalar_one()
            found = select(problems.c.problem).where(problems.c.run_id == run_id).order_by(problems.c.position)
            errors = tuple(map(_decode_problem, db.execute(found).scalars()))
        preview = _decode_preview(run.preview)
        planned = result_without_changes(
            plan, preview, self._status(run_id, RunStatus(run.status)), ExitCode(run.exit_code)
        )
        result = msgspec.structs.replace(
            planned,
            planned=sum(counts.values()),
            changed=counts.get(Outcome.CHANGED, 0),
            failed=counts.get(Outcome.FAILED, 0),
            drifted=counts.get(Outcome.DRIFTED, 0),
            unknown=counts.get(Outcome.UNKNOWN, 0),
            not_sent=counts.get(Outcome.NOT_SENT, 0),
            verified=self.verified(run_id),
            batches=sent,
            requests=run.requests,
            seconds=round(run.seconds, 3),
            errors=errors,
            closed=bool(run.closed),
        )
        if isinstance(result, IndicatorRunResult):
            return msgspec.structs.replace(result, hashes=self._hash_outcomes(run_id, result.hashes))
        if isinstance(result, AlertRunResult) and result.rules:
            return msgspec.structs.replace(result, rules=self._rule_results(run_id, result.rules))
        return result

    def rows(self, *, newest: int | None = None, since: str = "", until: str = "") -> list[RunRow]:
        """Return runs, newest first: all, at most as many of the newest, or those that began in a period.

        since, until: UTC, RFC 3339; until is exclusive. A run that is not closed is `running` while its lock is held.
        """
        running = running_run(self.path.parent, self.path.stem)
        query = select(*_ROW).where(runs.c.status != DRAFT, runs.c.started >= since)
        query = query.where(runs.c.started < until) if until else query
        query = query.order_by(runs.c.started.desc(), runs.c.position.desc()).limit(newest)
        with self.database.read() as db:
            rows = db.execute(query).all()
        return [self._row(row, running) for row in rows]

    def unfinished(self) -> RunRow | None:
        """Return the run that has items left to send or to reconcile, if there is one."""
        query = select(*_ROW).where(runs.c.status != DRAFT, runs.c.closed == 0).order_by(runs.c.started).limit(1)
        with self.database.read() as db:
            row = db.execute(query).first()
        return self._row(row) if row else None

    def undone_by(self, run_id: str) -> RunRow | None:
        """Return the newest run that undid this one or is about to; one that changed nothing does not count."""
        running = running_run(self.path.parent, self.path.stem)
        query = (
            select(*_ROW)
            .where(runs.c.status != DRAFT, runs.c.undoes == run_id)
            .order_by(runs.c.started.desc(), runs.c.position.desc())
        )
        with self.database.read() as db:
            rows = db.execute(query).all()
        undos = [self._row(row, running) for row in rows]
        return next((undo for undo in undos if undo.changed or undo.is_open), None)

    def knows(self, run_id: str) -> bool:
        """Return whether the run is recorded here."""
        query: Select[Any] = (
            select(literal_column("1")).select_from(runs).where(runs.c.run_id == run_id, runs.c.status != DRAFT)
        )
        with self.database.read() as db:
            return db.execute(query).first() is not None

    def was_carried_out(self, run_id: str) -> bool:
        """Return whether the run is recorded here and changed, or may have changed, any of its items."""
        sent = items.c.state.not_in((*NOT_PLANNED, Outcome.NOT_SENT))
        query = select(items.c.item_id).where(items.c.run_id == run_id, sent).limit(1)
        with self.database.read() as db:
            found = db.execute(query).first() is not None
        return found and self.knows(run_id)

    def is_open(self, run_id: str) -> bool:
        """Return whether the run has items left to send or to reconcile and was not abandoned."""
        query = select(runs.c.closed).where(runs.c.run_id == run_id, runs.c.status != DRAFT)
        with self.database.read() as db:
            row = db.execute(query).first()
        return row is not None and not row.closed

    def customers(self) -> set[str]:
        """Return the customers' names under which runs were recorded."""
        with self.database.read() as db:
            return {name for name in db.execute(select(runs.c.customer).distinct()).scalars() if name}

    def _rule_results(self, run_id: str, results: Sequence[RuleResult]) -> tuple[RuleResult, ...]:
        """Return what a run did by each rule, with the alerts that it closed. results: as planned."""
        closed = self.rules.closed_in(run_id)
        return tuple(msgspec.structs.replace(rule, closed=closed.get(rule.id, 0)) for rule in results)

    def _hash_outcomes(self, run_id: str, hashes: Sequence[HashOutcome]) -> tuple[HashOutcome, ...]:
        """Return what became of each hash. hashes: as planned."""
        outcomes = {record.item_id: record for record in self.indicators.records(run_id)}
        return tuple(
            HashOutcome(
                sha256=planned.sha256, outcome=record.outcome, reason=record.reason, indicator_id=record.remote_id
            )
            if (record := outcomes.get(planned.sha256))
            else planned
            for planned in hashes
        )

    def _status(self, run_id: str, recorded: RunStatus) -> RunStatus:
        """Return the status of a run: one whose process was killed is unfinished, not running."""
        if recorded is RunStatus.RUNNING and running_run(self.path.parent, self.path.stem) != run_id:
            return RunStatus.UNFINISHED
        return recorded

    def _row(self, row: "Row[Any, *tuple[Any, ...]]", running: str = "") -> RunRow:
        counts = self.counts(row.run_id)
        open_status = RunStatus.RUNNING if row.run_id == running else RunStatus.UNFINISHED
        return RunRow(
            run_id=row.run_id,
            customer=row.customer,
            cid=row.cid,
            command=row.command,
            operator=row.operator,
            selection=row.selection,
            actions=_decode_actions(row.preview).actions,
            comment=row.comment,
            overridden=_decode_overrides(row.plan).overrides,
            rule=row.rule,
            status=RunStatus(row.status) if row.closed else open_status,
            started=row.started,
            finished=row.finished,
            planned=sum(counts.values()),
            changed=counts.get(Outcome.CHANGED, 0),
        )
