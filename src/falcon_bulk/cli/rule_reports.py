"""What `rules report` reads of each customer: the journals, and on demand Falcon; one that fails stops no other."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple, TypeVar

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
from falcon_bulk.errors import ExitCode, FalconBulkError, Stopped
from falcon_bulk.model.alert import Alert
from falcon_bulk.model.clock import rfc3339
from falcon_bulk.model.multi_customer import CustomerError
from falcon_bulk.model.rules_report import CustomerRuns, Recurring, UnreadCustomer
from falcon_bulk.model.selection import Selection
from falcon_bulk.model.vocabulary import Status
from falcon_bulk.operations.reading.select_alerts import check_cids, read_selection
from falcon_bulk.operations.rules.alert_facts import AlertFacts
from falcon_bulk.operations.rules.recurring import ClosedAlerts, find_recurring
from falcon_bulk.operations.rules.rule_activity import CustomerActivity, customer_activity
from falcon_bulk.operations.rules.rule_book import CustomerRules, RuleBook
from falcon_bulk.operations.rules.rules_report import rules_report
from falcon_bulk.report.rules_report import rules_report_report

Value = TypeVar("Value")


class ClosedOfCustomer(NamedTuple):
    """The closed alerts of a customer. problems: why some of them are missing."""

    customer: str
    closed: ClosedAlerts
    problems: tuple[str, ...]


def publish_rules_report(session: Session, since: str, rule_paths: tuple[str, ...], *, recurring: bool) -> int:
    """Publish the report on the session's customer or customers; return the exit code.

    since: as typed. recurring: whether Falcon is asked what people close again and again.
    """
    session.open_notifier()  # raises now if nobody can be notified
    now = session.clock.now()
    start = parse_instant(since, "--since", now)
    end = rfc3339(now.replace(microsecond=0) + timedelta(seconds=1))  # this second is part of the period
    book = load_rules(session, rule_source(session, rule_paths))
    true_positives = true_positive_store(session).load()
    suspended = book.suspensions(true_positives)
    found = _of_each(session, lambda customer_session: _activity(customer_session, start, end))
    closed = (
        _of_each(session, lambda customer_session: _closed_alerts(customer_session, book, suspended, start))
        if recurring
        else []
    )
    tags = dict(known_customers(session))
    if not session.customers.several:
        name, own_tags = rule_customer_or_name(session)
        tags[name] = own_tags
    report = rules_report(
        book,
        suspended,
        [activity for activity in found if isinstance(activity, CustomerActivity)],
        [failed for failed in found if isinstance(failed, CustomerRuns)],
        tags,
        _recurring(closed, [known.facts for known in true_positives]) if recurring else None,
        since=start,
        until=end,
        today=today(session),
    )
    return session.publish(rules_report_report(report)) or (ExitCode.DONE if book.is_valid else ExitCode.PARTIAL)


def _of_each(session: Session, read: Callable[[Session], Value]) -> list[Value]:
    """Return what is read of the session's customer, or of each of its customers, in the order of their names."""
    return for_each_customer(session, read) if session.customers.several else [read(session)]


def _closed_alerts(
    session: Session, book: RuleBook, suspended: Mapping[str, tuple[str, ...]], since: str
) -> ClosedOfCustomer:
    """Return the closed alerts of a customer that were created since a time, and why some may be missing."""
    name, tags = rule_customer_or_name(session)
    closed = ClosedAlerts(CustomerRules(book, name, tags, today(session), suspended))
    try:
        with session.tenant() as tenant, session.watching("closed alerts") as progress:
            selection = Selection(statuses=(Status.CLOSED,), since=since)
            pages = read_selection(tenant.alerts, selection, progress, Alert, readers=session.readers)
            for page in check_cids(pages, tenant.cids):
                closed.read(page)
    except Stopped:
        raise
    except FalconBulkError as error:
        return ClosedOfCustomer(name, closed, (error.message,))
    return ClosedOfCustomer(name, closed, tuple(progress.incomplete))


def _recurring(found: Sequence[ClosedOfCustomer], known: Sequence[AlertFacts]) -> Recurring:
    unread = [UnreadCustomer(customer=read.customer, message=problem) for read in found for problem in read.problems]
    return find_recurring({read.customer: read.closed for read in found}, known, unread)


def _activity(session: Session, since: str, until: str) -> CustomerActivity | CustomerRuns:
    """Return what rules did at a customer, or why that cannot be read."""
    name, _ = rule_customer_or_name(session)
    try:
        with open_customer_journals(session) as journals:
            return customer_activity(name, journals, since, until)
    except FalconBulkError as error:
        return CustomerRuns(customer=name, error=CustomerError.of(error))
