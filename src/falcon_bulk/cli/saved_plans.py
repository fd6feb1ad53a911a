"""Apply saved plans: one, or those of a folder, shown in one table and asked for once."""

from collections.abc import Set
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from falcon_bulk.cli.change_runner import open_workspace, plan_context
from falcon_bulk.cli.change_runner import pace as pace_of
from falcon_bulk.cli.confirmation import Confirmation, ask_to_type, check_change_allowed
from falcon_bulk.cli.multi_customer import results_for_customers, run_for_customers
from falcon_bulk.cli.multi_customer_changes import (
    ALL_CUSTOMERS,
    SUFFIX,
    changes_report,
    describe_changes,
    planned_sheet,
)
from falcon_bulk.cli.options import PaceOptions
from falcon_bulk.cli.rule_options import check_for
from falcon_bulk.cli.session import Session
from falcon_bulk.cli.signals import stop_on_signals
from falcon_bulk.errors import Declined, ExitCode, FalconBulkError, Refused, UsageProblem
from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.model.plan import Plan
from falcon_bulk.model.plural import counted
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.run import RunResult
from falcon_bulk.operations.changes.guardrails import overrides_of
from falcon_bulk.operations.changes.lifecycle import EMPTY_PREVIEW, Execution, Operation, dry_run, execute
from falcon_bulk.operations.changes.plan_file import PlanFile
from falcon_bulk.operations.changes.rule_check import PlanRules, RuleCheck
from falcon_bulk.operations.changes.saved_plan import apply_plan_file, refuse_if_carried_out
from falcon_bulk.operations.changes.throttle import Pace
from falcon_bulk.operations.outliers.detector import OutlierDetector
from falcon_bulk.operations.rules.rule_history import closed_before_in
from falcon_bulk.report.multi_customer import Parts, results_of
from falcon_bulk.report.report import Report, Reported
from falcon_bulk.report.run_result import dry_run_report, run_report
from falcon_bulk.report.sheet import Sheet


class PlanApplication(NamedTuple):
    """How saved plans are applied. overrides: as named by --override; max_age: of a plan; rule_paths: of --rules."""

    overrides: Set[str]
    max_age: timedelta
    rule_paths: tuple[str, ...]

    def prepare(self, session: Session, tenant: Tenant, saved: PlanFile) -> Operation:
        """Return the operation of a plan. Raises Refused for one that is too old, or another tenant's."""
        saved.check(
            customer=tenant.customer,
            cids=tenant.cids or (tenant.home_cid(),),
            cloud=tenant.cloud,
            now=session.clock.now(),
            max_age=self.max_age,
        )
        hashes = saved.plan.hashes
        return apply_plan_file(
            plan_context(session, tenant),
            saved,
            overrides_of(self.overrides),
            outliers=OutlierDetector(frozenset(hashes)) if hashes else None,
            rules=self._rules(session, saved),
        )

    def rule_check(self, session: Session, saved: PlanFile) -> RuleCheck | None:
        """Return what asks the closing rules again that made a plan, None for other plans."""
        return check_for(session, saved.plan, self.rule_paths)

    def _rules(self, session: Session, saved: PlanFile) -> PlanRules | None:
        check = self.rule_check(session, saved)
        if check is None:
            return None
        return PlanRules(check, closed_before_in(session.state_folder(), saved.plan.cid, saved.plan.run_id))


class SavedPlans(NamedTuple):
    """The plans of a folder by customer."""

    plans: dict[str, PlanFile]
    application: PlanApplication

    @classmethod
    def read(cls, folder: Path, application: PlanApplication) -> "SavedPlans":
        """Read the plans of a folder. Raises UsageProblem if there is none, Refused for a damaged one."""
        plans = {path.stem: PlanFile(path) for path in sorted(folder.glob(f"*{SUFFIX}"))}
        if not plans:
            raise UsageProblem(
                f"There is no plan in {folder}.", "`bulk-close --all-customers --dry-run --plan DIR` saves some."
            )
        return cls(plans, application)

    def look(self, session: Session, confirmation: Confirmation) -> Execution:
        """Read the alerts of one customer's plan and return what it would do now. Sends nothing.

        Raises what `prepare` and reading raise, and Refused if a bound is not met.
        """
        with session.tenant() as tenant:
            operation = self.application.prepare(session, tenant, self.plans[session.customers.name])
            return dry_run(operation, tenant, confirmation.check_bounds)


