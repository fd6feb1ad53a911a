"""The road that every changing command goes: plan, preview, bounds, consent, run, result."""

import os
import secrets
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import msgspec

from falcon_bulk import __version__
from falcon_bulk.cli.console import is_interactive
from falcon_bulk.cli.context import Context
from falcon_bulk.config.operator import operator_problem
from falcon_bulk.config.settings import read_only
from falcon_bulk.errors import Declined, ExitCode, FalconBulkError, Refused, Stopped, UsageProblem
from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.journal.journal import Draft, Journal
from falcon_bulk.journal.lock import holding
from falcon_bulk.model.plan import Plan
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.run import RunResult, RunStatus
from falcon_bulk.model.selection import Selection
from falcon_bulk.model.vocabulary import Status, Verdict
from falcon_bulk.operations.apply import Pace, Run
from falcon_bulk.operations.plan import Change, Nowhere, PlanSink, check_bounds, make_plan
from falcon_bulk.operations.planfile import PlanFileWriter
from falcon_bulk.operations.rails import RAILS
from falcon_bulk.operations.select import select
from falcon_bulk.report.formats import Format
from falcon_bulk.report.output import write_atomically
from falcon_bulk.report.preview import preview_sheets
from falcon_bulk.report.result import result_document, result_sheets
from falcon_bulk.report.sheet import Sheet

RUN_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True)
class Consent:
    """How consent is given: at the prompt, or by --yes within bounds."""

    yes: bool
    expect: int | None = None
    most: int | None = None
    needs_bound: bool = True

    def check(self) -> None:
        """Raises UsageProblem, before anything is sent, if consent cannot be had."""
        if self.yes and self.needs_bound and self.expect is None and self.most is None:
            raise UsageProblem("--yes needs a bound.", "Add --expect N or --max N: how many alerts you mean to change.")
        if not self.yes and not is_interactive():
            add = "--yes with --expect N or --max N" if self.needs_bound else "--yes"
            raise UsageProblem("There is no terminal to ask on.", f"Add {add}, or --dry-run to look only.")


def new_run_id(context: Context) -> str:
    """A short id, unique and easy to read out: the day and six letters or digits."""
    day = context.timing.now().strftime("%y%m%d")
    return day + "".join(secrets.choice(RUN_ALPHABET) for _ in range(6))


def change_of(context: Context, options: dict[str, Any], run_id: str) -> Change:
    """The change that a command's options ask for, checked. Raises UsageProblem."""
    lifted = options["lifted"]
    operator = options["operator"] if options["operator"] is not None else context.settings.operator
    if problem := operator_problem(operator):
        raise UsageProblem(f"--operator {problem}.")
    change = Change(
        status=Status(options["status"]),
        operator=operator,
        comment=options["comment"],
        verdict=Verdict(options["resolution"]) if options["resolution"] else None,
        tags=options["tags"],
        assign_to=options["assign_to"],
        lifted=frozenset(RAILS) if "all" in lifted else frozenset(lifted),
    )
    change.check()
    change.comment_of(run_id)
    return change


def change_alerts(context: Context, command: str, selection: Selection, options: dict[str, Any]) -> int:
    """close-hash and bulk-close, from the checked selection to the exit code."""
    run_id = new_run_id(context)
    dry_run, plan_file = options["dry_run"], options["plan_file"]
    consent = Consent(options["yes"], options["expect"], options["most"])
    if plan_file and not dry_run:
        raise UsageProblem("--plan goes with --dry-run.", "`falcon-bulk apply FILE` carries a saved plan out.")
    if not dry_run:
        consent.check()
    change = change_of(context, options, run_id)
    if not dry_run:
        check_may_change(context, consent)
    with stopping(context), context.tenant(workers=options["workers"]) as tenant:
        home = tenant.home()
        plan = Plan(
            run_id=run_id,
            command=command,
            customer=tenant.customer,
            cid=home,
            cids=tenant.cids or (home,),
            cloud=tenant.cloud,
            operator=change.operator,
            created=context.now,
            selection=selection.words,
            hashes=selection.hashes if command == "close-hash" else (),
            lifted=tuple(name for name in RAILS if name in change.lifted),
            target=change.status,
            comment=change.comment_of(run_id),
            version=__version__,
        )

        def make(sink: PlanSink) -> Preview:
            with context.watching("reading") as watch:
                return make_plan(
                    select(tenant.alerts, selection, watch, readers=context.readers),
                    change,
                    plan,
                    sink,
                    given=selection.ids,
                )

        if dry_run:
            return _dry_run(context, tenant, plan, make, consent, plan_file, fail_on_empty=options["fail_on_empty"])
        if change.status == Status.CLOSED and change.verdict is None:
            context.console.say("Hint: --resolution false_positive records why the alerts are closed.")
        return carry_out(
            context,
            tenant,
            plan,
            make,
            consent,
            pace_of(options),
            fail_on_empty=options["fail_on_empty"],
        )


