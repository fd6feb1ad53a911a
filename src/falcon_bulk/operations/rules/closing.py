"""How a rule closes an alert: its actions, its comment, and the guardrails that hold."""

from collections.abc import Collection

from falcon_bulk.model.alert import Alert
from falcon_bulk.model.closing_rule import ClosingRule
from falcon_bulk.model.plan import Action, ActionSet, AlertState
from falcon_bulk.model.vocabulary import Status
from falcon_bulk.operations.changes.guardrails import Candidate, guardrail_for
from falcon_bulk.operations.changes.request import VALUE_LIMIT, ChangeRequest


def closing_actions(rule: ClosingRule, state: AlertState, operator: str, run_id: str) -> ActionSet:
    """Return the actions that a rule gives an alert: what it lacks, and the comment."""
    request = ChangeRequest(status=Status.CLOSED, operator=operator, resolution=rule.close.resolution)
    return (*request.lacking(state), Action("append_comment", rule_comment(rule, operator, run_id)))


def rule_comment(rule: ClosingRule, operator: str, run_id: str) -> str:
    """Return the comment of a rule; `why` is shortened until Falcon takes it."""
    ticket = f"{rule.ticket}, " if rule.ticket else ""
    end = f" ({ticket}rule {rule.id}; by {operator}, falcon-bulk {run_id})"
    why = rule.why
    while len((why + end).encode()) >= VALUE_LIMIT and len(why) > 1:
        why = why.removesuffix("…")[:-1] + "…"
    return why + end


def guardrail_of_rule(rule: ClosingRule, alert: Alert, own_hashes: Collection[str], actions: ActionSet) -> str:
    """Return the first guardrail that holds an alert back from a rule, ''. `other-hashes` holds for rules of hashes."""
    candidate = Candidate(alert, frozenset(own_hashes), actions, frozenset(rule.match.sha256))
    return guardrail_for(candidate, frozenset(rule.close.overrides))
