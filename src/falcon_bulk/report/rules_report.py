"""The report of rules report: what closing rules did in a period, and what somebody has to decide about them."""

import msgspec

from falcon_bulk.errors import ExitCode
from falcon_bulk.model.rules_report import CustomerRuns, Recurring, RuleAtCustomer, RulesReport, Unused
from falcon_bulk.report.page import Page
from falcon_bulk.report.report import Report
from falcon_bulk.report.rules_report_sheets import did_something, headline, rules_report_sheets
from falcon_bulk.report.times import describe_period

LEGEND = {
    "Closed": "alerts that the rule closed, each counted once",
    "Undone": "of these, alerts that an undo or the revocation of the rule took back",
    "Held": "alerts that the rule matches and that were left for a person, each counted once, in however many runs",
    "Differs": "the alert matches the rule, and the rule does not expect its circumstances",
    "Surge": "the rule would have closed far more than usual, and closed nothing in that run",
    "Unused": "fitted no alert in the period, not even where another rule came first",
}


class RuleAtCustomerDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule did at a customer, in `falcon-bulk/rules-report/1`. Numbers are alerts."""

    customer: str
    closed: int
    undone: int
    held: dict[str, int]
    held_alerts: int
    differing: tuple[str, ...]
    surges: int
    last_used: str | None
    would_have_closed: int
    overlaps: dict[str, int]


class ReportedRuleDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A rule in `falcon-bulk/rules-report/1`: its sums, and each customer at whom it did something."""

    id: str
    state: str
    title: str
    owner: str
    ticket: str
    starts: str | None
    expires: str | None
    revoked: str | None
    suspended_by: tuple[str, ...]
    closed: int
    undone: int
    held: dict[str, int]
    held_alerts: int
    surges: int
    last_used: str | None
    would_have_closed: int
    customers: list[RuleAtCustomerDocument]


class RulesReportDocument(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="schema", tag="falcon-bulk/rules-report/1"
):
    """`falcon-bulk/rules-report/1`: what closing rules did in a period."""

    since: str
    until: str
    customers: tuple[CustomerRuns, ...]
    rules: list[ReportedRuleDocument]
    unused: Unused
    recurring: Recurring | None


def rules_report_report(report: RulesReport) -> Report:
    """Return the report on a period; its exit code is PARTIAL if a customer could not be read."""
    failed = any(one.error is not None for one in report.customers) or (report.recurring and report.recurring.unread)
    return Report(
        lambda: rules_report_sheets(report),
        lambda: _document(report),
        lambda: _page(report),
        title=headline(report),
        exit_code=ExitCode.PARTIAL if failed else ExitCode.DONE,
    )


def _page(report: RulesReport) -> Page:
    sheets = rules_report_sheets(report)
    return Page(
        sheets,
        "Closing rules",
        {"customers": ", ".join(one.customer for one in report.customers)},
        (),
        describe_period(report.since, report.until, report.until),
        LEGEND,
    )


def _document(report: RulesReport) -> RulesReportDocument:
    return RulesReportDocument(
        since=report.since,
        until=report.until,
        customers=report.customers,
        rules=[
            ReportedRuleDocument(
                id=rule.id,
                state=rule.state,
                title=rule.title,
                owner=rule.owner,
                ticket=rule.ticket,
                starts=rule.starts or None,
                expires=rule.expires or None,
                revoked=rule.revoked or None,
                suspended_by=rule.suspended_by,
                closed=rule.closed,
                undone=rule.undone,
                held=rule.held,
                held_alerts=rule.held_alerts,
                surges=rule.surges,
                last_used=rule.last_used or None,
                would_have_closed=rule.would_have_closed,
                customers=[_at_customer(one) for one in rule.customers if did_something(one)],
            )
            for rule in report.rules
        ],
        unused=report.unused,
        recurring=report.recurring,
    )


def _at_customer(one: RuleAtCustomer) -> RuleAtCustomerDocument:
    return RuleAtCustomerDocument(
        customer=one.customer,
        closed=one.closed,
        undone=one.undone,
        held=one.held,
        held_alerts=one.held_alerts,
        differing=one.differing,
        surges=one.surges,
        last_used=one.last_used or None,
        would_have_closed=one.would_have_closed,
        overlaps=one.overlaps,
    )
