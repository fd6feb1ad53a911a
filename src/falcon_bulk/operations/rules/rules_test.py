"""Holds rules against history: what each would have closed, what differs, and which true positives contradict it."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from falcon_bulk.model.alert import Alert, text
from falcon_bulk.model.closing_rule import RuleTest
from falcon_bulk.model.plan import Action
from falcon_bulk.model.vocabulary import Resolution, Status
from falcon_bulk.operations.changes.guardrails import is_marked_true_positive
from falcon_bulk.operations.reading.alert_document import AlertDocument
from falcon_bulk.operations.rules.alert_facts import ReadFacts
from falcon_bulk.operations.rules.closing import guardrail_of_rule
from falcon_bulk.operations.rules.matching import AlertTexts, contradicts, is_expected
from falcon_bulk.operations.rules.rule_book import CustomerRules

MAX_DIFFERING = 20
NO_RESOLUTION = "none"


class RulesTest:
    """Counts the alerts of a customer by each of its rules, also by those that have ended or not begun."""

    def __init__(self, rules: CustomerRules, only: frozenset[str] = frozenset()) -> None:
        """Test a customer's rules. only: the ids of those that are asked for; all without it."""
        self._rules = rules
        self._numbers = frozenset(n for n, rule in enumerate(rules.rules) if not only or rule.id in only)
        self._fits: Counter[int] = Counter()
        self._closes: Counter[int] = Counter()
        self._differs: Counter[int] = Counter()
        self._held: defaultdict[int, Counter[str]] = defaultdict(Counter)
        self._resolutions: defaultdict[int, Counter[str]] = defaultdict(Counter)
        self._differing: defaultdict[int, list[str]] = defaultdict(list)
        self._true_positives: defaultdict[int, list[str]] = defaultdict(list)
        self.alerts = 0

    def read(self, page: Iterable[AlertDocument[Alert]]) -> None:
        """Take the alerts of a page."""
        for item in page:
            self.alerts += 1
            own = item.own_hashes.keys()
            if numbers := self._numbers.intersection(self._rules.index.may_match(item.alert, own)):
                texts = AlertTexts(ReadFacts(item.alert, own))
                for number in self._rules.index.matching(texts, sorted(numbers)):
                    self._take(number, item, texts)

    def _take(self, number: int, item: AlertDocument[Alert], texts: AlertTexts) -> None:
        rule, alert = self._rules.rules[number], item.alert
        self._fits[number] += 1
        self._resolutions[number][_resolution(alert)] += 1
        if is_marked_true_positive(alert) and contradicts(rule, texts):
            self._true_positives[number].append(alert.composite_id)
        if not is_expected(rule.expect, texts):
            self._differs[number] += 1
            if len(self._differing[number]) < MAX_DIFFERING:
                self._differing[number].append(alert.composite_id)
        elif guardrail := guardrail_of_rule(
            rule, alert, item.own_hashes.keys(), (Action("update_status", Status.CLOSED),)
        ):
            self._held[number][guardrail] += 1
        else:
            self._closes[number] += 1

    def results(self) -> list[RuleTest]:
        """Return what was found, in the order of the rules."""
        return [
            RuleTest(
                id=self._rules.rules[number].id,
                state=self._rules.states[number],
                fits=self._fits[number],
                would_close=self._closes[number],
                held=dict(self._held[number]),
                differs=self._differs[number],
                differing=tuple(self._differing[number]),
                by_resolution={
                    name: self._resolutions[number][name] for name in (*map(str, Resolution), NO_RESOLUTION)
                },
                true_positives=tuple(self._true_positives[number]),
            )
            for number in sorted(self._numbers)
        ]


def _resolution(alert: Alert) -> str:
    """Return the resolution that an alert has by its tags or its field, `none` if it has none."""
    given = {*alert.tag_set, text(alert.resolution)}
    return next((str(name) for name in Resolution if name in given), NO_RESOLUTION)
