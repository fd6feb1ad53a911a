"""A run of indicators against a Falcon that lags, lies and refuses: what the journal says in the end."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from falcon_bulk.errors import AnswerLost, FalconBulkError, MissingScope, Rejected, Stopped
from falcon_bulk.falcon.indicators import CreateResponse
from falcon_bulk.journal.journal import Journal
from falcon_bulk.model.clock import Stopwatch
from falcon_bulk.model.indicator import Indicator, IndicatorSpec
from falcon_bulk.model.plan import IndicatorPlan, PlannedItem
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.run import Outcome, RunResult
from falcon_bulk.model.timing import MAX_LATENESS
from falcon_bulk.operations.changes.batch_sender import MAX_SENDS
from falcon_bulk.operations.changes.engine import Engine
from falcon_bulk.operations.changes.indicator_targets import CreateTarget
from falcon_bulk.operations.changes.throttle import Pace
from tests.support.fake_clock import FakeClock

HASHES = [f"{number:064x}" for number in range(4)]
SPEC = IndicatorSpec(platforms=("windows",), description="Vetted (by ann, falcon-bulk run1)")
DUPLICATE = "warning: Warning: Duplicate type: 'sha256'"


class IndicatorStore:
    """Indicators that are found `lag` seconds after they were made; a creation meets the next of `troubles`."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.lag = 0.0
        self.made: dict[str, tuple[float, Indicator]] = {}
        self.sent: list[list[str]] = []
        self.troubles: list[Callable[[Sequence[str]], CreateResponse] | Exception] = []
        self.bad: dict[str, str] = {}
        self.applies_then_loses = False

    def find(self, hashes: Sequence[str]) -> dict[str, tuple[Indicator, ...]]:
        now = self.clock.monotonic()
        return {
            digest: (self.made[digest][1],)
            for digest in hashes
            if digest in self.made and self.made[digest][0] + self.lag <= now
        }

    def by_id(self, ids: Sequence[str]) -> dict[str, Indicator]:
        return {str(indicator.id): indicator for _, indicator in self.made.values() if indicator.id in ids}

    def create(self, hashes: Sequence[str], spec: IndicatorSpec, comment: str) -> CreateResponse:
        self.sent.append(list(hashes))
        if self.troubles:
            trouble = self.troubles.pop(0)
            if isinstance(trouble, Exception):
                if self.applies_then_loses:
                    self._make(hashes)
                raise trouble
            return trouble(hashes)
        refused = {digest: DUPLICATE for digest in hashes if digest in self.made} | {
            digest: self.bad[digest] for digest in hashes if digest in self.bad
        }
        if refused:
            return CreateResponse((), refused, "rejected", "trace")
        return CreateResponse(self._make(hashes), {}, "", "trace")

    def delete(self, ids: Sequence[str], comment: str) -> str:
        raise NotImplementedError

    def _make(self, hashes: Sequence[str]) -> tuple[Indicator, ...]:
        for digest in hashes:
            self.made[digest] = (self.clock.monotonic(), an_indicator(digest))
        return tuple(self.made[digest][1] for digest in hashes)


def an_indicator(sha256: str, **changes: Any) -> Indicator:
    usual: dict[str, Any] = {"id": f"id-{sha256}", "type": "sha256", "value": sha256, "action": "allow"}
    usual |= {"platforms": ["windows"], "applied_globally": True, "description": SPEC.description}
    return Indicator(**usual | changes)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(clock: FakeClock) -> IndicatorStore:
    return IndicatorStore(clock)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "acme.sqlite3")
    draft = journal.draft(PLAN)
    for digest in HASHES:
        draft.add(PlannedItem(digest, None))
    numbers: dict[str, Any] = {"selected": len(HASHES), "planned": len(HASHES), "skipped": {}, "held": {}}
    draft.finish()
    journal.begin(draft.run_id, Preview(**numbers, samples=(), oldest="", newest="", actions=()), PLAN.created)
    yield journal
    journal.close()


