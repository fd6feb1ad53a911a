"""Holds rules against alerts: which rules' `match` fits an alert, and which fit it wholly."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from falcon_bulk.model.alert import Alert, text
from falcon_bulk.model.closing_rule import ClosingRule, RuleExpect, RuleMatch
from falcon_bulk.operations.rules.alert_facts import AlertFacts, ReadFacts, severity_level
from falcon_bulk.operations.rules.globs import (
    Glob,
    comparable,
    comparable_path,
    compile_glob,
    compile_path_glob,
    has_wildcard,
)

MAX_NAMES_KEPT = 100_000
"""Names of alerts of which it is remembered which rules' globs fit them."""

_MATCHED_TEXTS = tuple(name for name in RuleMatch.__struct_fields__ if name != "sha256")
_EXPECTED_TEXTS = tuple(
    name for name in RuleExpect.__struct_fields__ if name not in ("max_severity", "host", "disposition")
)


class AlertTexts:
    """The facts of an alert, with its texts as globs are held against them: each is made once, for all rules."""

    __slots__ = ("_comparable", "facts")

    def __init__(self, facts: AlertFacts | ReadFacts) -> None:
        self.facts = facts
        self._comparable: dict[str, str] = {}

    def text(self, field: str) -> str:
        """Return a field's text as globs compare it; '' is fitted by none."""
        found = self._comparable.get(field)
        if found is None:
            value: str = getattr(self.facts, field)
            found = self._comparable[field] = comparable_path(value) if field == "path" else comparable(value)
        return found


class _Condition(NamedTuple):
    """A field's list: literal texts, and globs."""

    field: str
    literals: frozenset[str]
    globs: tuple[Glob, ...]

    def fits(self, value: str) -> bool:
        return bool(value) and (value in self.literals or any(glob.fullmatch(value) for glob in self.globs))


@lru_cache(maxsize=65_536)
def _condition(field: str, values: tuple[str, ...]) -> _Condition:
    literals = frozenset(comparable(value) for value in values if not has_wildcard(value))
    compiled = compile_path_glob if field == "path" else compile_glob
    return _Condition(field, literals, tuple(compiled(value) for value in values if has_wildcard(value)))


@lru_cache(maxsize=65_536)
def _matched(match: RuleMatch) -> tuple[_Condition, ...]:
    return tuple(_condition(name, values) for name in _MATCHED_TEXTS if (values := getattr(match, name)))


class _Expected(NamedTuple):
    """What a rule expects. severity: the worst level that may be closed, None for any."""

    texts: tuple[_Condition, ...]
    host: _Condition
    disposition: _Condition
    severity: int | None


@lru_cache(maxsize=65_536)
def _expected(expect: RuleExpect) -> _Expected:
    texts = tuple(_condition(name, values) for name in _EXPECTED_TEXTS if (values := getattr(expect, name)))
    level = severity_level(expect.max_severity) if expect.max_severity else None
    return _Expected(texts, _condition("host", expect.host), _condition("disposition", expect.disposition), level)


