"""What became of a batch: its items are read back, each outcome is decided and recorded.

A 2xx is not success by itself, and a lost answer is no failure: only what is read counts.
"""

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Generic, NamedTuple

from falcon_bulk.errors import AnswerLost, FalconAnswer, FalconBulkError, Rejected
from falcon_bulk.falcon.body import unpacking_in
from falcon_bulk.model.clock import Clock, Stopwatch, rfc3339
from falcon_bulk.model.plan import ActionSet, PlannedItem, State
from falcon_bulk.model.run import Batch, BatchAnswer, ItemOutcome, Outcome, RunProblem
from falcon_bulk.operations.changes.target import Answer, Current, Retry, Target

if TYPE_CHECKING:
    from falcon_bulk.journal.items import ItemRecords

MAX_UNPACKED = 4
"""Answers with alerts that are unpacked at a time: more would only use memory."""
READ_BACK_DELAYS = (0.0, 1.0, 2.0, 4.0)
"""Seconds before each look at what Falcon says it changed and that reads as before."""


class Remainder(NamedTuple, Generic[State]):
    """Items that an attempt left as they were, and why.

    transient: sending them again may help. partial: others of the same request were reconciled. lost: the time since
    they were sent, if that may still take effect.
    """

    items: list[PlannedItem[State]]
    error: FalconAnswer | None
    transient: bool
    partial: bool
    lost: Stopwatch | None = None


