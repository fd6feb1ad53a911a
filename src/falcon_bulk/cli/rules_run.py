"""One call of `rules run`: its options, and what it does for each customer."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from falcon_bulk.cli.change_runner import new_origin, open_workspace, plan_context
from falcon_bulk.cli.change_runner import pace as pace_of
from falcon_bulk.cli.confirmation import Confirmation
from falcon_bulk.cli.multi_customer_changes import SUFFIX, check_plan_folder
from falcon_bulk.cli.options import PaceOptions
from falcon_bulk.cli.rule_options import check_rules_known, rule_customer, rule_recheck, today, true_positive_store
from falcon_bulk.cli.session import Session
from falcon_bulk.errors import ExitCode, UsageProblem
from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.model.run import AlertRunResult, RunResult
from falcon_bulk.operations.changes.lifecycle import Operation, Workspace
from falcon_bulk.operations.rules.rule_book import CustomerRules, RuleBook
from falcon_bulk.operations.rules.rule_source import RuleSource
from falcon_bulk.operations.rules.rules_run import RulesRequest, needs_attention, plan_rules, update_true_positives


@dataclass(frozen=True)
class RulesRun:
    """One call of `rules run`."""

    source: RuleSource
    book: RuleBook
    request: RulesRequest
    confirmation: Confirmation
    pace: PaceOptions
    operator: str | None
    dry: bool
    plans: Path | None

    def check(self) -> None:
        """Raise UsageProblem for options that contradict each other, before a login."""
        consent = self.confirmation.options
        if surges := self.request.allowed_surges:
            if consent.yes or self.plans is not None:
                raise UsageProblem("--allow-surge is confirmed by typing.", "Leave out --yes and --plan.")
            check_rules_known(sorted(surges), self.book)
        if consent.yes and not self.dry and consent.maximum is None:
            raise UsageProblem("--yes needs a bound.", "Add --max N: how many alerts of each customer at most.")

    def open_workspace(self, session: Session) -> AbstractContextManager[Workspace]:
        """Log in to the session's customer, with the rules asked again before each batch."""
        return open_workspace(session, pace_of(self.pace), rule_recheck(session, self.source))

    def read_true_positives(self, session: Session, tenant: Tenant) -> None:
        """Read the true positives of a customer."""
        update_true_positives(plan_context(session, tenant, label="true positives"), true_positive_store(session))

    def rules_of(self, session: Session) -> CustomerRules:
        """Return a customer's rules today. Raises Refused if the known true positives cannot be read."""
        suspended = self.book.suspensions(true_positive_store(session).load())
        return CustomerRules(self.book, *rule_customer(session), today(session), suspended)

    def prepare(self, session: Session, tenant: Tenant) -> Operation:
        """Return the operation for a customer. Raises Refused if the known true positives cannot be read."""
        rules, origin = self.rules_of(session), new_origin(session, self.operator)
        return plan_rules(plan_context(session, tenant), self.book, rules, self.request, origin)

    def plan_file(self, session: Session) -> Path | None:
        """Return where the plan of a customer is saved: NAME.plan in a folder, or the file that --plan names."""
        if self.plans is None or (self.plans.suffix and not self.plans.is_dir()):
            return self.plans
        check_plan_folder(self.plans)
        return self.plans / f"{rule_customer(session)[0]}{SUFFIX}"

    def exit_code(self, result: RunResult) -> RunResult:
        """Return a result whose exit code says that somebody has to look at a rule, if it says nothing worse."""
        attention = isinstance(result, AlertRunResult) and needs_attention(result.rules or ())
        if result.exit_code == ExitCode.DONE and (attention or not self.book.is_valid):
            return msgspec.structs.replace(result, exit_code=ExitCode.PARTIAL)
        return result
