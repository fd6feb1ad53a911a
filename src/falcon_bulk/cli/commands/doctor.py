"""falcon-bulk doctor: check the installation, the settings and the access to Falcon."""

import click

from falcon_bulk.cli.help_groups import GroupedHelp
from falcon_bulk.cli.options import examples
from falcon_bulk.cli.shared_options import shared_options
from falcon_bulk.errors import UsageProblem


@click.command(
    "doctor",
    cls=GroupedHelp,
    epilog=examples(
        "doctor --customer acme",
        "doctor --customer acme --probe",
        "doctor --customer acme --format json",
        "doctor --customer acme --format markdown -o report.md",
    ),
)
@shared_options
@click.option(
    "--probe",
    is_flag=True,
    help="Also find out, by reading alone, what is so at this tenant where Falcon's documentation leaves it open.",
)
@click.option("--quick", is_flag=True, help="With --probe: do not wait to see how old a page's token may get (150 s).")
@click.pass_context
def command(ctx: click.Context, probe: bool, quick: bool) -> int:
    """Check the installation, the settings and the access to Falcon, and print a report for bug reports.

    Nothing is changed. Checked are versions, state folder, env file, proxy, login, clock, reading, aggregates, hidden
    alerts and rate limit; write access cannot be checked without a change. Without an env file it says what is missing
    and sends nothing.

    --probe needs the scope Alerts: Read alone. It prints what is so at this tenant, what the tool does because of it,
    and a block without secrets, names, ids and hashes to paste into an issue.

    The exit code is 0 if no check failed, else the lowest code of the failures: 4 for credentials, 5 for the network.
    """
    from falcon_bulk.cli.doctor_checks import redactions, run_checks
    from falcon_bulk.cli.hints import suggest
    from falcon_bulk.cli.session import Session
    from falcon_bulk.report.doctor import doctor_report

    session = Session.open(ctx, "doctor")
    if quick and not probe:
        raise UsageProblem("--quick is about --probe.", "Add --probe, or leave out --quick.")
    if session.customers.several:
        raise UsageProblem("doctor checks one customer at a time.", "`falcon-bulk customers check` logs in to each.")
    report = run_checks(session, probing=probe, quick=quick)
    exit_code = session.publish(doctor_report(report, redactions(session)))
    if not exit_code:
        suggest(session, "Next:", "summary")
    return exit_code
