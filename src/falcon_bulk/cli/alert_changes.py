"""What close-hash and bulk-close do with their selection, for one customer or several."""

from falcon_bulk.cli.change_runner import change_request, check_options, new_origin, pace, plan_context, run_operation
from falcon_bulk.cli.confirmation import Confirmation
from falcon_bulk.cli.multi_customer_changes import plan_for_customers
from falcon_bulk.cli.options import ChangeOptions, ConsentOptions, PaceOptions
from falcon_bulk.cli.session import Session
from falcon_bulk.errors import UsageProblem
from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.model.selection import Selection
from falcon_bulk.model.vocabulary import Status
from falcon_bulk.operations.changes.lifecycle import Operation
from falcon_bulk.operations.changes.operations import change_alerts
from falcon_bulk.operations.outliers.detector import OutlierDetector


def change_selection(
    session: Session,
    command: str,
    selection: Selection,
    options: ChangeOptions,
    consent: ConsentOptions,
    pace_options: PaceOptions,
    *,
    fail_on_empty: bool,
) -> int:
    """Change the alerts of a selection, or only plan it; return the exit code. command: the name of the command."""
    confirmation = Confirmation(consent)

    def prepare(customer_session: Session, tenant: Tenant) -> Operation:
        origin = new_origin(customer_session, options.operator)
        by_hash = command == "close-hash"
        return change_alerts(
            plan_context(customer_session, tenant),
            selection,
            change_request(options, origin.operator),
            origin,
            command=command,
            outliers=OutlierDetector(frozenset(selection.hashes)) if by_hash else None,
        )

    if session.customers.several:
        if not options.dry_run:
            raise UsageProblem(
                "Changing several customers takes saved plans.",
                "Add --dry-run --plan DIR, look at them, then `falcon-bulk apply DIR`.",
            )
        return plan_for_customers(session, prepare, confirmation, folder=options.plan_file, fail_on_empty=fail_on_empty)
    plan_file = options.plan_file
    check_options(session, confirmation, dry=options.dry_run, plan_file=plan_file)
    origin = new_origin(session, options.operator)
    request = change_request(options, origin.operator)
    request.full_comment(origin.run_id)  # raises now, before a login, if it is too long
    if not options.dry_run and request.status == Status.CLOSED and request.resolution is None:
        session.console.say("Hint: --resolution false_positive records why the alerts are closed.")
    exit_code = run_operation(
        session,
        lambda tenant: prepare(session, tenant),
        confirmation,
        pace(pace_options),
        dry=options.dry_run,
        plan_file=plan_file,
        fail_on_empty=fail_on_empty,
    )
    if request.status is not None and set(selection.statuses) == {request.status}:
        session.console.say(
            f"Hint: --status {request.status} selects the alerts that have this status already; --set-status sets one."
        )
    return exit_code
