"""What `rules report` reads: the customers' journals, each on its own; one that fails stops no other."""

from datetime import timedelta

from falcon_bulk.cli.journal_lookup import open_customer_journals
from falcon_bulk.cli.multi_customer import for_each_customer
from falcon_bulk.cli.rule_options import (
    known_customers,
    load_rules,
    rule_customer_or_name,
    rule_source,
    today,
    true_positive_store,
)
from falcon_bulk.cli.session import Session
from falcon_bulk.cli.time_values import parse_instant
from falcon_bulk.errors import ExitCode, FalconBulkError
from falcon_bulk.model.clock import rfc3339
from falcon_bulk.model.multi_customer import CustomerError
from falcon_bulk.model.rules_report import CustomerRuns
from falcon_bulk.operations.rules.rule_activity import CustomerActivity, customer_activity
from falcon_bulk.operations.rules.rules_report import rules_report
from falcon_bulk.report.rules_report import rules_report_report


def publish_rules_report(session: Session, since: str, rule_paths: tuple[str, ...]) -> int:
    """Publish the report on the session's customer or customers; return the exit code. since: as typed."""
    session.open_notifier()  # raises now if nobody can be notified
    now = session.clock.now()
    start = parse_instant(since, "--since", now)
    end = rfc3339(now.replace(microsecond=0) + timedelta(seconds=1))  # this second is part of the period
    book = load_rules(session, rule_source(session, rule_paths))
    suspended = book.suspensions(true_positive_store(session).load())

    def read(one: Session) -> CustomerActivity | CustomerRuns:
        return _activity(one, start, end)

    found = for_each_customer(session, read) if session.customers.several else [read(session)]
    tags = dict(known_customers(session))
    if not session.customers.several:
        name, own_tags = rule_customer_or_name(session)
        tags[name] = own_tags
    report = rules_report(
        book,
        suspended,
        [one for one in found if isinstance(one, CustomerActivity)],
        [one for one in found if isinstance(one, CustomerRuns)],
        tags,
        since=start,
        until=end,
        today=today(session),
    )
    return session.publish(rules_report_report(report)) or (ExitCode.DONE if book.is_valid else ExitCode.PARTIAL)


def _activity(session: Session, since: str, until: str) -> CustomerActivity | CustomerRuns:
    """Return what rules did at a customer, or why that cannot be read."""
    name, _ = rule_customer_or_name(session)
    try:
        with open_customer_journals(session) as journals:
            return customer_activity(name, journals, since, until)
    except FalconBulkError as error:
        return CustomerRuns(customer=name, error=CustomerError.of(error))
