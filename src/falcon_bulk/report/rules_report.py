"""The report of rules report: what closing rules did in a period, and what somebody has to decide about them."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from falcon_bulk.errors import ExitCode
from falcon_bulk.model.closing_rule import RuleState
from falcon_bulk.model.rules_report import CustomerRuns, ReportedRule, RuleAtCustomer, RulesReport, Unused
from falcon_bulk.report.page import Page
from falcon_bulk.report.report import Report
from falcon_bulk.report.sheet import Column, Row, Sheet, format_cell, id_column
from falcon_bulk.report.times import describe_period, readable_time

_RULE = Column("rule", min_width=12, wrap=True)
_CUSTOMER = Column("customer", min_width=12, whole=True)
_NUMBERS = (
    Column("closed", right=True),
    Column("undone", right=True, drop_order=4),
    Column("held", right=True),
    Column("why held", wrap=True, min_width=16, drop_order=1),
    Column("surges", right=True, drop_order=3),
    Column("last used", style="time", min_width=19, drop_order=2),
)
_RULE_COLUMNS = (_RULE, Column("state", min_width=9), Column("ends", min_width=10, drop_order=5), *_NUMBERS)
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


def rules_report_report(report: RulesReport) -> Report:
    """Return the report on a period; its exit code is PARTIAL if a customer could not be read."""
    failed = any(one.error is not None for one in report.customers)
    return Report(
        lambda: _sheets(report),
        lambda: _document(report),
        lambda: _page(report),
        title=_title(report),
        exit_code=ExitCode.PARTIAL if failed else ExitCode.DONE,
    )


def _title(report: RulesReport) -> str:
    closed = sum(rule.closed for rule in report.rules)
    return (
        f"{_count(len(report.rules), 'closing rule')} at {_count(len(report.customers), 'customer')}, "
        f"{describe_period(report.since, report.until, report.until)}: {_count(closed, 'alert')} closed"
    )


def _page(report: RulesReport) -> Page:
    sheets = _sheets(report)
    return Page(
        sheets,
        "Closing rules",
        {"customers": ", ".join(one.customer for one in report.customers)},
        (),
        describe_period(report.since, report.until, report.until),
        LEGEND,
    )


def _sheets(report: RulesReport) -> list[Sheet]:
    rules = sorted(report.rules, key=lambda rule: (-rule.closed, -rule.held_alerts, rule.id))
    shown = [rule for rule in rules if _did_something(rule) or rule.state != RuleState.LIVE]
    silent = len(rules) - len(shown)
    notes = [f"{_count(silent, 'live rule')} closed and held nothing."] if silent else []
    first = Sheet(
        _title(report),
        _RULE_COLUMNS,
        [(rule.id, rule.state, rule.expires, *_numbers(rule)) for rule in shown],
        notes,
        list(_warnings(report.customers)),
        csv_sheet=_csv_sheet(rules),
    )
    others = (
        _customer_sheet(shown, len(report.customers)),
        _decision_sheet(rules),
        _differing_sheet(rules),
        _overlap_sheet(rules),
        _unused_sheet(report.unused),
    )
    return [first, *(sheet for sheet in others if sheet is not None)]


def _warnings(customers: Iterable[CustomerRuns]) -> Iterator[str]:
    for one in customers:
        if one.error is not None:
            yield f"{one.customer} could not be read: {one.error.message}"
        elif not one.runs:
            yield f"{one.customer} had no run of closing rules in this period."


def _customer_sheet(rules: Sequence[ReportedRule], customers: int) -> Sheet | None:
    """Return a row for each rule and customer where it did something, if there are several customers."""
    rows: list[Row] = [
        (rule.id, one.customer, *_numbers(one)) for rule in rules for one in rule.customers if _did_something(one)
    ]
    return Sheet("By customer", (_RULE, _CUSTOMER, *_NUMBERS), rows) if rows and customers > 1 else None


def _csv_sheet(rules: Sequence[ReportedRule]) -> Sheet:
    columns = (_RULE, Column("state"), Column("owner"), Column("ticket"), Column("ends"), _CUSTOMER, *_NUMBERS)
    return Sheet(
        "",
        (*columns, Column("would have closed"), Column("suspended by")),
        [
            (
                *(rule.id, rule.state, rule.owner, rule.ticket, rule.expires, one.customer),
                *_numbers(one),
                one.would_have_closed,
                " ".join(rule.suspended_by),
            )
            for rule in rules
            for one in rule.customers or (RuleAtCustomer(customer=""),)
        ],
    )


def _decision_sheet(rules: Sequence[ReportedRule]) -> Sheet | None:
    """Return the rules about which somebody has to decide: those that end soon, have ended, or are suspended."""
    rows = [(rule.id, what, rule.owner, rule.ticket) for rule in rules if (what := _decision(rule))]
    columns = (
        _RULE,
        Column("what", wrap=True, min_width=24),
        Column("owner", drop_order=1, wrap=True),
        Column("ticket", drop_order=2),
    )
    return Sheet("To decide", columns, rows) if rows else None


def _decision(rule: ReportedRule) -> str:
    would = (
        f"; it would have closed at least {_count(rule.would_have_closed, 'alert')}" if rule.would_have_closed else ""
    )
    match rule.state:
        case RuleState.DUE:
            return f"ends on {rule.expires}: review it, or let it end"
        case RuleState.EXPIRED:
            return f"ended on {rule.expires}{would}"
        case RuleState.REVOKED:
            return f"revoked since {rule.revoked}{would}"
        case RuleState.STARTS:
            return f"begins on {rule.starts}{would}"
        case RuleState.SUSPENDED:
            return f"suspended by the true positive {', '.join(rule.suspended_by)}"
        case RuleState.INVALID:
            return "invalid: `falcon-bulk rules lint` says why"
    return f"in no rule file any more{would}" if rule.state != RuleState.LIVE else ""


def _differing_sheet(rules: Sequence[ReportedRule]) -> Sheet | None:
    rows = [(rule.id, one.customer, alert) for rule in rules for one in rule.customers for alert in one.differing]
    if not rows:
        return None
    number = sum(rule.held.get("differs", 0) for rule in rules)
    notes = [f"and {format_cell(number - len(rows))} more"] if number > len(rows) else []
    columns = (_RULE, _CUSTOMER, id_column("composite_id"))
    return Sheet("Alerts that match a rule and differ from what it expects", columns, rows, notes)


def _overlap_sheet(rules: Sequence[ReportedRule]) -> Sheet | None:
    rows = [
        (rule.id, other, number)
        for rule in rules
        for other, number in sorted(_overlaps(rule).items(), key=lambda item: (-item[1], item[0]))
    ]
    columns = (_RULE, Column("comes after", min_width=12, wrap=True), Column("alerts of one run", right=True))
    return Sheet("Rules that overlap", columns, rows) if rows else None


def _overlaps(rule: ReportedRule) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in rule.customers:
        for other, number in one.overlaps.items():
            found[other] = max(found.get(other, 0), number)
    return found


def _unused_sheet(unused: Unused) -> Sheet | None:
    rows: list[Row] = [(rule, "the rule", "") for rule in unused.rules]
    rows += [(one.rule, one.field, one.value) for one in unused.values]
    notes = [f"{one.rule} is not judged: {one.reason}." for one in unused.not_judged]
    if not rows and not notes:
        return None
    columns = (_RULE, Column("what", min_width=10), Column("value", wrap=True, min_width=24))
    return Sheet("Unused" if rows else "Unused: nothing", columns if rows else (), rows, notes)


def _did_something(of: ReportedRule | RuleAtCustomer) -> bool:
    return bool(of.closed or of.held_alerts or of.surges or of.last_used or of.would_have_closed)


def _numbers(of: ReportedRule | RuleAtCustomer) -> Row:
    why = ", ".join(f"{reason} {format_cell(number)}" for reason, number in of.held.items())
    return of.closed, of.undone, of.held_alerts, why, of.surges, readable_time(of.last_used)


def _count(number: int, noun: str) -> str:
    return f"{format_cell(number)} {noun}" + ("" if number == 1 else "s")


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
                customers=[_at_customer(one) for one in rule.customers if _did_something(one)],
            )
            for rule in report.rules
        ],
        unused=report.unused,
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
