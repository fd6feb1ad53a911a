"""falcon-bulk allow-hash: put hashes on the allow-list."""

from typing import Any

import click

from falcon_bulk.cli.help_groups import GroupedHelp
from falcon_bulk.cli.option_values import check_not_blank, multi_value, single_value
from falcon_bulk.cli.options import consent_options, dry_run_option, examples, hash_file_option, operator_option
from falcon_bulk.cli.shared_options import notify_option, shared_options
from falcon_bulk.cli.time_values import INDICATOR_LIFETIME

PLATFORMS = ("windows", "mac", "linux")


@click.command(
    "allow-hash",
    cls=GroupedHelp,
    epilog=examples(
        "allow-hash --customer acme --hash SHA256 --platform windows --global --dry-run",
        "allow-hash --customer acme --hash-file vetted.csv --platform windows,mac --host-group GROUP_ID",
        "allow-hash --customer acme --hash SHA256 --platform linux --global --expires 2027-01-31",
        "allow-hash --customer acme --hash SHA256 --platform mac --global --no-expiry --yes --expect 1",
    ),
)
@click.option("--hash", "hashes", **multi_value("SHA256"), help="The hashes to allow.")
@hash_file_option
@click.option("--platform", "platforms", **multi_value(choices=PLATFORMS), help="Where they are allowed; at least one.")
@click.option("--global", "everywhere", is_flag=True, help="On all hosts.")
@click.option(
    "--host-group", "host_groups", **multi_value("ID"), help="On the hosts of these groups only: ids, not names."
)
@click.option(
    "--expires",
    **single_value(check_not_blank),
    metavar="WHEN",
    help=f"Until when: 90d, a date, a UTC time.  [default: {INDICATOR_LIFETIME}]",
)
@click.option("--no-expiry", is_flag=True, help="For ever.")
@click.option(
    "--comment",
    "--description",
    "comment",
    **single_value(check_not_blank),
    metavar="TEXT",
    help="Why; the description of every indicator, with your name.",
)
@operator_option
@dry_run_option
@consent_options
@notify_option
@shared_options
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> int:
    """Allow files by their SHA256: create an allow-list indicator (IOC) for each hash that has none.

    Existing indicators are looked up first and never overwritten; one that detects or prevents refuses the whole
    run. It closes no alert (close-hash does), and works on one customer at a time.
    """
    from falcon_bulk.cli.allow_workflow import allow_hashes
    from falcon_bulk.cli.session import Session

    return allow_hashes(Session.open(ctx, "run"), options)
