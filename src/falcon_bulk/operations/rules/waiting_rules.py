"""How many closing rules of a customer wait for a person."""

from collections import Counter
from collections.abc import Mapping
from datetime import date

from falcon_bulk.model.closing_rule import RuleState
from falcon_bulk.model.overview import WaitingRules
from falcon_bulk.operations.rules.rule_book import CustomerRules, RuleBook


def waiting_rules(
    book: RuleBook, customer: str, tags: frozenset[str], today: date, suspended: Mapping[str, tuple[str, ...]]
) -> WaitingRules:
    """Return how many rules that concern a customer end soon, and how many are suspended.

    today: in UTC. suspended: of `RuleBook.suspensions`.
    """
    states = Counter(CustomerRules(book, customer, tags, today, suspended).states)
    return WaitingRules(due=states[RuleState.DUE], suspended=states[RuleState.SUSPENDED])
