"""Report on a customer's period: the alerts created in it, as they are now, and what the journals have of it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from falcon_bulk.errors import Unreachable
from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.model.alert import ReportedAlert
from falcon_bulk.model.clock import rfc3339
from falcon_bulk.model.closing_rule import ClosingRule
from falcon_bulk.model.period_report import (
    JournalPart,
    OwnWork,
    Period,
    PeriodReport,
    Proposal,
    Recurring,
    ReportedRun,
    RuleClosings,
)
from falcon_bulk.model.selection import Selection
from falcon_bulk.operations.changes.interpreters import is_interpreter
from falcon_bulk.operations.counting.period_counts import count_period
from falcon_bulk.operations.reading.read_progress import ReadProgress
from falcon_bulk.operations.reading.select_alerts import check_cids, read_selection

if TYPE_CHECKING:
    from falcon_bulk.journal.journal import Journal


def period_report(
    tenant: Tenant,
    journal: JournalPart,
    period: Period,
    progress: ReadProgress,
    *,
    as_of: datetime,
    top: int,
    readers: int,
) -> PeriodReport:
    """Read the alerts created in a period and return the report.

    journal: what the customer's journals have of the period. as_of: the present, in UTC. top: how many names, hosts,
    hashes and recurring alerts to list.
    Raises the client's errors, WrongTenant for an alert of another CID, and Unreachable if fewer alerts were read than
    Falcon counted: a report with a hole is none.
    """
    selection = Selection(since=period.since, until=period.until)
    pages = read_selection(tenant.alerts, selection, progress, ReportedAlert, readers=readers)
    counts = count_period(check_cids(pages, tenant.cids), as_of=as_of, top=top)
    counts = msgspec.structs.replace(counts, recurring=tuple(map(_with_narrow_rule, counts.recurring)))
    if progress.incomplete:
        raise Unreachable(f"There is no report: {' '.join(progress.incomplete)}", "Run it again.")
    return PeriodReport(customer=tenant.customer, period=period, as_of=rfc3339(as_of), counts=counts, journal=journal)


def _with_narrow_rule(recurring: Recurring) -> Recurring:
    """Return the alerts that recur; those of an interpreter's hash with a proposal that closes less than the hash."""
    if recurring.proposal is Proposal.CLOSING_RULE and is_interpreter(recurring.filename):
        return msgspec.structs.replace(recurring, proposal=Proposal.NARROW_RULE)
    return recurring


def _closings_of(rule_id: str, closed: int, rule: ClosingRule | None) -> RuleClosings:
    if rule is None:
        return RuleClosings(rule=rule_id, closed=closed)
    return RuleClosings(rule=rule_id, closed=closed, reason=rule.why, expires=str(rule.expires))


def journal_part(
    journals: "Sequence[Journal]",
    period: Period,
    rules: Mapping[str, ClosingRule],
    *,
    machine: str,
    with_operators: bool,
) -> JournalPart:
    """Return what a customer's journals have of a period.

    rules: those that are known, by id. machine: where the journals are. Raises JournalProblem.
    """
    from falcon_bulk.journal import activity  # loads SQLAlchemy

    since, until = period.since, period.until
    held, closed_by_rule = Counter[str](), Counter[str]()
    for journal in journals:
        held.update(activity.count_held(journal.database, since, until))
        closed_by_rule.update(activity.count_closed_by_rule(journal.database, since, until))
    rows = [row for journal in journals for row in reversed(journal.rows(since=since, until=until))]
    rows.sort(key=lambda row: row.started)
    return JournalPart(
        ours=OwnWork(
            runs=len(rows),
            closed=sum(
                activity.count_closed(journal.database, since, until, without_undone=False) for journal in journals
            ),
            undone=sum(activity.count_undone(journal.database, since, until) for journal in journals),
            journals=tuple(journal.path.stem for journal in journals),
            machine=machine,
        ),
        held=dict(held.most_common()),
        by_rule=tuple(_closings_of(rule, number, rules.get(rule)) for rule, number in closed_by_rule.most_common()),
        runs=tuple(
            ReportedRun(
                run_id=row.run_id,
                started=row.started,
                command=row.command,
                planned=row.planned,
                changed=row.changed,
                operator=row.operator if with_operators else "",
            )
            for row in rows
        ),
    )