PLAN = IndicatorPlan(
    run_id="run1",
    command="allow-hash",
    customer="acme",
    cid="acme",
    cids=("acme",),
    cloud="https://api.example",
    operator="ann",
    created="2026-11-24T00:00:00Z",
    selection="4 hashes",
    comment=SPEC.description,
    spec=SPEC,
)


def carried_out(
    store: IndicatorStore, journal: Journal, *, fresh: bool = True
) -> tuple[RunResult, FalconBulkError | None]:
    read = Stopwatch(store.clock) if fresh else None
    engine = Engine(CreateTarget(store, PLAN), journal, PLAN, store.clock, Pace(workers=1), read=read)
    return engine.carry_out(lambda: 0), engine.cause


def outcomes(journal: Journal) -> dict[str, str]:
    return {record.item_id: record.outcome for record in journal.indicators.records("run1")}


def test_all_are_made_in_one_request_and_read_back(store: IndicatorStore, journal: Journal) -> None:
    result, _ = carried_out(store, journal)
    assert (result.status, result.changed, result.verified, store.sent) == ("success", 4, 4, [HASHES])


def test_a_lost_creation_that_the_search_does_not_show_yet_is_found_when_the_duplicate_is_refused(
    store: IndicatorStore, journal: Journal
) -> None:
    store.lag, store.applies_then_loses = MAX_LATENESS + 3, True
    store.troubles = [AnswerLost("reset")]
    result, _ = carried_out(store, journal)
    assert (result.status, result.changed) == ("success", 4)
    assert len(store.sent) == 2


def test_a_lost_creation_that_the_search_shows_while_late_effects_are_waited_for_is_not_sent_again(
    store: IndicatorStore, journal: Journal
) -> None:
    store.lag, store.applies_then_loses = MAX_LATENESS - 5, True
    store.troubles = [AnswerLost("reset")]
    result, _ = carried_out(store, journal)
    assert (result.status, result.changed, result.verified, store.sent) == ("success", 4, 4, [HASHES])


def test_a_duplicate_of_a_lost_creation_that_never_shows_stays_unknown_until_it_does(
    store: IndicatorStore, journal: Journal
) -> None:
    store.lag, store.applies_then_loses = 1_000.0, True
    store.troubles = [AnswerLost("reset")]
    result, _ = carried_out(store, journal)
    assert (result.unknown, result.failed, result.closed) == (4, 0, False)
    store.clock.wait(1_000.0)
    resumed, _ = carried_out(store, journal, fresh=False)
    assert (resumed.status, resumed.changed, len(store.sent)) == ("success", 4, 2)


def test_creations_that_were_lost_long_ago_are_sent_again_by_a_resume(store: IndicatorStore, journal: Journal) -> None:
    store.troubles = [AnswerLost("503") for _ in range(9)]
    result, _ = carried_out(store, journal)
    assert result.unknown == 4
    store.troubles = []
    store.clock.wait(3_600.0)
    resumed, _ = carried_out(store, journal, fresh=False)
    assert (resumed.status, resumed.changed, len(store.sent)) == ("success", 4, MAX_SENDS + 1)


def test_creations_that_are_always_lost_are_given_up_and_stay_unknown(store: IndicatorStore, journal: Journal) -> None:
    store.troubles = [AnswerLost("503") for _ in range(9)]
    result, _ = carried_out(store, journal)
    assert (result.unknown, result.exit_code, len(store.sent)) == (4, 6, MAX_SENDS)


def test_one_with_an_error_fails_and_the_others_are_sent_again_without_it(
    store: IndicatorStore, journal: Journal
) -> None:
    store.bad = {HASHES[1]: "error: platforms are not valid"}
    result, _ = carried_out(store, journal)
    assert (result.changed, result.failed, result.closed) == (3, 1, True)
    assert outcomes(journal)[HASHES[1]] == Outcome.FAILED
    assert store.sent == [HASHES, [HASHES[0], *HASHES[2:]]]
    assert [(error.message, error.ids) for error in result.errors] == [("error: platforms are not valid", (HASHES[1],))]


