"""Reports on closing rules over a period: what they did, what waits for a decision, what is not used."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from falcon_bulk.model.closing_rule import ListedRule, RuleState
from falcon_bulk.model.rules_report import REMOVED, CustomerRuns, Recurring, ReportedRule, RuleAtCustomer, RulesReport
from falcon_bulk.operations.rules.rule_activity import CustomerActivity
from falcon_bulk.operations.rules.rule_book import RuleBook
from falcon_bulk.operations.rules.rule_files import CustomerTags
from falcon_bulk.operations.rules.rule_list import list_rules
from falcon_bulk.operations.rules.unused_rules import WatchedCustomers, find_unused


def rules_report(
    book: RuleBook,
    suspended: Mapping[str, tuple[str, ...]],
    activities: Sequence[CustomerActivity],
    failed: Iterable[CustomerRuns],
    tags: CustomerTags,
    recurring: Recurring | None = None,
    *,
    since: str,
    until: str,
    today: date,
) -> RulesReport:
    """Return the report on a period.

    suspended: of `RuleBook.suspensions`. activities: of the customers that could be read; failed: the others. tags: of
    all customers that are known. recurring: what recurs without a rule, if Falcon was asked. since, until: UTC, RFC
    3339. today: in UTC.
    """
    listed = list_rules(book, today, suspended)
    at_customers: dict[str, list[RuleAtCustomer]] = {rule.id: [] for rule in listed}
    for activity in activities:
        for rule_id, at_customer in activity.rules.items():
            at_customers.setdefault(rule_id, []).append(at_customer)
    known = {rule.id for rule in listed}  # an id that stands twice is reported once
    removed = [
        ReportedRule(id=rule_id, state=REMOVED, customers=tuple(found))
        for rule_id, found in at_customers.items()
        if rule_id not in known
    ]
    states = {rule.id: rule.state for rule in listed if rule.state is not RuleState.INVALID}
    watched = WatchedCustomers(tags, {activity.runs.customer: activity for activity in activities})
    return RulesReport(
        since=since,
        until=until,
        customers=tuple(sorted((*(activity.runs for activity in activities), *failed), key=lambda runs: runs.customer)),
        rules=(*(_reported(rule, at_customers.pop(rule.id, ())) for rule in listed), *removed),
        unused=find_unused([rule for rule in book.rules if rule.id in states], states, watched),
        recurring=recurring,
    )


def _reported(rule: ListedRule, at_customers: Sequence[RuleAtCustomer]) -> ReportedRule:
    return ReportedRule(
        id=rule.id,
        state=str(rule.state),
        title=rule.title,
        owner=rule.owner,
        ticket=rule.ticket,
        starts=rule.starts,
        expires=rule.expires,
        revoked=rule.revoked,
        suspended_by=rule.suspended_by,
        customers=tuple(at_customers),
    )