def show_plan_folder(session: Session, saved: SavedPlans, confirmation: Confirmation) -> int:
    """Show what the plans of a folder would do now, each with its preview; return the exit code."""
    session = session.for_customers(tuple(saved.plans))
    previews: dict[str, list[Sheet]] = {}

    def work(customer_session: Session) -> Reported[RunResult]:
        execution = saved.look(customer_session, confirmation)
        preview = execution.preview or EMPTY_PREVIEW
        sheets = confirmation.preview(customer_session, execution.plan, preview, dry=True)
        previews[customer_session.customers.name] = sheets
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
    with stop_on_signals(session):
        return _PlanFolderRun(saved, confirmation, pace_of(pace)).run(session)


class _PlanFolderRun:
    """Carries out the plans of a folder: reads what each would do, asks once, then applies those that can be."""

    def __init__(self, saved: SavedPlans, confirmation: Confirmation, pace: Pace) -> None:
        self._saved = saved
        self._confirmation = confirmation
        self._pace = pace
        self._failures: dict[str, FalconBulkError] = {}
        self._shown: dict[str, Preview] = {}

    def run(self, session: Session) -> int:
        """Show what all plans would do, have it confirmed, and apply them; return the exit code."""
        looked = results_for_customers(session, self._look)
        session.clock.check()
        executions = [execution for _, execution in results_of(looked)]
        planned = sum(execution.result.planned for execution in executions)
        change = describe_changes(executions, planned)
        session.show([planned_sheet(looked, change)])
        if not self._confirmation.options.yes and planned:
            try:
                ask_to_type(session, ALL_CUSTOMERS, planned, change)
            except Declined as declined:
                session.console.error(declined.message, declined.hint)
                return ExitCode.DECLINED
        return run_for_customers(session, self._apply, changes_report)

    def _look(self, session: Session) -> Reported[Execution]:
        """Read what the plan of one customer would do now."""
        name = session.customers.name
        try:
            check_change_allowed(session, yes=self._confirmation.options.yes)
            refuse_if_carried_out(session.state_folder(), self._saved.plans[name].plan)
            execution = self._saved.look(session, self._confirmation)
        except FalconBulkError as error:
            self._failures[name] = error
            raise
        self._shown[name] = execution.preview or EMPTY_PREVIEW
        return Reported(execution, Report(list, dict))

    def _apply(self, session: Session) -> Reported[RunResult]:
        """Carry out the plan of one customer. Raises what reading it raised, and Refused for more than was shown."""
        name = session.customers.name
        if name in self._failures:
            raise self._failures[name]
        saved, application = self._saved.plans[name], self._saved.application

        def approve(plan: Plan, preview: Preview) -> None:
            self._confirmation.check_bounds(plan, preview)
            _check_as_shown(preview, self._shown[name])

        with open_workspace(session, self._pace, application.rule_check(session, saved)) as workspace:
            execution = execute(application.prepare(session, workspace.tenant, saved), workspace, approve)
        if execution.cause is not None:
            session.console.error(execution.cause.traced_message, execution.cause.hint)
        return Reported(execution.result, run_report(execution.result))


def _check_as_shown(preview: Preview, shown: Preview) -> None:
    """Raise Refused if more would be changed than was shown, since the alerts changed meanwhile."""
    before = {(effect.name, effect.value): effect.alerts for effect in shown.effects}
    if preview.planned > shown.planned or any(
        effect.alerts > before.get((effect.name, effect.value), 0) for effect in preview.effects
    ):
        alerts = counted(preview.planned, "alert")
        raise Refused(
            f"{alerts} would be changed, {shown.planned:,} were shown: some changed meanwhile.",
            "Nothing was changed. Apply the plan again.",
        )
