"""The result of overview: what waits at each customer, and what was done there."""

from collections.abc import Iterable, Sequence

import msgspec

from falcon_bulk.model.run import RunStatus


class NewAlerts(msgspec.Struct, frozen=True, kw_only=True):
    """New alerts by severity. other: every lower severity, and none."""

    critical: int
    high: int
    other: int

    @property
    def total(self) -> int:
        """The number of new alerts."""
        return self.critical + self.high + self.other


class LastRun(msgspec.Struct, frozen=True, kw_only=True):
    """The newest run of a customer's journal. finished: UTC, RFC 3339; None while it runs or is unfinished."""

    run_id: str
    status: RunStatus
    finished: str | None


class WaitingRules(msgspec.Struct, frozen=True, kw_only=True):
    """A customer's closing rules that end soon (due), and those that a true positive contradicts (suspended)."""

    due: int = 0
    suspended: int = 0


class WaitingAlerts(msgspec.Struct, frozen=True, kw_only=True):
    """Falcon's counts of one tenant's open alerts, hidden ones included.

    cid: of the newest alert, '' if there is none. unassigned: of the new ones, None if Falcon's counts of it contradict
    each other. oldest_new: created_timestamp of the oldest new alert, None if there is none.
    """

    cid: str
    new: NewAlerts
    unassigned: int | None
    in_progress: int
    reopened: int
    oldest_new: str | None


class CustomerOverview(msgspec.Struct, frozen=True, kw_only=True):
    """One customer: counts of alerts, None if they are not known; what the journal of this machine has; rules.

    unassigned: of the new alerts. closed_7_days: alerts that runs closed and no undo opened again. unfinished: the run
    that waits for a resume. rules: None if the rule files cannot be read. problem: what is wrong with the env file, the
    login, the counts or the journal.
    """

    customer: str
    cid: str | None
    new: NewAlerts | None = None
    unassigned: int | None = None
    in_progress: int | None = None
    reopened: int | None = None
    oldest_new: str | None = None
    closed_7_days: int | None = None
    last_run: LastRun | None = None
    unfinished: str | None = None
    rules: WaitingRules | None = WaitingRules()
    problem: str | None = None


class OverviewTotal(msgspec.Struct, frozen=True, kw_only=True):
    """The sums over all customers, as far as their numbers are known.

    counted: customers whose alerts could be counted; problems: customers with a problem; unfinished: customers with an
    unfinished run.
    """

    customers: int
    counted: int
    problems: int
    new: NewAlerts
    unassigned: int
    in_progress: int
    reopened: int
    oldest_new: str | None
    closed_7_days: int
    unfinished: int
    rules: WaitingRules


def most_urgent_first(customers: Iterable[CustomerOverview]) -> list[CustomerOverview]:
    """Return the customers in the order in which somebody should look at them.

    First those whose alerts could not be counted; then by new critical alerts, new high ones, an unfinished run,
    reopened alerts, other new alerts, the age of the oldest, and the name.
    """
    return sorted(customers, key=_urgency)


def overview_total(customers: Sequence[CustomerOverview]) -> OverviewTotal:
    """Return the sums over all customers."""
    new = [customer.new for customer in customers if customer.new is not None]
    rules = [customer.rules for customer in customers if customer.rules is not None]
    return OverviewTotal(
        customers=len(customers),
        counted=len(new),
        problems=sum(customer.problem is not None for customer in customers),
        new=NewAlerts(
            critical=sum(counts.critical for counts in new),
            high=sum(counts.high for counts in new),
            other=sum(counts.other for counts in new),
        ),
        unassigned=sum(customer.unassigned or 0 for customer in customers),
        in_progress=sum(customer.in_progress or 0 for customer in customers),
        reopened=sum(customer.reopened or 0 for customer in customers),
        oldest_new=min((customer.oldest_new for customer in customers if customer.oldest_new), default=None),
        closed_7_days=sum(customer.closed_7_days or 0 for customer in customers),
        unfinished=sum(customer.unfinished is not None for customer in customers),
        rules=WaitingRules(
            due=sum(waiting.due for waiting in rules), suspended=sum(waiting.suspended for waiting in rules)
        ),
    )


def _urgency(customer: CustomerOverview) -> tuple[bool, int, int, bool, int, int, str, str]:
    new = customer.new
    if new is None:
        return False, 0, 0, False, 0, 0, "", customer.customer
    return (
        True,
        -new.critical,
        -new.high,
        customer.unfinished is None,
        -(customer.reopened or 0),
        -new.other,
        customer.oldest_new or "~",
        customer.customer,
    )
