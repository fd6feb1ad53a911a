"""How a run ended, from what its journal holds and from what stopped it early."""

from typing import TYPE_CHECKING

from falcon_bulk.errors import ExitCode, FalconBulkError, Rejected, Stopped
from falcon_bulk.model.clock import Clock, rfc3339
from falcon_bulk.model.run import Outcome, RunResult, RunStatus, final_status

if TYPE_CHECKING:
    from falcon_bulk.journal.journal import Journal


def record_end(
    journal: "Journal", run_id: str, cause: FalconBulkError | None, clock: Clock, *, started: float, requests: int
) -> RunResult:
    """Record the end of a run and return its result.

    cause: why it stopped early. started: when it began (monotonic seconds).
    """
    status, exit_code, closed = _end_of(journal, run_id, cause)
    journal.finish(
        run_id,
        status,
        exit_code,
        at=rfc3339(clock.now()),
        requests=requests,
        seconds=clock.monotonic() - started,
        closed=closed,
    )
    return journal.result(run_id)


def _end_of(journal: "Journal", run_id: str, cause: FalconBulkError | None) -> tuple[RunStatus, int, bool]:
    """Return status, exit code, and whether the run is closed: nothing is left that a resume would do."""
    counts = journal.counts(run_id)
    planned = sum(counts.values())
    not_sent, unknown = counts.get(Outcome.NOT_SENT, 0), counts.get(Outcome.UNKNOWN, 0)
    closed = not (not_sent or unknown)
    if isinstance(cause, Stopped):
        return RunStatus.INTERRUPTED, cause.exit_code, closed
    if cause is None:
        status, exit_code = final_status(counts, planned, journal.verified(run_id))
        return status, exit_code, closed
    if not_sent + counts.get(Outcome.DRIFTED, 0) == planned:
        return RunStatus.FAILED, cause.exit_code, True
    if isinstance(cause, Rejected) and not counts.get(Outcome.CHANGED, 0) and not unknown:
        return RunStatus.FAILED, ExitCode.PARTIAL, True
    return RunStatus.PARTIAL, ExitCode.PARTIAL, closed
