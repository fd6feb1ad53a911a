"""Changes of several customers: a plan each, shown in one table, carried out after one question."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from falcon_bulk.cli.change_runner import open_workspace
from falcon_bulk.cli.change_runner import pace as pace_of
from falcon_bulk.cli.confirmation import Confirmation, ask_to_type, check_change_allowed, check_customer_file_unique
from falcon_bulk.cli.hints import suggest
from falcon_bulk.cli.multi_customer import run_for_customers
from falcon_bulk.cli.options import PaceOptions
from falcon_bulk.cli.selection_options import exit_code_for
from falcon_bulk.cli.session import Session
from falcon_bulk.cli.signals import stop_on_signals
from falcon_bulk.errors import Declined, ExitCode, UsageProblem
from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.model.multi_customer import CustomerResult
from falcon_bulk.model.run import RunResult
from falcon_bulk.operations.changes.lifecycle import EMPTY_PREVIEW, Operation, dry_run, execute
from falcon_bulk.operations.changes.operations import apply_plan_file
from falcon_bulk.operations.changes.plan_file import PlanFile
from falcon_bulk.report.change_phrase import describe_change
from falcon_bulk.report.multi_customer import Parts, customers_sheet, multi_report
from falcon_bulk.report.report import Report, Reported
from falcon_bulk.report.run_result import dry_run_report, run_report
from falcon_bulk.report.sheet import Cell, Sheet

SUFFIX = ".plan"
ALL_CUSTOMERS = "all"
"""What is typed in place of a customer's name to confirm the plans of several."""


def plan_for_customers(
    session: Session,
    prepare: Callable[[Session, Tenant], Operation],
    confirmation: Confirmation,
    *,
    dry: bool,
    folder: Path | None,
    fail_on_empty: bool,
) -> int:
    """Make a dry run for each customer, saved as FOLDER/NAME.plan if a folder is given; return the exit code."""
    if not dry:
        raise UsageProblem(
            "Changing several customers takes saved plans.",
            "Add --dry-run --plan DIR, look at them, then `falcon-bulk apply DIR`.",
        )
    if folder is not None and folder.exists() and not folder.is_dir():
        raise UsageProblem(
            f"{folder} is not a folder.", "For several customers --plan names a folder, for a plan each."
        )
    if folder is not None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def work(one: Session) -> Reported[RunResult]:
        check_customer_file_unique(one)
        plan_file = folder / f"{one.customers.name}{SUFFIX}" if folder is not None else None
        with one.tenant() as tenant:
            execution = dry_run(prepare(one, tenant), tenant, confirmation.check_bounds, plan_file)
        result = execution.result
        preview = execution.preview or EMPTY_PREVIEW
        report = dry_run_report(
            confirmation.preview(one, execution.plan, preview),
            preview,
            result,
            exit_code=exit_code_for(result.selected, fail_on_empty=fail_on_empty),
        )
        return Reported(result, report)

    with stop_on_signals(session):
        code = run_for_customers(session, work, _report)
    if folder is not None:
        suggest(session, "Apply them:", "apply", str(folder), with_customer=False)
    return code


class SavedPlans(NamedTuple):
    """The plans of a folder by customer, and what checks that a plan belongs to the tenant and is not too old."""

    plans: dict[str, PlanFile]
    check: Callable[[PlanFile, Tenant], None]

    @classmethod
    def read(cls, folder: Path, check: Callable[[PlanFile, Tenant], None]) -> "SavedPlans":
        """Read the plans of a folder. Raises UsageProblem if there is none, Refused for a damaged one."""
        plans = {path.stem: PlanFile(path) for path in sorted(folder.glob(f"*{SUFFIX}"))}
        if not plans:
            raise UsageProblem(
                f"There is no plan in {folder}.", "`bulk-close --all-customers --dry-run --plan DIR` saves some."
            )
        return cls(plans, check)

    @property
    def planned(self) -> int:
        """The number of alerts to change, of all customers."""
        return sum(plan.preview.planned for plan in self.plans.values())

    def describe_change(self) -> str:
        """Describe in a few words what the plans do, if they all do the same."""
        phrases = {
            describe_change(saved.plan, saved.preview, f"{self.planned:,}")
            for saved in self.plans.values()
            if saved.preview.planned
        }
        change = phrases.pop() if len(phrases) == 1 else f"CHANGE {self.planned:,} alerts"
        return f"{change} of {len(self.plans):,} customers"


def apply_plan_folder(session: Session, saved: SavedPlans, confirmation: Confirmation, pace: PaceOptions) -> int:
    """Carry out the plans of a folder in parallel, each with its own customer's credentials; return the exit code.

    Raises UsageProblem if the change cannot be confirmed.
    """
    consent = confirmation.options
    if consent.yes and consent.maximum is None:
        raise UsageProblem(
            "--yes needs a bound for several customers.", "Add --max N: how many alerts of each customer at most."
        )
    confirmation.check_possible()
    session = session.for_customers(tuple(saved.plans))
    session.show([_planned_sheet(saved)])
    if not consent.yes and saved.planned:
        try:
            ask_to_type(session, ALL_CUSTOMERS, saved.planned, saved.describe_change())
        except Declined as declined:
            session.console.error(declined.message, declined.hint)
            return ExitCode.DECLINED

    def work(one: Session) -> Reported[RunResult]:
        plan = saved.plans[one.customers.name]
        check_change_allowed(one, yes=consent.yes)
        with open_workspace(one, pace_of(pace)) as workspace:
            saved.check(plan, workspace.tenant)
            execution = execute(apply_plan_file(plan), workspace, confirmation.check_bounds)
        if execution.cause is not None:
            one.console.error(execution.cause.message, execution.cause.hint)
        return Reported(execution.result, run_report(execution.result))

    with stop_on_signals(session):
        return run_for_customers(session, work, _report)


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


def _planned_sheet(saved: SavedPlans) -> Sheet:
    parts = [
        CustomerResult(customer=customer, cid=plan.plan.cid, exit_code=0, result=Reported(plan, Report(list, dict)))
        for customer, plan in saved.plans.items()
    ]
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
    warnings = sorted({warning for plan in saved.plans.values() for warning in plan.preview.warnings})
    title = saved.describe_change()
    return Sheet(title, sheet.columns, sheet.rows, warnings=warnings)
