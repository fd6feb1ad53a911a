"""Sending one batch until each of its alerts is settled: write, read back, send again or split what is left.

`append_comment` is not idempotent, so nothing is sent again before the alerts were read and found as before.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import msgspec

from falcon_bulk.errors import AnswerLost, FalconAnswer, FalconBulkError, Rejected
from falcon_bulk.falcon.alerts import UpdateResponse
from falcon_bulk.journal.journal import Journal
from falcon_bulk.model.alert import Alert, decode_alert
from falcon_bulk.model.clock import Clock, rfc3339
from falcon_bulk.model.plan import ActionSet, Plan, PlannedAlert
from falcon_bulk.model.run import AlertOutcome, Batch, BatchAnswer, Outcome, RunProblem
from falcon_bulk.operations.changes.guardrails import guardrail_for
from falcon_bulk.operations.changes.planner import check_tenant
from falcon_bulk.operations.changes.reconcile import drifted_outcome, failed_outcome, reconcile_alert
from falcon_bulk.operations.changes.throttle import ConcurrencyLimiter, RateLimiter

MAX_STATE_AGE = 60.0
MAX_TRIES = 3
MAX_SPLITS = 64
# Seconds before each look at what Falcon says it changed and that reads as before.
READ_BACK_DELAYS = (0.0, 1.0, 2.0, 4.0)
# Seconds in which a change without an answer may still begin to show: a gateway gives up (504) before the
# servers behind it do.
LATE_EFFECT_SECONDS = 5.0

# Refusals that may be about some of the alerts only.
SPLITTABLE_STATUSES = (400, 404, 413)
# Words of a 400 that is about the request itself (public reports): sending less of it does not help.
REQUEST_ERROR_TEXTS = (
    "invalid status",
    "failed to read and parse request",
    "invalid element in the request",
    "action param",
    "too long",
    "1024 characters",
    "1,024 characters",
)


class AlertUpdater(Protocol):
    """The half of `falcon.alerts.Alerts` that a run needs."""

    def by_id(self, ids: Sequence[str]) -> list[msgspec.Raw]: ...
    def update(self, ids: Sequence[str], action_set: ActionSet) -> UpdateResponse: ...


class PendingBatch(NamedTuple):
    """Alerts to send in one request, how often that is tried by then, and when they were read (monotonic)."""

    rows: list[PlannedAlert]
    tries: int
    read_at: float


class Remainder(NamedTuple):
    """Alerts that an attempt left as they were, and why.

    transient: sending them again may help. some: others that went with them were not left so.
    """

    rows: list[PlannedAlert]
    error: FalconAnswer | None
    transient: bool
    some: bool


class BatchSender:
    """Carries out batches of one run. Safe to use from several threads."""

    def __init__(
        self,
        alerts: AlertUpdater,
        journal: Journal,
        plan: Plan,
        timing: Clock,
        turns: RateLimiter,
        gate: ConcurrencyLimiter,
    ) -> None:
        self._alerts = alerts
        self._journal = journal
        self._plan = plan
        self._timing = timing
        self._turns = turns
        self._gate = gate

    def send(self, rows: Sequence[PlannedAlert], action_set: ActionSet, read_at: float) -> None:
        """Send the batch, and what is left of it again or in halves, until all of it is settled.

        read_at: when its alerts were read (monotonic). What was read over 60 s ago, or is sent anew because no
        answer came, is read again when its turn to be sent has come.
        Raises FalconBulkError where going on makes no sense, also where Falcon takes no part of a batch however
        it is split; what was not sent stands so in the journal.
        """
        with self._gate.passing() as leave:
            self._send_until_settled(PendingBatch(list(rows), 1, read_at), action_set, leave)

    def _send_until_settled(self, group: PendingBatch, action_set: ActionSet, leave: Callable[[], None]) -> None:
        splits = 0
        taken = False
        queue = deque([group])
        while queue:
            group = queue.popleft()
            left = self._attempt(group, action_set, leave)
            taken = taken or left.some
            if not left.rows:
                continue
            read_at = self._timing.monotonic()
            if left.transient:
                if group.tries == MAX_TRIES and isinstance(left.error, Rejected):
                    self._give_up(left.rows, left.error)
                    continue
                if group.tries == MAX_TRIES:
                    raise left.error or AnswerLost("The answers to a change were lost.")
                self._timing.wait(self._timing.chance() * 2**group.tries)
                queue.append(PendingBatch(left.rows, group.tries + 1, float("-inf")))
            elif left.error and left.some:
                queue.append(PendingBatch(left.rows, group.tries, read_at))
            elif left.error and len(left.rows) > 1 and splits < MAX_SPLITS:
                splits += 1
                half = len(left.rows) // 2
                for part in (left.rows[:half], left.rows[half:]):
                    queue.append(PendingBatch(part, group.tries, read_at))
            else:
                self._give_up(left.rows, left.error)
                if left.error and splits == MAX_SPLITS and not taken:
                    raise left.error

    def read(self, rows: Sequence[PlannedAlert]) -> dict[str, Alert]:
        """The alerts as they are now, by id; unknown ones are missing."""
        documents = self._alerts.by_id([row.composite_id for row in rows])
        return {alert.composite_id: alert for alert in map(decode_alert, documents)}

    def _attempt(self, group: PendingBatch, action_set: ActionSet, leave: Callable[[], None]) -> Remainder:
        with self._turns.take():
            fresh = self._timing.monotonic() - group.read_at <= MAX_STATE_AGE
            rows = group.rows if fresh else self._still_as_planned(group.rows, action_set)
            if not rows:
                return Remainder([], None, transient=False, some=False)
            batch = self._journal.alerts.intend(self._plan.run_id, [row.composite_id for row in rows], self._now())
        answer = self._update(batch, rows, action_set)
        if isinstance(answer, UpdateResponse):
            if not answer.problems:
                leave()
            return self._after_answer(batch, rows, action_set, answer)
        left = self._after_error(batch, rows, action_set, answer, transient=isinstance(answer, AnswerLost))
        if isinstance(answer, Rejected) and _about_the_request(answer):
            self._give_up(left.rows, answer)
            raise answer
        return left

    def _update(
        self, batch: Batch, rows: Sequence[PlannedAlert], action_set: ActionSet
    ) -> UpdateResponse | AnswerLost | Rejected:
        """What Falcon answers, or why it is not known. Raises FalconBulkError where nothing was sent."""
        try:
            return self._alerts.update([row.composite_id for row in rows], action_set)
        except (AnswerLost, Rejected) as error:
            return error
        except FalconBulkError as error:
            self._record(batch, [_unsent(row) for row in rows], answer=error.code)
            raise

    def _still_as_planned(self, rows: Sequence[PlannedAlert], action_set: ActionSet) -> list[PlannedAlert]:
        """Read the alerts again just before they are changed; what drifted is left alone and recorded."""
        now = self.read(rows)
        selected, overrides, allowed = map(frozenset, (self._plan.hashes, self._plan.overrides, self._plan.cids))
        settled: list[AlertOutcome] = []
        left: list[PlannedAlert] = []
        for row in rows:
            alert = now.get(row.composite_id)
            if alert is not None:
                check_tenant(alert, allowed)
            outcome = reconcile_alert(row, action_set, self._plan.marker, alert)
            if alert and not outcome and not self._plan.undoes and (rail := guardrail_for(alert, selected, overrides)):
                outcome = drifted_outcome(row, (f"now held back by the guard rail {rail}",))
            if outcome:
                settled.append(outcome)
            else:
                left.append(row)
        if settled:
            self._journal.alerts.record(self._plan.run_id, settled)
        return left

    def _after_error(
        self, batch: Batch, rows: list[PlannedAlert], action_set: ActionSet, error: FalconAnswer, *, transient: bool
    ) -> Remainder:
        """No answer, or a refusal: only reading tells what was applied.

        Without an answer it is read until nothing more shows: the change may still be under way.
        """
        outcomes: dict[PlannedAlert, AlertOutcome | None] = dict.fromkeys(rows)
        left, after = rows, 0.0
        while True:
            waiting, now = len(left), self._read_back(left, after=after)
            outcomes |= {
                row: reconcile_alert(row, action_set, self._plan.marker, now.get(row.composite_id)) for row in left
            }
            left = [row for row in left if outcomes[row] is None]
            if not transient or not left or (after and len(left) == waiting):
                break
            after = LATE_EFFECT_SECONDS
        self._record(
            batch,
            [outcome or _unsent(row) for row, outcome in outcomes.items()],
            answer=error.code,
            trace_id=error.trace_id,
        )
        return Remainder(left, error, transient, some=len(left) < len(rows))

    def _after_answer(
        self, batch: Batch, rows: list[PlannedAlert], action_set: ActionSet, written: UpdateResponse
    ) -> Remainder:
        """A 2xx is not success by itself: its errors and its count are held against what is read."""
        refused = {str(problem.id): problem for problem in written.problems if problem.id}
        general = next((problem for problem in written.problems if not problem.id), None)
        outcomes: dict[PlannedAlert, AlertOutcome | None] = dict.fromkeys(rows)
        for after in READ_BACK_DELAYS:
            open_rows = [row for row, outcome in outcomes.items() if outcome is None]
            now = self._read_back(open_rows, after=after)
            for row in open_rows:
                accepted = general is None and row.composite_id not in refused
                if row.composite_id in now or not accepted or _says_fewer(written, rows):
                    found = now.get(row.composite_id)
                    outcomes[row] = reconcile_alert(row, action_set, self._plan.marker, found, accepted=accepted)
            open_rows = [row for row, outcome in outcomes.items() if outcome is None]
            if not open_rows or written.problems or _says_fewer(written, rows):
                break
        transient = []
        error: Rejected | None = None
        for row in open_rows:
            problem = refused.get(row.composite_id, general)
            if problem is not None and problem.transient:
                transient.append(row)
                error = Rejected(problem.text, status=problem.status, trace_id=written.trace_id)
            elif problem is None and row.composite_id not in now:
                outcomes[row] = AlertOutcome(
                    composite_id=row.composite_id, outcome=Outcome.UNKNOWN, reason="written, and not found since"
                )
            else:
                words = problem.text if problem else "Falcon answered with success and left it as it was"
                outcomes[row] = failed_outcome(row, words)
        self._record(
            batch,
            [outcome or _unsent(row) for row, outcome in outcomes.items()],
            answer="answered",
            trace_id=written.trace_id,
            problems=_run_problems(written),
        )
        return Remainder(transient, error, transient=True, some=len(transient) < len(rows))

    def _read_back(self, rows: Sequence[PlannedAlert], *, after: float = 0.0) -> dict[str, Alert]:
        """Read what was sent, after that many seconds; a stop does not cut this short, so that it is recorded."""
        with self._timing.finishing():
            self._timing.wait(after)
            return self.read(rows)

    def _give_up(self, rows: Sequence[PlannedAlert], error: FalconAnswer | None) -> None:
        words = error.message if error else "not changed"
        problem = RunProblem(
            code=(error.status or 0) if error else 0,
            message=words,
            trace_id=error.trace_id if error else "",
            ids=tuple(row.composite_id for row in rows),
        )
        self._journal.alerts.record(self._plan.run_id, [failed_outcome(row, words) for row in rows], problems=[problem])

    def _record(
        self,
        batch: Batch,
        settled: list[AlertOutcome],
        *,
        answer: str,
        trace_id: str = "",
        problems: Sequence[RunProblem] = (),
    ) -> None:
        self._journal.alerts.record(
            self._plan.run_id,
            settled,
            problems=problems,
            answered=BatchAnswer(batch, self._now(), answer, trace_id),
        )

    def _now(self) -> str:
        return rfc3339(self._timing.now())


def _about_the_request(error: Rejected) -> bool:
    """True if fewer alerts in a request would be refused as well."""
    words = error.message.casefold()
    return error.status not in SPLITTABLE_STATUSES or (
        error.status == 400 and any(said in words for said in REQUEST_ERROR_TEXTS)
    )


def _unsent(row: PlannedAlert) -> AlertOutcome:
    return AlertOutcome(composite_id=row.composite_id, outcome=Outcome.NOT_SENT)


def _says_fewer(written: UpdateResponse, rows: Sequence[PlannedAlert]) -> bool:
    return written.affected is not None and written.affected < len(rows)


def _run_problems(written: UpdateResponse) -> list[RunProblem]:
    return [
        RunProblem(
            code=problem.status,
            message=problem.text,
            trace_id=written.trace_id,
            ids=(str(problem.id),) if problem.id else (),
        )
        for problem in written.problems
    ]
