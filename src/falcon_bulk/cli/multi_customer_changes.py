"""Changing alerts of several customers: a plan each, shown in one table, carried out after one question."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from falcon_bulk.cli.change_workflow import (
    EMPTY_PREVIEW,
    change_from_options,
    dry_run,
    execute_plan,
    new_run_id,
    pace_from_options,
    prepare_plan,
)
from falcon_bulk.cli.confirmation import ConsentOptions, ask_to_type, check_change_allowed, check_customer_file_unique
from falcon_bulk.cli.hints import suggest
from falcon_bulk.cli.multi_customer import run_for_customers
from falcon_bulk.cli.selection_options import exit_code_for
from falcon_bulk.cli.session import Session
from falcon_bulk.cli.signals import stop_on_signals
from falcon_bulk.errors import Declined, ExitCode, UsageProblem
from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.model.multi_customer import CustomerResult
from falcon_bulk.model.run import RunResult
from falcon_bulk.model.selection import Selection
from falcon_bulk.operations.changes.plan_file import PlanFile
from falcon_bulk.report.multi_customer import Parts, customers_sheet, multi_report
from falcon_bulk.report.preview import preview_sheets
from falcon_bulk.report.report import Report, Reported
from falcon_bulk.report.run_result import dry_run_document, result_document, result_sheets
from falcon_bulk.report.sheet import Cell, Sheet

SUFFIX = ".plan"
ALL_CUSTOMERS = "all"


def plan_for_customers(context: Session, command: str, selection: Selection, options: dict[str, Any]) -> int:
    """A dry run for each customer of the round, saved as DIR/NAME.plan if --plan names a folder."""
    if not options["dry_run"]:
        raise UsageProblem(
            "Changes of several customers go by way of plans.",
            "Add --dry-run --plan DIR, look at them, then `falcon-bulk apply DIR`.",
        )
    folder: Path | None = options["plan_file"]
    if folder is not None and folder.exists() and not folder.is_dir():
        raise UsageProblem(
            f"{folder} is not a folder.", "For several customers --plan names a folder, for a plan each."
        )
    if folder is not None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    consent = ConsentOptions(options["yes"], options["expect"], options["maximum"])

    def work(alone: Session) -> Reported[RunResult]:
        check_customer_file_unique(alone)
        run_id = new_run_id(alone)
        change = change_from_options(alone, options, run_id)
        with alone.tenant() as tenant:
            plan, make = prepare_plan(alone, tenant, command, selection, change, run_id)
            file = folder / f"{alone.customers.name}{SUFFIX}" if folder is not None else None
            ended = dry_run(tenant, plan, make, consent, file)
        sheets = [*preview_sheets(ended.plan, ended.preview), *result_sheets(ended.result)] if ended.preview else []
        report = Report(
            lambda: sheets,
            lambda: dry_run_document(ended.result, ended.preview or EMPTY_PREVIEW),
            exit_code=exit_code_for(ended.result.selected, fail_on_empty=options["fail_on_empty"]),
        )
        return Reported(ended.result, report)

    with stop_on_signals(context):
        code = run_for_customers(context, work, _report)
    if folder is not None:
        suggest(context, "Apply them:", "apply", str(folder), with_customer=False)
    return code


def apply_plan_folder(
    context: Session, folder: Path, check: Callable[[PlanFile, Tenant], None], options: dict[str, Any]
) -> int:
    """Carry out the plans of a folder, side by side, each with its own customer's credentials.

    check: raises Refused for a plan that is not this tenant's or too old. Raises Declined, UsageProblem.
    """
    saved = {path.stem: PlanFile(path) for path in sorted(folder.glob(f"*{SUFFIX}"))}
    if not saved:
        raise UsageProblem(
            f"There is no plan in {folder}.", "`bulk-close --all-customers --dry-run --plan DIR` saves some."
        )
    consent = ConsentOptions(options["yes"], options["expect"], options["maximum"], needs_bound=False)
    if consent.yes and consent.most is None:
        raise UsageProblem("--yes needs a bound for a round.", "Add --max N: how many alerts of each customer at most.")
    consent.check()
    context = context.for_customers(tuple(saved))
    total = sum(plan.preview.planned for plan in saved.values())
    context.show([_planned_sheet(saved)])
    if not consent.yes and total:
        try:
            ask_to_type(context, ALL_CUSTOMERS, total, f"change these {total:,} alerts")
        except Declined as declined:
            context.console.error(declined.message, declined.hint)
            return ExitCode.DECLINED

    def work(alone: Session) -> Reported[RunResult]:
        plan = saved[alone.customers.name]
        check_change_allowed(alone, consent)
        with alone.tenant(workers=options["workers"]) as tenant:
            check(plan, tenant)

            ended = execute_plan(
                alone, tenant, plan.plan, plan.fill, consent.check_bounds, pace_from_options(options), fresh=False
            )
        if ended.cause is not None:
            alone.console.error(ended.cause.message, ended.cause.hint)
        result = ended.result
        report = Report(lambda: result_sheets(result), lambda: result_document(result), exit_code=result.exit_code)
        return Reported(result, report)

    with stop_on_signals(context):
        return run_for_customers(context, work, _report)


def _report(parts: Parts[RunResult]) -> Report:
    def cells(result: RunResult) -> tuple[Cell, ...]:
        return (
            result.selected,
            sum(result.skipped.values()),
            sum(result.held.values()),
            result.planned,
            result.changed,
            result.verified,
            result.run_id,
        )

    numbers = ("selected", "skipped", "held", "planned", "changed", "verified", "run")
    return multi_report(parts, numbers, cells)


def _planned_sheet(saved: dict[str, PlanFile]) -> Sheet:
    parts = [
        CustomerResult(customer=customer, cid=plan.plan.cid, exit_code=0, result=Reported(plan, Report(list, dict)))
        for customer, plan in saved.items()
    ]
    total = sum(plan.preview.planned for plan in saved.values())
    sheet = customers_sheet(
        parts,
        ("selected", "held", "planned", "made", "by"),
        lambda file: (
            file.preview.selected,
            sum(file.preview.held.values()),
            file.preview.planned,
            file.plan.created,
            file.plan.operator,
        ),
    )
    warnings = sorted({warning for plan in saved.values() for warning in plan.preview.warnings})
    return Sheet(f"{total:,} alerts of {len(saved):,} customers to change", sheet.columns, sheet.rows, warnings)
