"""The road that every changing command goes: plan, preview, consent, run, result."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from falcon_bulk import __version__
from falcon_bulk.atomic_file import write_atomically
from falcon_bulk.cli.confirmation import ConsentOptions, check_change_allowed, confirm_plan
from falcon_bulk.cli.hints import after_dry_run, after_run, next_step, resume_hint
from falcon_bulk.cli.options import KEEP
from falcon_bulk.cli.session import Session
from falcon_bulk.cli.signals import stop_on_signals
from falcon_bulk.config.operator import operator_problem
from falcon_bulk.errors import Declined, ExitCode, FalconBulkError, Stopped, UsageProblem
from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.journal.customer_cids import check_customer_cid, remember_customer_cid
from falcon_bulk.journal.draft import Draft
from falcon_bulk.journal.journal import Journal
from falcon_bulk.journal.lock import hold_locks
from falcon_bulk.model.alert import Alert
from falcon_bulk.model.plan import Plan
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.run import RunResult, RunStatus
from falcon_bulk.model.selection import Selection
from falcon_bulk.model.vocabulary import Resolution, Status
from falcon_bulk.operations.changes.apply import AlertRun, Pace
from falcon_bulk.operations.changes.guardrails import GUARDRAILS
from falcon_bulk.operations.changes.indicator_operations import operation_for
from falcon_bulk.operations.changes.indicator_run import IndicatorRun
from falcon_bulk.operations.changes.plan_file import PlanFileWriter
from falcon_bulk.operations.changes.planner import Change, NullSink, PlanSink, check_action_value, make_plan
from falcon_bulk.operations.reading.select_alerts import read_selection
from falcon_bulk.report.formats import Format
from falcon_bulk.report.preview import preview_sheets
from falcon_bulk.report.report import Report
from falcon_bulk.report.run_result import dry_run_document, result_document, result_headline, result_sheets
from falcon_bulk.report.sheet import Sheet

EMPTY_PREVIEW = Preview(selected=0, planned=0, skipped={}, held={}, samples=(), oldest="", newest="", sent=())
RUN_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def new_run_id(context: Session) -> str:
    """A short id, unique and easy to read out: the day and six letters or digits."""
    day = context.clock.now().strftime("%y%m%d")
    return day + "".join(secrets.choice(RUN_ALPHABET) for _ in range(6))


def change_from_options(context: Session, options: dict[str, Any], run_id: str) -> Change:
    """The change that a command's options ask for, checked. Raises UsageProblem."""
    overrides = options["overrides"]
    operator = operator_from_options(context, options)
    change = Change(
        status=None if options["set_status"] == KEEP else Status(options["set_status"]),
        operator=operator,
        comment=options["comment"] or "",
        resolution=Resolution(options["resolution"]) if options["resolution"] else None,
        tags=options["tags"],
        assign_to=options["assign_to"] or "",
        overrides=frozenset(GUARDRAILS) if "all" in overrides else frozenset(overrides),
    )
    change.check()
    change.comment_of(run_id)
    return change


def operator_from_options(context: Session, options: dict[str, Any]) -> str:
    """Who does it: as --operator says, else the settings. Raises UsageProblem for a name that cannot be."""
    operator: str = options["operator"] if options["operator"] is not None else context.load_settings().operator
    if problem := operator_problem(operator):
        raise UsageProblem(f"--operator {problem}.")
    return operator


def change_alerts(context: Session, command: str, selection: Selection, options: dict[str, Any]) -> int:
    """close-hash and bulk-close for one customer, from the checked selection to the exit code."""
    run_id = new_run_id(context)
    consent = ConsentOptions(options["yes"], options["expect"], options["maximum"])
    if options["plan_file"] and not options["dry_run"]:
        raise UsageProblem("--plan goes with --dry-run.", "`falcon-bulk apply FILE` carries a saved plan out.")
    if not options["dry_run"]:
        consent.check()
    change = change_from_options(context, options, run_id)
    if not options["dry_run"]:
        check_change_allowed(context, consent)
    fail_on_empty = options["fail_on_empty"]
    with stop_on_signals(context), context.tenant(workers=options["workers"]) as tenant:
        plan, make = prepare_plan(context, tenant, command, selection, change, run_id)
        if options["dry_run"]:
            return publish_dry_run(
                context, dry_run(tenant, plan, make, consent, options["plan_file"]), fail_on_empty=fail_on_empty
            )
        if change.status == Status.CLOSED and change.resolution is None:
            context.console.say("Hint: --resolution false_positive records why the alerts are closed.")
        approve = partial(confirm_plan, context, plan, consent)
        ended = execute_plan(context, tenant, plan, make, approve, pace_from_options(options))
        return publish(context, ended, fail_on_empty=fail_on_empty)


