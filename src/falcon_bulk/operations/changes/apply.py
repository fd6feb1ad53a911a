"""Carrying out a run that the journal holds: batches in parallel, each settled, until nothing is left to send."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime

from falcon_bulk.errors import FalconBulkError
from falcon_bulk.journal.journal import Journal
from falcon_bulk.model.clock import POLL_INTERVAL, Clock
from falcon_bulk.model.plan import Plan, PlannedAlert
from falcon_bulk.model.run import AlertOutcome, Outcome, RunResult
from falcon_bulk.operations.changes.batch_sender import AlertUpdater, BatchSender
from falcon_bulk.operations.changes.reconcile import reconcile_alert
from falcon_bulk.operations.changes.run_end import finish_run
from falcon_bulk.operations.changes.throttle import ConcurrencyLimiter, RateLimiter

# Seconds from the intent of a request in which its effect may still begin to show: the process that sent it may have
# died at once, and the servers go on.
IN_FLIGHT_SECONDS = 10.0


@dataclass(frozen=True)
class Pace:
    """How a run is carried out: alerts in a batch, seconds between batch starts, batches in flight."""

    batch_size: int = 1_000
    delay: float = 0.5
    workers: int = 4


class AlertRun:
    """One run being carried out.

    read_at: the moment (monotonic) at which its alerts were read; older than 60 s, they are read again just
    before they are sent. progress: called with the alerts settled and planned. trouble: a number that grows with
    each 429 and server error, so that fewer batches are sent at a time. `cause` is why it stopped early, if it did.
    """

    def __init__(
        self,
        alerts: AlertUpdater,
        journal: Journal,
        plan: Plan,
        timing: Clock,
        pace: Pace,
        *,
        read_at: float = float("-inf"),
        progress: Callable[[int, int], None] = lambda _done, _planned: None,
        trouble: Callable[[], int] = lambda: 0,
    ) -> None:
        self._journal = journal
        self._plan = plan
        self._timing = timing
        self._pace = pace
        self._read_at = read_at
        self._progress = progress
        self._action_sets = journal.alerts.action_sets(plan.run_id)
        self.cause: FalconBulkError | None = None
        self._gate = ConcurrencyLimiter(timing, pace.workers, trouble)
        self._sender = BatchSender(alerts, journal, plan, timing, RateLimiter(timing, pace.delay), self._gate)

    def carry_out(self, requests: Callable[[], int]) -> RunResult:
        """Settle what is unknown, send what is not sent, record the end. Never raises what Falcon answers.

        requests: how many requests the client has made for this command.
        """
        started = self._timing.monotonic()
        cause = self._settle_unknown() or self._send_all()
        self.cause = cause
        return finish_run(self._journal, self._plan.run_id, cause, self._timing, started=started, requests=requests())

    def _settle_unknown(self) -> FalconBulkError | None:
        """Alerts whose fate a crash or a lost answer left open are read by id.

        As before means not sent, once the last request without an answer is old enough.
        """
        try:
            self._settle_by_reading(others=None)
            if left := self._seconds_under_way():
                self._timing.wait(left)
            self._settle_by_reading(others=Outcome.NOT_SENT)
        except FalconBulkError as error:
            return error
        return None

    def _settle_by_reading(self, others: Outcome | None) -> None:
        """Record what became of the unknown alerts; those that are as before get the outcome for the others."""
        for rows in self._journal.alerts.in_state(self._plan.run_id, Outcome.UNKNOWN):
            self._timing.check()
            now = self._sender.read(rows)
            settled = [
                reconcile_alert(row, self._action_sets[row.action_set], self._plan.marker, now.get(row.composite_id))
                or (others and AlertOutcome(composite_id=row.composite_id, outcome=others))
                for row in rows
            ]
            self._journal.alerts.record(self._plan.run_id, [one for one in settled if one])

    def _seconds_under_way(self) -> float:
        """How long the last request of the alerts that are unknown may still be under way."""
        sent = self._journal.last_unanswered(self._plan.run_id)
        if not sent or not self._journal.counts(self._plan.run_id).get(Outcome.UNKNOWN):
            return 0.0
        age = (self._timing.now() - datetime.fromisoformat(sent)).total_seconds()
        return min(max(IN_FLIGHT_SECONDS - age, 0.0), IN_FLIGHT_SECONDS)

    def _send_all(self) -> FalconBulkError | None:
        """Some batches are read back while others are sent, so more are under way than the gate lets through."""
        cause: FalconBulkError | None = None
        flying: set[Future[None]] = set()
        under_way = 2 * self._pace.workers
        with ThreadPoolExecutor(under_way) as pool:
            batches = self._journal.alerts.batches(self._plan.run_id, self._pace.batch_size)
            while cause is None:
                try:
                    self._timing.check()
                    if len(flying) < under_way:
                        if (batch := next(batches, None)) is None:
                            break
                        flying.add(pool.submit(self._send, batch))
                        continue
                except FalconBulkError as error:
                    cause = error
                    break
                landed, flying = wait(flying, timeout=POLL_INTERVAL, return_when=FIRST_COMPLETED)
                cause = self._landed(landed)
            while flying:
                # A signal may come to another thread, and is dealt with once this one is awake.
                landed, flying = wait(flying, timeout=POLL_INTERVAL, return_when=FIRST_COMPLETED)
                cause = cause or self._landed(landed)
        return cause

    def _landed(self, landed: set[Future[None]]) -> FalconBulkError | None:
        cause = None
        for future in landed:
            error = future.exception()
            if isinstance(error, FalconBulkError):
                cause = cause or error
            elif error is not None:
                raise error
        if landed:
            counts = self._journal.counts(self._plan.run_id)
            planned = sum(counts.values())
            self._progress(planned - counts.get(Outcome.NOT_SENT, 0) - counts.get(Outcome.UNKNOWN, 0), planned)
        return cause

    def _send(self, batch: Sequence[PlannedAlert]) -> None:
        try:
            self._sender.send(batch, self._action_sets[batch[0].action_set], self._read_at)
        except FalconBulkError as error:
            self._gate.close(error)
            raise
