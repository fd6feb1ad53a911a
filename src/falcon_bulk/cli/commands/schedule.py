"""falcon-bulk schedule: print a command as lines for cron and systemd."""

import click

from falcon_bulk.cli.help_groups import GroupedHelp
from falcon_bulk.cli.option_values import single_value
from falcon_bulk.cli.options import examples
from falcon_bulk.cli.shared_options import shared_options
from falcon_bulk.errors import ExitCode


@click.command(
    "schedule",
    cls=GroupedHelp,
    epilog=examples(
        "schedule --weekly mon 07:00 -- hash-summary --customer acme --since 7d -o reports/acme.md",
        "schedule --daily 06:30 -- query --customer acme --status new --since 24h -o new.jsonl",
        "schedule --every 30m -- close-hash --customer acme --hash SHA256 --yes --max 500",
        "schedule --at '0 7 1 * *' -- summary --customer acme --since 30d -o month.md",
    ),
)
@click.option("--daily", **single_value(), metavar="HH:MM", help="Every day at this time.")
@click.option(
    "--weekly",
    **single_value(),
    nargs=2,
    metavar="DAY HH:MM",
    help="Every week on this day (mon to sun), at this time.",
)
@click.option(
    "--every",
    **single_value(),
    metavar="INTERVAL",
    help="Every so many minutes or hours, such as 30m or 6h; they must divide an hour or a day.",
)
@click.option(
    "--at",
    "cron_expression",
    **single_value(),
    metavar="CRON",
    help="A cron expression (minute hour day month weekday), for crontab alone: prints no systemd units.",
)
@click.option(
    "--unit-name",
    **single_value(),
    metavar="NAME",
    help="Name of the units, the lock and the log.  [default: after the command]",
)
@click.argument("command_line", metavar="-- COMMAND...", nargs=-1, type=click.UNPROCESSED)
@shared_options
@click.pass_context
def command(
    ctx: click.Context,
    daily: str | None,
    weekly: tuple[str, str] | None,
    every: str | None,
    cron_expression: str | None,
    unit_name: str | None,
    command_line: tuple[str, ...],
) -> int:
    """Print the crontab line, and the systemd services and timer, that run a command regularly.

    Say when with one of --daily, --weekly, --every and --at; times are local. Nothing is installed. The lines run
    exactly that command, in this folder, one at a time, and append its output to a log in the state folder. If it
    fails, the end of the log is mailed, by cron or by the second service. A command that would ask for confirmation is
    refused.
    """
    from falcon_bulk.cli.scheduled_command import MAX_CRON_COMMAND, build_job, check_schedulable, choose_recurrence
    from falcon_bulk.cli.session import Session
    from falcon_bulk.report.schedule import schedule_report

    session = Session.open(ctx, "schedule")
    recurrence = choose_recurrence(daily=daily, weekly=weekly, every=every, at=cron_expression)
    schedule = build_job(session, check_schedulable(session, command_line), unit_name).schedule(recurrence)
    session.publish(schedule_report(schedule))
    say = session.console.say
    has_units = schedule.timer is not None
    if not has_units:
        say("Note: --at is for crontab alone; for systemd units use --daily, --weekly or --every.")
    if len(schedule.crontab) - len(recurrence.cron) > MAX_CRON_COMMAND:
        say("Note: Debian's cron takes no command longer than 998 characters; use the systemd units.")
    say(f"Nothing is installed yet. Output will go to {schedule.log}.")
    if has_units:
        say(f"With systemd:  systemctl --user enable --now {schedule.name}.timer  (and `loginctl enable-linger`)")
    return ExitCode.DONE
