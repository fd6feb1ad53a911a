"""Open again the alerts that a revoked closing rule closed."""

from dataclasses import dataclass

from falcon_bulk.cli.change_runner import new_origin, plan_context
from falcon_bulk.cli.rules_run import RulesRun
from falcon_bulk.cli.session import Session
from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.model.run import RunResult
from falcon_bulk.operations.changes.lifecycle import Operation
from falcon_bulk.operations.rules.revoke import reopen_closed_by


@dataclass(frozen=True, kw_only=True)
class Reopening(RulesRun):
    """One call of `rules revoke --reopen`: the alerts that a revoked rule closed are opened again."""

    rule_id: str

    def read_true_positives(self, session: Session, tenant: Tenant) -> None:
        """Read nothing: no rule closes anything."""

    def prepare(self, session: Session, tenant: Tenant) -> Operation:
        """Return the operation for a customer. Raises Refused if the known true positives cannot be read."""
        context, origin = plan_context(session, tenant), new_origin(session, self.operator)
        return reopen_closed_by(context, self.rule_id, self.rules_of(session), origin)

    def exit_code(self, result: RunResult) -> RunResult:
        """Return the result as it is."""
        return result
