"""The road of allow-hash, and of its undo: look up, preview, consent, run, result; the machinery is that of changes."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from falcon_bulk import __version__
from falcon_bulk.cli.change_workflow import (
    dry_run_result,
    execute_plan,
    new_run_id,
    operator_from_options,
    publish,
    publish_dry_run,
    undo_plan,
)
from falcon_bulk.cli.confirmation import ConsentOptions, check_change_allowed, confirm_plan
from falcon_bulk.cli.input_options import hashes_from_options
from falcon_bulk.cli.session import Session
from falcon_bulk.cli.signals import stop_on_signals
from falcon_bulk.cli.time_values import INDICATOR_LIFETIME, parse_deadline
from falcon_bulk.errors import Refused, UsageProblem, WrongTenant
from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.journal.customer_cids import check_customer_cid
from falcon_bulk.journal.draft import Draft
from falcon_bulk.journal.journal import Journal
from falcon_bulk.model.indicator import IndicatorSpec
from falcon_bulk.model.plan import Plan
from falcon_bulk.model.preview import Preview
from falcon_bulk.operations.changes.apply import Pace
from falcon_bulk.operations.changes.indicator_planner import plan_creation, plan_removal
from falcon_bulk.operations.changes.planner import NullSink, check_action_value

Make = Callable[[Draft | NullSink], Preview]

_GROUP = re.compile(r"[0-9a-f]{32}")


def allow_hashes(context: Session, options: dict[str, Any]) -> int:
    """allow-hash, from the options to the exit code."""
    consent = ConsentOptions(options["yes"], options["expect"], options["maximum"])
    dry = bool(options["dry_run"])
    run_id = new_run_id(context)
    hashes = hashes_from_options(
        options["hashes"], options["hash_file"], context.console, prompts=not (options["yes"] or options["dry_run"])
    )
    if not hashes:
        raise UsageProblem("allow-hash needs a hash.", "Add --hash SHA256 or --hash-file FILE.")
    allowance = _allowance(context, options, run_id)
    if not dry:
        consent.check()
        check_change_allowed(context, consent)
    if len(context.load_settings().cids) > 1:
        raise WrongTenant(
            "FALCON_CID lists several CIDs; an indicator of a parent CID holds for its children too.",
            "Use an env file with one child's own credentials, or with FALCON_MEMBER_CID and FALCON_CID set to it.",
        )
    with stop_on_signals(context), context.tenant() as tenant:
        cid = tenant.single_cid()
        check_customer_cid(context.state_folder(), tenant.customer, (cid,))
        plan = Plan(
            run_id=run_id,
            command="allow-hash",
            customer=tenant.customer,
            cid=cid,
            cids=(cid,),
            cloud=tenant.cloud,
            operator=operator_from_options(context, options),
            created=context.now,
            selection=f"{len(hashes):,} hashes",
            hashes=hashes,
            comment=allowance.description,
            version=__version__,
            allowance=allowance,
        )
        make = partial(plan_creation, tenant.indicators, hashes, allowance)
        return _carry_out(context, tenant, plan, make, consent, dry=dry)


def undo_allow_run(context: Session, journal: Journal, former: Plan, consent: ConsentOptions, *, dry: bool) -> int:
    """undo of a run of allow-hash: delete what it made, where that is as it was made. Raises Refused."""
    if former.undoes:
        raise Refused(
            f"{former.run_id} deleted indicators; that cannot be taken back.",
            "`falcon-bulk allow-hash` makes new ones.",
        )
    made = journal.indicators.made(former.run_id)
    with stop_on_signals(context), context.tenant() as tenant:
        plan = undo_plan(context, tenant, former, f"the indicators that {former.run_id} created")
        make = partial(plan_removal, tenant.indicators, made, former)
        return _carry_out(context, tenant, plan, make, consent, dry=dry)


def _carry_out(context: Session, tenant: Tenant, plan: Plan, make: Make, consent: ConsentOptions, *, dry: bool) -> int:
    if dry:
        preview = make(NullSink())
        consent.check_bounds(preview)
        return publish_dry_run(context, dry_run_result(tenant, plan, preview))
    approve = partial(confirm_plan, context, plan, consent)
    return publish(context, execute_plan(context, tenant, plan, make, approve, Pace()))


def _allowance(context: Session, options: dict[str, Any], run_id: str) -> IndicatorSpec:
    """What the indicators are to be like. Raises UsageProblem."""
    groups = tuple(group.lower() for group in options["host_groups"])
    if not options["platforms"]:
        raise UsageProblem("allow-hash needs a platform.", "Add --platform windows, mac or linux, or several of them.")
    if bool(groups) is options["everywhere"]:
        raise UsageProblem(
            "Say where: --global or --host-group, one of them.", "A host group is narrower, and the safer choice."
        )
    for group in groups:
        if not _GROUP.fullmatch(group):
            raise UsageProblem(
                f"{group!r} is not the id of a host group.", "It has 32 hex digits and stands in the console's URL."
            )
    if options["no_expiry"] and options["expires"]:
        raise UsageProblem("--expires and --no-expiry contradict each other.", "Give one of them.")
    expires = options["expires"] or INDICATOR_LIFETIME
    ends = "" if options["no_expiry"] else parse_deadline(expires, "--expires", context.clock.now())
    words = options["comment"] or "Allowed"
    return IndicatorSpec(
        platforms=options["platforms"],
        host_groups=groups,
        expiration=ends,
        description=check_action_value(
            "description", f"{words} (by {operator_from_options(context, options)}, falcon-bulk {run_id})"
        ),
    )
