"""What became of a run: the result contract `falcon-bulk/run/1` and the rows of `runs`."""

from enum import StrEnum
from typing import NamedTuple

import msgspec

from falcon_bulk.errors import ExitCode
from falcon_bulk.model.indicator import HashOutcome, Indicator, IndicatorSpec
from falcon_bulk.model.plan import AlertState


class Outcome(StrEnum):
    """What became of one planned alert. `unknown` and `not_sent` can be resumed; the others are final."""

    CHANGED = "changed"
    FAILED = "failed"
    DRIFTED = "drifted"
    UNKNOWN = "unknown"
    NOT_SENT = "not_sent"


class RunStatus(StrEnum):
    """How a run stands. The first seven are results; a run in the journal may also be the last two."""

    DRY_RUN = "dry_run"
    SUCCESS = "success"
    PARTIAL = "partial"
    FAILED = "failed"
    DECLINED = "declined"
    INTERRUPTED = "interrupted"
    NOTHING_TO_DO = "nothing_to_do"
    RUNNING = "running"
    UNFINISHED = "unfinished"


class RunProblem(msgspec.Struct, frozen=True, kw_only=True):
    """Something that went wrong with some alerts: HTTP status or Falcon's code (0: none), text, trace id."""

    code: int
    message: str
    trace_id: str = ""
    ids: tuple[str, ...] = ()


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a changing command.

    selected = planned + sum(skipped) + sum(held); planned = changed + failed + drifted + unknown + not_sent.
    verified counts the alerts that were read back in the wanted state. seconds is wall time.
    closed: nothing is left that a resume would do, or the run was abandoned.
    A run of indicators counts those instead of alerts: allowance says what they are like, hashes what became of each.
    """

    run_id: str
    customer: str
    cid: str
    command: str
    status: RunStatus
    exit_code: ExitCode
    selected: int
    skipped: dict[str, int]
    held: dict[str, int]
    planned: int
    changed: int = 0
    failed: int = 0
    drifted: int = 0
    unknown: int = 0
    not_sent: int = 0
    verified: int = 0
    batches: int = 0
    requests: int = 0
    seconds: float = 0.0
    plan_file: str | None = None
    errors: tuple[RunProblem, ...] = ()
    closed: bool = False
    allowance: IndicatorSpec | None = None
    hashes: tuple[HashOutcome, ...] = ()


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of `runs list`. started and finished: UTC, RFC 3339; finished is None while it runs."""

    run_id: str
    customer: str
    cid: str
    command: str
    status: RunStatus
    started: str
    finished: str | None
    planned: int
    changed: int

    @property
    def is_open(self) -> bool:
        """True if it is at work, or has something left to do."""
        return self.status in (RunStatus.RUNNING, RunStatus.UNFINISHED)


class AlertRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What the journal knows of one alert of a run."""

    composite_id: str
    before: AlertState
    outcome: Outcome
    reason: str
    after: AlertState | None = None


class AlertOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one alert: its outcome, why, what was read back, whether that is the wanted state."""

    composite_id: str
    outcome: Outcome
    reason: str = ""
    after: AlertState | None = None
    verified: bool = False


class IndicatorOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one indicator: its outcome, why, what was read back, whether that is the wanted state."""

    sha256: str
    outcome: Outcome
    reason: str = ""
    indicator_id: str = ""
    after: Indicator | None = None
    verified: bool = False


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A request of a run whose intent is recorded; number counts from 1 in each run."""

    run_id: str
    number: int


class BatchAnswer(NamedTuple):
    """How a batch's request ended: when (UTC, RFC 3339), in a word, and Falcon's id of it."""

    batch: Batch
    at: str
    words: str
    trace_id: str


def final_status(counts: dict[Outcome, int], planned: int, verified: int) -> tuple[RunStatus, ExitCode]:
    """How a run ended, from the number of alerts by outcome; `partial` also where a read-back differs."""
    if planned == 0:
        return RunStatus.NOTHING_TO_DO, ExitCode.DONE
    if counts.get(Outcome.CHANGED, 0) == planned == verified:
        return RunStatus.SUCCESS, ExitCode.DONE
    if counts.get(Outcome.FAILED, 0) == planned:
        return RunStatus.FAILED, ExitCode.PARTIAL
    return RunStatus.PARTIAL, ExitCode.PARTIAL
