"""falcon-bulk schedule: a command as lines for cron and systemd."""

import click

from falcon_bulk.cli.option_values import single_value
from falcon_bulk.cli.options import examples
from falcon_bulk.cli.shared_options import shared_options
from falcon_bulk.errors import ExitCode


@click.command(
    "schedule",
    epilog=examples(
        "schedule --at '0 7 * * 1' -- hash-summary --customer acme --since 7d -o reports/acme.md",
        "schedule --at '*/30 * * * *' -- close-hash --customer acme --hash SHA256 --yes --max 500",
    ),
)
@click.option(
    "--at", "expression", **single_value(), required=True, metavar="CRON", help="When: minute hour day month weekday."
)
@click.option(
    "--unit-name",
    **single_value(),
    metavar="NAME",
    help="The name of units, lock and log.  [default: after the command]",
)
@click.argument("words", metavar="-- COMMAND...", nargs=-1, type=click.UNPROCESSED)
@shared_options
@click.pass_context
def command(ctx: click.Context, expression: str, unit_name: str | None, words: tuple[str, ...]) -> int:
    """Print the crontab line, and the systemd service and timer, that run a command at certain times.

    Nothing is installed. The lines run exactly that command, in this folder, one at a time, and keep its output in
    a log in the state folder. A command that would ask is refused.
    """
    from falcon_bulk.cli.scheduled_command import MAX_CRON_COMMAND, build_job, check_schedulable
    from falcon_bulk.cli.session import Session
    from falcon_bulk.operations.scheduling.cron import Cron
    from falcon_bulk.report.formats import Format
    from falcon_bulk.report.output import Sink, dump
    from falcon_bulk.report.schedule import schedule_document, write_schedule, write_schedule_markdown

    context = Session(ctx, "schedule")
    cron = Cron.parse(expression)
    scheduled = build_job(context, check_schedulable(context, words), unit_name).schedule(cron)

    def write(sink: Sink, fmt: Format) -> None:
        if fmt is Format.JSON:
            dump(schedule_document(scheduled), sink.binary)
        else:
            written = write_schedule_markdown if fmt is Format.MARKDOWN else write_schedule
            with sink.text() as stream:
                written(scheduled, stream)

    context.emit(write)
    if len(cron.calendars()) > 1:
        context.console.say("Note: cron takes either of the two days; hence two OnCalendar lines.")
    if len(scheduled.crontab) - len(cron.text) > MAX_CRON_COMMAND:
        context.console.say("Note: Debian's cron takes no command of more than 998 characters; use systemd.")
    context.console.say(f"Nothing is installed yet. Output will go to {scheduled.log}.")
    context.console.say(
        f"With systemd:  systemctl --user enable --now {scheduled.name}.timer  (and `loginctl enable-linger`)"
    )
    return ExitCode.DONE