def prepare_plan(
    context: Session, tenant: Tenant, command: str, selection: Selection, change: Change, run_id: str
) -> tuple[Plan, Callable[[PlanSink], Preview]]:
    """The head of a plan for one customer, and what makes the rest of it. Raises WrongTenant."""
    home = tenant.cids[0] if tenant.cids else tenant.home_cid()
    if home:
        check_customer_cid(context.state_folder(), tenant.customer, tenant.cids or (home,))
    plan = Plan(
        run_id=run_id,
        command=command,
        customer=tenant.customer,
        cid=home,
        cids=tenant.cids or (home,),
        cloud=tenant.cloud,
        operator=change.operator,
        created=context.now,
        selection=selection.description,
        hashes=selection.hashes if command == "close-hash" else (),
        overrides=tuple(name for name in GUARDRAILS if name in change.overrides),
        target=change.status or "",
        comment=change.comment_of(run_id),
        version=__version__,
    )

    def make(sink: PlanSink) -> Preview:
        with context.watching("reading") as progress:
            found = read_selection(tenant.alerts, selection, progress, Alert, readers=context.readers)
            return make_plan(found, change, plan, sink, given=selection.ids)

    return plan, make


def undo_plan(context: Session, tenant: Tenant, former: Plan, what: str) -> Plan:
    """The head of a plan that takes a run back. what: what the run did, such as `the alerts that X changed`.

    Raises Refused if these are another tenant's credentials.
    """
    run_id, operator = new_run_id(context), context.load_settings().operator
    tenant.check_run_tenant(former.cids, former.cloud)
    return Plan(
        run_id=run_id,
        command="undo",
        customer=tenant.customer,
        cid=former.cid,
        cids=former.cids,
        cloud=tenant.cloud,
        operator=operator,
        created=context.now,
        selection=what,
        comment=check_action_value("comment", f"Undo of {former.run_id} (by {operator}, falcon-bulk {run_id})"),
        undoes=former.run_id,
        version=__version__,
        allowance=former.allowance,
    )


def pace_from_options(options: dict[str, Any]) -> Pace:
    """The pace options."""
    return Pace(options["batch_size"], options["batch_delay"], options["workers"])


class FinishedPlan(NamedTuple):
    """What became of a plan: done, declined, or nothing to do. cause: why it stopped early."""

    plan: Plan
    preview: Preview | None
    result: RunResult
    cause: FalconBulkError | None = None


def execute_plan(
    context: Session,
    tenant: Tenant,
    plan: Plan,
    make: Callable[[Draft], Preview],
    approve: Callable[[Preview], None],
    pace: Pace,
    *,
    fresh: bool = True,
) -> FinishedPlan:
    """Make the plan in the journal, have it approved, and carry it out.

    fresh: the plan is made from alerts read just now. approve: raises Declined or Refused for a no. Raises Busy and
    what reading raises; what Falcon answers to the changes is in the result.
    """
    if not plan.cid:
        return FinishedPlan(plan, None, result_without_changes(plan, EMPTY_PREVIEW, RunStatus.NOTHING_TO_DO))
    folder = context.state_folder()
    with hold_locks(folder, plan.cids, plan.run_id), _journal(folder, plan.cid) as journal:
        read_at = context.clock.monotonic() if fresh else float("-inf")
        draft = journal.draft(plan)
        try:
            preview = make(draft)
            approve(preview)
            if not preview.planned:
                journal.discard(plan.run_id)
                return FinishedPlan(plan, preview, result_without_changes(plan, preview, RunStatus.NOTHING_TO_DO))
        except Declined as declined:
            journal.discard(plan.run_id)
            return FinishedPlan(
                plan, preview, result_without_changes(plan, preview, RunStatus.DECLINED, ExitCode.DECLINED), declined
            )
        except BaseException:
            journal.discard(plan.run_id)
            raise
        remember_customer_cid(folder, plan.customer, plan.cid)
        draft.begin(preview, context.now)
        return execute_run(context, tenant, journal, plan, pace, read_at)._replace(preview=preview)


