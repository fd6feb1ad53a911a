"""Counts what a run does by each rule, while its plan is made."""

from collections import Counter, defaultdict

from falcon_bulk.model.closing_rule import RuleResult
from falcon_bulk.operations.rules.matching import AlertTexts, used_values
from falcon_bulk.operations.rules.rule_book import CustomerRules, Decision

MAX_NAMED = 20
NAMED_REASONS = ("differs", "outlier")
"""So many alerts that a person should look at are named for each rule and reason."""


class RuleCounts:
    """The numbers of each rule of a customer."""

    def __init__(self, rules: CustomerRules) -> None:
        self._rules = rules
        self._fits: Counter[int] = Counter()
        self._closes: Counter[int] = Counter()
        self._used: Counter[int] = Counter()
        self._ended: Counter[int] = Counter()
        self._held: defaultdict[int, Counter[str]] = defaultdict(Counter)
        self._values: defaultdict[int, defaultdict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
        self._overlaps: defaultdict[int, Counter[str]] = defaultdict(Counter)
        self._named: defaultdict[int, dict[str, list[str]]] = defaultdict(lambda: {name: [] for name in NAMED_REASONS})
        self.surging: set[int] = set()
        self.outlier_checks: dict[int, str] = {}

    def select(self, decision: Decision) -> None:
        """Count an alert that active rules match."""
        self._fits.update(decision.matching)

    def hold(self, decision: Decision, reason: str, composite_id: str) -> None:
        """Count an alert that is held, under each rule that matches it."""
        for number in decision.matching:
            self._held[number][reason] += 1
            if reason in NAMED_REASONS and len(self._named[number][reason]) < MAX_NAMED:
                self._named[number][reason].append(composite_id)

    def use(self, decision: Decision, texts: AlertTexts) -> None:
        """Count an alert that rules fit wholly, with the values of their lists that fit it."""
        for number in decision.fitting:
            self._used[number] += 1
            for field, value in used_values(self._rules.rules[number], texts):
                self._values[number][field][value] += 1
        first, *others = decision.fitting
        for number in others:
            self._overlaps[number][self._rules.rules[first].id] += 1

    def count_ended(self, decision: Decision) -> None:
        """Count an alert that rules would have closed that have ended or not begun."""
        self._ended.update(decision.ended)

    def close(self, number: int) -> None:
        """Count an alert that a rule closes."""
        self._closes[number] += 1

    def results(self) -> tuple[RuleResult, ...]:
        """Return the numbers, in the order of the rules."""
        return tuple(
            RuleResult(
                id=rule.id,
                state=self._rules.states[number],
                fits=self._fits[number],
                closes=self._closes[number],
                held=dict(self._held[number]),
                surge=number in self.surging,
                suspended_by=self._rules.suspended_by[number],
                would_have_closed=self._ended[number],
                used=self._used[number],
                values={field: dict(values) for field, values in self._values[number].items()},
                overlaps=dict(self._overlaps[number]),
                named={reason: tuple(ids) for reason, ids in self._named[number].items() if ids},
                outlier_check=self.outlier_checks.get(number, ""),
            )
            for number, rule in enumerate(self._rules.rules)
        )
