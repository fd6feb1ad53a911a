"""The rules of the rule files as a list, each with its state today."""

from collections.abc import Mapping
from datetime import date

from falcon_bulk.model.closing_rule import ClosingRule, InvalidRule, ListedRule, RuleState
from falcon_bulk.operations.rules.rule_book import RuleBook


def list_rules(book: RuleBook, today: date, suspended: Mapping[str, tuple[str, ...]]) -> list[ListedRule]:
    """Return all rules in the order of files and lines. today: in UTC. suspended: of `RuleBook.suspensions`."""
    listed = [_valid(rule, today, suspended.get(rule.id, ())) for rule in book.rules]
    listed += map(_invalid, book.invalid)
    order = {str(file.path): position for position, file in enumerate(book.files)}
    return sorted(listed, key=lambda rule: (order[rule.path], rule.line))


def _valid(rule: ClosingRule, today: date, suspended_by: tuple[str, ...]) -> ListedRule:
    return ListedRule(
        id=rule.id,
        state=rule.state_on(today, suspended=bool(suspended_by)),
        title=rule.title,
        owner=rule.owner,
        reviewer=rule.reviewer,
        ticket=rule.ticket,
        customers=rule.customers,
        reviewed=rule.reviewed,
        starts=rule.starts,
        expires=rule.expires,
        revoked=rule.revoked,
        suspended_by=suspended_by,
        path=str(rule.path),
        line=rule.line,
    )


def _invalid(rule: InvalidRule) -> ListedRule:
    return ListedRule(
        id=rule.id,
        state=RuleState.INVALID,
        owner=rule.owner,
        ticket=rule.ticket,
        customers=rule.customers,
        expires=rule.expires,
        path=str(rule.path),
        line=rule.line,
    )
