"""Carrying out a run that the journal holds: batches are sent, read back and reconciled until nothing is left to send.

A batch's intent is committed before its request leaves, its outcome after. Nothing is sent again before it was read and
found as before. What kind of item is changed is the target's business (`target.py`).
"""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime
from typing import TYPE_CHECKING, Generic, NamedTuple

from falcon_bulk.errors import AnswerLost, FalconAnswer, FalconBulkError, Rejected
from falcon_bulk.falcon.bisect import Bisection
from falcon_bulk.model.clock import POLL_INTERVAL, Clock, rfc3339
from falcon_bulk.model.plan import ActionSet, Plan, PlannedItem, State
from falcon_bulk.model.run import Batch, BatchAnswer, ItemOutcome, Outcome, RunProblem, RunResult
from falcon_bulk.operations.changes.run_end import record_end
from falcon_bulk.operations.changes.target import Answer, Current, Retry, Target
from falcon_bulk.operations.changes.throttle import ConcurrencyLimiter, Pace, RateLimiter

if TYPE_CHECKING:
    from falcon_bulk.journal.journal import Journal

MAX_STATE_AGE = 60.0
"""Seconds after which what was read of an item is read again before it is sent."""
MAX_TRIES = 3
MAX_SPLITS = 64
READ_BACK_DELAYS = (0.0, 1.0, 2.0, 4.0)
"""Seconds before each look at what Falcon says it changed and that reads as before."""
LATE_EFFECT_SECONDS = 5.0
"""Seconds in which a change without an answer may still begin to show: a gateway gives up before the servers do."""
IN_FLIGHT_SECONDS = 10.0
"""Seconds from the intent of a request in which its effect may still begin to show, although its process is dead."""
NEVER_READ = float("-inf")


class PendingBatch(NamedTuple, Generic[State]):
    """Items to send in one request: how often that is tried by then, and when they were read (monotonic seconds)."""

    items: list[PlannedItem[State]]
    tries: int
    read_at: float


class Remainder(NamedTuple, Generic[State]):
    """Items that an attempt left as they were, and why.

    transient: sending them again may help. partial: others of the same request were reconciled.
    """

    items: list[PlannedItem[State]]
    error: FalconAnswer | None
    transient: bool
    partial: bool


