"""falcon-bulk customers: list, check and add the customers' env files."""

import click

from falcon_bulk.cli.command_group import SuggestingGroup
from falcon_bulk.cli.options import examples
from falcon_bulk.cli.shared_options import shared_options
from falcon_bulk.errors import ExitCode


@click.group(
    "customers",
    cls=SuggestingGroup,
    invoke_without_command=True,
    epilog=examples(
        "customers",
        "customers check",
        "customers check acme globex --format json",
        "customers check --customer-tag gold",
        "customers add initech",
    ),
)
@shared_options
@click.pass_context
def command(ctx: click.Context) -> int:
    """List the customers' env files, check them by logging in, add one, or confirm that a CID has changed."""
    return int(ctx.invoke(list_customers)) if ctx.invoked_subcommand is None else ExitCode.DONE


@command.command(
    "list", epilog=examples("customers list", "customers list --customers-dir /srv/customers --format csv")
)
@shared_options
@click.pass_context
def list_customers(ctx: click.Context) -> int:
    """List the env files in the customers' folder and their problems; nothing is sent to Falcon.

    The exit code is 4 if a file has a problem.
    """
    from falcon_bulk.cli.customer_files import customers_session, select_customer_files
    from falcon_bulk.cli.hints import suggest
    from falcon_bulk.report.customers import customer_files_report

    session = customers_session(ctx)
    files = select_customer_files(session, ())
    exit_code = session.publish(customer_files_report(files))
    if not files:
        session.console.say(
            f"There is no env file in {session.customers.folder}; `falcon-bulk customers add` creates one."
        )
    elif not exit_code:
        suggest(session, "Next:", "customers", "check")
    return exit_code


@command.command(
    "check", epilog=examples("customers check", "customers check acme globex", "customers check --customer-tag gold")
)
@click.argument("names", metavar="[NAME]...", nargs=-1)
@shared_options
@click.pass_context
def check(ctx: click.Context, names: tuple[str, ...]) -> int:
    """Log in to each customer, or to those named or tagged, and show what is visible; nothing is changed.

    Files that log in to children of a Flight Control parent are compared with the children of their logins. Secrets
    older than 90 days are named.

    The exit code is 0 if all logins work, the code of the failures if they share one, else 6.
    """
    from falcon_bulk.cli.child_customers import check_children
    from falcon_bulk.cli.customer_files import customers_session, select_customer_files
    from falcon_bulk.cli.session import PARALLEL_CUSTOMERS
    from falcon_bulk.errors import BadEnvFile
    from falcon_bulk.operations.customers import check_customers, old_secrets
    from falcon_bulk.report.customers import customer_checks_report

    session = customers_session(ctx)
    files = select_customer_files(session, names)
    if not files:
        raise BadEnvFile(
            f"There is no env file in {session.customers.folder}.", "`falcon-bulk customers add NAME` creates one."
        )
    parallel = session.options.parallel_customers or PARALLEL_CUSTOMERS
    checks = check_customers(files, lambda name: session.for_customer(name).tenant(), parallel)
    checks, children, notes = check_children(session, checks)
    if old := old_secrets({file.customer: file.secret_set for file in files}, session.clock.now().date()):
        notes.append(old)
    exit_code = session.publish(customer_checks_report(checks, notes, children))
    if any(check.reading for check in checks):
        session.console.say("Nothing was changed; write access is not tested.")
    return exit_code


@command.command(
    "add", epilog=examples("customers add initech", "customers add --children --env-file parent.env --yes")
)
@click.argument("name", metavar="[NAME]", required=False)
@click.option("--children", is_flag=True, help="Add the Flight Control children of a parent's login.")
@click.option("--yes", is_flag=True, help="With --children: add all that have no file, without asking.")
@shared_options
@click.pass_context
def add(ctx: click.Context, name: str | None, children: bool, yes: bool) -> int:
    """Ask for a customer's values, write its env file, readable by you alone, and offer to test the login.

    The client secret is not shown as you type it; no option takes it. With --children, list the children of the parent
    that --env-file or --customer names, ask which to add, and write a file for each: the parent's credentials,
    FALCON_MEMBER_CID, FALCON_CID, and a name made of the child's.
    """
    from falcon_bulk.errors import UsageProblem

    if children:
        from falcon_bulk.cli.child_customers import add_children
        from falcon_bulk.cli.session import Session

        if name is not None:
            raise UsageProblem("--children names the customers itself.", "Leave out NAME.")
        return add_children(Session.open(ctx, "customers"), yes=yes)
    if name is None or yes:
        raise UsageProblem(
            "--yes is for --children." if yes else "The customer's name is missing.",
            "`falcon-bulk customers add NAME` asks for one customer's values.",
        )
    return _add_one(ctx, name)


def _add_one(ctx: click.Context, name: str) -> int:
    """Ask for the values of a customer, write its file, and test its login if that is wanted."""
    import os

    from falcon_bulk.cli.customer_files import ask_for_values, ask_to_test_login, check_is_new, customers_session
    from falcon_bulk.cli.hints import suggest
    from falcon_bulk.config.customers import add_customer
    from falcon_bulk.operations.customers import check_customer, customer_files
    from falcon_bulk.report.customers import customer_checks_report, customer_files_report

    session = customers_session(ctx)
    check_is_new(session, name)
    path = add_customer(name, session.customers.folder, ask_for_values(session.console))
    say = session.console.say
    say(f"Wrote {path}, readable by you alone.")
    (written,) = (file for file in customer_files(session.customers.folder, os.environ) if file.customer == name)
    if not ask_to_test_login(session.console, path):
        exit_code = session.publish(customer_files_report([written]))
        suggest(session, "Next:", "customers", "check", name)
        return exit_code
    checked = check_customer(written, lambda customer: session.for_customer(customer).tenant())
    exit_code = session.publish(customer_checks_report([checked]))
    if checked.cid and not written.cids:
        say(f"This login sees the CID {checked.cid}. If that is {name}, add to {path}:  FALCON_CID={checked.cid}")
    if exit_code:
        say(f"Correct {path}, then test it again.")
        suggest(session, "Test it:", "customers", "check", name)
    else:
        suggest(session, "Next:", "summary", "--customer", name)
    return exit_code


@command.command("confirm", epilog=examples("customers confirm acme"))
@click.argument("name", metavar="NAME")
@shared_options
@click.pass_context
def confirm(ctx: click.Context, name: str) -> int:
    """Confirm that a customer's CID has changed.

    The first change of a customer's alerts pins its CID, and from then on credentials for another CID are refused.
    This removes the pin; the next change pins the CID again.
    """
    from falcon_bulk.cli.customer_files import select_customer_files
    from falcon_bulk.cli.session import Session
    from falcon_bulk.config.customers import customer_file
    from falcon_bulk.journal.customer_cids import forget_customer_cid
    from falcon_bulk.report.customers import customer_files_report

    session = Session.open(ctx, "customers")
    customer_file(name, session.customers.folder)
    files = select_customer_files(session, (name,))
    former = forget_customer_cid(session.state_folder(), name)
    session.publish(customer_files_report(files))
    was = f"is no longer pinned to the CID {former}" if former else "was not pinned to a CID"
    session.console.say(f"{name} {was}; the next change pins it to the CID of its alerts then.")
    return ExitCode.DONE
