"""Runs the operation of a changing command for one customer, and publishes what came of it."""

import platform
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from math import ceil
from pathlib import Path

from falcon_bulk import __version__
from falcon_bulk.cli.confirmation import Confirmation, check_change_allowed
from falcon_bulk.cli.hints import after_dry_run, after_repeated_closing, after_run, next_step, resume_hint
from falcon_bulk.cli.option_values import check_operator
from falcon_bulk.cli.options import KEEP, ChangeOptions, PaceOptions
from falcon_bulk.cli.progress import ProgressTask
from falcon_bulk.cli.session import Session
from falcon_bulk.cli.signals import stop_on_signals
from falcon_bulk.errors import ExitCode, JournalProblem, Stopped, UsageProblem
from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.model.plan import AlertPlan, IndicatorPlan, Plan
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.run import RunResult, RunStatus
from falcon_bulk.model.vocabulary import Resolution, Status
from falcon_bulk.operations.changes.guardrails import overrides_of
from falcon_bulk.operations.changes.lifecycle import (
    EMPTY_PREVIEW,
    Execution,
    Operation,
    Workspace,
    dry_run,
    execute,
    open_journal,
)
from falcon_bulk.operations.changes.plan_context import PlanContext
from falcon_bulk.operations.changes.plan_header import Origin
from falcon_bulk.operations.changes.request import ChangeRequest
from falcon_bulk.operations.changes.rule_check import RuleCheck
from falcon_bulk.operations.changes.throttle import Pace
from falcon_bulk.report.formats import Format
from falcon_bulk.report.run_result import dry_run_report, run_report

_TRUE_POSITIVE = f"resolution: {Resolution.TRUE_POSITIVE}"
RUN_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"

Prepare = Callable[[Tenant], Operation]
"""Makes a command's operation for the tenant that is logged in to."""


class SessionObserver:
    """Shows how a run goes on, and remembers how to resume it should it be stopped at once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._bar: ProgressTask | None = None
        self._waiting = 0

    @contextmanager
    def progress(self, label: str) -> Iterator[Callable[[int, int], None]]:
        """Show a progress bar."""
        with self._session.console.bar(label) as self._bar:
            yield self._bar

    def waiting(self, items: int, seconds: float) -> None:
        """Say what is waited for when more of it comes, and count down beside the bar."""
        left = ceil(seconds)
        if items > self._waiting:
            self._session.console.say(
                f"The answer to a change of {items:,} items was lost. It may still take effect, so they are read until "
                f"then and sent again in {left} s, if they need it. Other batches go on."
            )
        self._waiting = items
        if self._bar is not None:
            self._bar.note(f"{items:,} wait {left} s for a lost answer" if items else "")

    def run_started(self, run_id: str) -> None:
        """Remember how to resume the run."""
        self._session.unfinished[run_id] = resume_hint(self._session, run_id)

    def run_closed(self, run_id: str) -> None:
        """Forget the run: nothing of it is left to do."""
        self._session.unfinished.pop(run_id, None)


def new_origin(session: Session, operator: str | None = None) -> Origin:
    """Return the origin of a new plan. operator: of --operator, else the settings'. Raises UsageProblem."""
    name = session.load_settings().operator if operator is None else check_operator(operator)
    day = session.clock.now().strftime("%y%m%d")
    run_id = day + "".join(secrets.choice(RUN_ALPHABET) for _ in range(6))
    return Origin(run_id, name, platform.node(), session.now, __version__)


def change_request(options: ChangeOptions, operator: str) -> ChangeRequest:
    """Return the checked change that options ask for. Raises UsageProblem."""
    request = ChangeRequest(
        status=None if options.set_status == KEEP else Status(options.set_status),
        operator=operator,
        comment=options.comment or "",
        resolution=Resolution(options.resolution) if options.resolution else None,
        tags=options.tags,
        untags=options.untags,
        assign_to=options.assign_to or "",
        unassign=options.unassign,
        overrides=overrides_of(frozenset(options.overrides)),
    )
    request.check()
    return request


def pace(options: PaceOptions) -> Pace:
    """Return the pace that options ask for."""
    return Pace(options.batch_size, options.batch_delay, options.workers)


def check_options(session: Session, confirmation: Confirmation, *, dry: bool, plan_file: Path | None = None) -> None:
    """Check, before a login, that a change may and can be confirmed. A dry run needs none of it."""
    if dry:
        return
    if plan_file is not None:
        raise UsageProblem("--plan goes with --dry-run.", "`falcon-bulk apply FILE` carries out a saved plan.")
    confirmation.check_possible()
    check_change_allowed(session, yes=confirmation.options.yes)


