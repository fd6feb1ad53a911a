"""Carrying out a run about indicators that the journal holds: one request after another, each settled by reading."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from falcon_bulk.errors import AnswerLost, FalconAnswer, FalconBulkError, Rejected
from falcon_bulk.falcon.indicators import ERROR_PREFIX
from falcon_bulk.journal.journal import Journal
from falcon_bulk.model.clock import Clock, rfc3339
from falcon_bulk.model.indicator import PlannedIndicator
from falcon_bulk.model.plan import Plan
from falcon_bulk.model.run import Batch, BatchAnswer, IndicatorOutcome, Outcome, RunProblem, RunResult
from falcon_bulk.operations.changes.batch_sender import MAX_SPLITS, MAX_STATE_AGE, MAX_TRIES, READ_BACK_DELAYS
from falcon_bulk.operations.changes.indicator_operations import IndicatorOperation, OperationAnswer
from falcon_bulk.operations.changes.run_end import finish_run


class PendingRequest(NamedTuple):
    """What goes into one request, and how often that is tried by then."""

    rows: list[PlannedIndicator]
    tries: int


class Remainder(NamedTuple):
    """What an attempt left as it was, and why."""

    rows: list[PlannedIndicator]
    error: FalconAnswer


class IndicatorRun:
    """One run being carried out.

    read_at: the moment (monotonic) at which the indicators were read; older than 60 s, they are read again just
    before they are sent. `cause` is why it stopped early, if it did.
    """

    def __init__(
        self, deed: IndicatorOperation, journal: Journal, plan: Plan, timing: Clock, *, read_at: float = float("-inf")
    ) -> None:
        self._deed = deed
        self._journal = journal
        self._run_id = plan.run_id
        self._timing = timing
        self._read_at = read_at
        self._lost: set[str] = set()
        self.cause: FalconBulkError | None = None

    def carry_out(self, requests: Callable[[], int]) -> RunResult:
        """Settle what is unknown, send what is not sent, record the end. Never raises what Falcon answers.

        requests: how many requests the client has made for this command.
        """
        started = self._timing.monotonic()
        try:
            self._settle_unknown()
            rows = self._journal.indicators.in_state(self._run_id, Outcome.NOT_SENT)
            for start in range(0, len(rows), self._deed.size):
                self._until_settled(rows[start : start + self._deed.size])
        except FalconBulkError as error:
            self.cause = error
        return finish_run(self._journal, self._run_id, self.cause, self._timing, started=started, requests=requests())

    def _settle_unknown(self) -> None:
        """What a crash or a lost answer left open is read; as before means not sent."""
        rows = self._journal.indicators.in_state(self._run_id, Outcome.UNKNOWN)
        self._lost |= {row.sha256 for row in rows}
        if rows:
            self._timing.check()
            settled = self._deed.read(rows, sent=True, done={})
            self._record([settled.get(row.sha256) or _unsent(row) for row in rows])

    def _until_settled(self, rows: list[PlannedIndicator]) -> None:
        """Send again, or in halves, what is left of a request, within bounds. Raises FalconBulkError."""
        splits = 0
        queue = deque([PendingRequest(rows, 1)])
        while queue:
            group = queue.popleft()
            self._timing.check()
            left = self._attempt(group.rows)
            if left is None:
                continue
            if isinstance(left.error, AnswerLost):
                if group.tries == MAX_TRIES:
                    raise left.error
                self._timing.wait(self._timing.chance() * 2**group.tries)
                queue.append(PendingRequest(left.rows, group.tries + 1))
            elif len(left.rows) < len(group.rows):
                queue.append(PendingRequest(left.rows, group.tries))
            elif len(left.rows) > 1 and splits < MAX_SPLITS:
                splits += 1
                half = len(left.rows) // 2
                queue.extend(
                    (PendingRequest(left.rows[:half], group.tries), PendingRequest(left.rows[half:], group.tries))
                )
            else:
                self._give_up(left)

    def _attempt(self, rows: list[PlannedIndicator]) -> Remainder | None:
        """Send a request and settle what it was about. What stays unknown stands so in the journal."""
        rows = self._still_as_planned(rows)
        if not rows:
            return None
        batch = self._journal.indicators.intend(self._run_id, rows, self._now())
        try:
            said = self._deed.send(rows)
        except (AnswerLost, Rejected) as error:
            with self._timing.finishing():
                return self._after_error(batch, rows, error)
        except FalconBulkError as error:
            self._record([_unsent(row) for row in rows], batch=batch, answer=error.code)
            raise
        with self._timing.finishing():
            return self._after_answer(batch, rows, said)

    def _still_as_planned(self, rows: list[PlannedIndicator]) -> list[PlannedIndicator]:
        """What is read anew before it is sent, and is not as planned any more, is settled by that."""
        if self._timing.monotonic() - self._read_at <= MAX_STATE_AGE:
            return rows
        settled = self._deed.read(rows, sent=False, done={})
        self._record(list(settled.values()))
        return [row for row in rows if row.sha256 not in settled]

    def _after_error(
        self, batch: Batch, rows: list[PlannedIndicator], error: AnswerLost | Rejected
    ) -> Remainder | None:
        """Without an answer only reading tells; what does not show may show later, and stays unknown until then."""
        lost = isinstance(error, AnswerLost)
        settled = self._deed.read(rows, sent=lost, done={})
        left = [row for row in rows if row.sha256 not in settled]
        if lost:
            self._lost |= {row.sha256 for row in left}
        unsent = [_unsent(row) for row in left if row.sha256 not in self._lost]
        self._record([*settled.values(), *unsent], batch=batch, answer=error.code, trace_id=error.trace_id)
        return Remainder(left, error) if left else None

    def _after_answer(self, batch: Batch, rows: list[PlannedIndicator], said: OperationAnswer) -> Remainder | None:
        """An answer is no proof: what it says is held against what is read."""
        settled: dict[str, IndicatorOutcome] = {}
        left = rows
        for after in READ_BACK_DELAYS:
            self._timing.wait(after)
            settled |= self._deed.read(left, sent=True, done=said.done)
            left = [row for row in left if row.sha256 not in settled]
            if not any(row.sha256 in said.done or row.sha256 in self._lost for row in left):
                break
        problems = []
        for row in left:
            if row.sha256 in said.refused:
                words = said.refused[row.sha256]
                # A duplicate may be the lost creation; what is refused as an error was not made then either.
                lost = row.sha256 in self._lost and not words.startswith(ERROR_PREFIX)
                settled[row.sha256] = _as(row, Outcome.UNKNOWN if lost else Outcome.FAILED, words)
                problems.append(RunProblem(code=0, message=words, trace_id=said.trace_id, ids=(row.sha256,)))
            elif row.sha256 in said.done:
                settled[row.sha256] = _as(row, Outcome.UNKNOWN, "done, says Falcon, and that does not show")
        left = [row for row in left if row.sha256 not in settled]
        self._record(list(settled.values()), problems=problems, batch=batch, answer="answered", trace_id=said.trace_id)
        if not left:
            return None
        if said.refused:
            self._record([_unsent(row) for row in left if row.sha256 not in self._lost])
            return Remainder(left, Rejected(said.words or "Refused together with others.", trace_id=said.trace_id))
        words = said.words or "Falcon's answer does not say what it did"
        return Remainder(left, AnswerLost(f"{words}.", trace_id=said.trace_id))

    def _give_up(self, left: Remainder) -> None:
        words, error = left.error.message, left.error
        ids = tuple(row.sha256 for row in left.rows)
        problem = RunProblem(code=error.status or 0, message=words, trace_id=error.trace_id, ids=ids)
        self._record([_as(row, Outcome.FAILED, words) for row in left.rows], problems=[problem])

    def _record(
        self,
        settled: Sequence[IndicatorOutcome],
        *,
        problems: Sequence[RunProblem] = (),
        batch: Batch | None = None,
        answer: str = "",
        trace_id: str = "",
    ) -> None:
        self._journal.indicators.record(
            self._run_id,
            settled,
            problems=problems,
            answered=BatchAnswer(batch, self._now(), answer, trace_id) if batch else None,
        )

    def _now(self) -> str:
        return rfc3339(self._timing.now())


def _as(row: PlannedIndicator, outcome: Outcome, reason: str = "") -> IndicatorOutcome:
    return IndicatorOutcome(sha256=row.sha256, outcome=outcome, reason=reason, indicator_id=row.indicator_id)


def _unsent(row: PlannedIndicator) -> IndicatorOutcome:
    return _as(row, Outcome.NOT_SENT)
