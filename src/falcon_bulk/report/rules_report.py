"""The report of rules report: what closing rules did in a period, and what somebody has to decide about them."""

from datetime import date

import msgspec

from falcon_bulk.errors import ExitCode
from falcon_bulk.model.rules_report import CustomerRuns, Recurring, ReportedRule, RuleAtCustomer, RulesReport, Unused
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


class ReportedRuleDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A rule in `falcon-bulk/rules-report/1`: its sums, and each customer where it did something."""

    id: str
    state: str
    title: str
    owner: str
    ticket: str
    starts: date | None
    expires: date | None
    revoked: date | None
    suspended_by: tuple[str, ...]
    closed: int
    undone: int
    held: dict[str, int]
    held_alerts: int
    surges: int
    last_used: str | None
    would_have_closed: int
    customers: tuple[RuleAtCustomer, ...]


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
    failed = any(customer.error is not None for customer in report.customers) or (
        report.recurring and report.recurring.unread
    )
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
        {"customers": ", ".join(customer.customer for customer in report.customers)},
        (),
        describe_period(report.since, report.until, report.until),
        LEGEND,
    )


def _document(report: RulesReport) -> RulesReportDocument:
    return RulesReportDocument(
        since=report.since,
        until=report.until,
        customers=report.customers,
        rules=[_rule_document(rule) for rule in report.rules],
        unused=report.unused,
        recurring=report.recurring,
    )


def _rule_document(rule: ReportedRule) -> ReportedRuleDocument:
    document = msgspec.convert(rule, ReportedRuleDocument, from_attributes=True)
    return msgspec.structs.replace(document, customers=tuple(filter(did_something, rule.customers)))
