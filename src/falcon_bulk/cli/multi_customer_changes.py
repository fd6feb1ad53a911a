"""Changes of several customers: a plan each, shown in one table, carried out after one question."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from falcon_bulk.cli.confirmation import Confirmation, check_customer_file_unique
from falcon_bulk.cli.hints import suggest
from falcon_bulk.cli.multi_customer import run_for_customers
from falcon_bulk.cli.selection_options import exit_code_for
from falcon_bulk.cli.session import Session
from falcon_bulk.cli.signals import stop_on_signals
from falcon_bulk.errors import UsageProblem
from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.model.plural import counted
from falcon_bulk.model.run import RunResult
from falcon_bulk.operations.changes.lifecycle import EMPTY_PREVIEW, Execution, Operation, dry_run
from falcon_bulk.report.change_phrase import describe_change
from falcon_bulk.report.multi_customer import Parts, customers_sheet, multi_report, results_of
from falcon_bulk.report.report import Report, Reported
from falcon_bulk.report.run_result import dry_run_report
from falcon_bulk.report.sheet import Cell, Sheet

SUFFIX = ".plan"
ALL_CUSTOMERS = "all"
"""What is typed in place of a customer's name to confirm the plans of several."""


def plan_for_customers(
    session: Session,
    prepare: Callable[[Session, Tenant], Operation],
    confirmation: Confirmation,
    *,
    folder: Path | None,
    fail_on_empty: bool,
) -> int:
    """Make a dry run for each customer, saved as FOLDER/NAME.plan if a folder is given; return the exit code."""
    if folder is not None:
        check_plan_folder(folder)

    def work(customer_session: Session) -> Reported[RunResult]:
        check_customer_file_unique(customer_session)
        plan_file = folder / f"{customer_session.customers.name}{SUFFIX}" if folder is not None else None
        with customer_session.tenant() as tenant:
            execution = dry_run(prepare(customer_session, tenant), tenant, confirmation.check_bounds, plan_file)
        result = execution.result
        preview = execution.preview or EMPTY_PREVIEW
        report = dry_run_report(
            confirmation.preview(customer_session, execution.plan, preview, dry=True),
            preview,
            result,
            exit_code=exit_code_for(result.selected, fail_on_empty=fail_on_empty),
        )
        return Reported(result, report)

    with stop_on_signals(session):
        code = run_for_customers(session, work, changes_report)
    if folder is not None:
        suggest(session, "Apply them:", "apply", str(folder), with_customer=False)
    return code


def check_plan_folder(folder: Path) -> None:
    """Create the folder for a plan of each customer. Raises UsageProblem if it is something else."""
    if folder.exists() and not folder.is_dir():
        raise UsageProblem(
            f"{folder} is not a folder.", "For several customers --plan names a folder, for a plan each."
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def describe_changes(executions: Sequence[Execution], planned: int) -> str:
    """Describe in a few words what plans do, if they all do the same. planned: alerts of all of them."""
    changing = [
        (execution.plan, execution.preview)
        for execution in executions
        if execution.preview is not None and execution.preview.planned
    ]
    phrases = {describe_change(plan, preview, f"{planned:,}") for plan, preview in changing}
    alerts = "alert" if planned == 1 else "alerts"
    change = phrases.pop() if len(phrases) == 1 else f"CHANGE {planned:,} {alerts}"
    return change.replace(alerts, f"{alerts} of {counted(len(changing), 'customer')}", 1)


def changes_report(
    parts: Parts[RunResult], sheets: Callable[[Sheet], Iterable[Sheet]] = lambda customers: [customers]
) -> Report:
    """Return the report on changes of several customers: a row for each. sheets: makes the sheets from that table."""

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
    return multi_report(parts, numbers, cells, sheets=sheets)


def planned_sheet(looked: Parts[Execution], title: str) -> Sheet:
    """Return the table that is shown before the question: what each plan would do, who made it and when."""
    sheet = customers_sheet(
        looked,
        ("selected", "held", "planned", "made", "by"),
        lambda execution: (
            execution.result.selected,
            sum(execution.result.held.values()),
            execution.result.planned,
            execution.plan.created,
            execution.plan.operator,
        ),
        done="ready",
    )
    warnings = {
        f"{name}: {warning}"
        for name, execution in results_of(looked)
        if execution.preview is not None
        for warning in execution.preview.warnings
    }
    return replace(sheet, title=title, warnings=sorted(warnings))
