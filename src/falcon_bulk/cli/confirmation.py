"""Confirmation of a change: who may give it, how it is asked for, and its bounds."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from falcon_bulk.cli.console import is_interactive
from falcon_bulk.cli.options import ConsentOptions
from falcon_bulk.cli.session import Session
from falcon_bulk.cli.signals import abort_prompt_on_signals
from falcon_bulk.config.customers import customer_file
from falcon_bulk.config.setting_readers import read_only
from falcon_bulk.config.settings_source import PROCESS_ENVIRONMENT
from falcon_bulk.errors import Declined, Refused, UsageProblem, WrongTenant
from falcon_bulk.model.plan import IndicatorPlan, Plan
from falcon_bulk.model.preview import Preview
from falcon_bulk.operations.changes.request import Bounds
from falcon_bulk.operations.customers import conflicts_with_customers
from falcon_bulk.report.change_phrase import describe_change
from falcon_bulk.report.preview import preview_sheets
from falcon_bulk.report.sheet import Sheet, format_cell

LINES_BELOW_DRY_RUN = 6
"""Lines of a terminal below the preview of a dry run: its headline, and the command that carries it out."""


@dataclass(frozen=True)
class Confirmation:
    """How a plan is confirmed: at the prompt, or by --yes within bounds.

    needs_bound: whether --yes takes --expect or --max; a saved plan is its own bound.
    """

    options: ConsentOptions
    needs_bound: bool = True

    @property
    def bounds(self) -> Bounds:
        """What --expect and --max allow."""
        return Bounds(self.options.expect, self.options.maximum)

    def check_possible(self) -> None:
        """Raise UsageProblem, before anything is sent, if the change cannot be confirmed."""
        yes, bounds = self.options.yes, self.bounds
        if yes and self.needs_bound and bounds == Bounds():
            raise UsageProblem("--yes needs a bound.", "Add --expect N or --max N: how many you mean to change.")
        if not yes and not is_interactive():
            add = "--yes with --expect N or --max N, or --dry-run to look only" if self.needs_bound else "--yes"
            raise UsageProblem("Cannot ask for confirmation: not a terminal.", f"Add {add}.")

    def check_bounds(self, plan: Plan, preview: Preview) -> None:
        """Raise Refused if the number of planned items is not what --expect and --max allow."""
        self.bounds.check(preview.planned, item_of(plan))

    def preview(self, session: Session, plan: Plan, preview: Preview, *, dry: bool = False) -> list[Sheet]:
        """Return what is shown of a plan: on one screen of the terminal, or with --details in full.

        dry: it is the result on standard output, with a few lines below it, and not what is shown before a question.
        """
        screen = session.output.screen(sys.stdout if dry else sys.stderr)
        if dry and screen is not None:
            screen = None if session.output.path else screen._replace(lines=screen.lines - LINES_BELOW_DRY_RUN)
        return preview_sheets(plan, preview, details=self.options.details, screen=screen)

    def confirm(self, session: Session, plan: Plan, preview: Preview) -> None:
        """Show a plan and have it confirmed, unless --yes did.

        Raises Refused if a bound is not met, Declined for another answer, UsageProblem at the end of input, Stopped
        on Ctrl-C.
        """
        self.check_bounds(plan, preview)
        if not preview.planned:
            return
        session.show(self.preview(session, plan, preview))
        if not self.options.yes:
            change = describe_change(plan, preview, format_cell(preview.planned))
            ask_to_type(session, plan.customer, preview.planned, change)


def item_of(plan: Plan) -> str:
    """Return what one item of a plan is: `alert` or `indicator`."""
    return "indicator" if isinstance(plan, IndicatorPlan) else "alert"


def check_change_allowed(session: Session, *, yes: bool) -> None:
    """Raise an error if this customer may not be changed, before anything is sent.

    Refused under FALCON_BULK_READ_ONLY; UsageProblem for --yes on a customer that nothing names; WrongTenant for a
    customer whose file conflicts with another's.
    """
    if session.load_settings().read_only or read_only(os.environ):
        raise Refused(
            "FALCON_BULK_READ_ONLY is set: nothing is changed.", "Unset it to allow changes; --dry-run works."
        )
    settings = session.load_settings()
    pinned = settings.source == PROCESS_ENVIRONMENT and settings.cids
    if yes and not session.customers.is_named and not pinned:
        raise UsageProblem(
            "--yes needs a customer that the command line names.",
            "Add --customer or --env-file; credentials in the process environment count with a FALCON_CID beside them.",
        )
    check_customer_file_unique(session)


def check_customer_file_unique(session: Session) -> None:
    """Raise WrongTenant if the customer's file shares its login or a CID with another customer's."""
    customers = session.customers
    if customers.name:
        path: Path | None = customer_file(customers.name, customers.folder)
    else:
        path = customers.env_file
    if path is None:
        return
    if conflicts := conflicts_with_customers(path, customers.folder, os.environ):
        raise WrongTenant(
            f"{path} may be another customer's copy: {' '.join(conflicts)}", "Nothing was changed. Correct the files."
        )


def ask_to_type(session: Session, customer: str, number: int, change: str) -> None:
    """Have the customer and the number typed to confirm a change, such as `CLOSE 101 alerts`.

    A wrong number is asked for once more; a wrong customer is not. Raises Declined for another answer, UsageProblem at
    the end of input, Stopped on Ctrl-C.
    """
    state = "nothing was changed"
    for once_more in (True, False):
        with abort_prompt_on_signals(state):
            answer = session.console.ask(f'Type "{customer} {number}" to {change}:')
        if answer is None:
            raise UsageProblem(f"Stopped at the question; {state}.", "--yes answers without asking.")
        name, *rest = answer.replace(",", "").split() or [""]
        if [name, *rest] == [customer, str(number)]:
            session.clock.check()
            return
        if name != customer or not once_more:
            raise Declined("Not confirmed; nothing was changed.")
        session.console.say(f"That is not the number: {number:,}. You can type it once more.")