class BatchOutcomes(Generic[State, Current]):
    """Decides and records the outcomes of a run's batches. Safe to use from several threads."""

    def __init__(
        self, target: Target[State, Current], records: "ItemRecords[State]", run_id: str, clock: Clock
    ) -> None:
        self._target = target
        self._records = records
        self._run_id = run_id
        self._clock = clock
        self._action_sets = records.action_sets(run_id)
        self._unpacking_slots = threading.Semaphore(MAX_UNPACKED)
        self._lost: set[str] = set()

    def actions(self, item: PlannedItem[State]) -> ActionSet:
        """Return the actions that the plan gives an item."""
        return self._action_sets.get(item.action_set, ())

    def still_as_planned(self, items: Sequence[PlannedItem[State]]) -> list[PlannedItem[State]]:
        """Read items again just before they are sent; record those that drifted and return the others."""
        now = self._read(items)
        outcomes = {item.item_id: self._target.check(item, self.actions(item), now.get(item.item_id)) for item in items}
        self._records.record(self._run_id, [outcome for outcome in outcomes.values() if outcome])
        return [item for item in items if outcomes[item.item_id] is None]

    def after_answer(self, batch: Batch, items: list[PlannedItem[State]], answer: Answer) -> Remainder[State]:
        """Hold an answer against what is read."""
        outcomes: dict[str, ItemOutcome[State]] = {}
        left = items
        now: dict[str, Current] = {}
        for delay in READ_BACK_DELAYS:
            now = self._read_back(left, delay, answer)
            outcomes |= self._reconcile(left, now, answer)
            left = [item for item in left if item.item_id not in outcomes]
            if not left or not self._target.shows_late(left, answer, self._lost):
                break
        retries: list[PlannedItem[State]] = []
        reason: Retry | None = None
        for item in left:
            decision = self._target.decide_unseen(item, now.get(item.item_id), answer, self._lost)
            if isinstance(decision, Retry):
                retries.append(item)
                reason = decision
            else:
                outcomes[item.item_id] = decision
        self._record(
            batch,
            [*outcomes.values(), *self._unchanged(retries)],
            answer="answered",
            trace_id=answer.trace_id,
            problems=answer.problems,
        )
        return Remainder(
            retries,
            reason.error if reason else None,
            transient=reason is not None and reason.transient,
            partial=len(retries) < len(items),
        )

    def after_refusal(self, batch: Batch, items: list[PlannedItem[State]], error: Rejected) -> Remainder[State]:
        """Record what is found changed although the request was refused; the rest counts as not sent."""
        outcomes = self._reconcile(items, self._read_back(items, 0.0), sent=False)
        left = [item for item in items if item.item_id not in outcomes]
        self._record(batch, [*outcomes.values(), *self._unchanged(left)], answer=error.code, trace_id=error.trace_id)
        return Remainder(left, error, transient=False, partial=len(left) < len(items))

    def after_loss(
        self, batch: Batch, items: list[PlannedItem[State]], error: AnswerLost, sent: Stopwatch
    ) -> Remainder[State]:
        """Record what a request without an answer changed; all else stays unknown until it cannot take effect."""
        outcomes = _only_changed(self._reconcile(items, self._read_back(items, 0.0)))
        left = [item for item in items if item.item_id not in outcomes]
        self._record(batch, list(outcomes.values()), answer=error.code, trace_id=error.trace_id)
        return Remainder(left, error, transient=True, partial=len(left) < len(items), lost=sent)

    def after_failure(self, batch: Batch, items: list[PlannedItem[State]], error: FalconBulkError) -> None:
        """Record a request that failed before anything of it was sent."""
        self._record(batch, self._unchanged(items), answer=error.code)

    def look_at_lost(
        self, items: list[PlannedItem[State]], *, expired: bool, send_again: bool
    ) -> list[PlannedItem[State]]:
        """Read items whose request was lost, record what shows, and return those that do not show our change.

        expired: whether the request cannot take effect any more; until then only a change is certain, also on what
        somebody else changed meanwhile. send_again: whether those that are returned are sent again.
        """
        self._lost |= {item.item_id for item in items}
        found = self._reconcile(items, self._read(items))
        outcomes = found if expired else _only_changed(found)
        left = [item for item in items if item.item_id not in outcomes]
        unchanged = self._unchanged(left) if send_again else []
        self._records.record(self._run_id, [*outcomes.values(), *unchanged])
        return left

    def give_up(self, left: Remainder[State]) -> None:
        """Record that items failed."""
        problem = _problem(left)
        failed = [with_outcome(item, Outcome.FAILED, problem.message) for item in left.items]
        self._records.record(self._run_id, failed, problems=[problem])

    def leave_unknown(self, left: Remainder[State]) -> None:
        """Record why the outcome of items stays unknown."""
        self._records.record(self._run_id, [], problems=[_problem(left)])

    def _reconcile(
        self,
        items: Sequence[PlannedItem[State]],
        now: dict[str, Current],
        answer: Answer | None = None,
        *,
        sent: bool = True,
    ) -> dict[str, ItemOutcome[State]]:
        """Return the outcomes of the items that do not read as before. sent: our request may have had an effect."""
        found = {
            item.item_id: self._target.reconcile(item, self.actions(item), now.get(item.item_id), answer, sent=sent)
            for item in items
        }
        return {item_id: outcome for item_id, outcome in found.items() if outcome}

    def _read_back(
        self, items: Sequence[PlannedItem[State]], delay: float, answer: Answer | None = None
    ) -> dict[str, Current]:
        """Read what was sent, after `delay` seconds. A stop does not cut this short, so that it is recorded."""
        with self._clock.finishing():
            self._clock.wait(delay)
            return self._read(items, answer)

    def _read(self, items: Sequence[PlannedItem[State]], answer: Answer | None = None) -> dict[str, Current]:
        """Read items. Only some of what is received at a time is unpacked at a time."""
        with unpacking_in(self._unpacking_slots):
            return self._target.read(items, answer)

    def _unchanged(self, items: Sequence[PlannedItem[State]]) -> list[ItemOutcome[State]]:
        """Return the outcomes of items that read as before and are to be sent again."""
        after_loss = self._target.unchanged_after_loss
        return [with_outcome(item, after_loss if item.item_id in self._lost else Outcome.NOT_SENT) for item in items]

    def _record(
        self,
        batch: Batch,
        outcomes: Sequence[ItemOutcome[State]],
        *,
        answer: str,
        trace_id: str = "",
        problems: Sequence[RunProblem] = (),
    ) -> None:
        ended = BatchAnswer(batch, rfc3339(self._clock.now()), answer, trace_id)
        self._records.record(self._run_id, outcomes, problems=problems, answer=ended)


def with_outcome(item: PlannedItem[State], outcome: Outcome, reason: str = "") -> ItemOutcome[State]:
    """Return an item's outcome, as the journal records it."""
    return ItemOutcome(item_id=item.item_id, outcome=outcome, reason=reason, remote_id=item.remote_id)


def _only_changed(outcomes: dict[str, ItemOutcome[State]]) -> dict[str, ItemOutcome[State]]:
    """Return the outcomes that a request which may still take effect cannot make untrue."""
    return {item_id: outcome for item_id, outcome in outcomes.items() if outcome.outcome is Outcome.CHANGED}


def _problem(left: Remainder[State]) -> RunProblem:
    error = left.error
    return RunProblem(
        code=(error.status or 0) if error else 0,
        message=error.message if error else "not changed",
        trace_id=error.trace_id if error else "",
        ids=tuple(item.item_id for item in left.items),
    )
