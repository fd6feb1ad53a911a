"""falcon-bulk rules report: what closing rules did."""

import click

from falcon_bulk.cli.help_groups import GroupedHelp
from falcon_bulk.cli.option_values import single_value
from falcon_bulk.cli.options import examples, rules_option
from falcon_bulk.cli.shared_options import notify_option, shared_options


@click.command(
    "report",
    cls=GroupedHelp,
    epilog=examples(
        "rules report --all-customers",
        "rules report --all-customers --since 90d -o rules.html",
        "rules report --all-customers --recurring",
        "rules report --customer acme --format json",
    ),
)
@click.option(
    "--since",
    **single_value(default="30d"),
    show_default=True,
    metavar="WHEN",
    help="Runs since: 30d, a date, or a UTC time.",
)
@click.option(
    "--recurring",
    is_flag=True,
    help="Also ask Falcon what people close as false positive or ignored again and again, and list what has no rule.",
)
@rules_option
@notify_option
@shared_options
@click.pass_context
def command(ctx: click.Context, since: str, recurring: bool, rule_paths: tuple[str, ...]) -> int:
    """Report what closing rules did: closed, held, differing, and what is due, suspended, overlapping or unused.

    It reads the runs that are recorded on this machine; only --recurring asks Falcon. Alerts are counted once, in
    however many runs they were held. A rule, a value in one of its lists, or a customer of it is unused if it fitted no
    alert in runs over 7 days or more, not even where another rule came first; what could not be seen is not called
    unused. The exit code is 6 if a customer cannot be read or a rule is invalid.
    """
    from falcon_bulk.cli.rule_reports import publish_rules_report
    from falcon_bulk.cli.session import Session

    return publish_rules_report(Session.open(ctx, "rules-report"), since, rule_paths, recurring=recurring)
