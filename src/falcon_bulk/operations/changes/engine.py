"""Carrying out a run that the journal holds: batches are sent, read back and reconciled until nothing is left to send.

A batch's intent is committed before its request leaves, its outcome after. Nothing is sent again before it was read and
found as before. What kind of item is changed is the target's business (`target.py`).
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Generic, NamedTuple

from falcon_bulk.errors import AnswerLost, FalconAnswer, FalconBulkError, Rejected
from falcon_bulk.falcon.bisect import Bisection
from falcon_bulk.falcon.body import unpacking_in
from falcon_bulk.falcon.concurrency import INITIAL_CHANGES, ConcurrencyLimiter
from falcon_bulk.model.clock import POLL_INTERVAL, Clock, Stopwatch, rfc3339
from falcon_bulk.model.plan import ActionSet, Plan, PlannedItem, State
from falcon_bulk.model.run import Batch, BatchAnswer, ItemOutcome, Outcome, RunProblem, RunResult
from falcon_bulk.operations.changes.lost_batches import LostBatch, LostBatches
from falcon_bulk.operations.changes.run_end import record_end
from falcon_bulk.operations.changes.target import Answer, Current, Retry, Target
from falcon_bulk.operations.changes.throttle import Pace, RateLimiter

if TYPE_CHECKING:
    from falcon_bulk.journal.journal import Journal

MAX_STATE_AGE = 60.0
"""Seconds after which what was read of an item is read again before it is sent."""
MAX_TRIES = 3
MAX_SENDS = 2
"""How often a batch is sent whose answer is lost each time."""
MAX_LOST_IN_A_ROW = 3
"""After so many lost answers with no other between them, no new batch is sent until one is answered."""
MAX_SPLITS = 64
MAX_UNPACKED = 4
"""Answers with alerts that are unpacked at a time: more would only use memory."""
READ_BACK_DELAYS = (0.0, 1.0, 2.0, 4.0)
"""Seconds before each look at what Falcon says it changed and that reads as before."""


class PendingBatch(NamedTuple, Generic[State]):
    """Items to send in one request: the number of the try, and the time since they were read, None if they were not."""

    items: list[PlannedItem[State]]
    tries: int
    read: Stopwatch | None


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


class Engine(Generic[State, Current]):
    """Carries out one run.

    read: the time since its items were read; older than 60 s, or None, they are read again just before they are sent.
    progress: called with the numbers of items reconciled and planned. waiting: called with the number of items whose
    request may still take effect, and the seconds until it cannot. concurrency: bounds the batches in flight. After
    `carry_out`, `cause` says why it stopped early.
    """

    def __init__(
        self,
        target: Target[State, Current],
        journal: "Journal",
        plan: Plan,
        clock: Clock,
        pace: Pace,
        *,
        read: Stopwatch | None = None,
        progress: Callable[[int, int], None] = lambda _done, _planned: None,
        waiting: Callable[[int, float], None] = lambda _items, _seconds: None,
        concurrency: ConcurrencyLimiter | None = None,
    ) -> None:
        self._target = target
        self._journal = journal
        self._records = target.records(journal)
        self._run_id = plan.run_id
        self._clock = clock
        self._batch_size = min(pace.batch_size, target.batch_size)
        self._workers = pace.workers
        self._read = read
        self._progress = progress
        self._show_waiting = waiting
        self._action_sets = self._records.action_sets(plan.run_id)
        self._rate = RateLimiter(clock, pace.delay)
        self._concurrency = concurrency or ConcurrencyLimiter(clock, initial=INITIAL_CHANGES, maximum=pace.workers)
        self._ending: FalconBulkError | None = None
        self._held_back: deque[PendingBatch[State]] = deque()
        self._rooms = threading.Semaphore(MAX_UNPACKED)
        self._lost: set[str] = set()
        self._lost_batches: LostBatches[State] = LostBatches(clock)
        self._lost_in_a_row = 0
        self._waiting_shown = False
        self.cause: FalconBulkError | None = None

    def carry_out(self, requests: Callable[[], int]) -> RunResult:
        """Reconcile what is unknown, send what is not sent, record the end. Never raises what Falcon answers.

        requests: returns how many requests the client has made for this command.
        """
        started = self._clock.monotonic()
        try:
            self.cause = self._reconcile_unknown() or self._send_all()
        except Exception as error:
            logging.getLogger("falcon_bulk.http").debug("the run stopped", exc_info=True)
            self.cause = FalconBulkError(
                f"The run stopped: unexpected {type(error).__name__}.",
                "--debug shows what it was; please report it.",
            )
        return record_end(self._journal, self._run_id, self.cause, self._clock, started=started, requests=requests())

    # Items whose outcome a crash or a lost answer left open

    def _reconcile_unknown(self) -> FalconBulkError | None:
        """Read unknown items by id. Those as before are sent again once their request is too old to take effect."""
        try:
            for batch in self._records.unknown_batches(self._run_id):
                self._clock.check()
                sent = Stopwatch(self._clock, self._lost_batches.age_of(batch.sent))
                for start in range(0, len(batch.items), self._target.batch_size):
                    part = list(batch.items[start : start + self._target.batch_size])
                    again = self._look_again(LostBatch(part, 1, sent))
                    self._records.record(self._run_id, [_with_outcome(item, Outcome.NOT_SENT) for item in again])
        except FalconBulkError as error:
            return error
        return None

    def _look_again(self, lost: LostBatch[State]) -> list[PlannedItem[State]]:
        """Read items whose request was lost and record what shows; return those to send again by now.

        Items that do not show our change wait on, unless their request is as old as its timeout: until then it may
        still take effect, also on what somebody else changed meanwhile. What was sent as often as it may be stays
        unknown.
        """
        self._lost |= {item.item_id for item in lost.items}
        expired = self._lost_batches.is_expired(lost)  # before reading: what was read earlier proves nothing
        now = self._read_items(lost.items)
        found = {
            item.item_id: outcome
            for item in lost.items
            if (outcome := self._target.reconcile(item, self._actions(item), now.get(item.item_id), None))
        }
        outcomes = found if expired else _only_changed(found)
        if outcomes:
            self._lost_in_a_row = 0
        left = [item for item in lost.items if item.item_id not in outcomes]
        again = left if expired and lost.tries < MAX_SENDS else []
        unchanged = [_with_outcome(item, self._unchanged(item)) for item in again]
        self._records.record(self._run_id, [*outcomes.values(), *unchanged])
        if left and not expired:
            self._lost_batches.add(lost._replace(items=left))
        return again

    def _resend(self, lost: LostBatch[State]) -> None:
        """Look at a lost batch; send what still reads as before once its request cannot take effect any more."""
        try:
            read = Stopwatch(self._clock)
            again = self._look_again(lost)
            for number in dict.fromkeys(item.action_set for item in again):
                part = [item for item in again if item.action_set == number]
                with self._concurrency.slot(self._check_ending) as release:
                    self._send_until_reconciled(PendingBatch(part, lost.tries + 1, read), release)
        except FalconBulkError as error:
            self._ending = self._ending or error
            raise

    # Sending

    def _send_all(self) -> FalconBulkError | None:
        """Send all batches; some are read back while others are sent, so more are at work than slots exist.

        A batch whose answer was lost waits without a thread of its own.
        """
        cause: FalconBulkError | None = None
        running: set[Future[None]] = set()
        capacity = 2 * self._workers
        batches = self._records.batches(self._run_id, self._batch_size)
        exhausted = False
        with ThreadPoolExecutor(capacity) as pool:
            while cause is None:
                try:
                    self._clock.check()
                    for lost in self._lost_batches.take_due():
                        running.add(pool.submit(self._resend, lost))
                    self._report_waiting()
                    may_send = len(running) < capacity and not self._is_silent(running)
                    if may_send and self._held_back:
                        running.add(pool.submit(self._send_batch, self._held_back.popleft()))
                        continue
                    if may_send and not exhausted:
                        if (batch := next(batches, None)) is None:
                            exhausted = True
                        else:
                            running.add(pool.submit(self._send_batch, PendingBatch(list(batch), 1, self._read)))
                        continue
                    if not running:
                        if not self._lost_batches:
                            break
                        self._clock.wait(self._lost_batches.seconds_to_next_look)
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

    def _is_silent(self, running: set[Future[None]]) -> bool:
        """Return whether Falcon answers nothing, so that new batches wait for what becomes of the lost ones."""
        return self._lost_in_a_row >= MAX_LOST_IN_A_ROW and bool(running or self._lost_batches)

    def _report_waiting(self) -> None:
        items = self._lost_batches.items
        if items or self._waiting_shown:
            self._show_waiting(items, self._lost_batches.seconds_left)
        self._waiting_shown = bool(items)

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

    def _send_batch(self, first: PendingBatch[State]) -> None:
        """Send a batch; what must be read again before is read ahead, while other batches are sent.

        It is held back if Falcon has come to answer nothing while it waited for its slot.
        """
        try:
            if not self._target.reads_before_sending:
                first = self._refreshed(first, self._actions(first.items[0]))
            if not first.items:
                return
            with self._concurrency.slot(self._check_ending) as release:
                if self._lost_in_a_row >= MAX_LOST_IN_A_ROW and (self._lost_batches or self._concurrency.in_flight > 1):
                    self._held_back.append(first)
                    return
                self._send_until_reconciled(first, release)
        except FalconBulkError as error:
            self._ending = self._ending or error
            raise

    def _check_ending(self) -> None:
        """Raise the error that another batch ends the run with: a batch that waits for its slot is not sent."""
        if self._ending is not None:
            raise self._ending

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
            read = Stopwatch(self._clock)
            if left.lost is not None:
                self._wait_for_effect(left, left.lost, batch.tries)
            elif left.transient:
                if batch.tries == MAX_TRIES and isinstance(left.error, Rejected):
                    self._give_up(left)
                    continue
                if batch.tries == MAX_TRIES:
                    raise left.error or AnswerLost("The answers to a change were lost.")
                self._clock.wait(self._clock.chance() * 2**batch.tries)
                queue.append(PendingBatch(left.items, batch.tries + 1, None))
            elif left.error and left.partial:
                queue.append(PendingBatch(left.items, batch.tries, read))
            elif left.error and len(left.items) > 1 and not bisection.exhausted:
                halves = bisection.split(left.items)
                queue.extend(PendingBatch(list(half), batch.tries, read) for half in halves)
            else:
                self._give_up(left)
                if left.error and bisection.exhausted and not any_taken:
                    raise left.error

    def _wait_for_effect(self, left: Remainder[State], sent: Stopwatch, tries: int) -> None:
        """Let items wait whose request was lost and may still take effect; after the last try they stay unknown.

        Raises the error where Falcon answered nothing lately and this was the last try: more requests would not help.
        """
        if not left.items:
            return
        if tries < MAX_SENDS:
            self._lost_batches.add(LostBatch(left.items, tries, sent))
            return
        self._records.record(self._run_id, [], problems=[_problem(left)])
        if left.error and self._lost_in_a_row >= MAX_LOST_IN_A_ROW:
            raise left.error

    def _attempt(self, batch: PendingBatch[State], release: Callable[[], None]) -> Remainder[State]:
        actions = self._actions(batch.items[0])
        if self._target.reads_before_sending:
            batch = batch._replace(read=None)
        if (wait := self._rate.seconds_to_turn) <= MAX_STATE_AGE:
            batch = self._refreshed(batch, actions, wait)
        if not batch.items:
            return Remainder([], None, transient=False, partial=False)
        with self._rate.turn():
            items = self._refreshed(batch, actions).items  # it may have waited longer for its turn
            if not items:
                return Remainder([], None, transient=False, partial=False)
            sent = self._records.intend(self._run_id, [item.item_id for item in items], self._now())
        since = Stopwatch(self._clock)
        try:
            answer = self._target.send(items, actions)
        except AnswerLost as error:
            self._lost_in_a_row += 1
            return self._after_loss(sent, items, actions, error, since)
        except Rejected as error:
            self._lost_in_a_row = 0
            left = self._after_refusal(sent, items, actions, error)
            if self._target.concerns_request(error):
                self._give_up(left._replace(error=error))
                raise
            return left
        except FalconBulkError as error:
            self._record(sent, [_with_outcome(item, self._unchanged(item)) for item in items], answer=error.code)
            raise
        self._lost_in_a_row = 0
        if not answer.problems:
            release()
        return self._after_answer(sent, items, actions, answer)

    def _refreshed(self, batch: PendingBatch[State], actions: ActionSet, wait: float = 0.0) -> PendingBatch[State]:
        """Return the batch without items that drifted, read again unless that was done lately.

        wait: seconds until it is sent. Reading while it waits for its turn would keep all others waiting too.
        """
        if not batch.items or (batch.read is not None and batch.read.longest + wait <= MAX_STATE_AGE):
            return batch
        read = Stopwatch(self._clock)
        return PendingBatch(self._still_as_planned(batch.items, actions), batch.tries, read)

    def _still_as_planned(self, items: Sequence[PlannedItem[State]], actions: ActionSet) -> list[PlannedItem[State]]:
        """Read items again just before they are sent; record those that drifted and return the others."""
        now = self._read_items(items)
        outcomes = {item.item_id: self._target.check(item, actions, now.get(item.item_id)) for item in items}
        self._records.record(self._run_id, [outcome for outcome in outcomes.values() if outcome])
        return [item for item in items if outcomes[item.item_id] is None]

    def _after_loss(
        self, batch: Batch, items: list[PlannedItem[State]], actions: ActionSet, error: AnswerLost, sent: Stopwatch
    ) -> Remainder[State]:
        """Record what a request without an answer changed; all else stays unknown until it cannot take effect."""
        outcomes = _only_changed(self._reconcile(items, actions, self._read_back(items, 0.0)))
        left = [item for item in items if item.item_id not in outcomes]
        self._lost |= {item.item_id for item in left}
        self._record(batch, list(outcomes.values()), answer=error.code, trace_id=error.trace_id)
        return Remainder(left, error, transient=True, partial=len(left) < len(items), lost=sent)

    def _after_refusal(
        self, batch: Batch, items: list[PlannedItem[State]], actions: ActionSet, error: Rejected
    ) -> Remainder[State]:
        """Record what is found changed although the request was refused; the rest counts as not sent."""
        outcomes = self._reconcile(items, actions, self._read_back(items, 0.0), sent=False)
        left = [item for item in items if item.item_id not in outcomes]
        unchanged = [_with_outcome(item, self._unchanged(item)) for item in left]
        self._record(batch, [*outcomes.values(), *unchanged], answer=error.code, trace_id=error.trace_id)
        return Remainder(left, error, transient=False, partial=len(left) < len(items))

    def _reconcile(
        self,
        items: Sequence[PlannedItem[State]],
        actions: ActionSet,
        now: dict[str, Current],
        answer: Answer | None = None,
        *,
        sent: bool = True,
    ) -> dict[str, ItemOutcome[State]]:
        """Return the outcomes of the items that do not read as before. sent: our request may have had an effect."""
        found = {
            item.item_id: self._target.reconcile(item, actions, now.get(item.item_id), answer, sent=sent)
            for item in items
        }
        return {item_id: outcome for item_id, outcome in found.items() if outcome}

    def _after_answer(
        self, batch: Batch, items: list[PlannedItem[State]], actions: ActionSet, answer: Answer
    ) -> Remainder[State]:
        """Hold an answer against what is read: a 2xx is not success by itself."""
        outcomes: dict[str, ItemOutcome[State]] = {}
        left = items
        now: dict[str, Current] = {}
        for delay in READ_BACK_DELAYS:
            now = self._read_back(left, delay, answer)
            outcomes |= self._reconcile(left, actions, now, answer)
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
            return self._read_items(items, answer)

    def _read_items(self, items: Sequence[PlannedItem[State]], answer: Answer | None = None) -> dict[str, Current]:
        """Read items. Only some of what is received at a time is unpacked at a time."""
        with unpacking_in(self._rooms):
            return self._target.read(items, answer)

    def _unchanged(self, item: PlannedItem[State]) -> Outcome:
        return self._target.unchanged_after_loss if item.item_id in self._lost else Outcome.NOT_SENT

    def _give_up(self, left: Remainder[State]) -> None:
        """Record that items failed."""
        problem = _problem(left)
        failed = [_with_outcome(item, Outcome.FAILED, problem.message) for item in left.items]
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


def _with_outcome(item: PlannedItem[State], outcome: Outcome, reason: str = "") -> ItemOutcome[State]:
    return ItemOutcome(item_id=item.item_id, outcome=outcome, reason=reason, remote_id=item.remote_id)
