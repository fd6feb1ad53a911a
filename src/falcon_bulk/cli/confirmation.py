"""Consent to a change: who may give it, how it is asked for, and its bounds."""

import os
from dataclasses import dataclass

from falcon_bulk.cli.console import is_interactive
from falcon_bulk.cli.session import Session
from falcon_bulk.cli.signals import abort_prompt_on_signals
from falcon_bulk.config.customers import customer_file
from falcon_bulk.config.settings import read_only
from falcon_bulk.errors import Declined, Refused, UsageProblem, WrongTenant
from falcon_bulk.model.plan import Plan
from falcon_bulk.model.preview import Preview
from falcon_bulk.operations.changes.planner import check_bounds
from falcon_bulk.operations.customers import conflicts_with_others
from falcon_bulk.report.preview import preview_sheets


@dataclass(frozen=True)
class ConsentOptions:
    """How consent is given: at the prompt, or by --yes within bounds."""

    yes: bool
    expect: int | None = None
    most: int | None = None
    needs_bound: bool = True

    def check(self) -> None:
        """Raises UsageProblem, before anything is sent, if consent cannot be had."""
        if self.yes and self.needs_bound and self.expect is None and self.most is None:
            raise UsageProblem("--yes needs a bound.", "Add --expect N or --max N: how many you mean to change.")
        if not self.yes and not is_interactive():
            add = "--yes with --expect N or --max N, or --dry-run to look only" if self.needs_bound else "--yes"
            raise UsageProblem("Cannot ask for confirmation: not a terminal.", f"Add {add}.")

    def check_bounds(self, preview: Preview) -> None:
        """Raises Refused if the number that is planned is not what --expect and --max allow."""
        what = "indicators" if preview.hashes else "alerts"
        check_bounds(preview.planned, expect=self.expect, most=self.most, what=what)


def check_change_allowed(context: Session, consent: ConsentOptions) -> None:
    """Raises Refused under FALCON_BULK_READ_ONLY, UsageProblem for --yes on a tenant that nothing names, WrongTenant
    for a customer whose file is like another's.
    """
    if context.load_settings().read_only or read_only(os.environ):
        raise Refused(
            "FALCON_BULK_READ_ONLY is set: nothing is changed.", "Unset it to allow changes; --dry-run works."
        )
    if consent.yes and not context.customers.is_named and not context.load_settings().cids:
        raise UsageProblem(
            "--yes needs a customer that is named.", "Add --customer or --env-file, or set FALCON_CID in the env file."
        )
    check_customer_file_unique(context)


def check_customer_file_unique(context: Session) -> None:
    """Raises WrongTenant if the customer's file shares its login or a CID with another customer's."""
    if not context.customers.name:
        return
    path = customer_file(context.customers.name, context.customers.folder)
    if shared := conflicts_with_others(path, os.environ):
        raise WrongTenant(
            f"{path} may be another customer's copy: {' '.join(shared)}", "Nothing was changed. Correct the files."
        )


def confirm_plan(context: Session, plan: Plan, consent: ConsentOptions, preview: Preview) -> None:
    """Show a plan and have it confirmed, unless --yes did.

    Raises Refused if a bound is not met, Declined for another answer, UsageProblem at the end of input, Stopped on
    Ctrl-C.
    """
    consent.check_bounds(preview)
    if preview.planned:
        context.show(preview_sheets(plan, preview))
        if not consent.yes:
            deed = f"change these {preview.planned:,} alerts"
            if plan.allowance is not None:
                deed = f"{'delete' if plan.undoes else 'create'} these {preview.planned:,} indicators"
            ask_to_type(context, plan.customer, preview.planned, deed)


def ask_to_type(context: Session, who: str, number: int, deed: str) -> None:
    """Have `who` and the number typed to have the deed done. Raises as `ask` does."""
    wanted = f"{who} {number}"
    question = f"Type {wanted!r} to {deed}, anything else to leave:"

    with abort_prompt_on_signals("nothing was changed"):
        answer = context.console.ask(question)
    if answer is None:
        raise UsageProblem("The input ended at the question.", "Nothing was changed. --yes answers without asking.")
    if " ".join(answer.split()) != wanted:
        raise Declined("Not confirmed; nothing was changed.")
    context.clock.check()
