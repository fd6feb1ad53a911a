"""falcon-bulk doctor: the self-check."""

import click

from falcon_bulk.cli.options import examples
from falcon_bulk.cli.shared_options import shared_options
from falcon_bulk.errors import UsageProblem


@click.command(
    "doctor",
    epilog=examples(
        "doctor --customer acme",
        "doctor --customer acme --format json",
        "doctor --customer acme --format markdown -o report.md",
    ),
)
@shared_options
@click.pass_context
def command(ctx: click.Context) -> int:
    """Check what the work stands on, and print what to paste into a bug report; nothing is changed.

    Versions, state folder, env file, proxy, login, clock, reading, aggregates, hidden alerts, rate limit. Whether
    writing works cannot be tested without a change. Without an env file it says what is missing and sends nothing.

    The exit code is 0 if nothing failed, else the lowest of those that did: 4 for credentials, 5 for the network.
    """
    from falcon_bulk.cli.doctor_checks import redactions, run_checks
    from falcon_bulk.cli.hints import suggest
    from falcon_bulk.cli.session import Session
    from falcon_bulk.report.doctor import doctor_document, write_doctor_report
    from falcon_bulk.report.formats import Format
    from falcon_bulk.report.output import Sink, dump

    context = Session(ctx, "doctor")
    if context.round:
        raise UsageProblem("doctor looks at one customer.", "`falcon-bulk customers check` logs in to each.")
    examination = run_checks(context)

    def write(sink: Sink, fmt: Format) -> None:
        if fmt is Format.JSON:
            dump(doctor_document(examination), sink.binary)
        else:
            write_doctor_report(sink, fmt, examination, redactions(context))

    context.emit(write)
    if not examination.exit_code:
        suggest(context, "Next:", "summary")
    return examination.exit_code
