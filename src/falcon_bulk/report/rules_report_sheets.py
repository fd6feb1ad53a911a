"""The sheets of the report on closing rules."""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from falcon_bulk.model.closing_rule import RuleState
from falcon_bulk.model.plural import counted
from falcon_bulk.model.rules_report import (
    CustomerRuns,
    Recurring,
    RecurringAlerts,
    ReportedRule,
    RuleAtCustomer,
    RulesReport,
    Unused,
)
from falcon_bulk.report.sheet import Column, Row, Sheet, format_cell, hash_column, id_column
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
_RECURRING_COLUMNS = (
    Column("alerts", right=True),
    Column("days", right=True),
    Column("name", min_width=16),
    hash_column("sha256", drop_order=3),
    Column("customers", wrap=True, min_width=16),
    Column("last resolution", min_width=14, drop_order=1),
    Column("last closed", style="time", min_width=19, drop_order=2),
)


def headline(report: RulesReport) -> str:
    """Return the report in one line."""
    closed = sum(rule.closed for rule in report.rules)
    return (
        f"{counted(len(report.rules), 'closing rule')} at {counted(len(report.customers), 'customer')}, "
        f"{describe_period(report.since, report.until, report.until)}: {counted(closed, 'alert')} closed"
    )


def rules_report_sheets(report: RulesReport) -> list[Sheet]:
    """Return the sheets of the report: the rules, then what somebody has to look at."""
    rules = sorted(report.rules, key=lambda rule: (-rule.closed, -rule.held_alerts, rule.id))
    shown = [rule for rule in rules if did_something(rule) or rule.state != RuleState.LIVE]
    silent = len(rules) - len(shown)
    notes = [f"{counted(silent, 'live rule')} closed and held nothing."] if silent else []
    first = Sheet(
        headline(report),
        _RULE_COLUMNS,
        [(rule.id, rule.state, _day(rule.expires), *_numbers(rule)) for rule in shown],
        notes,
        [*_warnings(report.customers), *_unread(report.recurring)],
        csv_sheet=_csv_sheet(rules),
    )
    others = (
        _customer_sheet(shown, len(report.customers)),
        _decision_sheet(rules),
        _differing_sheet(rules),
        _overlap_sheet(rules),
        _unused_sheet(report.unused),
        *(_recurring_sheets(report.recurring) if report.recurring else ()),
    )
    return [first, *(sheet for sheet in others if sheet is not None)]


def _warnings(customers: Iterable[CustomerRuns]) -> Iterator[str]:
    for customer in customers:
        if customer.error is not None:
            yield f"{customer.customer} could not be read: {customer.error.message}"
        elif not customer.runs:
            yield f"{customer.customer} had no run of closing rules in this period."


def _customer_sheet(rules: Sequence[ReportedRule], customers: int) -> Sheet | None:
    """Return a row for each rule and customer where it did something, if there are several customers."""
    rows: list[Row] = [
        (rule.id, at_customer.customer, *_numbers(at_customer))
        for rule in rules
        for at_customer in rule.customers
        if did_something(at_customer)
    ]
    return Sheet("By customer", (_RULE, _CUSTOMER, *_NUMBERS), rows) if rows and customers > 1 else None


def _csv_sheet(rules: Sequence[ReportedRule]) -> Sheet:
    columns = (_RULE, Column("state"), Column("owner"), Column("ticket"), Column("ends"), _CUSTOMER, *_NUMBERS)
    return Sheet(
        "",
        (*columns, Column("would have closed"), Column("suspended by")),
        [
            (
                *(rule.id, rule.state, rule.owner, rule.ticket, _day(rule.expires), at_customer.customer),
                *_numbers(at_customer),
                at_customer.would_have_closed,
                " ".join(rule.suspended_by),
            )
            for rule in rules
            for at_customer in rule.customers or (RuleAtCustomer(customer=""),)
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
        f"; it would have closed at least {counted(rule.would_have_closed, 'alert')}" if rule.would_have_closed else ""
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
    rows = [
        (rule.id, at_customer.customer, alert)
        for rule in rules
        for at_customer in rule.customers
        for alert in at_customer.differing
    ]
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
    for at_customer in rule.customers:
        for other, number in at_customer.overlaps.items():
            found[other] = max(found.get(other, 0), number)
    return found


def _unused_sheet(unused: Unused) -> Sheet | None:
    rows: list[Row] = [(rule, "the rule", "") for rule in unused.rules]
    rows += [(value.rule, value.field, value.value) for value in unused.values]
    notes = [f"{rule.rule} is not judged: {rule.reason}." for rule in unused.not_judged]
    if not rows and not notes:
        return None
    columns = (_RULE, Column("what", min_width=10), Column("value", wrap=True, min_width=24))
    return Sheet("Unused" if rows else "Unused: nothing", columns if rows else (), rows, notes)


def _unread(recurring: Recurring | None) -> Iterator[str]:
    for customer in recurring.unread if recurring else ():
        yield f"The closed alerts of {customer.customer} could not all be read: {customer.message}"


def _recurring_sheets(recurring: Recurring) -> Iterator[Sheet]:
    """Yield the groups that recur without a rule, with the command that drafts one for each, and the disputed ones."""
    title = "Closed as false positive or ignored on three days or more, without a rule"
    if not recurring.groups:
        yield Sheet(f"{title}: nothing", (), ())
    else:
        drafts = [shlex.join(("falcon-bulk", *group.draft)) for group in recurring.groups if group.draft]
        yield Sheet(title, _RECURRING_COLUMNS, list(map(_recurring_row, recurring.groups)), drafts)
    if recurring.disputed:
        columns = (*_RECURRING_COLUMNS, Column("true positives", right=True))
        rows = [(*_recurring_row(group), group.true_positives) for group in recurring.disputed]
        yield Sheet("Disputed: false positive or ignored here, true positive there", columns, rows)


def _recurring_row(group: RecurringAlerts) -> Row:
    customers = ", ".join(f"{name} {format_cell(number)}" for name, number in group.customers.items())
    named = group.filename or group.name
    return (
        group.alerts,
        group.days,
        named,
        group.sha256,
        customers,
        group.last_resolution,
        readable_time(group.last_closed),
    )


def did_something(of: ReportedRule | RuleAtCustomer) -> bool:
    """Return whether there is anything to tell of a rule."""
    return bool(of.closed or of.held_alerts or of.surges or of.last_used or of.would_have_closed)


def _numbers(of: ReportedRule | RuleAtCustomer) -> Row:
    why = ", ".join(f"{reason} {format_cell(number)}" for reason, number in of.held.items())
    return of.closed, of.undone, of.held_alerts, why, of.surges, readable_time(of.last_used or "")


def _day(day: date | None) -> str:
    return str(day or "")
