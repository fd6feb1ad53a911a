"""The journal of one CID: every run, batch and item touched."""

from typing import Any

import msgspec
from sqlalchemy import func, select, update

from falcon_bulk.errors import Refused
from falcon_bulk.journal.draft import Draft
from falcon_bulk.journal.files import DRAFT, already_carried_out, unfinished_run
from falcon_bulk.journal.pruning import delete_in_pieces, delete_run
from falcon_bulk.journal.run_reader import RunReader
from falcon_bulk.journal.schema import runs
from falcon_bulk.model.indicator import Indicator
from falcon_bulk.model.plan import AlertPlan, AlertState, IndicatorPlan, Plan
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.run import RunStatus


class Journal(RunReader):
    """All runs of one CID, to read and to record. Safe to use from several threads.

    Raises JournalProblem from any method when the database cannot be read or written.
    """

    def draft(self, plan: Plan) -> Draft[AlertState] | Draft[Indicator]:
        """Begin to record a plan. Drafts that a crash left behind are deleted.

        A run that ended before it changed anything is replaced when the same plan is carried out again.
        Raises Busy if a run is unfinished; Refused if this run is already known, or was another plan's.
        """
        with self.database.write() as db:
            left = list(db.execute(select(runs.c.run_id).where(runs.c.status == DRAFT)).scalars())
        for run_id in left:
            delete_in_pieces(self.database, run_id)
        if unfinished := self.unfinished():
            raise unfinished_run(unfinished.run_id)
        if self.was_carried_out(plan.run_id):
            raise already_carried_out(plan.run_id)
        if self.knows(plan.run_id) and not _is_same_plan(self.plan(plan.run_id), plan):
            raise Refused(
                f"The run {plan.run_id} had another plan than this one.", f"See `falcon-bulk runs show {plan.run_id}`."
            )
        with self.database.write() as db:
            delete_run(db, plan.run_id)
            position = db.execute(select(func.coalesce(func.max(runs.c.position), 0) + 1)).scalar_one()
            db.execute(runs.insert(), _run_values(plan) | {"position": position})
        if isinstance(plan, IndicatorPlan):
            return Draft(plan.run_id, self.indicators)
        return Draft(plan.run_id, self.alerts)

    def discard(self, run_id: str) -> None:
        """Delete a draft."""
        with self.database.write() as db:
            delete_run(db, run_id)

    def has_draft(self, run_id: str) -> bool:
        """Return whether the plan of this run is there as a draft."""
        with self.database.read() as db:
            return (
                db.execute(select(runs.c.run_id).where(runs.c.run_id == run_id, runs.c.status == DRAFT)).first()
                is not None
            )

    def begin(self, run_id: str, preview: Preview, started: str) -> None:
        """Make a draft a run. started: UTC, RFC 3339."""
        values = {
            "status": RunStatus.RUNNING,
            "preview": msgspec.json.encode(preview).decode(),
            "started": started,
            "rule": ",".join(rule.id for rule in preview.rules if rule.closes),
        }
        with self.database.write() as db:
            db.execute(update(runs).where(runs.c.run_id == run_id).values(**values))

    def finish(
        self, run_id: str, status: RunStatus, exit_code: int, *, at: str, requests: int, seconds: float, closed: bool
    ) -> None:
        """Record how a run ended. Requests and seconds add up over resumes."""
        with self.database.write() as db:
            db.execute(
                update(runs)
                .where(runs.c.run_id == run_id)
                .values(
                    status=status,
                    exit_code=int(exit_code),
                    finished=at,
                    closed=int(closed),
                    requests=runs.c.requests + requests,
                    seconds=runs.c.seconds + seconds,
                )
            )

    def abandon(self, run_id: str, at: str) -> None:
        """Close an unfinished run, so that it blocks no other; its items stay recorded. at: UTC, RFC 3339."""
        self.plan(run_id)
        with self.database.write() as db:
            run = db.execute(select(runs.c.status, runs.c.finished).where(runs.c.run_id == run_id)).one()
            status = RunStatus.INTERRUPTED if run.status == RunStatus.RUNNING else run.status
            values = {"closed": 1, "finished": run.finished or at, "status": status}
            db.execute(update(runs).where(runs.c.run_id == run_id).values(**values))


def _run_values(plan: Plan) -> dict[str, Any]:
    return {
        "run_id": plan.run_id,
        "cid": plan.cid,
        "kind": "indicators" if isinstance(plan, IndicatorPlan) else "alerts",
        "command": plan.command,
        "customer": plan.customer,
        "operator": plan.operator,
        "machine": plan.machine,
        "selection": plan.selection,
        "comment": plan.comment,
        "undoes": plan.undoes,
        "plan": msgspec.json.encode(plan).decode(),
        "preview": "{}",
        "status": DRAFT,
        "started": plan.created,
    }


def _is_same_plan(first: Plan, second: Plan) -> bool:
    """Return whether two plans are one, whatever of its overrides counted."""
    return _without_overrides(first) == _without_overrides(second)


def _without_overrides(plan: Plan) -> Plan:
    return msgspec.structs.replace(plan, overrides=()) if isinstance(plan, AlertPlan) else plan