def check_may_change(context: Context, consent: Consent) -> None:
    """Raises Refused under FALCON_BULK_READ_ONLY, UsageProblem for --yes on a tenant that nothing names."""
    if context.settings.read_only or read_only(os.environ):
        raise Refused(
            "FALCON_BULK_READ_ONLY is set: nothing is changed.", "Unset it to allow changes; --dry-run works."
        )
    if consent.yes and not context.named and not context.settings.cids:
        raise UsageProblem(
            "--yes needs a customer that is named.", "Add --customer or --env-file, or set FALCON_CID in the env file."
        )


def pace_of(options: dict[str, Any]) -> Pace:
    """The pace options."""
    return Pace(options["batch_size"], options["batch_delay"], options["workers"])


def carry_out(
    context: Context,
    tenant: Tenant,
    plan: Plan,
    make: Callable[[Draft], Preview],
    consent: Consent,
    pace: Pace,
    *,
    fresh: bool = True,
    fail_on_empty: bool = False,
) -> int:
    """Make the plan in the journal, show it, ask, and carry it out.

    fresh: the plan is made from alerts read just now. Raises Busy, Refused, Declined and what reading raises;
    what Falcon answers to the changes is in the result.
    """
    if not plan.cid:
        return _nothing(context, plan, None, fail_on_empty=fail_on_empty)
    folder = context.state_folder()
    with holding(folder, plan.cids, plan.run_id), _journal(folder, plan.cid) as journal:
        read_at = context.timing.monotonic() if fresh else float("-inf")
        draft = journal.draft(plan)
        try:
            preview = make(draft)
            check_bounds(preview.planned, expect=consent.expect, most=consent.most)
            if not preview.planned:
                journal.discard(plan.run_id)
                return _nothing(context, plan, preview, fail_on_empty=fail_on_empty)
            context.show(preview_sheets(plan, preview))
            if not consent.yes:
                _ask(context, plan, preview)
        except Declined as declined:
            journal.discard(plan.run_id)
            _publish(context, _not_run(plan, preview, RunStatus.DECLINED, ExitCode.DECLINED))
            context.console.error(declined.message, declined.hint)
            return ExitCode.DECLINED
        except BaseException:
            journal.discard(plan.run_id)
            raise
        draft.begin(preview, context.now)
        return run_to_its_end(context, tenant, journal, plan, pace, read_at)


def run_to_its_end(
    context: Context, tenant: Tenant, journal: Journal, plan: Plan, pace: Pace, read_at: float = float("-inf")
) -> int:
    """Carry out what the journal holds of a run, publish the result, return its exit code."""
    with context.console.bar("changing") as move:
        run = Run(
            tenant.alerts,
            journal,
            plan,
            context.timing,
            pace,
            read_at=read_at,
            progress=move,
            trouble=lambda: tenant.pacer.troubles,
        )
        result = run.carry_out(lambda: tenant.pacer.requests)
    _publish(context, result)
    if run.cause is not None:
        _explain(context, run.cause, result)
    context.console.say(
        f"{tenant.pacer.requests:,} requests in all, lowest remaining quota seen: {tenant.pacer.lowest_remaining}."
    )
    return result.exit_code


