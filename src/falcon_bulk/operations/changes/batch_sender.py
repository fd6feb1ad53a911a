"""Sends a batch, again or in halves, until each of its items has an outcome or waits for a lost answer.

A batch's intent is committed before its request leaves, its outcome after. Nothing is sent again before it was read and
found as before.
"""

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, NamedTuple

from falcon_bulk.errors import AnswerLost, FalconBulkError, Rejected
from falcon_bulk.falcon.bisect import Bisection
from falcon_bulk.model.clock import Clock, Stopwatch, rfc3339
from falcon_bulk.model.plan import PlannedItem, State
from falcon_bulk.operations.changes.batch_outcomes import BatchOutcomes, Remainder
from falcon_bulk.operations.changes.lost_batches import LostBatch, LostBatches
from falcon_bulk.operations.changes.target import Current, Target
from falcon_bulk.operations.changes.throttle import RateLimiter

if TYPE_CHECKING:
    from falcon_bulk.journal.items import ItemRecords

MAX_STATE_AGE = 60.0
"""Seconds after which what was read of an item is read again before it is sent."""
MAX_TRIES = 3
MAX_SENDS = 2
"""How often a batch is sent whose answer is lost each time."""
MAX_LOST_IN_A_ROW = 3
"""After so many lost answers with no other between them, no new batch is sent until one is answered."""
MAX_SPLITS = 64


class PendingBatch(NamedTuple, Generic[State]):
    """Items to send in one request: the number of the try, and the time since they were read, None if they were not."""

    items: list[PlannedItem[State]]
    tries: int
    read: Stopwatch | None


class BatchSender(Generic[State, Current]):
    """Sends the batches of a run. Safe to use from several threads.

    delay: minimum seconds between the starts of two batches. lost_batches: takes the batches whose answer was lost.
    """

    def __init__(
        self,
        target: Target[State, Current],
        records: "ItemRecords[State]",
        run_id: str,
        clock: Clock,
        delay: float,
        lost_batches: LostBatches[State],
    ) -> None:
        self._target = target
        self._records = records
        self._run_id = run_id
        self._clock = clock
        self._rate = RateLimiter(clock, delay)
        self._lost_batches = lost_batches
        self._outcomes = BatchOutcomes(target, records, run_id, clock)
        self._lost_in_a_row = 0

    @property
    def is_unanswered(self) -> bool:
        """Whether the last answers were all lost, so that new batches would most likely be lost too."""
        return self._lost_in_a_row >= MAX_LOST_IN_A_ROW

    def send(self, first: PendingBatch[State], release: Callable[[], None]) -> None:
        """Send a batch, and what is left of it again or in halves, within bounds.

        release: gives the in-flight slot back while the batch is read back. Raises FalconBulkError where going on makes
        no sense, also where Falcon takes no part of a batch however it is split; the journal then says which items were
        not sent.
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
                    self._outcomes.give_up(left)
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
                self._outcomes.give_up(left)
                if left.error and bisection.exhausted and not any_taken:
                    raise left.error

    def refreshed(self, batch: PendingBatch[State], wait: float = 0.0) -> PendingBatch[State]:
        """Return the batch without items that drifted, read again unless that was done lately.

        wait: seconds until it is sent. Reading while it waits for its turn would keep all others waiting too.
        """
        if not batch.items or (batch.read is not None and batch.read.longest + wait <= MAX_STATE_AGE):
            return batch
        read = Stopwatch(self._clock)
        return PendingBatch(self._outcomes.still_as_planned(batch.items), batch.tries, read)

    def look_again(self, lost: LostBatch[State]) -> list[PlannedItem[State]]:
        """Read a lost batch and record what shows; return the items to send again by now.

        Items that do not show our change wait on until their request is too old to take effect. What was sent as often
        as it may be stays unknown.
        """
        expired = self._lost_batches.is_expired(lost)  # before reading: what was read earlier proves nothing
        send_again = expired and lost.tries < MAX_SENDS
        left = self._outcomes.look_at_lost(lost.items, expired=expired, send_again=send_again)
        if len(left) < len(lost.items):
            self._lost_in_a_row = 0
        if left and not expired:
            self._lost_batches.add(lost._replace(items=left))
        return left if send_again else []

    def _attempt(self, batch: PendingBatch[State], release: Callable[[], None]) -> Remainder[State]:
        """Send one request, unless all of its items drifted, and return what it left as it was."""
        actions = self._outcomes.actions(batch.items[0])
        if self._target.reads_before_sending:
            batch = batch._replace(read=None)
        if (wait := self._rate.seconds_to_turn) <= MAX_STATE_AGE:
            batch = self.refreshed(batch, wait)
        if not batch.items:
            return Remainder([], None, transient=False, partial=False)
        with self._rate.turn():
            items = self.refreshed(batch).items  # it may have waited longer for its turn
            if not items:
                return Remainder([], None, transient=False, partial=False)
            sent = self._records.intend(self._run_id, [item.item_id for item in items], rfc3339(self._clock.now()))
        since = Stopwatch(self._clock)
        try:
            answer = self._target.send(items, actions)
        except AnswerLost as error:
            self._lost_in_a_row += 1
            return self._outcomes.after_loss(sent, items, error, since)
        except Rejected as error:
            self._lost_in_a_row = 0
            left = self._outcomes.after_refusal(sent, items, error)
            if self._target.concerns_request(error):
                self._outcomes.give_up(left._replace(error=error))
                raise
            return left
        except FalconBulkError as error:
            self._outcomes.after_failure(sent, items, error)
            raise
        self._lost_in_a_row = 0
        if not answer.problems:
            release()
        return self._outcomes.after_answer(sent, items, answer)

    def _wait_for_effect(self, left: Remainder[State], sent: Stopwatch, tries: int) -> None:
        """Let items wait whose request was lost and may still take effect; after the last try they stay unknown.

        Raises the error where Falcon answered nothing lately and this was the last try: more requests would not help.
        """
        if tries < MAX_SENDS:
            self._lost_batches.add(LostBatch(left.items, tries, sent))
            return
        self._outcomes.leave_unknown(left)
        if left.error and self.is_unanswered:
            raise left.error
