"""What `rules run` does, for one customer or several."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from falcon_bulk.cli.change_runner import check_options, new_origin, open_workspace, publish, publish_dry_run
from falcon_bulk.cli.change_runner import pace as pace_of
from falcon_bulk.cli.confirmation import Confirmation, ask_to_type, check_change_allowed, check_customer_file_unique
from falcon_bulk.cli.hints import suggest
from falcon_bulk.cli.multi_customer import results_for_customers, run_for_customers
from falcon_bulk.cli.multi_customer_changes import (
    ALL_CUSTOMERS,
    SUFFIX,
    changes_report,
    check_plan_folder,
    describe_changes,
    planned_sheet,
)
from falcon_bulk.cli.options import PaceOptions
from falcon_bulk.cli.rule_options import rule_customer, rule_recheck, today, true_positive_store
from falcon_bulk.cli.session import Session
from falcon_bulk.cli.signals import stop_on_signals
from falcon_bulk.errors import Declined, ExitCode, FalconBulkError, UsageProblem
from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.model.plan import Plan
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.run import AlertRunResult, RunResult, RunStatus
from falcon_bulk.operations.changes.lifecycle import (
    EMPTY_PREVIEW,
    Execution,
    Operation,
    Workspace,
    discard_draft,
    draft_run,
    dry_run,
    execute,
    execute_draft,
    result_without_changes,
)
from falcon_bulk.operations.rules.revoke import reopen_closed_by
from falcon_bulk.operations.rules.rule_book import CustomerRules, RuleBook
from falcon_bulk.operations.rules.rule_source import RuleSource
from falcon_bulk.operations.rules.rules_run import RulesRequest, needs_attention, plan_rules, update_true_positives
from falcon_bulk.report.multi_customer import Parts, results_of
from falcon_bulk.report.report import Report, Reported
from falcon_bulk.report.rules import rules_across_sheet
from falcon_bulk.report.run_result import dry_run_report, run_report


@dataclass(frozen=True)
class RulesRun:
    """One call of `rules run`."""

    source: RuleSource
    book: RuleBook
    request: RulesRequest
    confirmation: Confirmation
    pace: PaceOptions
    operator: str | None
    dry: bool
    plans: Path | None

    def check(self) -> None:
        """Raise UsageProblem for options that contradict each other, before a login."""
        consent = self.confirmation.options
        if surges := self.request.allowed_surges:
            if consent.yes or self.plans is not None:
                raise UsageProblem("--allow-surge is confirmed by typing.", "Leave out --yes and --plan.")
            known = {rule.id for rule in self.book.rules}
            if unknown := sorted(surges - known):
                raise UsageProblem(f"There is no valid rule {unknown[0]!r}.", "`falcon-bulk rules list` lists them.")
        if consent.yes and not self.dry and consent.maximum is None:
            raise UsageProblem("--yes needs a bound.", "Add --max N: how many alerts of each customer at most.")

    def learn(self, session: Session, tenant: Tenant) -> None:
        """Read the true positives of a customer."""
        update_true_positives(
            tenant,
            true_positive_store(session),
            reading=lambda: session.watching("true positives"),
            readers=session.readers,
        )

    def prepare(self, session: Session, tenant: Tenant) -> Operation:
        """Return the operation for a customer. Raises Refused if the known true positives cannot be read."""
        suspended = self.book.suspensions(true_positive_store(session).load())
        rules = CustomerRules(self.book, *rule_customer(session), today(session), suspended)
        return plan_rules(
            tenant,
            self.book,
            rules,
            self.request,
            new_origin(session, self.operator),
            state_folder=session.state_folder(),
            reading=lambda: session.watching("reading"),
            readers=session.readers,
        )

    def plan_file(self, session: Session) -> Path | None:
        """Return where the plan of a customer is saved: NAME.plan in a folder, or the file that --plan names."""
        if self.plans is None or (self.plans.suffix and not self.plans.is_dir()):
            return self.plans
        check_plan_folder(self.plans)
        return self.plans / f"{rule_customer(session)[0]}{SUFFIX}"

    def exit_code(self, result: RunResult) -> RunResult:
        """Return a result whose exit code says that somebody has to look at a rule, if it says nothing worse."""
        attention = isinstance(result, AlertRunResult) and needs_attention(result.rules or ())
        if result.exit_code == ExitCode.DONE and (attention or not self.book.is_valid):
            return msgspec.structs.replace(result, exit_code=ExitCode.PARTIAL)
        return result


@dataclass(frozen=True, kw_only=True)
class Reopening(RulesRun):
    """Taking back what a revoked rule closed."""

    rule_id: str

    def learn(self, session: Session, tenant: Tenant) -> None:
        """Read nothing: no rule closes anything."""

    def prepare(self, session: Session, tenant: Tenant) -> Operation:
        """Return the operation for a customer. Raises Refused if the known true positives cannot be read."""
        suspended = self.book.suspensions(true_positive_store(session).load())
        return reopen_closed_by(
            tenant,
            self.rule_id,
            CustomerRules(self.book, *rule_customer(session), today(session), suspended),
            new_origin(session, self.operator),
            state_folder=session.state_folder(),
            reading=lambda: session.watching("reading"),
        )

    def exit_code(self, result: RunResult) -> RunResult:
        """Return the result as it is."""
        return result


def run_rules(session: Session, run: RulesRun) -> int:
    """Run the rules for the session's customer or customers; return the exit code."""
    run.check()
    if session.customers.several:
        return _run_for_customers(session, run)
    check_options(session, run.confirmation, dry=run.dry, plan_file=None if run.dry else run.plans)
    with stop_on_signals(session), _workspace(session, run) as workspace:
        run.learn(session, workspace.tenant)
        operation = run.prepare(session, workspace.tenant)
        if run.dry:
            execution = dry_run(operation, workspace.tenant, run.confirmation.check_bounds, run.plan_file(session))
            execution = execution._replace(result=run.exit_code(execution.result))
            code = publish_dry_run(session, execution, run.confirmation)
            return code or int(execution.result.exit_code)

        def approve(plan: Plan, preview: Preview) -> None:
            run.confirmation.confirm(session, plan, preview)

        execution = execute(operation, workspace, approve)
        return publish(session, execution._replace(result=run.exit_code(execution.result)))


