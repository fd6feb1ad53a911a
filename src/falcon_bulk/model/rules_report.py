"""The report on closing rules: what each did at each customer, what waits for a decision, and what is not used."""

from datetime import date

import msgspec

from falcon_bulk.model.multi_customer import CustomerError


class RuleAtCustomer(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule did at a customer in the period. Numbers are alerts, each counted once.

    undone: of the closed ones, those that were taken back. held: by reason; held_alerts: in all, since an alert can be
    held for one reason today and for another tomorrow. differing: of those held as `differs`, the first composite ids.
    surges: runs in which the rule would have closed too many. last_used: when the last run began in which it fitted an
    alert wholly, also where another rule came first (UTC, RFC 3339). would_have_closed: of a rule that has ended or not
    begun, and overlaps (by the rule that came first): the most in one run.
    """

    customer: str
    closed: int = 0
    undone: int = 0
    held: dict[str, int] = {}
    held_alerts: int = 0
    differing: tuple[str, ...] = ()
    surges: int = 0
    last_used: str | None = None
    would_have_closed: int = 0
    overlaps: dict[str, int] = {}


class ReportedRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule and what it did at each customer. state: of RuleState, or REMOVED."""

    id: str
    state: str
    title: str = ""
    owner: str = ""
    ticket: str = ""
    starts: date | None = None
    expires: date | None = None
    revoked: date | None = None
    suspended_by: tuple[str, ...] = ()
    customers: tuple[RuleAtCustomer, ...] = ()

    @property
    def closed(self) -> int:
        """The alerts that it closed."""
        return sum(at_customer.closed for at_customer in self.customers)

    @property
    def undone(self) -> int:
        """Of these, the ones that were taken back."""
        return sum(at_customer.undone for at_customer in self.customers)

    @property
    def held(self) -> dict[str, int]:
        """The alerts that are held under it, by reason, most first."""
        found: dict[str, int] = {}
        for at_customer in self.customers:
            for reason, number in at_customer.held.items():
                found[reason] = found.get(reason, 0) + number
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))

    @property
    def held_alerts(self) -> int:
        """The alerts that are held under it."""
        return sum(at_customer.held_alerts for at_customer in self.customers)

    @property
    def surges(self) -> int:
        """The runs in which it would have closed too many."""
        return sum(at_customer.surges for at_customer in self.customers)

    @property
    def last_used(self) -> str | None:
        """When the last run began in which it fitted an alert wholly."""
        return max((at_customer.last_used for at_customer in self.customers if at_customer.last_used), default=None)

    @property
    def would_have_closed(self) -> int:
        """The alerts that it would have closed, had it been live."""
        return sum(at_customer.would_have_closed for at_customer in self.customers)


REMOVED = "removed"
"""The state of a rule that did something in the period and is in no file any more."""


class CustomerRuns(msgspec.Struct, frozen=True, kw_only=True):
    """A customer's runs of closing rules in the period. first, last: UTC, RFC 3339, None if there are none.

    error: why they cannot be read.
    """

    customer: str
    runs: int = 0
    first: str | None = None
    last: str | None = None
    error: CustomerError | None = None


class UnusedValue(msgspec.Struct, frozen=True, kw_only=True):
    """A value in a list of a rule that fitted no alert. field: as in the rule's file, such as `path`."""

    rule: str
    field: str
    value: str


class NotJudged(msgspec.Struct, frozen=True, kw_only=True):
    """A rule of which it cannot be said whether it is used, and why."""

    rule: str
    reason: str


class Unused(msgspec.Struct, frozen=True, kw_only=True):
    """What fitted no alert in the period: rules; of the others, values of their lists, `customers` among them."""

    rules: tuple[str, ...] = ()
    values: tuple[UnusedValue, ...] = ()
    not_judged: tuple[NotJudged, ...] = ()


class RecurringAlerts(msgspec.Struct, frozen=True, kw_only=True):
    """Alerts of one hash, or of one name and file name, that people closed as benign again and again.

    sha256: '' for alerts without a hash; name, filename: the most frequent. alerts, days: closed as benign by no rule,
    in all and on how many days. customers: the alerts of each. last_resolution, last_closed: of the newest, the time as
    Falcon sent it. true_positives: of this hash or name, at any customer. draft: the arguments of falcon-bulk that
    draft a rule, () where there is to be none.
    """

    sha256: str
    name: str
    filename: str
    alerts: int
    days: int
    customers: dict[str, int]
    last_resolution: str
    last_closed: str
    true_positives: int = 0
    draft: tuple[str, ...] = ()


class UnreadCustomer(msgspec.Struct, frozen=True, kw_only=True):
    """A customer whose closed alerts could not be read, or not all of them, and why."""

    customer: str
    message: str


class Recurring(msgspec.Struct, frozen=True, kw_only=True):
    """What recurs without a rule, most work first; disputed: what was a true positive somewhere."""

    groups: tuple[RecurringAlerts, ...] = ()
    disputed: tuple[RecurringAlerts, ...] = ()
    unread: tuple[UnreadCustomer, ...] = ()


class RulesReport(msgspec.Struct, frozen=True, kw_only=True):
    """What closing rules did in a period, at the customers that were asked for.

    since, until: UTC, RFC 3339. recurring: None if Falcon was not asked.
    """

    since: str
    until: str
    customers: tuple[CustomerRuns, ...]
    rules: tuple[ReportedRule, ...]
    unused: Unused
    recurring: Recurring | None = None
