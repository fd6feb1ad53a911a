"""Holds a drafted rule against what is known: the alerts of some months, and true positives of all customers."""

from collections.abc import Iterable
from datetime import date

from falcon_bulk.model.alert import Alert, text
from falcon_bulk.model.closing_rule import ClosingRule, RuleFile, RuleTest
from falcon_bulk.model.hashes import own_hashes
from falcon_bulk.operations.changes.guardrails import is_marked_true_positive
from falcon_bulk.operations.reading.alert_document import AlertDocument
from falcon_bulk.operations.rules.alert_facts import AlertFacts
from falcon_bulk.operations.rules.draft import check_true_positive
from falcon_bulk.operations.rules.rule_book import CustomerRules, RuleBook
from falcon_bulk.operations.rules.rules_test import RulesTest

HISTORY = "90d"


class DraftHistory:
    """What a draft would have done. since: UTC, RFC 3339; older alerts are only asked whether they contradict it."""

    def __init__(self, rule: ClosingRule, since: str, today: date) -> None:
        self._rule = rule
        self._since = since
        book = RuleBook([RuleFile(path=rule.path, sha256="", rules=(rule,))])
        (customer, *_others) = rule.customers
        self._test = RulesTest(CustomerRules(book, customer, frozenset(), today))

    def read(self, page: Iterable[AlertDocument[Alert]]) -> None:
        """Take the alerts of a page. Raises Refused for a true positive that fits the draft."""
        recent = []
        for item in page:
            if is_marked_true_positive(item.alert):
                self.check(AlertFacts.of(item.alert, own_hashes(item.alert)))
            if text(item.alert.created_timestamp) >= self._since:
                recent.append(item)
        self._test.read(recent)

    def check(self, true_positive: AlertFacts) -> None:
        """Raise Refused if a true positive fits the draft."""
        check_true_positive(self._rule.match, self._rule.expect, true_positive)

    def result(self) -> RuleTest:
        """Return what the draft would have done since then."""
        (result,) = self._test.results()
        return result
