"""Runs closing rules for one customer, or hands them over to the run for several."""

from falcon_bulk.cli.change_runner import check_options, publish, publish_dry_run
from falcon_bulk.cli.multi_customer_rules import run_rules_for_customers
from falcon_bulk.cli.rules_run import RulesRun
from falcon_bulk.cli.session import Session
from falcon_bulk.cli.signals import stop_on_signals
from falcon_bulk.model.plan import Plan
from falcon_bulk.model.preview import Preview
from falcon_bulk.operations.changes.lifecycle import dry_run, execute


def run_rules(session: Session, run: RulesRun) -> int:
    """Run the rules for the session's customer or customers; return the exit code."""
    run.check()
    if session.customers.several:
        return run_rules_for_customers(session, run)
    check_options(session, run.confirmation, dry=run.dry, plan_file=None if run.dry else run.plans)
    with stop_on_signals(session), run.open_workspace(session) as workspace:
        run.read_true_positives(session, workspace.tenant)
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
