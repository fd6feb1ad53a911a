"""Carries out a run that the journal holds: keeps batches in flight until nothing is left to send.

`batch_sender.py` sends a batch, `batch_outcomes.py` decides what became of it; `target.py` knows what kind of item it
changes.
"""

import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Generic

from falcon_bulk.errors import FalconBulkError
from falcon_bulk.falcon.concurrency import INITIAL_CHANGES, ConcurrencyLimiter
from falcon_bulk.model.clock import POLL_INTERVAL, Clock, Stopwatch
from falcon_bulk.model.plan import Plan, State
from falcon_bulk.model.run import Outcome, RunResult
from falcon_bulk.operations.changes.batch_outcomes import with_outcome
from falcon_bulk.operations.changes.batch_sender import BatchSender, PendingBatch
from falcon_bulk.operations.changes.lost_batches import LostBatch, LostBatches
from falcon_bulk.operations.changes.run_end import record_end
from falcon_bulk.operations.changes.target import Current, Target
from falcon_bulk.operations.changes.throttle import Pace

if TYPE_CHECKING:
    from falcon_bulk.journal.journal import Journal


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
        self._concurrency = concurrency or ConcurrencyLimiter(clock, initial=INITIAL_CHANGES, maximum=pace.workers)
        self._ending: FalconBulkError | None = None
        self._held_back: deque[PendingBatch[State]] = deque()
        self._lost_batches: LostBatches[State] = LostBatches(clock)
        self._sender = BatchSender(target, self._records, plan.run_id, clock, pace.delay, self._lost_batches)
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
                    again = self._sender.look_again(LostBatch(part, 1, sent))
                    self._records.record(self._run_id, [with_outcome(item, Outcome.NOT_SENT) for item in again])
        except FalconBulkError as error:
            return error
        return None

    def _resend(self, lost: LostBatch[State]) -> None:
        """Look at a lost batch; send what still reads as before once its request cannot take effect any more."""
        try:
            read = Stopwatch(self._clock)
            again = self._sender.look_again(lost)
            for number in dict.fromkeys(item.action_set for item in again):
                part = [item for item in again if item.action_set == number]
                with self._concurrency.slot(self._check_ending) as release:
                    self._sender.send(PendingBatch(part, lost.tries + 1, read), release)
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
        return self._sender.is_unanswered and bool(running or self._lost_batches)

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
                first = self._sender.refreshed(first)
            if not first.items:
                return
            with self._concurrency.slot(self._check_ending) as release:
                if self._sender.is_unanswered and (self._lost_batches or self._concurrency.in_flight > 1):
                    self._held_back.append(first)
                    return
                self._sender.send(first, release)
        except FalconBulkError as error:
            self._ending = self._ending or error
            raise

    def _check_ending(self) -> None:
        """Raise the error that another batch ends the run with: a batch that waits for its slot is not sent."""
        if self._ending is not None:
            raise self._ending
