"""The report of overview: a line for each customer, the most urgent first, and a total."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from falcon_bulk.errors import ExitCode
from falcon_bulk.model.overview import CustomerOverview, LastRun, OverviewTotal, overview_total
from falcon_bulk.model.plural import counted
from falcon_bulk.report import chart
from falcon_bulk.report.page import Page
from falcon_bulk.report.report import Report
from falcon_bulk.report.sheet import Cell, Column, Row, Sheet, format_cell

_COLUMNS = (
    Column("customer", min_width=12, whole=True),
    Column("critical", right=True, min_width=8),
    Column("high", right=True, min_width=4),
    Column("other", right=True, min_width=5),
    Column("unassigned", right=True),
    Column("in progress", right=True, min_width=11, drop_order=1),
    Column("reopened", right=True, min_width=8),
    Column("oldest", right=True, min_width=6),
    Column("closed in 7 d", right=True, min_width=13, drop_order=2),
    Column("last run", min_width=16, drop_order=3),
    Column("rules due", right=True, min_width=9, drop_order=4),
    Column("rules suspended", right=True, min_width=15, drop_order=4),
)
_CSV_COLUMNS = tuple(
    Column(title)
    for title in (
        *("customer", "cid", "new_critical", "new_high", "new_other", "unassigned", "in_progress", "reopened"),
        *("oldest_new", "closed_7_days", "last_run", "last_run_status", "last_run_finished", "unfinished"),
        *("rules_due", "rules_suspended", "problem"),
    )
)


class OverviewDocument(msgspec.Struct, frozen=True, kw_only=True, tag_field="schema", tag="falcon-bulk/overview/1"):
    """`falcon-bulk/overview/1`."""

    generated_at: str
    customers: Sequence[CustomerOverview]
    total: OverviewTotal


def overview_report(customers: Sequence[CustomerOverview], generated_at: str) -> Report:
    """Return the report on customers, in the given order; its exit code is PARTIAL if one has a problem.

    generated_at: UTC, RFC 3339.
    """
    total = overview_total(customers)
    sheet = _sheet(customers, total, generated_at)
    return Report(
        lambda: [sheet],
        lambda: OverviewDocument(generated_at=generated_at, customers=customers, total=total),
        lambda: _page(customers, sheet),
        title=sheet.title,
        exit_code=ExitCode.PARTIAL if total.problems else ExitCode.DONE,
    )


def _sheet(customers: Sequence[CustomerOverview], total: OverviewTotal, now: str) -> Sheet:
    rows = [_row(customer.customer, customer, _last_run(customer.last_run, now), now) for customer in customers]
    if len(customers) > 1:
        rows.append(_row("total", total, "", now))
    notes = ["critical, high, other: new alerts; unassigned and oldest: of these."]
    if any(customer.closed_7_days for customer in customers):
        notes.append("closed in 7 d: alerts closed by runs recorded on this machine and not undone.")
    return Sheet(
        _title(total),
        _COLUMNS,
        rows,
        notes,
        warnings=[warning for customer in customers for warning in _warnings(customer)],
        csv_sheet=Sheet("", _CSV_COLUMNS, list(map(_csv_row, customers))),
    )


def _title(total: OverviewTotal) -> str:
    new, missing = total.new, total.customers - total.counted
    customers = counted(total.customers, "customer")
    if not total.counted:
        return f"{customers}: not counted"
    counts = f"{format_cell(new.critical)} critical, {format_cell(new.high)} high, {format_cell(new.other)} other"
    return f"{customers}: {counts} new alerts" + (f"; {format_cell(missing)} not counted" if missing else "")


def _warnings(customer: CustomerOverview) -> list[str]:
    found = [f"{customer.customer}: {customer.problem}"] if customer.problem else []
    if customer.unfinished:
        found.append(f"{customer.customer}: the run {customer.unfinished} is unfinished; resume or abandon it.")
    return found


def _row(name: str, of: CustomerOverview | OverviewTotal, last_run: str, now: str) -> Row:
    new = of.new
    return (
        name,
        *((new.critical, new.high, new.other) if new else (None, None, None)),
        of.unassigned,
        of.in_progress,
        of.reopened,
        age(of.oldest_new, now) if of.oldest_new else "",
        of.closed_7_days,
        last_run,
        *_rules(of),
    )


def _rules(of: CustomerOverview | OverviewTotal) -> tuple[int | None, int | None]:
    return (of.rules.due, of.rules.suspended) if of.rules else (None, None)


def _csv_row(customer: CustomerOverview) -> Row:
    new, run = customer.new, customer.last_run
    numbers: tuple[Cell, ...] = (new.critical, new.high, new.other) if new else (None, None, None)
    return (
        customer.customer,
        customer.cid,
        *numbers,
        customer.unassigned,
        customer.in_progress,
        customer.reopened,
        customer.oldest_new,
        customer.closed_7_days,
        *((run.run_id, str(run.status), run.finished) if run else (None, None, None)),
        customer.unfinished,
        *_rules(customer),
        customer.problem,
    )


def _page(customers: Sequence[CustomerOverview], sheet: Sheet) -> Page:
    counted = [(customer.customer, customer.new) for customer in customers if customer.new]
    urgent = {name: new.critical + new.high for name, new in counted if new.critical + new.high}
    unassigned = {customer.customer: customer.unassigned for customer in customers if customer.unassigned}
    charts = [
        chart.bars(title, chart.by_frequency(numbers), sum(numbers.values()))
        for title, numbers in (("New critical and high alerts", urgent), ("Unassigned new alerts", unassigned))
        if numbers and len(customers) > 1
    ]
    return Page([sheet], sheet.title, charts=charts)


def _last_run(run: LastRun | None, now: str) -> str:
    if run is None:
        return ""
    return f"{run.status} {age(run.finished, now)}" if run.finished else str(run.status)


def age(moment: str, now: str) -> str:
    """Return the time since a moment as `40m`, `5h` or `12d`; '' if it cannot be read. Both in RFC 3339."""
    try:
        passed = datetime.fromisoformat(now) - datetime.fromisoformat(moment)
    except (ValueError, TypeError):
        return ""
    passed = max(passed, timedelta())
    hours = passed // timedelta(hours=1)
    return f"{passed // timedelta(minutes=1)}m" if not hours else f"{hours}h" if hours < 48 else f"{passed.days}d"
