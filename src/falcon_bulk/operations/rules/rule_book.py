"""All rules of the rule files, and what they are today for one customer."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from falcon_bulk.model.closing_rule import (
    ClosingRule,
    InvalidRule,
    RuleFile,
    RuleFileRecord,
    RuleProblem,
    RuleState,
)
from falcon_bulk.operations.rules.matching import AlertTexts, RuleIndex, contradicts, is_expected
from falcon_bulk.operations.rules.true_positives import KnownTruePositive

NO_RULES: Mapping[str, tuple[str, ...]] = {}


class RuleBook:
    """The rules of all files, in the order of the files and of their lines."""

    def __init__(self, files: Sequence[RuleFile]) -> None:
        self.files = files
        self.rules: tuple[ClosingRule, ...] = tuple(rule for file in files for rule in file.rules)
        self.invalid: tuple[InvalidRule, ...] = tuple(rule for file in files for rule in file.invalid)
        self.problems: tuple[RuleProblem, ...] = tuple(problem for file in files for problem in file.problems)

    @property
    def is_valid(self) -> bool:
        """Whether every rule can be used."""
        return not self.invalid and not any(problem.fatal for problem in self.problems)

    @property
    def records(self) -> tuple[RuleFileRecord, ...]:
        """What a run records of the files."""
        return tuple(RuleFileRecord(path=str(file.path), sha256=file.sha256, commit=file.commit) for file in self.files)

    def suspensions(self, true_positives: Iterable[KnownTruePositive]) -> dict[str, tuple[str, ...]]:
        """Return the rules that true positives contradict, by id, with the composite ids of these."""
        index = RuleIndex(self.rules)
        found: dict[str, list[str]] = {}
        for known in true_positives:
            texts = AlertTexts(known.facts)
            for number in index.matching(texts):
                if contradicts(self.rules[number], texts):
                    found.setdefault(self.rules[number].id, []).append(known.facts.composite_id)
        return {rule: tuple(sorted(ids)) for rule, ids in found.items()}


class Decision(NamedTuple):
    """What rules say about an alert, as numbers of `CustomerRules.rules`.

    matching: active rules whose `match` fits; fitting: those of them that fit wholly; ended: those that have ended,
    are revoked or have not begun, and fit wholly.
    """

    matching: tuple[int, ...]
    fitting: tuple[int, ...]
    ended: tuple[int, ...]


class CustomerRules:
    """The rules that concern one customer, with their states. suspended: of `RuleBook.suspensions`."""

    def __init__(
        self,
        book: RuleBook,
        customer: str,
        tags: frozenset[str],
        today: date,
        suspended: Mapping[str, tuple[str, ...]] = NO_RULES,
    ) -> None:
        self.rules = [rule for rule in book.rules if rule.concerns(customer, tags)]
        self.suspended_by = [suspended.get(rule.id, ()) for rule in self.rules]
        self.states = [
            rule.state_on(today, suspended=bool(ids)) for rule, ids in zip(self.rules, self.suspended_by, strict=True)
        ]
        self.index = RuleIndex(self.rules)

    def decide(self, texts: AlertTexts, candidates: Iterable[int] | None = None) -> Decision:
        """Return what the rules say about an alert. candidates: of `index.may_match`, if they are known."""
        matching: list[int] = []
        fitting: list[int] = []
        ended: list[int] = []
        for number in self.index.matching(texts, candidates):
            fits = is_expected(self.rules[number].expect, texts)
            if self.states[number].is_active:
                matching.append(number)
                if fits:
                    fitting.append(number)
            elif fits:
                ended.append(number)
        return Decision(tuple(matching), tuple(fitting), tuple(ended))

    def objection(self, decision: Decision) -> str:
        """Return why an alert that active rules match is not closed: `suspended`, `differs`, or ''."""
        if any(self.states[number] is RuleState.SUSPENDED for number in decision.matching):
            return "suspended"
        return "" if decision.fitting else "differs"

    def number_of(self, rule_id: str) -> int | None:
        """Return the number of a rule, None if it is not among them."""
        return next((number for number, rule in enumerate(self.rules) if rule.id == rule_id), None)
