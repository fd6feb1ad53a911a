"""falcon-bulk apply: carry out a saved plan."""

import re
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import click

from falcon_bulk.cli.options import consent_options, pace_options, shared_options
from falcon_bulk.errors import UsageProblem

EXAMPLES = """\b
Examples:
  falcon-bulk bulk-close --customer acme --host 'LAB-*' --dry-run --plan lab.plan
  falcon-bulk apply lab.plan --customer acme
  falcon-bulk apply lab.plan --customer acme --yes
"""


@click.command("apply", epilog=EXAMPLES)
@click.argument("plan_file", metavar="PLAN", type=click.Path(path_type=Path))
@click.option("--plan-ttl", default="24h", show_default=True, metavar="AGE", help="Oldest plan to accept: 24h, 7d.")
@consent_options
@pace_options
@shared_options
@click.pass_context
def command(ctx: click.Context, /, plan_file: Path, plan_ttl: str, **options: Any) -> int:
    """Carry out a saved plan: exactly its alerts, each read again first; what drifted is left alone."""
    from falcon_bulk.cli.changing import Consent, ask, carry_out, check_may_change, pace_of, publish, stopping
    from falcon_bulk.cli.context import Context
    from falcon_bulk.journal.journal import Draft
    from falcon_bulk.model.preview import Preview
    from falcon_bulk.operations.planfile import PlanFile, WayLine

    most_age = _age(plan_ttl)
    context = Context(ctx, "run")
    consent = Consent(options["yes"], options["expect"], options["most"], needs_bound=False)
    consent.check()
    saved = PlanFile(plan_file)
    check_may_change(context, consent)
    with stopping(context), context.tenant(workers=options["workers"]) as tenant:
        home = tenant.home()
        saved.check(cids=tenant.cids or (home,), cloud=tenant.cloud, now=context.timing.now(), most_age=most_age)

        def make(draft: Draft) -> Preview:
            for line in saved.rows():
                if isinstance(line, WayLine):
                    draft.add_way(line.number, line.actions)
                else:
                    draft.add(line.alert)
            return saved.preview

        approve = partial(ask, context, saved.plan, consent)
        return publish(context, carry_out(context, tenant, saved.plan, make, approve, pace_of(options), fresh=False))


def _age(value: str) -> timedelta:
    found = re.fullmatch(r"(\d{1,5})([hd])", value)
    if not found:
        raise UsageProblem(f"{value!r} is not an age for --plan-ttl.", "Use hours or days: 24h, 7d.")
    return timedelta(hours=int(found[1])) if found[2] == "h" else timedelta(days=int(found[1]))
