"""A change of which the answer was lost, and that takes effect only after it was looked for."""

import json
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from falcon_bulk.errors import AnswerLost
from falcon_bulk.falcon.alerts import UpdateResponse
from falcon_bulk.journal.journal import Journal
from falcon_bulk.model.plan import ActionSet
from falcon_bulk.model.run import RunResult
from falcon_bulk.model.selection import Selection
from falcon_bulk.model.vocabulary import Status
from falcon_bulk.operations.changes.lifecycle import BegunRun, Workspace, begin_run
from falcon_bulk.operations.changes.lifecycle import carry_out as execute_begun
from falcon_bulk.operations.changes.operations import change_alerts
from falcon_bulk.operations.changes.plan_context import PlanContext
from falcon_bulk.operations.changes.plan_header import Origin
from falcon_bulk.operations.changes.request import ChangeRequest
from falcon_bulk.operations.changes.throttle import Pace
from falcon_bulk.operations.reading.read_progress import ReadProgress
from tests.support.fake_clock import FakeClock
from tests.support.run_harness import SilentObserver, StubTenant

CID = "c" * 32


class SlowFalcon:
    """Answers the first change with 504 and lets it take effect in the given shares, each so many seconds later.

    lag: for that long an alert reads as before a change that was answered.
    """

    def __init__(self, clock: FakeClock, count: int, *, late: Sequence[float] = (), lag: float = 0.0) -> None:
        self.clock = clock
        self.late = list(late)
        self.lag = lag
        self.ids = [f"{CID}:ind:host:{number}" for number in range(count)]
        self.changes: list[tuple[float, Sequence[str], ActionSet]] = []
        self.requests = 0
        self._lock = threading.Lock()

    def by_id(self, ids: Sequence[str]) -> list[msgspec.Raw]:
        return [msgspec.Raw(json.dumps(self.document(composite_id)).encode()) for composite_id in ids]

    def update(self, ids: Sequence[str], action_set: ActionSet) -> UpdateResponse:
        with self._lock:
            self.requests += 1
            if not self.late:
                self.changes.append((self.clock.passed + self.lag, ids, action_set))
                return UpdateResponse(len(ids), (), "")
            share = -(-len(ids) // len(self.late))
            for number, seconds in enumerate(self.late):
                self.changes.append((self.clock.passed + seconds, ids[number * share :][:share], action_set))
            self.late = []
            raise AnswerLost("Falcon answers 504", status=504)

    def document(self, composite_id: str) -> dict[str, Any]:
        seen: dict[str, Any] = {"composite_id": composite_id, "cid": CID, "status": "new", "comments": []}
        for at, ids, action_set in self.changes:
            if at <= self.clock.passed and composite_id in ids:
                values = {action.name: action.value for action in action_set}
                seen["status"] = values["update_status"]
                seen["comments"].append({"value": values["append_comment"]})
        return seen

    def comments(self) -> Counter[int]:
        """How many alerts have that many comments, when all is over."""
        self.clock.wait(3_600)
        return Counter(len(self.document(composite_id)["comments"]) for composite_id in self.ids)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    kept = Journal(tmp_path / f"{CID}.sqlite3")
    yield kept
    kept.close()


def carry_out(journal: Journal, falcon: SlowFalcon) -> RunResult:
    """Close all its alerts in one batch."""
    stub: Any = StubTenant(falcon, CID)
    request = ChangeRequest(
        status=Status.CLOSED, operator="ann", comment="Approved tool", overrides=frozenset({"no-severity"})
    )

    @contextmanager
    def reading() -> Iterator[ReadProgress]:
        yield ReadProgress(falcon.clock)

    operation = change_alerts(
        PlanContext(stub, journal.path.parent, reading, readers=1),
        Selection(ids=tuple(falcon.ids)),
        request,
        Origin("run1", "ann", "test-machine", "2026-11-24T06:50:00Z", "test"),
        command="bulk-close",
    )
    workspace = Workspace(stub, journal.path.parent, falcon.clock, SilentObserver(), Pace(delay=0.0))
    begun = begin_run(operation, workspace, journal, lambda _plan, _preview: None)
    assert isinstance(begun, BegunRun)
    return execute_begun(begun, workspace, journal).result


@pytest.mark.parametrize("seconds", [0.3, 4.9, 8.0, 30.0, 179.0])
def test_a_change_that_takes_effect_seconds_after_a_gateway_gave_up_is_not_sent_again(
    journal: Journal, seconds: float
) -> None:
    falcon = SlowFalcon(FakeClock(chance=0.0), 40, late=[seconds])
    result = carry_out(journal, falcon)
    assert (result.changed, result.verified, result.exit_code) == (40, 40, 0)
    assert falcon.requests == 1
    assert falcon.comments() == {1: 40}


def test_while_a_change_is_still_taking_effect_nothing_of_it_is_sent_again(journal: Journal) -> None:
    falcon = SlowFalcon(FakeClock(chance=0.0), 40, late=[0, 4, 30, 90, 170])
    result = carry_out(journal, falcon)
    assert (result.changed, result.verified) == (40, 40)
    assert falcon.requests == 1
    assert falcon.comments() == {1: 40}


def test_a_change_that_never_takes_effect_is_sent_again(journal: Journal) -> None:
    falcon = SlowFalcon(FakeClock(chance=0.0), 40, late=[float("inf")])
    result = carry_out(journal, falcon)
    assert (result.changed, falcon.requests) == (40, 2)
    assert falcon.comments() == {1: 40}


def test_an_alert_that_reads_as_before_for_some_seconds_has_not_failed(journal: Journal) -> None:
    falcon = SlowFalcon(FakeClock(chance=0.0), 40, lag=5.0)
    result = carry_out(journal, falcon)
    assert (result.changed, result.failed, result.verified) == (40, 0, 40)
