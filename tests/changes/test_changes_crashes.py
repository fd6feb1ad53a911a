"""A process that dies before, within and after every write of its journal and every request, and what a resume does.

The death is an exception that nothing catches, after which neither the journal nor Falcon is reached any more.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from falcon_bulk.falcon.alerts import UpdateResponse
from falcon_bulk.journal.database import Database
from falcon_bulk.journal.journal import Journal
from falcon_bulk.model.plan import ActionSet, Plan
from falcon_bulk.model.run import RunStatus
from tests.support.run_harness import RunHarness, serve_run_harness

ALERTS, BATCH = 30, 10
NEVER = 10**9


class Killed(BaseException):
    """The process is no more."""


class Life:
    """A process that dies at the n-th point it comes to, or right after the effect of its n-th change."""

    def __init__(self, ends_at: int, *, changes: int = NEVER) -> None:
        self.points = 0
        self._ends_at = ends_at
        self._changes = changes
        self._lock = threading.Lock()

    def changed(self) -> None:
        with self._lock:
            self._changes -= 1
            if not self._changes:
                self._ends_at = self.points

    def point(self) -> None:
        with self._lock:
            self.points += 1
            if self.points >= self._ends_at:
                raise Killed


class MortalDatabase(Database):
    """Dies before, within or after a transaction."""

    def __init__(self, path: Path, life: Life) -> None:
        super().__init__(path)
        self._life = life

    @contextmanager
    def write(self) -> Iterator[Any]:
        if not hasattr(self, "_life"):  # it is being opened
            with super().write() as db:
                yield db
            return
        self._life.point()
        with super().write() as db:
            yield db
            self._life.point()
        self._life.point()


class MortalJournal(Journal):
    """A journal on such a database."""

    def __init__(self, path: Path, life: Life) -> None:
        super().__init__(path, MortalDatabase(path, life))


class MortalAlerts:
    """Dies before a request, or after it had its effect."""

    def __init__(self, harness: RunHarness, life: Life) -> None:
        self._alerts = harness.falcon.alerts
        self._life = life

    def by_id(self, ids: Sequence[str]) -> Any:
        self._life.point()
        documents = self._alerts.by_id(ids)
        self._life.point()
        return documents

    def update(self, ids: Sequence[str], action_set: ActionSet) -> UpdateResponse:
        self._life.point()
        written = self._alerts.update(ids, action_set)
        self._life.changed()
        self._life.point()
        return written


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunHarness]:
    """A tenant with fresh alerts for each death."""
    with serve_run_harness(tmp_path_factory.mktemp("crashes"), alerts=25_000) as harness:
        yield harness


def live(harness: RunHarness, ids: Sequence[str], plan: Plan | None, life: Life, **how: Any) -> Plan | None:
    """One process: plan what is not planned, resume what is unfinished. Returns the plan if there is one by then."""
    harness.journal.close()
    harness.journal = MortalJournal(harness.journal.path, life)
    try:
        if plan is None:
            plan = harness.planned(ids)
        harness.carry_out(plan, alerts=MortalAlerts(harness, life), batch_size=BATCH, **how)
    except Killed:
        pass
    harness.reopen()
    row = harness.journal.unfinished()
    if row is not None:
        return harness.journal.plan(row.run_id)
    return plan if plan and any(row.run_id == plan.run_id for row in harness.journal.rows()) else None


def check(harness: RunHarness, ids: Sequence[str], plan: Plan | None) -> None:
    """Every alert was changed once and carries one comment of one run; nothing is left to do."""
    assert plan is not None
    result = harness.journal.result(plan.run_id)
    assert (result.status, result.planned, result.changed, result.verified) == (
        RunStatus.SUCCESS,
        ALERTS,
        ALERTS,
        ALERTS,
    )
    assert harness.journal.unfinished() is None
    states = [harness.tenant.store.by_id[composite_id].state for composite_id in ids]
    assert all(state.status == "closed" and len(state.comments) == 1 for state in states)
    asked = set(ids)
    changes = [change for change in harness.tenant.request_log.changes if change.composite_id in asked]
    assert len(changes) == ALERTS


@pytest.mark.parametrize(
    "fresh", [pytest.param(True, marks=pytest.mark.slow), False], ids=["read just now", "read again"]
)
@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_run_killed_at_any_write_or_request_is_completed_by_a_resume(
    harness: RunHarness, workers: int, fresh: bool
) -> None:
    for point in count(1):
        ids = harness.ids(ALERTS)
        life = Life(point)
        plan = live(harness, ids, None, life, workers=workers, fresh=fresh)
        if life.points < point:
            break
        before_the_plan_was_whole = plan is None
        if before_the_plan_was_whole:
            assert harness.statuses(ids) == {"new": ALERTS}, "nothing is sent before the journal holds the run"
        if plan is None or harness.journal.is_open(plan.run_id):
            plan = live(harness, ids, plan, Life(NEVER), fresh=before_the_plan_was_whole)
        check(harness, ids, plan)
    assert point > 40, "a run of three batches comes to that many points"
    check(harness, ids, plan)


@pytest.mark.slow
def test_a_resume_killed_at_any_point_is_completed_by_the_next_one(harness: RunHarness) -> None:
    """The first process dies right after the effect of its second change, the second one anywhere."""
    for point in count(1):
        ids = harness.ids(ALERTS)
        plan = live(harness, ids, None, Life(NEVER, changes=2), workers=1)
        assert plan is not None
        # The first batch may still be on its way to be read back.
        assert harness.journal.result(plan.run_id).unknown in (BATCH, 2 * BATCH)
        assert harness.statuses(ids) == {"closed": 2 * BATCH, "new": BATCH}
        life = Life(point)
        live(harness, ids, plan, life, workers=1, fresh=False)
        if life.points < point:
            break
        if harness.journal.is_open(plan.run_id):
            live(harness, ids, plan, Life(NEVER), fresh=False)
        check(harness, ids, plan)
    assert point > 15
    check(harness, ids, plan)


def test_a_process_that_dies_again_and_again_gets_there_in_the_end(harness: RunHarness) -> None:
    for step in (7, 11, 13, 17):
        ids = harness.ids(ALERTS)
        plan: Plan | None = live(harness, ids, None, Life(12 + step), workers=2)
        lives = 1
        while plan is None or harness.journal.is_open(plan.run_id):
            plan = live(harness, ids, plan, Life(step + lives), workers=2, fresh=False)
            lives += 1
            assert lives < 30
        check(harness, ids, plan)


class SlowToChange:
    """A Falcon whose change begins to show some seconds after the process that asked for it has died."""

    def __init__(self, harness: RunHarness, seconds: float) -> None:
        self._ground = harness
        self._seconds = seconds
        self._under_way: tuple[float, Sequence[str], ActionSet] | None = None
        self.died = False

    def by_id(self, ids: Sequence[str]) -> Any:
        if self._under_way and self._ground.timing.monotonic() >= self._under_way[0]:
            self.arrive()
        return self._ground.falcon.alerts.by_id(ids)

    def arrive(self) -> None:
        """Carry out what is under way."""
        if self._under_way:
            self._ground.falcon.alerts.update(*self._under_way[1:])
        self._under_way = None

    def update(self, ids: Sequence[str], action_set: ActionSet) -> UpdateResponse:
        if self.died:
            return self._ground.falcon.alerts.update(ids, action_set)
        self.died = True
        self._under_way = self._ground.timing.monotonic() + self._seconds, ids, action_set
        raise Killed


def test_a_change_that_was_under_way_at_the_death_is_waited_for_before_it_is_sent_again(harness: RunHarness) -> None:
    ids = harness.ids(ALERTS)
    plan = harness.planned(ids)
    falcon = SlowToChange(harness, seconds=150.0)
    with pytest.raises(Killed):
        harness.carry_out(plan, alerts=falcon, batch_size=BATCH, workers=1)
    harness.reopen()
    assert harness.carry_out(plan, alerts=falcon, batch_size=BATCH, fresh=False).changed == ALERTS
    falcon.arrive()
    check(harness, ids, plan)


def test_a_death_while_planning_leaves_a_draft_that_blocks_nothing_and_goes(harness: RunHarness) -> None:
    ids = harness.ids(ALERTS)
    assert live(harness, ids, None, Life(8)) is None
    assert harness.journal.unfinished() is None
    plan = live(harness, ids, None, Life(NEVER))
    check(harness, ids, plan)
    assert plan is not None
    with harness.journal.database.read() as db:
        assert db.exec_driver_sql("SELECT COUNT(*) FROM runs WHERE status = 'draft'").scalar_one() == 0


@pytest.mark.slow
def test_an_undo_killed_at_any_point_is_completed_by_a_resume(harness: RunHarness) -> None:
    for point in count(1, 2):
        ids = harness.ids(ALERTS)
        run = live(harness, ids, None, Life(NEVER), workers=1)
        assert run is not None
        undo = harness.undone(run.run_id)
        life = Life(point)
        live(harness, ids, undo, life, workers=1)
        if harness.journal.is_open(undo.run_id):
            live(harness, ids, undo, Life(NEVER), fresh=False)
        result = harness.journal.result(undo.run_id)
        assert (result.status, result.changed, result.verified) == (RunStatus.SUCCESS, ALERTS, ALERTS)
        assert harness.statuses(ids) == {"new": ALERTS}
        assert harness.comments(undo, ids) == {1: ALERTS}
        if life.points < point:
            break
    assert point > 25
