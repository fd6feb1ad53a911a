"""A run that deletes the indicators of another: only what is as that run left it goes, and what is gone is counted."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest

from falcon_bulk.errors import AnswerLost, FalconBulkError, Rejected, Stopped
from falcon_bulk.falcon.indicators import CreateResponse
from falcon_bulk.journal.journal import Journal
from falcon_bulk.model.clock import Stopwatch
from falcon_bulk.model.indicator import Indicator, IndicatorSpec
from falcon_bulk.model.plan import IndicatorPlan, PlannedItem
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.run import Outcome, RunResult
from falcon_bulk.operations.changes.batch_sender import MAX_SENDS, MAX_TRIES
from falcon_bulk.operations.changes.engine import Engine
from falcon_bulk.operations.changes.indicator_targets import DeleteTarget
from falcon_bulk.operations.changes.throttle import Pace
from tests.support.fake_clock import FakeClock

HASHES = [f"{number:064x}" for number in range(4)]
IDS = [f"id-{digest}" for digest in HASHES]
SPEC = IndicatorSpec(platforms=("windows",), description="Vetted (by ann, falcon-bulk run1)")
PLAN = IndicatorPlan(
    run_id="run2",
    command="undo",
    customer="acme",
    cid="acme",
    cids=("acme",),
    cloud="https://api.example",
    operator="ann",
    created="2026-11-24T00:00:00Z",
    selection="the run run1",
    comment="Undone (by ann, falcon-bulk run2)",
    undoes="run1",
    spec=SPEC,
)


def an_indicator(digest: str) -> Indicator:
    return Indicator(
        id=f"id-{digest}",
        type="sha256",
        value=digest,
        action="allow",
        platforms=["windows"],
        applied_globally=True,
        description=SPEC.description,
    )


class IndicatorStore:
    """Indicators by id. A deletion meets the next of `troubles`: an error to raise, or a message to answer.

    applies_then_loses: an error is raised after the deletion took effect. keeps: ids that no deletion removes.
    """

    def __init__(self) -> None:
        self.indicators = {f"id-{digest}": an_indicator(digest) for digest in HASHES}
        self.sent: list[list[str]] = []
        self.troubles: list[Exception | str] = []
        self.applies_then_loses = False
        self.keeps: set[str] = set()

    def find(self, hashes: Sequence[str]) -> dict[str, tuple[Indicator, ...]]:
        raise NotImplementedError

    def by_id(self, ids: Sequence[str]) -> dict[str, Indicator]:
        return {composite_id: self.indicators[composite_id] for composite_id in ids if composite_id in self.indicators}

    def create(self, hashes: Sequence[str], spec: IndicatorSpec, comment: str) -> CreateResponse:
        raise NotImplementedError

    def delete(self, ids: Sequence[str], comment: str) -> str:
        assert comment == PLAN.comment
        self.sent.append(list(ids))
        trouble = self.troubles.pop(0) if self.troubles else ""
        if not trouble or self.applies_then_loses:
            for composite_id in set(ids) - self.keeps:
                self.indicators.pop(composite_id, None)
        if isinstance(trouble, Exception):
            raise trouble
        return trouble

    def change(self, indicator_id: str, action: str) -> None:
        self.indicators[indicator_id] = msgspec.structs.replace(self.indicators[indicator_id], action=action)


@pytest.fixture
def store() -> IndicatorStore:
    return IndicatorStore()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "acme.sqlite3")
    draft = journal.draft(PLAN)
    for digest in HASHES:
        draft.add(PlannedItem(digest, an_indicator(digest), remote_id=f"id-{digest}"))
    number = len(HASHES)
    preview = Preview(
        selected=number, planned=number, skipped={}, held={}, samples=(), oldest="", newest="", actions=()
    )
    draft.finish()
    journal.begin(draft.run_id, preview, PLAN.created)
    yield journal
    journal.close()


def carried_out(
    store: IndicatorStore, journal: Journal, clock: FakeClock, *, fresh: bool = True
) -> tuple[RunResult, FalconBulkError | None]:
    read = Stopwatch(clock) if fresh else None
    engine = Engine(DeleteTarget(store, PLAN), journal, PLAN, clock, Pace(workers=1), read=read)
    return engine.carry_out(lambda: 0), engine.cause


def reasons(journal: Journal, outcome: Outcome) -> dict[str, str]:
    return {record.item_id: record.reason for record in journal.indicators.records("run2") if record.outcome == outcome}


def test_all_are_deleted_in_one_request_and_read_back(
    store: IndicatorStore, journal: Journal, clock: FakeClock
) -> None:
    result, cause = carried_out(store, journal, clock)
    assert (result.status, result.changed, result.verified, store.sent) == ("success", 4, 4, [IDS])
    assert (cause, store.indicators, result.closed) == (None, {}, True)


def test_a_deletion_whose_answer_was_lost_is_found_by_reading_and_not_sent_again(
    store: IndicatorStore, journal: Journal, clock: FakeClock
) -> None:
    store.troubles, store.applies_then_loses = [AnswerLost("reset")], True
    result, _ = carried_out(store, journal, clock)
    assert (result.status, result.changed, store.sent) == ("success", 4, [IDS])


def test_a_deletion_that_was_lost_without_effect_is_sent_again(
    store: IndicatorStore, journal: Journal, clock: FakeClock
) -> None:
    store.troubles = [AnswerLost("reset")]
    result, _ = carried_out(store, journal, clock)
    assert (result.status, result.changed, store.sent) == ("success", 4, [IDS, IDS])


def test_deletions_that_are_always_lost_are_given_up_and_a_resume_completes_them(
    store: IndicatorStore, journal: Journal, clock: FakeClock
) -> None:
    store.troubles = [AnswerLost("503") for _ in range(9)]
    result, _ = carried_out(store, journal, clock)
    assert (result.unknown, result.exit_code, result.closed, len(store.sent)) == (4, 6, False, MAX_SENDS)
    assert [error.message for error in result.errors] == ["503"]
    store.troubles = []
    resumed, _ = carried_out(store, journal, clock, fresh=False)
    assert (resumed.status, resumed.changed, store.indicators) == ("success", 4, {})


def test_what_somebody_changed_or_deleted_since_the_plan_is_left_alone(
    store: IndicatorStore, journal: Journal, clock: FakeClock
) -> None:
    store.change(IDS[0], "prevent")
    del store.indicators[IDS[1]]
    result, _ = carried_out(store, journal, clock, fresh=False)
    assert (result.changed, result.drifted, store.sent) == (2, 2, [IDS[2:]])
    assert store.indicators.keys() == {IDS[0]}
    drifted = reasons(journal, Outcome.DRIFTED)
    assert "prevent" in drifted[HASHES[0]]
    assert drifted[HASHES[1]] == "somebody deleted it since"


def test_a_success_that_reading_contradicts_is_no_success(
    store: IndicatorStore, journal: Journal, clock: FakeClock
) -> None:
    store.keeps = {IDS[3]}
    result, _ = carried_out(store, journal, clock)
    assert (result.changed, result.unknown, result.closed, store.sent) == (3, 1, False, [IDS])
    assert "reading does not show it" in reasons(journal, Outcome.UNKNOWN)[HASHES[3]]


def test_an_answer_with_an_error_is_tried_again_within_bounds(
    store: IndicatorStore, journal: Journal, clock: FakeClock
) -> None:
    store.troubles = ["Internal error"] * MAX_TRIES
    result, cause = carried_out(store, journal, clock)
    assert isinstance(cause, AnswerLost)
    assert "Internal error" in cause.message
    assert (result.not_sent, result.changed, len(store.sent)) == (4, 0, MAX_TRIES)
    assert len(store.indicators) == 4


def test_a_refusal_is_halved_until_the_bad_one_stands_alone(
    store: IndicatorStore, journal: Journal, clock: FakeClock
) -> None:
    refusal = Rejected("Falcon answers 400: no.", status=400)
    store.troubles = [refusal, "", refusal, "", refusal]
    result, _ = carried_out(store, journal, clock)
    assert store.sent == [IDS, IDS[:2], IDS[2:], [IDS[2]], [IDS[3]]]
    assert (result.changed, result.failed, result.closed) == (3, 1, True)
    assert reasons(journal, Outcome.FAILED).keys() == {HASHES[3]}


def test_a_stop_between_requests_deletes_no_more(store: IndicatorStore, journal: Journal, clock: FakeClock) -> None:
    clock.stopping = True
    result, cause = carried_out(store, journal, clock)
    assert isinstance(cause, Stopped)
    assert (result.not_sent, result.status, store.sent, result.closed) == (4, "interrupted", [], False)