def _workspace(session: Session, run: RulesRun) -> AbstractContextManager[Workspace]:
    return open_workspace(session, pace_of(run.pace), rule_recheck(session, run.source))


def _run_for_customers(session: Session, run: RulesRun) -> int:
    """Learn of all customers' true positives, plan for each, ask once, and carry out: nothing is sent before."""
    if not run.dry:
        if run.plans is not None:
            raise UsageProblem("--plan goes with --dry-run.", "`falcon-bulk apply DIR` carries out saved plans.")
        run.confirmation.check_possible()
    elif run.plans is not None:
        check_plan_folder(run.plans)
    with stop_on_signals(session):
        return _Several(session, run).carry_out()


def _rules_changes_report(parts: Parts[RunResult], *, dry: bool) -> Report:
    """Return the report on all customers: a row for each, and a row for each rule."""
    ours = [result for _, result in results_of(parts) if isinstance(result, AlertRunResult)]
    results = [rule for result in ours for rule in result.rules or ()]
    return changes_report(parts, lambda customers: [customers, rules_across_sheet(results, dry=dry)])


class _Several:
    """A run of rules for several customers. A customer that fails in one step is left out of the next ones."""

    def __init__(self, session: Session, run: RulesRun) -> None:
        self._session = session
        self._run = run
        self._failures: dict[str, FalconBulkError] = {}
        self._planned: dict[str, Execution] = {}

    def carry_out(self) -> int:
        """Return the exit code."""
        results_for_customers(self._session, self._learn)
        self._session.clock.check()
        run = self._run
        if run.dry:
            code = run_for_customers(self._session, self._dry_run, lambda parts: _rules_changes_report(parts, dry=True))
            if run.plans is not None:
                suggest(self._session, "Apply them:", "apply", str(run.plans), with_customer=False)
            return self._attention(code)
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
        return self._attention(
            run_for_customers(self._session, self._execute, lambda parts: _rules_changes_report(parts, dry=False))
        )

    def _attention(self, code: int) -> int:
        return code or (ExitCode.DONE if self._run.book.is_valid else ExitCode.PARTIAL)

    def _learn(self, one: Session) -> Reported[None]:
        try:
            check_customer_file_unique(one)
            if not self._run.dry:
                check_change_allowed(one, yes=self._run.confirmation.options.yes)
            with one.tenant() as tenant:
                self._run.learn(one, tenant)
        except FalconBulkError as error:
            self._failures[one.customers.name] = error
            raise
        return Reported(None, Report(list, dict))

    def _check(self, one: Session) -> str:
        """Return the customer's name. Raises what an earlier step raised."""
        name = one.customers.name
        if name in self._failures:
            raise self._failures[name]
        return name

    def _dry_run(self, one: Session) -> Reported[RunResult]:
        self._check(one)
        run = self._run
        with one.tenant() as tenant:
            execution = dry_run(run.prepare(one, tenant), tenant, run.confirmation.check_bounds, run.plan_file(one))
        result, preview = run.exit_code(execution.result), execution.preview or EMPTY_PREVIEW
        shown = run.confirmation.preview(one, execution.plan, preview, dry=True)
        return Reported(result, dry_run_report(shown, preview, result, exit_code=result.exit_code))

    def _plan(self, one: Session) -> Reported[Execution]:
        name = self._check(one)
        try:
            with _workspace(one, self._run) as workspace:
                operation = self._run.prepare(one, workspace.tenant)
                preview = draft_run(operation, workspace)
                self._planned[name] = Execution(
                    operation.plan, preview, result_without_changes(operation.plan, preview, RunStatus.NOTHING_TO_DO)
                )
                self._run.confirmation.check_bounds(operation.plan, preview)
        except FalconBulkError as error:
            self._failures[name] = error
            if (execution := self._planned.pop(name, None)) is not None:
                discard_draft(execution.plan, one.state_folder())
            raise
        return Reported(self._planned[name], Report(list, dict))

    def _confirm(self, planned: Parts[Execution]) -> None:
        """Show what would be closed for whom, and have it confirmed. Raises Declined, and what asking raises."""
        total = sum(execution.result.planned for execution in self._planned.values())
        change = describe_changes(list(self._planned.values()), total)
        self._session.show([planned_sheet(planned, change)])
        if total and not self._run.confirmation.options.yes:
            ask_to_type(self._session, ALL_CUSTOMERS, total, change)

    def _execute(self, one: Session) -> Reported[RunResult]:
        name = self._check(one)
        plan, preview = self._planned[name].plan, self._planned[name].preview or EMPTY_PREVIEW
        with _workspace(one, self._run) as workspace:
            execution = execute_draft(plan, preview, workspace)
        if execution.cause is not None:
            one.console.error(execution.cause.traced_message, execution.cause.hint)
        result = self._run.exit_code(execution.result)
        return Reported(result, run_report(result))
