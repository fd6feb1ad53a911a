"""falcon-bulk allow-hash: put hashes on the allow-list."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from falcon_bulk.cli.help_groups import GroupedHelp
from falcon_bulk.cli.option_values import check_not_blank, multi_value, single_value
from falcon_bulk.cli.options import (
    ConsentOptions,
    consent_options,
    dry_run_option,
    examples,
    hash_file_option,
    only_sha256_option,
    operator_option,
    takes,
)
from falcon_bulk.cli.shared_options import notify_option, shared_options
from falcon_bulk.cli.time_values import INDICATOR_LIFETIME, is_relative
from falcon_bulk.errors import UsageProblem, WrongTenant

if TYPE_CHECKING:
    from falcon_bulk.cli.session import Session
    from falcon_bulk.model.indicator import IndicatorSpec
    from falcon_bulk.operations.changes.plan_header import Origin

PLATFORMS = ("windows", "mac", "linux")
_HOST_GROUP_ID = re.compile(r"[0-9a-f]{32}")


class AllowHashOptions(NamedTuple):
    """The options of allow-hash."""

    hashes: tuple[str, ...]
    hash_file: Path | None
    only_sha256: bool
    platforms: tuple[str, ...]
    everywhere: bool
    host_groups: tuple[str, ...]
    expires: str | None
    no_expiry: bool
    comment: str | None
    operator: str | None
    dry_run: bool
    consent: ConsentOptions


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
@only_sha256_option
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
@takes(AllowHashOptions)
def command(ctx: click.Context, options: AllowHashOptions) -> int:
    """Allow files by their SHA256: create an allow-list indicator (IOC) for each hash that has none.

    Existing indicators are looked up first and never overwritten; one that detects or prevents refuses the whole
    run. It closes no alert (close-hash does), and works on one customer at a time.
    """
    from falcon_bulk.cli.change_runner import check_options, new_origin, plan_context, run_operation
    from falcon_bulk.cli.confirmation import Confirmation
    from falcon_bulk.cli.input_options import hashes_from_options
    from falcon_bulk.cli.session import Session
    from falcon_bulk.operations.changes.lifecycle import ONE_AT_A_TIME
    from falcon_bulk.operations.changes.operations import create_indicators

    session = Session.open(ctx, "run")
    confirmation = Confirmation(options.consent)
    prompts = not (options.consent.yes or options.dry_run)
    hashes = hashes_from_options(
        options.hashes, options.hash_file, session.console, prompts=prompts, only_sha256=options.only_sha256
    )
    if not hashes:
        raise UsageProblem("allow-hash needs a hash.", "Add --hash SHA256 or --hash-file FILE.")
    origin = new_origin(session, options.operator)
    spec = _indicator_spec(session, options, origin)
    check_options(session, confirmation, dry=options.dry_run)
    if len(session.load_settings().cids) > 1:
        raise WrongTenant(
            "FALCON_CID lists several CIDs; an indicator of a parent CID holds for its children too.",
            "Use an env file with one child's own credentials, or with FALCON_MEMBER_CID and FALCON_CID set to it.",
        )
    return run_operation(
        session,
        lambda tenant: create_indicators(
            plan_context(session, tenant),
            hashes,
            spec,
            origin,
            relative=not options.no_expiry and is_relative(options.expires or INDICATOR_LIFETIME),
        ),
        confirmation,
        ONE_AT_A_TIME,
        dry=options.dry_run,
    )


def _indicator_spec(session: "Session", options: AllowHashOptions, origin: "Origin") -> "IndicatorSpec":
    """Return what the indicators are to look like. Raises UsageProblem."""
    from falcon_bulk.cli.time_values import parse_deadline
    from falcon_bulk.model.indicator import IndicatorSpec
    from falcon_bulk.operations.changes.request import check_action_value

    groups = tuple(group.lower() for group in options.host_groups)
    if not options.platforms:
        raise UsageProblem("allow-hash needs a platform.", "Add --platform windows, mac or linux, or several of them.")
    if bool(groups) is options.everywhere:
        raise UsageProblem(
            "Say where: --global or --host-group, one of them.", "A host group is narrower, and the safer choice."
        )
    for group in groups:
        if not _HOST_GROUP_ID.fullmatch(group):
            raise UsageProblem(
                f"{group!r} is not the id of a host group.", "It has 32 hex digits and is in the console's URL."
            )
    if options.no_expiry and options.expires:
        raise UsageProblem("--expires and --no-expiry contradict each other.", "Give one of them.")
    now = session.clock.now()
    expiration = "" if options.no_expiry else parse_deadline(options.expires or INDICATOR_LIFETIME, "--expires", now)
    description = f"{options.comment or 'Allowed'} (by {origin.operator}, falcon-bulk {origin.run_id})"
    return IndicatorSpec(
        platforms=options.platforms,
        host_groups=groups,
        expiration=expiration,
        description=check_action_value("description", description),
    )
