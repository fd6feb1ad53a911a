"""Writes the journal of a large run without running it."""

from pathlib import Path

from falcon_bulk.journal.journal import Journal
from falcon_bulk.model.plan import Action, AlertState, PlannedItem
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.run import Outcome, RunStatus
from tests.support.plan_builders import a_plan

BEFORE = AlertState("new", "", "", "", ("seen",), True, "", 0, "2026-11-24T00:00:00Z")


def record_large_run(folder: Path, cid: str, alerts: int) -> str:
    """Record a run of that many alerts in the journal of a CID, every seventh drifted; return its id."""
    folder.mkdir(mode=0o700, exist_ok=True)
    journal = Journal(folder / f"{cid}.sqlite3")
    plan = a_plan(cid=cid, cids=(cid,))
    draft = journal.draft(plan)
    draft.add_action_set(0, (Action("update_status", "closed"),))
    for number in range(alerts):
        item = PlannedItem(f"{cid}:ind:{number:07}:2-3-4", BEFORE)
        draft.add(item, *((Outcome.CHANGED,) if number % 7 else (Outcome.DRIFTED, "status new → closed 漢字")))
    preview = Preview(
        selected=alerts, planned=alerts, skipped={}, held={}, samples=(), oldest="", newest="", actions=()
    )
    draft.finish()
    journal.begin(draft.run_id, preview, plan.created)
    journal.finish(plan.run_id, RunStatus.PARTIAL, 6, at=plan.created, requests=1, seconds=1.0, closed=True)
    journal.close()
    return plan.run_id
