"""Run closing rules for several customers: plan for all, ask once, carry out."""

from falcon_bulk.cli.confirmation import ask_to_type, check_change_allowed, check_customer_file_unique
from falcon_bulk.cli.hints import suggest
from falcon_bulk.cli.multi_customer import results_for_customers, run_for_customers
from falcon_bulk.cli.multi_customer_changes import (
    ALL_CUSTOMERS,
    changes_report,
    check_plan_folder,
    describe_changes,
    planned_sheet,
)
from falcon_bulk.cli.rules_run import RulesRun
from falcon_bulk.cli.session import Session
from falcon_bulk.cli.signals import stop_on_signals
from falcon_bulk.errors import Declined, ExitCode, FalconBulkError, UsageProblem
from falcon_bulk.model.plan_result import result_without_changes
from falcon_bulk.model.run import AlertRunResult, RunResult, RunStatus
from falcon_bulk.operations.changes.lifecycle import (
    EMPTY_PREVIEW,
    Execution,
    discard_draft,
    draft_run,
    dry_run,
    execute_draft,
)
from falcon_bulk.report.multi_customer import Parts, results_of
from falcon_bulk.report.report import Report, Reported
from falcon_bulk.report.rules_run import rules_across_sheet
from falcon_bulk.report.run_result import dry_run_report, run_report


def run_rules_for_customers(session: Session, run: RulesRun) -> int:
    """Read all customers' true positives, plan for each, ask once, and carry out; return the exit code.

    Nothing is sent before the answer. Raises UsageProblem if the change cannot be confirmed.
    """
    if not run.dry:
        if run.plans is not None:
            raise UsageProblem("--plan goes with --dry-run.", "`falcon-bulk apply DIR` carries out saved plans.")
        run.confirmation.check_possible()
    elif run.plans is not None:
        check_plan_folder(run.plans)
    with stop_on_signals(session):
        return _MultiCustomerRun(session, run).carry_out()


def _rules_changes_report(parts: Parts[RunResult], *, dry: bool) -> Report:
    """Return the report on all customers: a row for each, and a row for each rule."""
    ours = [result for _, result in results_of(parts) if isinstance(result, AlertRunResult)]
    results = [rule for result in ours for rule in result.rules or ()]
    return changes_report(parts, lambda customers: [customers, rules_across_sheet(results, dry=dry)])


class _MultiCustomerRun:
    """A run of rules for several customers. A customer that fails in one step is left out of the next ones."""

    def __init__(self, session: Session, run: RulesRun) -> None:
        self._session = session
        self._run = run
        self._failures: dict[str, FalconBulkError] = {}
        self._planned: dict[str, Execution] = {}

    def carry_out(self) -> int:
        """Carry out all steps, or a dry run of them, and return the exit code."""
        results_for_customers(self._session, self._read_true_positives)
        self._session.clock.check()
        run = self._run
        if run.dry:
            code = run_for_customers(self._session, self._dry_run, lambda parts: _rules_changes_report(parts, dry=True))
            if run.plans is not None:
                suggest(self._session, "Apply them:", "apply", str(run.plans), with_customer=False)
            return self._exit_code(code)
        planned = results_for_customers(self._session, self._plan)
        self._session.clock.check()
        try:
            self._confirm(planned)
        except BaseException as error:
            for execution in self._planned.values():
                discard_draft(execution.plan, self._session.state_folder())
            if not isinstance(error, Declined):
                raise
            self._session.console.error(error.message, error.hint)
            return ExitCode.DECLINED
        return self._exit_code(
            run_for_customers(self._session, self._execute, lambda parts: _rules_changes_report(parts, dry=False))
        )

    def _exit_code(self, code: int) -> int:
        return code or (ExitCode.DONE if self._run.book.is_valid else ExitCode.PARTIAL)

    def _read_true_positives(self, session: Session) -> Reported[None]:
        try:
            check_customer_file_unique(session)
            if not self._run.dry:
                check_change_allowed(session, yes=self._run.confirmation.options.yes)
            with session.tenant() as tenant:
                self._run.read_true_positives(session, tenant)
        except FalconBulkError as error:
            self._failures[session.customers.name] = error
            raise
        return Reported(None, Report(list, dict))

    def _check(self, session: Session) -> str:
        """Return the customer's name. Raises what an earlier step raised."""
        name = session.customers.name
        if name in self._failures:
            raise self._failures[name]
        return name

    def _dry_run(self, session: Session) -> Reported[RunResult]:
        self._check(session)
        run = self._run
        with session.tenant() as tenant:
            execution = dry_run(
                run.prepare(session, tenant), tenant, run.confirmation.check_bounds, run.plan_file(session)
            )
        result, preview = run.exit_code(execution.result), execution.preview or EMPTY_PREVIEW
        shown = run.confirmation.preview(session, execution.plan, preview, dry=True)
        return Reported(result, dry_run_report(shown, preview, result, exit_code=result.exit_code))

    def _plan(self, session: Session) -> Reported[Execution]:
        name = self._check(session)
        try:
            with self._run.open_workspace(session) as workspace:
                operation = self._run.prepare(session, workspace.tenant)
                preview = draft_run(operation, workspace)
                self._planned[name] = Execution(
                    operation.plan, preview, result_without_changes(operation.plan, preview, RunStatus.NOTHING_TO_DO)
                )
                self._run.confirmation.check_bounds(operation.plan, preview)
        except FalconBulkError as error:
            self._failures[name] = error
            if (execution := self._planned.pop(name, None)) is not None:
                discard_draft(execution.plan, session.state_folder())
            raise
        return Reported(self._planned[name], Report(list, dict))

    def _confirm(self, planned: Parts[Execution]) -> None:
        """Show what would be closed at each customer, and ask to confirm it. Raises Declined and what asking raises."""
        total = sum(execution.result.planned for execution in self._planned.values())
        change = describe_changes(list(self._planned.values()), total)
        self._session.show([planned_sheet(planned, change)])
        if total and not self._run.confirmation.options.yes:
            ask_to_type(self._session, ALL_CUSTOMERS, total, change)

    def _execute(self, session: Session) -> Reported[RunResult]:
        name = self._check(session)
        plan, preview = self._planned[name].plan, self._planned[name].preview or EMPTY_PREVIEW
        with self._run.open_workspace(session) as workspace:
            execution = execute_draft(plan, preview, workspace)
        if execution.cause is not None:
            session.console.error(execution.cause.traced_message, execution.cause.hint)
        result = self._run.exit_code(execution.result)
        return Reported(result, run_report(result))