class Engine(Generic[State, Current]):
    """Carries out one run.

    read_at: when its items were read (monotonic seconds); older than 60 s, they are read again just before they are
    sent. progress: called with the numbers of items reconciled and planned. trouble: a number that grows with each 429
    and server error, so that fewer batches are sent at a time. After `carry_out`, `cause` says why it stopped early.
    """

    def __init__(
        self,
        target: Target[State, Current],
        journal: "Journal",
        plan: Plan,
        clock: Clock,
        pace: Pace,
        *,
        read_at: float = NEVER_READ,
        progress: Callable[[int, int], None] = lambda _done, _planned: None,
        trouble: Callable[[], int] = lambda: 0,
    ) -> None:
        self._target = target
        self._journal = journal
        self._records = target.records(journal)
        self._run_id = plan.run_id
        self._clock = clock
        self._batch_size = min(pace.batch_size, target.batch_size)
        self._workers = pace.workers
        self._read_at = read_at
        self._progress = progress
        self._action_sets = self._records.action_sets(plan.run_id)
        self._rate = RateLimiter(clock, pace.delay)
        self._concurrency = ConcurrencyLimiter(clock, pace.workers, trouble)
        self._lost: set[str] = set()
        self.cause: FalconBulkError | None = None

    def carry_out(self, requests: Callable[[], int]) -> RunResult:
        """Reconcile what is unknown, send what is not sent, record the end. Never raises what Falcon answers.

        requests: returns how many requests the client has made for this command.
        """
        started = self._clock.monotonic()
        self.cause = self._reconcile_unknown() or self._send_all()
        return record_end(self._journal, self._run_id, self.cause, self._clock, started=started, requests=requests())

    # Items whose outcome a crash or a lost answer left open

    def _reconcile_unknown(self) -> FalconBulkError | None:
        """Read unknown items by id. As before means not sent, once the last unanswered request is old enough."""
        try:
            self._reconcile_by_reading(unchanged=None)
            if seconds := self._seconds_in_flight():
                self._clock.wait(seconds)
            self._reconcile_by_reading(unchanged=Outcome.NOT_SENT)
        except FalconBulkError as error:
            return error
        return None

    def _reconcile_by_reading(self, unchanged: Outcome | None) -> None:
        """Record the outcomes of the unknown items; those that are as before get the outcome `unchanged`, if any."""
        for items in self._records.with_outcome(self._run_id, Outcome.UNKNOWN):
            self._clock.check()
            self._lost |= {item.item_id for item in items}
            for start in range(0, len(items), self._target.batch_size):
                part = items[start : start + self._target.batch_size]
                now = self._target.read(part)
                outcomes = [
                    self._target.reconcile(item, self._actions(item), now.get(item.item_id), None)
                    or (unchanged and _with_outcome(item, unchanged))
                    for item in part
                ]
                self._records.record(self._run_id, [outcome for outcome in outcomes if outcome])

    def _seconds_in_flight(self) -> float:
        """Return how long the last request of the unknown items may still take effect, in seconds."""
        sent = self._journal.last_unanswered(self._run_id)
        if not sent or not self._journal.counts(self._run_id).get(Outcome.UNKNOWN):
            return 0.0
        age = (self._clock.now() - datetime.fromisoformat(sent)).total_seconds()
        return min(max(IN_FLIGHT_SECONDS - age, 0.0), IN_FLIGHT_SECONDS)

    # Sending

    def _send_all(self) -> FalconBulkError | None:
        """Send all batches; some are read back while others are sent, so more are at work than slots exist."""
        cause: FalconBulkError | None = None
        running: set[Future[None]] = set()
        capacity = 2 * self._workers
        with ThreadPoolExecutor(capacity) as pool:
            batches = self._records.batches(self._run_id, self._batch_size)
            while cause is None:
                try:
                    self._clock.check()
                    if len(running) < capacity:
                        if (batch := next(batches, None)) is None:
                            break
                        running.add(pool.submit(self._send_batch, batch))
                        continue
                except FalconBulkError as error:
                    cause = error
                    break
                finished, running = wait(running, timeout=POLL_INTERVAL, return_when=FIRST_COMPLETED)
                cause = self._first_error(finished)
            while running:
                # Polls, since the main thread must wake up to handle a signal that another thread received.
                finished, running = wait(running, timeout=POLL_INTERVAL, return_when=FIRST_COMPLETED)
                cause = cause or self._first_error(finished)
        return cause

    def _first_error(self, finished: set[Future[None]]) -> FalconBulkError | None:
        cause = None
        for future in finished:
            error = future.exception()
            if isinstance(error, FalconBulkError):
                cause = cause or error
            elif error is not None:
                raise error
        if finished:
            counts = self._journal.counts(self._run_id)
            planned = sum(counts.values())
            self._progress(planned - counts.get(Outcome.NOT_SENT, 0) - counts.get(Outcome.UNKNOWN, 0), planned)
        return cause

    def _send_batch(self, batch: Sequence[PlannedItem[State]]) -> None:
        try:
            with self._concurrency.slot() as release:
                self._send_until_reconciled(PendingBatch(list(batch), 1, self._read_at), release)
        except FalconBulkError as error:
            self._concurrency.close(error)
            raise

    def _send_until_reconciled(self, first: PendingBatch[State], release: Callable[[], None]) -> None:
        """Send a batch, and what is left of it again or in halves, within bounds.

        Raises FalconBulkError where going on makes no sense, also where Falcon takes no part of a batch however it is
        split; the journal then says which items were not sent.
        """
        bisection = Bisection(MAX_SPLITS)
        any_taken = False
        queue = deque([first])
        while queue:
            batch = queue.popleft()
            self._clock.check()
            left = self._attempt(batch, release)
            any_taken = any_taken or left.partial
            if not left.items:
                continue
            read_at = self._clock.monotonic()
            if left.transient:
                if batch.tries == MAX_TRIES and isinstance(left.error, Rejected):
                    self._give_up(left)
                    continue
                if batch.tries == MAX_TRIES:
                    raise left.error or AnswerLost("The answers to a change were lost.")
                self._clock.wait(self._clock.chance() * 2**batch.tries)
                queue.append(PendingBatch(left.items, batch.tries + 1, NEVER_READ))
            elif left.error and left.partial:
                queue.append(PendingBatch(left.items, batch.tries, read_at))
            elif left.error and len(left.items) > 1 and not bisection.exhausted:
                halves = bisection.split(left.items)
                queue.extend(PendingBatch(list(half), batch.tries, read_at) for half in halves)
            else:
                self._give_up(left)
                if left.error and bisection.exhausted and not any_taken:
                    raise left.error

    def _attempt(self, batch: PendingBatch[State], release: Callable[[], None]) -> Remainder[State]:
        actions = self._actions(batch.items[0])
        with self._rate.turn():
            fresh = self._clock.monotonic() - batch.read_at <= MAX_STATE_AGE
            items = batch.items if fresh else self._still_as_planned(batch.items, actions)
            if not items:
                return Remainder([], None, transient=False, partial=False)
            sent = self._records.intend(self._run_id, [item.item_id for item in items], self._now())
        try:
            answer = self._target.send(items, actions)
        except (AnswerLost, Rejected) as error:
            left = self._after_error(sent, items, actions, error)
            if isinstance(error, Rejected) and self._target.concerns_request(error):
                self._give_up(left._replace(error=error))
                raise
            return left
        except FalconBulkError as error:
            self._record(sent, [_with_outcome(item, self._unchanged(item)) for item in items], answer=error.code)
            raise
        if not answer.problems:
            release()
        return self._after_answer(sent, items, actions, answer)

    def _still_as_planned(self, items: Sequence[PlannedItem[State]], actions: ActionSet) -> list[PlannedItem[State]]:
        """Read items again just before they are sent; record those that drifted and return the others."""
        now = self._target.read(items)
        outcomes = {item.item_id: self._target.check(item, actions, now.get(item.item_id)) for item in items}
        self._records.record(self._run_id, [outcome for outcome in outcomes.values() if outcome])
        return [item for item in items if outcomes[item.item_id] is None]

    def _after_error(
        self, batch: Batch, items: list[PlannedItem[State]], actions: ActionSet, error: AnswerLost | Rejected
    ) -> Remainder[State]:
        """Decide by reading what a request without an answer, or a refused one, changed.

        Without an answer, items are read until nothing more shows: the change may still be under way.
        """
        lost = isinstance(error, AnswerLost)
        outcomes: dict[str, ItemOutcome[State]] = {}
        left, delay = items, 0.0
        while True:
            before, now = len(left), self._read_back(left, delay)
            for item in left:
                found = now.get(item.item_id)
                if outcome := self._target.reconcile(item, actions, found, None, sent=lost):
                    outcomes[item.item_id] = outcome
            left = [item for item in left if item.item_id not in outcomes]
            if not lost or not left or (delay and len(left) == before):
                break
            delay = LATE_EFFECT_SECONDS
        if lost:
            self._lost |= {item.item_id for item in left}
        unchanged = [_with_outcome(item, self._unchanged(item)) for item in left]
        self._record(batch, [*outcomes.values(), *unchanged], answer=error.code, trace_id=error.trace_id)
        return Remainder(left, error, transient=lost, partial=len(left) < len(items))

    def _after_answer(
        self, batch: Batch, items: list[PlannedItem[State]], actions: ActionSet, answer: Answer
    ) -> Remainder[State]:
        """Hold an answer against what is read: a 2xx is not success by itself."""
        outcomes: dict[str, ItemOutcome[State]] = {}
        left = items
        now: dict[str, Current] = {}
        for delay in READ_BACK_DELAYS:
            now = self._read_back(left, delay, answer)
            for item in left:
                if outcome := self._target.reconcile(item, actions, now.get(item.item_id), answer):
                    outcomes[item.item_id] = outcome
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
        unchanged = [_with_outcome(item, self._unchanged(item)) for item in retries]
        self._record(
            batch,
            [*outcomes.values(), *unchanged],
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

    def _read_back(
        self, items: Sequence[PlannedItem[State]], delay: float, answer: Answer | None = None
    ) -> dict[str, Current]:
        """Read what was sent, after `delay` seconds. A stop does not cut this short, so that it is recorded."""
        with self._clock.finishing():
            self._clock.wait(delay)
            return self._target.read(items, answer)

    def _unchanged(self, item: PlannedItem[State]) -> Outcome:
        return self._target.unchanged_after_loss if item.item_id in self._lost else Outcome.NOT_SENT

    def _give_up(self, left: Remainder[State]) -> None:
        """Record that items failed."""
        error = left.error
        message = error.message if error else "not changed"
        problem = RunProblem(
            code=(error.status or 0) if error else 0,
            message=message,
            trace_id=error.trace_id if error else "",
            ids=tuple(item.item_id for item in left.items),
        )
        failed = [_with_outcome(item, Outcome.FAILED, message) for item in left.items]
        self._records.record(self._run_id, failed, problems=[problem])

    def _record(
        self,
        batch: Batch,
        outcomes: Sequence[ItemOutcome[State]],
        *,
        answer: str,
        trace_id: str = "",
        problems: Sequence[RunProblem] = (),
    ) -> None:
        ended = BatchAnswer(batch, self._now(), answer, trace_id)
        self._records.record(self._run_id, outcomes, problems=problems, answer=ended)

    def _actions(self, item: PlannedItem[State]) -> ActionSet:
        return self._action_sets.get(item.action_set, ())

    def _now(self) -> str:
        return rfc3339(self._clock.now())


def _with_outcome(item: PlannedItem[State], outcome: Outcome, reason: str = "") -> ItemOutcome[State]:
    return ItemOutcome(item_id=item.item_id, outcome=outcome, reason=reason, remote_id=item.remote_id)
