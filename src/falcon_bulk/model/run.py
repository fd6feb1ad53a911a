"""The outcome of a run: what became of each item, the result `falcon-bulk/run/1`, and the rows of `runs`."""

from enum import StrEnum
from typing import Generic, NamedTuple

import msgspec

from falcon_bulk.errors import ExitCode
from falcon_bulk.model.closing_rule import RuleResult
from falcon_bulk.model.indicator import HashOutcome, IndicatorSpec
from falcon_bulk.model.plan import State


class Outcome(StrEnum):
    """What became of one selected item.

    `unknown` and `not_sent` can be resumed; `changed`, `failed` and `drifted` are final. `held` and `skipped` items are
    recorded but no part of the plan.
    """

    CHANGED = "changed"
    FAILED = "failed"
    DRIFTED = "drifted"
    UNKNOWN = "unknown"
    NOT_SENT = "not_sent"
    HELD = "held"
    SKIPPED = "skipped"


NOT_PLANNED = (Outcome.HELD, Outcome.SKIPPED)


class RunStatus(StrEnum):
    """The status of a run. The first seven are results; a run in the journal may also have one of the last two."""

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
    """An error that concerns some items: HTTP status or Falcon's code (0: none), text, trace id, the items' ids."""

    code: int
    message: str
    trace_id: str = ""
    ids: tuple[str, ...] = ()


class NamedItem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """An alert or hash that was given by name and not changed.

    Exactly one of composite_id and sha256 is set. outcome: `not_found`, `held` or `skipped`; reason: the guardrail or
    why it was skipped.
    """

    composite_id: str = ""
    sha256: str = ""
    outcome: str
    reason: str


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a changing command.

    selected = planned + sum(skipped) + sum(held); planned = changed + failed + drifted + unknown + not_sent.
    verified counts the items that were read back in the target state. seconds is wall time. actions: what each item
    gets, as text. overridden: the guardrails that were overridden. items: those given by name and not changed.
    incomplete: why the data was not whole; empty as a rule. closed: nothing is left that a resume would do, or the run
    was abandoned.
    """

    run_id: str
    customer: str
    cid: str
    command: str
    operator: str = ""
    selection: str = ""
    comment: str = ""
    actions: tuple[str, ...] = ()
    overridden: tuple[str, ...] = ()
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
    items: tuple[NamedItem, ...] = ()
    incomplete: tuple[str, ...] = ()
    closed: bool = False


class AlertRunResult(RunResult, frozen=True, kw_only=True):
    """The result of a run that changes alerts. rules: of a run of closing rules, what it did by each; else None."""

    rules: tuple[RuleResult, ...] | None = None


class IndicatorRunResult(RunResult, frozen=True, kw_only=True):
    """The result of a run of indicators. spec: what they look like; hashes: the outcome of each."""

    spec: IndicatorSpec
    hashes: tuple[HashOutcome, ...] = ()


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of `runs list`. started and finished: UTC, RFC 3339; finished is None while it runs.

    actions: what each item got, as text; overridden: the guardrails that were overridden.
    """

    run_id: str
    customer: str
    cid: str
    command: str
    operator: str = ""
    selection: str = ""
    actions: tuple[str, ...] = ()
    comment: str = ""
    overridden: tuple[str, ...] = ()
    rule: str = ""
    status: RunStatus
    started: str
    finished: str | None
    planned: int
    changed: int

    @property
    def is_open(self) -> bool:
        """True if it is running, or has something left to do."""
        return self.status in (RunStatus.RUNNING, RunStatus.UNFINISHED)


class ItemRecord(msgspec.Struct, Generic[State], frozen=True, kw_only=True):
    """What the journal knows of one item of a run.

    before: as planned; None for an indicator to be created, and for what was held or skipped. remote_id: an
    indicator's id, once known. rule: the closing rule that decided, else ''.
    """

    item_id: str
    before: State | None
    outcome: Outcome
    reason: str
    after: State | None = None
    remote_id: str = ""
    rule: str = ""


class ItemOutcome(msgspec.Struct, Generic[State], frozen=True, kw_only=True):
    """What became of one item: its outcome, why, what was read back, and whether that is the target state."""

    item_id: str
    outcome: Outcome
    reason: str = ""
    after: State | None = None
    verified: bool = False
    remote_id: str = ""


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A request of a run whose intent is recorded; number counts from 1 in each run."""

    run_id: str
    number: int


class BatchAnswer(NamedTuple):
    """How a batch's request ended: when (UTC, RFC 3339), a one-word outcome, and Falcon's trace id."""

    batch: Batch
    at: str
    outcome: str
    trace_id: str


def final_status(counts: dict[Outcome, int], planned: int, verified: int) -> tuple[RunStatus, ExitCode]:
    """Return status and exit code of a run from its items by outcome; `partial` also where a read-back differs."""
    if planned == 0:
        return RunStatus.NOTHING_TO_DO, ExitCode.DONE
    if counts.get(Outcome.CHANGED, 0) == planned == verified:
        return RunStatus.SUCCESS, ExitCode.DONE
    if counts.get(Outcome.FAILED, 0) == planned:
        return RunStatus.FAILED, ExitCode.PARTIAL
    return RunStatus.PARTIAL, ExitCode.PARTIAL
