"""Asks today's rules again about an alert that rules decided to close: before each batch, in `apply` and `resume`."""

import threading
from collections.abc import Collection

from falcon_bulk.model.alert import Alert
from falcon_bulk.model.plan import ActionSet, AlertPlan, AlertState
from falcon_bulk.model.vocabulary import Status
from falcon_bulk.operations.rules.alert_facts import ReadFacts
from falcon_bulk.operations.rules.closing import closing_actions, guardrail_of_rule
from falcon_bulk.operations.rules.matching import AlertTexts
from falcon_bulk.operations.rules.rule_book import CustomerRules
from falcon_bulk.operations.rules.rule_source import RuleSource
from falcon_bulk.operations.rules.true_positives import TruePositiveStore


class RuleRecheck:
    """Today's rules for one customer, by its name and tags. Safe to use from several threads."""

    def __init__(self, source: RuleSource, store: TruePositiveStore, customer: str, tags: frozenset[str]) -> None:
        self._source = source
        self._store = store
        self._customer = customer
        self._tags = tags
        self._lock = threading.Lock()
        self._known: object = None
        self._rules: CustomerRules | None = None

    def refresh(self) -> None:
        """Read rules and true positives again if a file changed, or the day."""
        with self._lock:
            signature = (self._source.signature(), self._store.version())
            if signature == self._known:
                return
            book = self._source.load()
            suspended = book.suspensions(self._store.load())
            self._rules = CustomerRules(book, self._customer, self._tags, self._source.today(), suspended)
            self._known = signature

    def objection(
        self, plan: AlertPlan, rule: str, alert: Alert, own_hashes: Collection[str], actions: ActionSet
    ) -> str:
        """Return why a rule would not give these actions to an alert any more; '' if it would."""
        rules = self._rules
        if rules is None:
            self.refresh()
            rules = self._rules
        assert rules is not None
        number = rules.number_of(rule)
        if number is None:
            return f"there is no valid rule {rule} for this customer any more"
        if not rules.states[number].is_active:
            return f"the rule {rule} is {rules.states[number]} now"
        decision = rules.decide(AlertTexts(ReadFacts(alert, own_hashes)))
        if number not in decision.fitting:
            return f"the rule {rule} does not fit it any more"
        if objection := rules.objection(decision):
            return f"a rule that matches it is {objection} now"
        if decision.fitting[0] != number:
            return f"the rule {rules.rules[decision.fitting[0]].id} comes before {rule} now"
        if alert.status_name == Status.CLOSED:
            return "it is closed"
        if guardrail := guardrail_of_rule(rules.rules[number], alert, own_hashes, actions):
            return f"now held back by the guardrail {guardrail}"
        if actions != closing_actions(rules.rules[number], AlertState.of(alert), plan.operator, plan.run_id):
            return f"the rule {rule} closes otherwise now"
        return ""