@contextmanager
def stopping(context: Context) -> Iterator[None]:
    """SIGINT and SIGTERM: the first asks the work to stop in good order, the second ends the process."""

    def on_signal(signum: int, _frame: FrameType | None) -> None:
        if not context.timing.stop(signum):
            os._exit(128 + signum)

    former = {name: signal.signal(name, on_signal) for name in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for name, handler in former.items():
            signal.signal(name, handler)


@contextmanager
def _journal(folder: Path, cid: str) -> Iterator[Journal]:
    journal = Journal(folder / f"{cid}.sqlite3")
    try:
        yield journal
    finally:
        journal.close()


def _dry_run(
    context: Context,
    tenant: Tenant,
    plan: Plan,
    make: Callable[[PlanSink], Preview],
    consent: Consent,
    plan_file: Path | None,
    *,
    fail_on_empty: bool,
) -> int:
    if plan_file is None:
        preview = make(Nowhere())
    else:
        with write_atomically(plan_file, 0o600) as file:
            writer = PlanFileWriter(file, plan)
            preview = make(writer)
            check_bounds(preview.planned, expect=consent.expect, most=consent.most)
            writer.finish(preview)
    return show_dry_run(context, tenant, plan, preview, consent, plan_file, fail_on_empty=fail_on_empty)


def show_dry_run(
    context: Context,
    tenant: Tenant,
    plan: Plan,
    preview: Preview,
    consent: Consent,
    plan_file: Path | None = None,
    *,
    fail_on_empty: bool = False,
) -> int:
    """Publish what would be done. Raises Refused if a bound is not met."""
    check_bounds(preview.planned, expect=consent.expect, most=consent.most)
    result = _not_run(plan, preview, RunStatus.DRY_RUN, ExitCode.DONE)
    result = msgspec.structs.replace(
        result, plan_file=str(plan_file) if plan_file else None, requests=tenant.pacer.requests
    )
    context.publish(lambda: _dry_run_sheets(plan, preview, result), lambda: result_document(result))
    if context.format is Format.JSON:
        context.show(preview_sheets(plan, preview))
    return _empty_or_done(context, plan, preview, fail_on_empty=fail_on_empty)


def _dry_run_sheets(plan: Plan, preview: Preview, result: RunResult) -> list[Sheet]:
    """The preview says all that the result would; what is left of that is its title and where to go on."""
    said = result_sheets(result)[0]
    return [*preview_sheets(plan, preview), Sheet(said.title, (), (), said.notes)]


def _nothing(context: Context, plan: Plan, preview: Preview | None, *, fail_on_empty: bool) -> int:
    seen = preview or Preview(selected=0, planned=0, skipped={}, held={}, samples=(), oldest="", newest="", sent=())
    if seen.held:
        context.show(preview_sheets(plan, seen))
    _publish(context, _not_run(plan, seen, RunStatus.NOTHING_TO_DO, ExitCode.DONE))
    return _empty_or_done(context, plan, seen, fail_on_empty=fail_on_empty)


def _empty_or_done(context: Context, plan: Plan, preview: Preview, *, fail_on_empty: bool) -> int:
    if preview.selected:
        return ExitCode.DONE
    context.console.say(f"No alert matches: {plan.selection}.")
    return ExitCode.EMPTY if fail_on_empty else ExitCode.DONE


def _not_run(plan: Plan, preview: Preview, status: RunStatus, exit_code: ExitCode) -> RunResult:
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
    )


def _publish(context: Context, result: RunResult) -> None:
    context.publish(lambda: result_sheets(result), lambda: result_document(result))


def _explain(context: Context, cause: FalconBulkError, result: RunResult) -> None:
    if isinstance(cause, Stopped) and (result.not_sent or result.unknown):
        context.console.error("Stopped by a signal.", f"Go on with `falcon-bulk resume {result.run_id}`.")
    else:
        context.console.error(cause.message, cause.hint)


def _ask(context: Context, plan: Plan, preview: Preview) -> None:
    """Raises Declined for another answer, UsageProblem at the end of input, Stopped on Ctrl-C."""
    wanted = f"{plan.customer} {preview.planned}"
    question = f"Type {wanted!r} to change these {preview.planned:,} alerts, anything else to leave:"

    def give_up(signum: int, _frame: FrameType | None) -> None:
        raise Stopped("Stopped at the question; nothing was changed.", terminated=signum == signal.SIGTERM)

    former = {name: signal.signal(name, give_up) for name in (signal.SIGINT, signal.SIGTERM)}
    try:
        answer = context.console.ask(question)
    finally:
        for name, handler in former.items():
            signal.signal(name, handler)
    if answer is None:
        raise UsageProblem("The input ended at the question.", "Nothing was changed. --yes answers without asking.")
    if " ".join(answer.split()) != wanted:
        raise Declined("Not confirmed; nothing was changed.")
    context.timing.check()