class RuleIndex:
    """Finds the rules whose `match` fits an alert, without trying every rule on every alert."""

    def __init__(self, rules: Sequence[ClosingRule]) -> None:
        self.rules = rules
        self._by_hash: dict[str, list[int]] = defaultdict(list)
        self._by_pattern: dict[str, list[int]] = defaultdict(list)
        self._by_name: dict[str, list[int]] = defaultdict(list)
        self._name_globs: list[tuple[re.Pattern[str], int]] = []
        for number, rule in enumerate(rules):
            self._add(number, rule.match)
        globs = [pattern.pattern for pattern, _ in self._name_globs]
        self._any_glob = re.compile("|".join(f"(?:{glob})" for glob in globs), re.DOTALL) if globs else None
        self._found_by_name: dict[str, tuple[int, ...]] = {}

    def _add(self, number: int, match: RuleMatch) -> None:
        """File a rule under the field that finds the fewest alerts: its hashes, else its patterns, else its names."""
        if match.sha256:
            for digest in match.sha256:
                self._by_hash[digest].append(number)
        elif match.pattern_id:
            for pattern in match.pattern_id:
                self._by_pattern[pattern].append(number)
        else:
            for name in match.name:
                if has_wildcard(name):
                    self._name_globs.append((compile_glob(name), number))
                else:
                    self._by_name[name.casefold()].append(number)

    def candidates(self, hashes: Iterable[str], name: str, pattern_id: str) -> list[int]:
        """Return the numbers of the rules that may match, in their order."""
        found: set[int] = set()
        for digest in hashes:
            found.update(self._by_hash.get(digest, ()))
        if self._by_pattern:
            found.update(self._by_pattern.get(pattern_id, ()))
        if name and (self._by_name or self._any_glob):
            found.update(self._found_for_name(name))
        return sorted(found)

    def _found_for_name(self, name: str) -> tuple[int, ...]:
        found = self._found_by_name.get(name)
        if found is None:
            folded = name.casefold()
            numbers = list(self._by_name.get(folded, ()))
            if self._any_glob is not None and self._any_glob.fullmatch(folded):
                numbers += [number for pattern, number in self._name_globs if pattern.fullmatch(folded)]
            found = tuple(numbers)
            if len(self._found_by_name) < MAX_NAMES_KEPT:
                self._found_by_name[name] = found
        return found

    def may_match(self, alert: Alert, own_hashes: Collection[str]) -> list[int]:
        """Return the numbers of the rules that may match an alert, in their order; cheap for all others."""
        return self.candidates(own_hashes, alert.title, text(alert.pattern_id))

    def matching(self, texts: AlertTexts, candidates: Iterable[int] | None = None) -> list[int]:
        """Return the numbers of the rules whose `match` fits, in their order."""
        facts = texts.facts
        if candidates is None:
            candidates = self.candidates(facts.sha256, facts.name, facts.pattern_id)
        return [number for number in candidates if matches(self.rules[number].match, texts)]


def matches(match: RuleMatch, texts: AlertTexts) -> bool:
    """Return whether the `match` of a rule fits an alert."""
    if match.sha256 and not any(digest in match.sha256 for digest in texts.facts.sha256):
        return False
    return all(condition.fits(texts.text(condition.field)) for condition in _matched(match))


def is_expected(expect: RuleExpect, texts: AlertTexts) -> bool:
    """Return whether an alert's circumstances are those that a rule expects. A missing field is not.

    An alert whose file is an interpreter or system program is expected only by its command line, among others.
    """
    facts, expected = texts.facts, _expected(expect)
    if facts.is_interpreter and not expect.cmdline:
        return False
    if expect.max_severity and (
        facts.severity is None or expected.severity is None or facts.severity > expected.severity
    ):
        return False
    if not all(condition.fits(texts.text(condition.field)) for condition in expected.texts):
        return False
    if expect.host and not (facts.hosts and all(expected.host.fits(comparable(host)) for host in facts.hosts)):
        return False
    return not expect.disposition or any(expected.disposition.fits(comparable(value)) for value in facts.disposition)


def contradicts(rule: ClosingRule, texts: AlertTexts) -> bool:
    """Return whether a true positive contradicts a rule that matches it; a rule without hashes must fit it wholly."""
    if texts.facts.composite_id in rule.reviewed_alerts:
        return False
    return bool(rule.match.sha256) or is_expected(rule.expect, texts)


def used_values(rule: ClosingRule, texts: AlertTexts) -> list[tuple[str, str]]:
    """Return for each field of a rule that fits an alert the values of its list that fit, as (field, value)."""
    facts = texts.facts
    found: list[tuple[str, str]] = [("sha256", digest) for digest in rule.match.sha256 if digest in facts.sha256]
    for part, names in ((rule.match, _MATCHED_TEXTS), (rule.expect, _EXPECTED_TEXTS)):
        for name in names:
            found += [
                (name, value) for value in getattr(part, name) if _condition(name, (value,)).fits(texts.text(name))
            ]
    several = (("host", rule.expect.host, facts.hosts), ("disposition", rule.expect.disposition, facts.disposition))
    for name, values, present in several:
        found += [
            (name, value)
            for value in values
            if any(_condition(name, (value,)).fits(comparable(found)) for found in present)
        ]
    return found
