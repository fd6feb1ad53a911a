"""A journal on disk, and runs in it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from falcon_bulk.journal.journal import Journal
from falcon_bulk.model.plan import Action, AlertPlan, AlertState, PlannedItem
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.run import Outcome, RunStatus

BEFORE = AlertState("new", "", "", "", ("seen",), True, "", 0, "2026-11-24T00:00:00Z")
STARTED = "2026-11-24T00:00:00Z"
CLOSE = (Action("update_status", "closed"), Action("append_comment", "Approved tool"))

RecordRun = Callable[..., AlertPlan]
InterruptAt = Callable[[str], AbstractContextManager[None]]


def alert_plan(run_id: str = "run1", **values: Any) -> AlertPlan:
    """Return the header of a plan."""
    usual: dict[str, Any] = {"command": "bulk-close", "customer": "acme", "cid": "acme", "cids": ("acme",)}
    usual |= {"cloud": "https://api.example", "operator": "ann", "created": STARTED, "selection": "exactly these"}
    return AlertPlan(run_id=run_id, **usual | values)


def preview_of(planned: int, **values: Any) -> Preview:
    """Return a preview with numbers alone."""
    usual: dict[str, Any] = {"selected": planned, "skipped": {}, "held": {}, "samples": (), "oldest": "", "newest": ""}
    return Preview(planned=planned, actions=(), **usual | values)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "acme.sqlite3")
    yield journal
    journal.close()


@pytest.fixture
def record_run(journal: Journal) -> RecordRun:
    """Record a run of alerts that is about to be sent, or has ended with the outcome of all its alerts."""

    def record(run_id: str = "run1", items: int = 3, *, outcome: Outcome | None = None, **values: Any) -> AlertPlan:
        plan = alert_plan(run_id, **values)
        draft = journal.draft(plan)
        draft.add_action_set(0, CLOSE)
        for number in range(items):
            draft.add(PlannedItem(f"alert{number:04}", BEFORE), outcome or Outcome.NOT_SENT)
        draft.finish()
        journal.begin(draft.run_id, preview_of(items), plan.created)
        if outcome:
            journal.finish(run_id, RunStatus.SUCCESS, 0, at=plan.created, requests=1, seconds=1.0, closed=True)
        return plan

    return record


@pytest.fixture
def interrupt_at() -> InterruptAt:
    """Raise KeyboardInterrupt in the block instead of executing a statement that begins with a given text."""

    @contextmanager
    def interrupting(beginning: str) -> Iterator[None]:
        def interrupt(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if statement.startswith(beginning):
                raise KeyboardInterrupt

        event.listen(Engine, "before_cursor_execute", interrupt)
        try:
            yield
        finally:
            event.remove(Engine, "before_cursor_execute", interrupt)

    return interrupting