def plan_context(session: Session, tenant: Tenant, *, label: str = "reading") -> PlanContext:
    """Return what plans of the session's customer are made with. label: of the progress shown while alerts are read."""
    return PlanContext(tenant, session.state_folder(), lambda: session.watching(label), session.readers)


def run_operation(
    session: Session,
    prepare: Prepare,
    confirmation: Confirmation,
    run_pace: Pace,
    *,
    dry: bool = False,
    plan_file: Path | None = None,
    fail_on_empty: bool = False,
    rule_check: RuleCheck | None = None,
) -> int:
    """Log in, plan, and carry out an operation or only show it; publish the result and return the exit code."""
    with stop_on_signals(session), open_workspace(session, run_pace, rule_check) as workspace:
        operation = prepare(workspace.tenant)
        if dry:
            execution = dry_run(operation, workspace.tenant, confirmation.check_bounds, plan_file)
            return publish_dry_run(session, execution, confirmation, fail_on_empty=fail_on_empty)

        def approve(plan: Plan, preview: Preview) -> None:
            confirmation.confirm(session, plan, preview)

        execution = execute(operation, workspace, approve)
        result, shown = execution.result, execution.preview
        if result.status is RunStatus.NOTHING_TO_DO and shown and shown.held:
            session.show(confirmation.preview(session, execution.plan, shown))
        return publish(session, execution, fail_on_empty=fail_on_empty)


@contextmanager
def open_workspace(session: Session, run_pace: Pace, rule_check: RuleCheck | None = None) -> Iterator[Workspace]:
    """Log in to the session's customer; yields what a change works with. rule_check: for a plan of closing rules."""
    with session.tenant(workers=run_pace.workers) as tenant:
        yield Workspace(tenant, session.state_folder(), session.clock, SessionObserver(session), run_pace, rule_check)
        if tenant.pacer.requests and not session.console.verbose:
            session.console.say(tenant.pacer.usage_summary)


def publish(session: Session, execution: Execution, *, fail_on_empty: bool = False) -> int:
    """Publish the result of an operation, say why it stopped early, and return the exit code."""
    result, cause = execution.result, execution.cause
    try:
        session.publish(run_report(result, next_step=next_step(session, result)))
    finally:
        if isinstance(cause, Stopped):
            session.console.error(cause.message, next_step(session, result))
        else:
            if cause is not None:
                session.console.error(cause.traced_message, cause.hint)
            after_run(session, result)
            _suggest_draft(session, execution.plan, result)
    return _exit_code(session, execution.plan, result, result.exit_code, fail_on_empty=fail_on_empty)


def _suggest_draft(session: Session, plan: Plan, result: RunResult) -> None:
    """Suggest to draft a closing rule if a person closed the same alerts before, and none of them as true positives."""
    if not (isinstance(plan, AlertPlan) and result.changed):
        return
    if any(action.startswith(_TRUE_POSITIVE) for action in result.actions):
        return
    from falcon_bulk.journal.repeated_closing import closed_by_hand_before  # loads SQLAlchemy

    with suppress(JournalProblem), open_journal(session.state_folder(), plan.cid) as journal:
        if before := closed_by_hand_before(journal.database, plan):
            after_repeated_closing(session, result.run_id, before)


def publish_dry_run(
    session: Session, execution: Execution, confirmation: Confirmation, *, fail_on_empty: bool = False
) -> int:
    """Publish what an operation would do, and return the exit code."""
    plan, preview, result = execution.plan, execution.preview or EMPTY_PREVIEW, execution.result
    sheets = confirmation.preview(session, plan, preview, dry=True)
    session.publish(dry_run_report(sheets, preview, result))
    if session.output.format is Format.JSON:
        session.show(sheets)
    after_dry_run(session, result)
    return _exit_code(session, plan, result, ExitCode.DONE, fail_on_empty=fail_on_empty)


def _exit_code(session: Session, plan: Plan, result: RunResult, code: int, *, fail_on_empty: bool) -> int:
    """Return `code`, or EMPTY after saying that nothing matched; say why only closed alerts were selected."""
    missing = result.skipped.get("not_found", 0) + result.skipped.get("duplicate", 0)
    if result.selected > missing or isinstance(plan, IndicatorPlan):
        if not result.planned and result.skipped.get("closed") == result.selected:
            session.console.say(
                "Hint: all of these are closed. Only --status closed lets a change touch closed alerts."
            )
        return code
    session.console.say(f"No alert matches: {plan.selection}.")
    return ExitCode.EMPTY if fail_on_empty else code
