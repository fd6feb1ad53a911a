"""Compile a syntax tree of FQL into a predicate over alerts or indicators."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec

from falcon_emulator.fields import Field
from falcon_emulator.fql import And, Clause, FqlError, Node, Value, clauses
from falcon_emulator.switches import Switches
from falcon_emulator.timestamps import MILLISECOND, parse

WILDCARDS = ("*", "~*")
TEXT_OPERATORS = ("~", *WILDCARDS)

Predicate = Callable[[Any], bool]
Test = Callable[[Any], bool]

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}


class Terms(msgspec.Struct):
    """The context of a filter: the switches, the current time (ns), and a look-up of fields."""

    switches: Switches
    now: int
    field: Callable[[str], Field | None]


def predicate(node: Node, terms: Terms) -> Predicate:
    """Return the predicate of a whole statement.

    Raises FqlError where Falcon refuses: a wildcard or nonsense as a time.
    """
    compiled = _compile(node, terms)
    unknown = any(terms.field(clause.field) is None for clause in clauses(node))
    return _nothing if unknown and terms.switches.unknown_field == "empty_filter" else compiled


def _nothing(_: object) -> bool:
    return False


def _everything(_: object) -> bool:
    return True


def _compile(node: Node, terms: Terms) -> Predicate:
    if isinstance(node, Clause):
        return _clause(node, terms)
    if not node.items:
        return _everything
    combine = _both if isinstance(node, And) else _either
    first, *others = [_compile(item, terms) for item in node.items]
    for other in others:
        first = combine(first, other)
    return first


def _both(a: Predicate, b: Predicate) -> Predicate:
    return lambda alert: a(alert) and b(alert)


def _either(a: Predicate, b: Predicate) -> Predicate:
    return lambda alert: a(alert) or b(alert)


def _clause(clause: Clause, terms: Terms) -> Predicate:
    found = terms.field(clause.field)
    if found is None:
        return _nothing
    tests = [_test(found, clause, value, terms) for value in clause.values]
    known = [test for test in tests if test is not None]
    if not known:
        return _nothing
    test = known[0] if len(known) == 1 else lambda value: any(holds(value) for holds in known)
    needs_field = terms.switches.negation == "needs_field" and not any(
        value.is_any or value.is_null for value in clause.values
    )
    return _negated(found, test, needs_field=needs_field) if clause.negated else _applied(found, test)


def _applied(found: Field, test: Test) -> Predicate:
    """Return a predicate: the test holds for the field's value, or for any of several values."""
    get = found.value

    def matches(item: Any) -> bool:
        value = get(item)
        return any(map(test, value)) if type(value) is tuple else test(value)

    return matches


def _negated(found: Field, test: Test, *, needs_field: bool) -> Predicate:
    """Return the opposite predicate, which holds for what lacks the field unless the switch says otherwise."""
    get, applied = found.value, _applied(found, test)
    if needs_field:
        return lambda item: get(item) is not None and not applied(item)
    return lambda item: not applied(item)


def _test(found: Field, clause: Clause, value: Value, terms: Terms) -> Test | None:
    """Return the test for one value, or None if such a value can never match a field of this type."""
    if value.is_null:
        return lambda actual: actual is None
    if found.type == "time":
        return _time_test(clause, value, terms)
    if value.is_any and not clause.exact and found.type != "array" and clause.operator in ("", *WILDCARDS):
        return lambda actual: actual is not None
    if found.type == "number":
        return _number_test(clause, value)
    if found.type == "bool":
        return _bool_test(clause, value)
    return _string_test(found, clause, value)


def _time_test(clause: Clause, value: Value, terms: Terms) -> Test:
    if value.has_wildcard or clause.operator in TEXT_OPERATORS:
        raise FqlError(f"invalid filter: wildcard or text match on time property {clause.field!r}")
    if not value.quoted:
        raise FqlError(f"invalid filter: time property {clause.field!r} needs a quoted time")
    try:
        moment = parse(value.text, terms.now)
    except ValueError as error:
        raise FqlError(f"invalid filter: {error}") from None
    if terms.switches.time_precision == "ms":
        moment = moment // MILLISECOND * MILLISECOND
    return _compared(clause.operator, moment)


def _number_test(clause: Clause, value: Value) -> Test | None:
    """Return a test of numbers; a quoted value with stars matches their digits (falcon-mcp's guide)."""
    if value.has_wildcard and not clause.exact and clause.operator in ("", *WILDCARDS):
        matches = wildcard(value)
        return lambda actual: actual is not None and matches(str(actual))
    try:
        wanted = float(value.text)
    except ValueError:
        return None
    return None if clause.operator in TEXT_OPERATORS else _compared(clause.operator, wanted)


def _bool_test(clause: Clause, value: Value) -> Test | None:
    if clause.operator or value.text not in ("true", "false"):
        return None
    wanted = value.text == "true"
    return lambda actual: actual is wanted


def _string_test(found: Field, clause: Clause, value: Value) -> Test | None:
    """Return an exact, case-sensitive test, except for `~` and `~*`."""
    text = value.text
    if found.type == "terms":
        return None if clause.operator or " " in text else lambda actual: actual is not None and text in actual.split()
    if clause.operator in TEXT_OPERATORS and found.type == "array":
        return None
    if clause.operator == "~":
        return _text_match(text)
    starred = value.has_wildcard and not clause.operator and not clause.exact and found.type != "array"
    if starred or clause.operator in WILDCARDS:
        return wildcard(value, any_case=clause.operator == "~*")
    return _compared(clause.operator, text)


def _compared(operator: str, wanted: Any) -> Test:
    if not operator:
        return lambda actual: bool(actual == wanted)
    compare = _COMPARISONS[operator]
    return lambda actual: actual is not None and compare(actual, wanted)


def wildcard(value: Value, *, any_case: bool = False) -> Test:
    """Return a test of texts against a value with stars."""
    flags = re.DOTALL | (re.IGNORECASE if any_case else re.NOFLAG)
    matches = re.compile(".*".join(map(re.escape, value.pieces)), flags).fullmatch

    @lru_cache(maxsize=100_000)
    def test(actual: str | None) -> bool:
        return actual is not None and matches(actual) is not None

    return test


def _text_match(text: str) -> Test:
    """Return the test of `~`: the value has every word of `text`, regardless of case and punctuation."""
    wanted = frozenset(re.findall(r"\w+", text.lower()))

    @lru_cache(maxsize=100_000)
    def test(actual: str | None) -> bool:
        return actual is not None and bool(wanted) and wanted.issubset(re.findall(r"\w+", actual.lower()))

    return test
