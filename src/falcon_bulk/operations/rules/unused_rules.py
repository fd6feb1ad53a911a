"""Which rules, and which values in their lists, fitted no alert in a period; never what only could not be seen."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from falcon_bulk.model.closing_rule import ClosingRule, RuleState
from falcon_bulk.model.rules_report import NotJudged, Unused, UnusedValue
from falcon_bulk.operations.rules.rule_activity import CustomerActivity
from falcon_bulk.operations.rules.rule_files import CustomerTags

MIN_DAYS = 7
"""A rule is judged at a customer whose runs with it cover so many days: one night shows too little."""

_NO_LISTS = ("max_severity",)


class WatchedCustomers(NamedTuple):
    """The customers of a report. tags: of all that are known, also those that the report leaves out.

    activity: of those that could be read.
    """

    tags: CustomerTags
    activity: Mapping[str, CustomerActivity]


def find_unused(rules: Sequence[ClosingRule], states: Mapping[str, RuleState], customers: WatchedCustomers) -> Unused:
    """Return what fitted no alert. states: of the rules today, by id.

    A rule counts as unused only if it is live or due, and was active at every customer whom it concerns in runs that
    read all alerts and cover MIN_DAYS; a value, only of a rule that was used. A rule that another one came before is
    used.
    """
    unused: list[str] = []
    values: list[UnusedValue] = []
    not_judged: list[NotJudged] = []
    for rule in rules:
        if states[rule.id] not in (RuleState.LIVE, RuleState.DUE):
            continue
        concerned = [name for name, tags in customers.tags.items() if rule.concerns(name, tags)]
        used = any(activity.rules[rule.id].last_used for activity in _of(rule, concerned, customers))
        if reason := _why_not_judged(rule, concerned, customers):
            not_judged.append(NotJudged(rule=rule.id, reason=reason))
        elif not used:
            unused.append(rule.id)
        else:
            values += _unused_values(rule, concerned, customers)
        if reason and used:
            values += _unused_entries(rule, customers)
    return Unused(rules=tuple(unused), values=tuple(values), not_judged=tuple(not_judged))


def _of(rule: ClosingRule, names: Sequence[str], customers: WatchedCustomers) -> Iterator[CustomerActivity]:
    for name in names:
        activity = customers.activity.get(name)
        if activity is not None and rule.id in activity.rules:
            yield activity


def _why_not_judged(rule: ClosingRule, concerned: Sequence[str], customers: WatchedCustomers) -> str:
    if not concerned:
        return "it concerns no customer that is known here"
    unwatched = [name for name in concerned if not _is_watched(rule, name, customers)]
    if not unwatched:
        return ""
    if unseen := [name for name in unwatched if _watched_days(rule, name, customers) is None]:
        return f"no whole run with it was recorded for {_named(unseen)}"
    return f"its runs cover less than {MIN_DAYS} days at {_named(unwatched)}"


def _named(customers: Sequence[str]) -> str:
    return ", ".join(customers[:3]) + (f" and {len(customers) - 3:,} more" if len(customers) > 3 else "")


def _watched_days(rule: ClosingRule, name: str, customers: WatchedCustomers) -> int | None:
    activity = customers.activity.get(name)
    return activity.watched_days.get(rule.id) if activity is not None else None


def _is_watched(rule: ClosingRule, name: str, customers: WatchedCustomers) -> bool:
    return (_watched_days(rule, name, customers) or 0) >= MIN_DAYS


def _unused_values(rule: ClosingRule, concerned: Sequence[str], customers: WatchedCustomers) -> Iterator[UnusedValue]:
    fitted = {pair for activity in _of(rule, concerned, customers) for pair in activity.values.get(rule.id, ())}
    for part in (rule.match, rule.expect):
        for field in part.__struct_fields__:
            if field in _NO_LISTS:
                continue
            for value in getattr(part, field):
                if (field, value) not in fitted:
                    yield UnusedValue(rule=rule.id, field=field.replace("_", "-"), value=value)
    yield from _unused_entries(rule, customers)


def _unused_entries(rule: ClosingRule, customers: WatchedCustomers) -> Iterator[UnusedValue]:
    """Yield the entries of `customers` whose customers were all watched and did not need the rule."""
    for entry in rule.customers:
        if entry == "*" or entry.startswith("!"):
            continue
        named = [
            name
            for name, tags in customers.tags.items()
            if rule.concerns(name, tags)
            and entry.casefold() in (name.casefold(), *(f"tag:{tag.casefold()}" for tag in tags))
        ]
        used = any(activity.rules[rule.id].last_used for activity in _of(rule, named, customers))
        if named and not used and all(_is_watched(rule, name, customers) for name in named):
            yield UnusedValue(rule=rule.id, field="customers", value=entry)
