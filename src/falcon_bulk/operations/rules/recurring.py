"""Finds alerts that people close as benign again and again, and that no rule closes."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from falcon_bulk.model.alert import Alert, text
from falcon_bulk.model.rules_report import Recurring, RecurringAlerts, UnreadCustomer
from falcon_bulk.model.vocabulary import Resolution
from falcon_bulk.operations.changes.guardrails import is_marked_true_positive
from falcon_bulk.operations.reading.alert_document import AlertDocument
from falcon_bulk.operations.rules.alert_facts import AlertFacts
from falcon_bulk.operations.rules.matching import AlertTexts
from falcon_bulk.operations.rules.rule_book import CustomerRules

MIN_DAYS = 3
"""Alerts recur that were closed as benign on so many days."""
_BENIGN = (Resolution.FALSE_POSITIVE, Resolution.IGNORED)
_UNQUOTABLE = frozenset("'\"\\*")


class GroupKey(NamedTuple):
    """What alerts have in common: a hash, else the name of the alert and of its file."""

    sha256: str
    name: str = ""
    filename: str = ""


class _Closed:
    """Alerts of a group that were closed as benign at one customer. Has no `Counter`, which is slow to create."""

    __slots__ = ("alerts", "days", "filenames", "last", "names", "resolution")

    def __init__(self) -> None:
        self.alerts = 0
        self.days: set[str] = set()
        self.names: dict[str, int] = {}
        self.filenames: dict[str, int] = {}
        self.last = self.resolution = ""

    def add(self, facts: AlertFacts, closed: str, resolution: str) -> None:
        """Count an alert. closed: when, as Falcon sent it."""
        self.alerts += 1
        self.days.add(closed[: len("2026-11-24")])
        self.names[facts.name] = self.names.get(facts.name, 0) + 1
        self.filenames[facts.filename] = self.filenames.get(facts.filename, 0) + 1
        if closed >= self.last:
            self.last, self.resolution = closed, resolution


class ClosedAlerts:
    """The closed alerts of one customer, by group; `read` takes them."""

    def __init__(self, rules: CustomerRules) -> None:
        self._rules = rules
        self.groups: defaultdict[GroupKey, _Closed] = defaultdict(_Closed)
        self.true_positives: defaultdict[GroupKey, set[str]] = defaultdict(set)

    def read(self, page: Iterable[AlertDocument[Alert]]) -> None:
        """Take the alerts of a page: true positives, and those closed as benign that no live rule fits."""
        for item in page:
            resolution = _benign_resolution(item.alert)
            is_true = is_marked_true_positive(item.alert)
            if not (resolution or is_true):
                continue
            facts = AlertFacts.of(item.alert, item.own_hashes.keys())
            if is_true:
                self.add_true_positive(facts)
            elif not self._rules.decide(AlertTexts(facts)).fitting:
                closed = text(item.alert.updated_timestamp) or text(item.alert.created_timestamp)
                for key in group_keys(facts):
                    self.groups[key].add(facts, closed, resolution)

    def add_true_positive(self, facts: AlertFacts) -> None:
        """Take a true positive."""
        for key in group_keys(facts):
            self.true_positives[key].add(facts.composite_id)


def group_keys(facts: AlertFacts) -> list[GroupKey]:
    """Return the groups that an alert belongs to; none if it has neither a hash nor a file name."""
    if facts.sha256:
        return [GroupKey(digest) for digest in facts.sha256]
    return [GroupKey("", facts.name, facts.filename)] if facts.name and facts.filename else []


def find_recurring(
    customers: Mapping[str, ClosedAlerts], known: Iterable[AlertFacts], unread: Sequence[UnreadCustomer]
) -> Recurring:
    """Return what recurs at customers together. known: the true positives of all customers ever seen."""
    true_positives: defaultdict[GroupKey, set[str]] = defaultdict(set)
    for facts in known:
        for key in group_keys(facts):
            true_positives[key].add(facts.composite_id)
    together: defaultdict[GroupKey, dict[str, _Closed]] = defaultdict(dict)
    for customer, closed in customers.items():
        for key, ids in closed.true_positives.items():
            true_positives[key] |= ids
        for key, group in closed.groups.items():
            together[key][customer] = group
    found = [
        _recurring(key, groups, len(true_positives.get(key, ())))
        for key, groups in together.items()
        if len(set().union(*(group.days for group in groups.values()))) >= MIN_DAYS
    ]
    found.sort(key=lambda group: (-group.alerts, group.sha256, group.name, group.filename))
    return Recurring(
        groups=tuple(group for group in found if not group.true_positives),
        disputed=tuple(group for group in found if group.true_positives),
        unread=tuple(unread),
    )


def _benign_resolution(alert: Alert) -> str:
    given = {*alert.tag_set, text(alert.resolution)}
    return next((str(name) for name in _BENIGN if name in given), "")


def _recurring(key: GroupKey, groups: Mapping[str, _Closed], true_positives: int) -> RecurringAlerts:
    names, filenames = Counter[str](), Counter[str]()
    for group in groups.values():
        names.update(group.names)
        filenames.update(group.filenames)
    newest = max(groups.values(), key=lambda group: group.last)
    customers = {
        customer: groups[customer].alerts
        for customer in sorted(groups, key=lambda customer: (-groups[customer].alerts, customer))
    }
    return RecurringAlerts(
        sha256=key.sha256,
        name=key.name or names.most_common(1)[0][0],
        filename=key.filename or filenames.most_common(1)[0][0],
        alerts=sum(customers.values()),
        days=len(set().union(*(group.days for group in groups.values()))),
        customers=customers,
        last_resolution=newest.resolution,
        last_closed=newest.last,
        true_positives=true_positives,
        draft=() if true_positives else tuple(_draft_arguments(key, next(iter(customers)))),
    )


def _draft_arguments(key: GroupKey, customer: str) -> Iterator[str]:
    """Yield the arguments that draft a rule from the group's alerts at a customer; none if no filter can name them."""
    if not key.sha256 and _UNQUOTABLE & {*key.name, *key.filename}:
        return
    yield from ("rules", "draft", "--customer", customer)
    if key.sha256:
        yield from ("--hash", key.sha256)
    else:
        yield from ("--name", key.name, "--filter", f"filename:'{key.filename}'")