def execute_run(
    context: Session, tenant: Tenant, journal: Journal, plan: Plan, pace: Pace, read_at: float = float("-inf")
) -> FinishedPlan:
    """Carry out what the journal holds of a run."""
    context.unfinished[plan.run_id] = resume_hint(context, plan.run_id)
    with context.console.bar("changing") as move:
        run: AlertRun | IndicatorRun
        if plan.allowance is not None:
            run = IndicatorRun(operation_for(plan, tenant.indicators), journal, plan, context.clock, read_at=read_at)
        else:
            run = AlertRun(
                tenant.alerts,
                journal,
                plan,
                context.clock,
                pace,
                read_at=read_at,
                progress=move,
                trouble=lambda: tenant.pacer.failures,
            )
        result = run.carry_out(lambda: tenant.pacer.requests)
    if not (result.unknown or result.not_sent):
        del context.unfinished[plan.run_id]
    if not context.console.verbose:
        context.console.say(tenant.pacer.usage_summary)
    return FinishedPlan(plan, None, result, run.cause)


def publish(context: Session, ended: FinishedPlan, *, fail_on_empty: bool = False) -> int:
    """Publish the end of a plan, say why it stopped early; the exit code."""
    result, cause = ended.result, ended.cause
    if result.status is RunStatus.NOTHING_TO_DO and ended.preview and ended.preview.held:
        context.show(preview_sheets(ended.plan, ended.preview))
    context.publish(
        Report(
            lambda: result_sheets(result),
            lambda: result_document(result),
            title=result_headline(result),
            next_step=next_step(context, result),
        )
    )
    if isinstance(cause, Stopped):
        context.console.error(cause.message, next_step(context, result))
    else:
        if cause is not None:
            context.console.error(cause.message, cause.hint)
        after_run(context, result)
    return _empty_or(result.exit_code, context, ended.plan, result, fail_on_empty=fail_on_empty)


@contextmanager
def _journal(folder: Path, cid: str) -> Iterator[Journal]:
    journal = Journal(folder / f"{cid}.sqlite3")
    try:
        yield journal
    finally:
        journal.close()


def dry_run(
    tenant: Tenant,
    plan: Plan,
    make: Callable[[PlanSink], Preview],
    consent: ConsentOptions,
    plan_file: Path | None = None,
) -> FinishedPlan:
    """Make a plan and send nothing; save it in the file, if one is given. Raises Refused if a bound is not met."""
    if plan_file is None:
        preview = make(NullSink())
        consent.check_bounds(preview)
    else:
        with write_atomically(plan_file, 0o600) as file:
            writer = PlanFileWriter(file, plan)
            preview = make(writer)
            consent.check_bounds(preview)
            writer.finish(preview)
    return dry_run_result(tenant, plan, preview, plan_file)


def dry_run_result(tenant: Tenant, plan: Plan, preview: Preview, plan_file: Path | None = None) -> FinishedPlan:
    """The end of a dry run."""
    result = result_without_changes(plan, preview, RunStatus.DRY_RUN)
    said = str(plan_file) if plan_file else None
    return FinishedPlan(plan, preview, msgspec.structs.replace(result, plan_file=said, requests=tenant.pacer.requests))


def publish_dry_run(context: Session, ended: FinishedPlan, *, fail_on_empty: bool = False) -> int:
    """Publish what would be done; the exit code."""
    plan, preview, result = ended.plan, ended.preview or EMPTY_PREVIEW, ended.result
    context.publish(
        Report(
            lambda: _dry_run_sheets(plan, preview, result),
            lambda: dry_run_document(result, preview),
            title=result_headline(result),
        )
    )
    if context.output.format is Format.JSON:
        context.show(preview_sheets(plan, preview))
    after_dry_run(context, result)
    return _empty_or(ExitCode.DONE, context, plan, result, fail_on_empty=fail_on_empty)


def _dry_run_sheets(plan: Plan, preview: Preview, result: RunResult) -> list[Sheet]:
    """The preview says all that the result would; what is left of that is its title and where to go on."""
    said = result_sheets(result)[0]
    return [*preview_sheets(plan, preview), Sheet(said.title, (), (), said.notes)]


def _empty_or(code: int, context: Session, plan: Plan, result: RunResult, *, fail_on_empty: bool) -> int:
    """The code, or that of an empty selection, which is said."""
    if result.selected or result.allowance is not None:
        return code
    context.console.say(f"No alert matches: {plan.selection}.")
    return ExitCode.EMPTY if fail_on_empty else code


def result_without_changes(
    plan: Plan, preview: Preview, status: RunStatus, exit_code: ExitCode = ExitCode.DONE
) -> RunResult:
    """The result of a plan of which nothing was sent."""
    return RunResult(
        run_id=plan.run_id,
        customer=plan.customer,
        cid=plan.cid,
        command=plan.command,
        status=status,
        exit_code=exit_code,
        selected=preview.selected,
        skipped=preview.skipped,
        held=preview.held,
        planned=preview.planned,
        not_sent=preview.planned,
        allowance=plan.allowance,
        hashes=preview.hashes,
    )