def test_one_with_an_error_after_a_lost_answer_fails_and_leaves_nothing_to_resume(
    store: IndicatorStore, journal: Journal
) -> None:
    store.bad = {HASHES[1]: "error: platforms are not valid"}
    store.troubles = [AnswerLost("reset")]
    result, _ = carried_out(store, journal)
    assert (result.changed, result.failed, result.unknown, result.closed) == (3, 1, 0, True)


def test_a_refusal_that_names_nobody_is_halved_until_the_bad_one_stands_alone(
    store: IndicatorStore, journal: Journal
) -> None:
    def refusing(hashes: Sequence[str]) -> CreateResponse:
        store.troubles.append(refusing)
        if HASHES[2] in hashes:
            raise Rejected("Falcon answers 400: no.", status=400)
        return CreateResponse(store._make(hashes), {}, "", "")

    store.troubles = [refusing]
    result, _ = carried_out(store, journal)
    assert (result.changed, result.failed) == (3, 1)
    assert outcomes(journal)[HASHES[2]] == Outcome.FAILED


def test_a_success_that_does_not_name_one_is_no_success(store: IndicatorStore, journal: Journal) -> None:
    store.troubles = [lambda hashes: CreateResponse(store._make(hashes[:3]), {}, "", "")]
    result, _ = carried_out(store, journal)
    assert (result.changed, store.sent) == (4, [HASHES, HASHES[3:]])


def test_what_falcon_made_otherwise_than_asked_is_told(store: IndicatorStore, journal: Journal) -> None:
    made = tuple(an_indicator(digest, platforms=["windows", "mac"]) for digest in HASHES)
    store.made = {indicator.value: (0.0, indicator) for indicator in made}
    store.troubles = [lambda _: CreateResponse(made, {}, "", "")]
    result, _ = carried_out(store, journal)
    assert (result.status, result.changed, result.verified) == ("partial", 4, 0)
    assert all("windows, mac" in record.reason for record in journal.indicators.records("run1"))


def test_what_was_read_over_a_minute_ago_is_read_again_before_it_is_sent(
    store: IndicatorStore, journal: Journal
) -> None:
    store.made[HASHES[0]] = (0.0, an_indicator(HASHES[0], action="prevent", description="by bo"))
    result, _ = carried_out(store, journal, fresh=False)
    assert (result.changed, result.drifted, store.sent) == (3, 1, [HASHES[1:]])


def test_a_stop_between_requests_sends_no_more(store: IndicatorStore, journal: Journal, clock: FakeClock) -> None:
    clock.stopping = True
    result, cause = carried_out(store, journal)
    assert isinstance(cause, Stopped)
    assert (result.not_sent, result.status, store.sent) == (4, "interrupted", [])
    assert not result.closed


def test_what_somebody_changed_before_a_lost_creation_is_read_is_not_recorded_as_the_runs_work(
    store: IndicatorStore, journal: Journal
) -> None:
    def created_changed_and_lost(hashes: Sequence[str]) -> CreateResponse:
        store._make(hashes)
        store.made[HASHES[0]] = (store.clock.monotonic(), an_indicator(HASHES[0], platforms=["mac"]))
        raise AnswerLost("reset")

    store.troubles = [created_changed_and_lost]
    result, _ = carried_out(store, journal)
    assert (result.changed, result.verified) == (4, 3)
    after = {record.item_id: record.after for record in journal.indicators.records("run1")}
    assert [digest for digest in HASHES if after[digest] is None] == HASHES[:1]


def test_a_lost_creation_stays_unknown_where_sending_it_again_is_forbidden(
    store: IndicatorStore, journal: Journal
) -> None:
    store.lag, store.applies_then_loses = 1_000.0, True
    store.troubles = [AnswerLost("reset"), MissingScope("Falcon refuses to change indicators (403).")]
    result, cause = carried_out(store, journal)
    assert isinstance(cause, MissingScope)
    assert (result.unknown, result.not_sent, result.closed) == (4, 0, False)
