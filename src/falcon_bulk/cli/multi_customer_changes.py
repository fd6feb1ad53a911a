"""Changes of several customers: a plan each, shown in one table, carried out after one question."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from falcon_bulk.cli.change_runner import open_workspace
from falcon_bulk.cli.change_runner import pace as pace_of
from falcon_bulk.cli.confirmation import Confirmation, ask_to_type, check_change_allowed, check_customer_file_unique
from falcon_bulk.cli.hints import suggest
from falcon_bulk.cli.multi_customer import results_for_customers, run_for_customers
from falcon_bulk.cli.options import PaceOptions
from falcon_bulk.cli.selection_options import exit_code_for
from falcon_bulk.cli.session import Session
from falcon_bulk.cli.signals import stop_on_signals
from falcon_bulk.errors import Declined, ExitCode, FalconBulkError, Refused, UsageProblem
from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.model.plan import Plan
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.run import RunResult
from falcon_bulk.operations.changes.lifecycle import EMPTY_PREVIEW, Execution, Operation, dry_run, execute
from falcon_bulk.operations.changes.operations import refuse_if_carried_out
from falcon_bulk.operations.changes.plan_file import PlanFile
from falcon_bulk.operations.changes.rule_check import RuleCheck
from falcon_bulk.report.change_phrase import describe_change
from falcon_bulk.report.multi_customer import Parts, customers_sheet, multi_report, results_of
from falcon_bulk.report.report import Report, Reported
from falcon_bulk.report.run_result import dry_run_report, run_report
from falcon_bulk.report.sheet import Cell, Sheet, counted

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
    if folder is not None:
        check_plan_folder(folder)

    def work(one: Session) -> Reported[RunResult]:
        check_customer_file_unique(one)
        plan_file = folder / f"{one.customers.name}{SUFFIX}" if folder is not None else None
        with one.tenant() as tenant:
            execution = dry_run(prepare(one, tenant), tenant, confirmation.check_bounds, plan_file)
        result = execution.result
        preview = execution.preview or EMPTY_PREVIEW
        report = dry_run_report(
            confirmation.preview(one, execution.plan, preview, dry=True),
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


class SavedPlans(NamedTuple):
    """The plans of a folder by customer.

    prepare: checks a plan against the tenant and makes its operation. rule_check: returns what asks the closing rules
    again that made a plan, None for others.
    """

    plans: dict[str, PlanFile]
    prepare: Callable[[Session, Tenant, PlanFile], Operation]
    rule_check: Callable[[Session, PlanFile], RuleCheck | None]

    @classmethod
    def read(
        cls,
        folder: Path,
        prepare: Callable[[Session, Tenant, PlanFile], Operation],
        rule_check: Callable[[Session, PlanFile], RuleCheck | None],
    ) -> "SavedPlans":
        """Read the plans of a folder. Raises UsageProblem if there is none, Refused for a damaged one."""
        plans = {path.stem: PlanFile(path) for path in sorted(folder.glob(f"*{SUFFIX}"))}
        if not plans:
            raise UsageProblem(
                f"There is no plan in {folder}.", "`bulk-close --all-customers --dry-run --plan DIR` saves some."
            )
        return cls(plans, prepare, rule_check)

    def look(self, one: Session, confirmation: Confirmation) -> Execution:
        """Read the alerts of one customer's plan and return what it would do now. Sends nothing.

        Raises what `prepare` and reading raise, and Refused if a bound is not met.
        """
        with one.tenant() as tenant:
            operation = self.prepare(one, tenant, self.plans[one.customers.name])
            return dry_run(operation, tenant, confirmation.check_bounds)


def show_plan_folder(session: Session, saved: SavedPlans, confirmation: Confirmation) -> int:
    """Show what the plans of a folder would do now, each with its preview; return the exit code."""
    session = session.for_customers(tuple(saved.plans))
    previews: dict[str, list[Sheet]] = {}

    def work(one: Session) -> Reported[RunResult]:
        execution = saved.look(one, confirmation)
        preview = execution.preview or EMPTY_PREVIEW
        sheets = confirmation.preview(one, execution.plan, preview, dry=True)
        previews[one.customers.name] = sheets
        return Reported(execution.result, dry_run_report(sheets, preview, execution.result))

    def combine(parts: Parts[RunResult]) -> Report:
        shown = [sheet for name in saved.plans for sheet in previews.get(name, [])]
        return changes_report(parts, lambda customers: [*shown, customers])

    with stop_on_signals(session):
        return run_for_customers(session, work, combine)


def apply_plan_folder(session: Session, saved: SavedPlans, confirmation: Confirmation, pace: PaceOptions) -> int:
    """Carry out the plans of a folder in parallel, each with its own customer's credentials; return the exit code.

    What each would do now is read first and shown in one table. A plan that cannot be carried out stops no other.
    Raises UsageProblem if the change cannot be confirmed.
    """
    consent = confirmation.options
    if consent.yes and consent.maximum is None:
        raise UsageProblem(
            "--yes needs a bound for several customers.", "Add --max N: how many alerts of each customer at most."
        )
    confirmation.check_possible()
    session = session.for_customers(tuple(saved.plans))
    failures: dict[str, FalconBulkError] = {}
    shown: dict[str, Preview] = {}

    def look(one: Session) -> Reported[Execution]:
        try:
            check_change_allowed(one, yes=consent.yes)
            refuse_if_carried_out(one.state_folder(), saved.plans[one.customers.name].plan)
            execution = saved.look(one, confirmation)
        except FalconBulkError as error:
            failures[one.customers.name] = error
            raise
        shown[one.customers.name] = execution.preview or EMPTY_PREVIEW
        return Reported(execution, Report(list, dict))

    def work(one: Session) -> Reported[RunResult]:
        name = one.customers.name
        if name in failures:
            raise failures[name]

        def approve(plan: Plan, preview: Preview) -> None:
            confirmation.check_bounds(plan, preview)
            _check_as_shown(preview, shown[name])

        check = saved.rule_check(one, saved.plans[name])
        with open_workspace(one, pace_of(pace), check) as workspace:
            execution = execute(saved.prepare(one, workspace.tenant, saved.plans[name]), workspace, approve)
        if execution.cause is not None:
            one.console.error(execution.cause.traced_message, execution.cause.hint)
        return Reported(execution.result, run_report(execution.result))

    with stop_on_signals(session):
        looked = results_for_customers(session, look)
        session.clock.check()
        executions = [execution for _, execution in results_of(looked)]
        planned = sum(execution.result.planned for execution in executions)
        change = describe_changes(executions, planned)
        session.show([planned_sheet(looked, change)])
        if not consent.yes and planned:
            try:
                ask_to_type(session, ALL_CUSTOMERS, planned, change)
            except Declined as declined:
                session.console.error(declined.message, declined.hint)
                return ExitCode.DECLINED
        return run_for_customers(session, work, changes_report)


def describe_changes(executions: Sequence[Execution], planned: int) -> str:
    """Describe in a few words what plans do, if they all do the same. planned: alerts of all of them."""
    phrases = {
        describe_change(execution.plan, execution.preview, f"{planned:,}")
        for execution in executions
        if execution.preview is not None and execution.preview.planned
    }
    alerts = "alert" if planned == 1 else "alerts"
    change = phrases.pop() if len(phrases) == 1 else f"CHANGE {planned:,} {alerts}"
    return change.replace(alerts, f"{alerts} of {counted(len(executions), 'customer')}", 1)


def _check_as_shown(preview: Preview, shown: Preview) -> None:
    """Raise Refused if more would be changed than was shown, since the alerts changed meanwhile."""
    before = {(effect.name, effect.value): effect.alerts for effect in shown.effects}
    if preview.planned > shown.planned or any(
        effect.alerts > before.get((effect.name, effect.value), 0) for effect in preview.effects
    ):
        raise Refused(
            f"{preview.planned:,} alerts would be changed, {shown.planned:,} were shown: some changed meanwhile.",
            "Nothing was changed. Apply the plan again.",
        )


def changes_report(
    parts: Parts[RunResult], sheets: Callable[[Sheet], Iterable[Sheet]] = lambda customers: [customers]
) -> Report:
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
