"""falcon-bulk customers: the customers' env files."""

import click

from falcon_bulk.cli.options import examples
from falcon_bulk.cli.shared_options import shared_options
from falcon_bulk.cli.suggestions import SuggestingGroup
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
    """The customers' env files: list them, check them by logging in, add one, confirm that a CID has changed."""
    return int(ctx.invoke(list_customers)) if ctx.invoked_subcommand is None else ExitCode.DONE


@command.command(
    "list", epilog=examples("customers list", "customers list --customers-dir /srv/customers --format csv")
)
@shared_options
@click.pass_context
def list_customers(ctx: click.Context) -> int:
    """List the env files of the customers' folder, with what is wrong with them; nobody is contacted.

    The exit code is 4 if anything is wrong with a file.
    """
    from falcon_bulk.cli.customer_files import customers_context, select_customer_files
    from falcon_bulk.cli.hints import suggest
    from falcon_bulk.model.customer import exit_code_of
    from falcon_bulk.report.customers import customer_files_document, customer_files_sheet

    context = customers_context(ctx)
    files = select_customer_files(context, ())
    context.publish(lambda: [customer_files_sheet(files)], lambda: customer_files_document(files))
    if not files:
        context.console.say(f"There is no env file in {context.customers_dir}; `falcon-bulk customers add` makes one.")
    elif not exit_code_of(files):
        suggest(context, "Next:", "customers", "check")
    return exit_code_of(files)


@command.command(
    "check", epilog=examples("customers check", "customers check acme globex", "customers check --customer-tag gold")
)
@click.argument("names", metavar="[NAME]...", nargs=-1)
@shared_options
@click.pass_context
def check(ctx: click.Context, names: tuple[str, ...]) -> int:
    """Log in to each customer, or to those named or tagged, and show what is seen; nothing is changed.

    The exit code is 0 if all are well, the code of those that are not if they have the same, else 6.
    """
    from falcon_bulk.cli.customer_files import customers_context, select_customer_files
    from falcon_bulk.errors import BadEnvFile
    from falcon_bulk.model.customer import exit_code_of
    from falcon_bulk.operations.customers import check_customers
    from falcon_bulk.report.customers import customer_checks_document, customer_checks_sheet

    context = customers_context(ctx)
    files = select_customer_files(context, names)
    if not files:
        raise BadEnvFile(
            f"There is no env file in {context.customers_dir}.", "`falcon-bulk customers add NAME` makes one."
        )
    checks = check_customers(files, lambda name: context.alone(name).tenant(), context.parallel_customers)
    context.publish(lambda: [customer_checks_sheet(checks)], lambda: customer_checks_document(checks))
    if any(check.reading for check in checks):
        context.console.say("Nothing was changed; whether writing works is not tested.")
    return exit_code_of(checks)


@command.command("add", epilog=examples("customers add initech"))
@click.argument("name", metavar="NAME")
@shared_options
@click.pass_context
def add(ctx: click.Context, name: str) -> int:
    """Ask for a customer's values and write its env file, open to you alone.

    The client secret is asked for and not shown; no option takes it.
    """
    import os

    from falcon_bulk.cli.customer_files import ask_for_values, check_is_new, customers_context
    from falcon_bulk.cli.hints import suggest
    from falcon_bulk.config.customers import add_customer
    from falcon_bulk.operations.customers import customer_files
    from falcon_bulk.report.customers import customer_files_document, customer_files_sheet

    context = customers_context(ctx)
    check_is_new(context, name)
    path = add_customer(name, context.customers_dir, ask_for_values(context.console))
    written = [file for file in customer_files(context.customers_dir, os.environ) if file.customer == name]
    context.publish(lambda: [customer_files_sheet(written)], lambda: customer_files_document(written))
    context.console.say(f"{path} is written, open to you alone.")
    if not written[0].cids:
        context.console.say("Note: without FALCON_CID nothing tells when the credentials are another customer's.")
    suggest(context, "Next:", "customers", "check", name)
    return written[0].exit_code


@command.command("confirm", epilog=examples("customers confirm acme"))
@click.argument("name", metavar="NAME")
@shared_options
@click.pass_context
def confirm(ctx: click.Context, name: str) -> int:
    """Confirm that a customer's CID has changed.

    The first change of a customer's alerts pins its CID; credentials for another one are refused from then on,
    until this forgets the pin. The next change pins anew.
    """
    from falcon_bulk.cli.customer_files import select_customer_files
    from falcon_bulk.cli.session import Session
    from falcon_bulk.config.customers import customer_file
    from falcon_bulk.journal.customer_cids import forget_customer_cid
    from falcon_bulk.report.customers import customer_files_document, customer_files_sheet

    context = Session(ctx, "customers")
    customer_file(name, context.customers_dir)
    files = select_customer_files(context, (name,))
    former = forget_customer_cid(context.state_folder(), name)
    context.publish(lambda: [customer_files_sheet(files)], lambda: customer_files_document(files))
    was = f"was {former}; the next change pins it anew" if former else "was not pinned; the next change pins it"
    context.console.say(f"The CID of {name} {was}.")
    return ExitCode.DONE
