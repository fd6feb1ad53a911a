"""What closing rules did at one customer in a period, from the customer's journals."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from falcon_bulk.model.closing_rule import RuleResult
from falcon_bulk.model.rules_report import CustomerRuns, RuleAtCustomer

if TYPE_CHECKING:
    from falcon_bulk.journal.journal import Journal
    from falcon_bulk.journal.rule_activity import RuleActivityRecords

MAX_DIFFERING = 20


class CustomerActivity(NamedTuple):
    """What rules did at a customer, by id.

    values: by rule, the values of its lists that fitted an alert, as (field, value). watched_days: of the rules that
    were active in runs that read all alerts, the days from the first such run to the last.
    """

    runs: CustomerRuns
    rules: dict[str, RuleAtCustomer]
    values: dict[str, set[tuple[str, str]]]
    watched_days: dict[str, int]


class _FromRuns:
    """What the runs say of one rule."""

    __slots__ = ("last_used", "overlaps", "surges", "values", "would_have_closed")

    def __init__(self) -> None:
        self.surges = 0
        self.last_used: str | None = None
        self.would_have_closed = 0
        self.overlaps: dict[str, int] = {}
        self.values: set[tuple[str, str]] = set()

    def add(self, result: RuleResult, started: str) -> None:
        """Take what a run, later than those before, did by the rule."""
        self.surges += result.surge
        if result.used:
            self.last_used = started
        self.would_have_closed = max(self.would_have_closed, result.would_have_closed)
        for other, number in result.overlaps.items():
            self.overlaps[other] = max(self.overlaps.get(other, 0), number)
        for field, values in result.values.items():
            self.values.update((field, value) for value in values)


def customer_activity(customer: str, journals: "Sequence[Journal]", since: str, until: str) -> CustomerActivity:
    """Return what rules did at a customer in the runs that started in a period (UTC, RFC 3339; until is exclusive).

    Raises JournalProblem.
    """
    from falcon_bulk.journal.rule_activity import RuleActivityRecords  # loads SQLAlchemy

    found: dict[str, _FromRuns] = {}
    watched: dict[str, list[str]] = {}
    times: list[str] = []
    rules: dict[str, RuleAtCustomer] = {}
    for journal in journals:
        records = RuleActivityRecords(journal.database, since, until)
        for run in records.runs():
            times.append(run.started)
            for result in run.rules:
                found.setdefault(result.id, _FromRuns()).add(result, run.started)
                if result.state.is_active and not run.incomplete:
                    watched.setdefault(result.id, []).append(run.started)
        _add_alerts(rules, customer, records)
    for rule, from_runs in found.items():
        rules[rule] = msgspec.structs.replace(
            rules.get(rule) or RuleAtCustomer(customer=customer),
            surges=from_runs.surges,
            last_used=from_runs.last_used,
            would_have_closed=from_runs.would_have_closed,
            overlaps=from_runs.overlaps,
        )
    return CustomerActivity(
        CustomerRuns(customer=customer, runs=len(times), first=min(times, default=None), last=max(times, default=None)),
        rules,
        {rule: from_runs.values for rule, from_runs in found.items()},
        {rule: _days_between(min(started), max(started)) for rule, started in watched.items()},
    )


def _days_between(first: str, last: str) -> int:
    """Return the calendar days between two times (UTC, RFC 3339)."""
    return (datetime.fromisoformat(last).date() - datetime.fromisoformat(first).date()).days


def _add_alerts(rules: dict[str, RuleAtCustomer], customer: str, records: "RuleActivityRecords") -> None:
    """Add the alerts of a journal to what is known of each rule."""
    closed, undone = records.closed(), records.undone()
    held, held_alerts = records.held()
    differing = records.held_ids("differs", MAX_DIFFERING)
    for rule in closed.keys() | held_alerts.keys():
        before = rules.get(rule) or RuleAtCustomer(customer=customer)
        reasons = held.get(rule, {})
        rules[rule] = msgspec.structs.replace(
            before,
            closed=before.closed + closed.get(rule, 0),
            undone=before.undone + undone.get(rule, 0),
            held={reason: before.held.get(reason, 0) + reasons.get(reason, 0) for reason in (*before.held, *reasons)},
            held_alerts=before.held_alerts + held_alerts.get(rule, 0),
            differing=(*before.differing, *differing.get(rule, ()))[:MAX_DIFFERING],
        )
