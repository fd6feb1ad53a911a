"""Reports on closing rules: the list, what lint found, and how rules fit history."""

from collections.abc import Sequence

import msgspec

from falcon_bulk.model.closing_rule import ListedRule, RuleProblem, RuleTest
from falcon_bulk.model.plural import counted
from falcon_bulk.report.report import Report
from falcon_bulk.report.sheet import Column, Row, Sheet

_ID = Column("rule", min_width=12, wrap=True)
_STATE = Column("state", min_width=9)


class RulesDocument(msgspec.Struct, frozen=True, kw_only=True, tag_field="schema", tag="falcon-bulk/rules/1"):
    """`falcon-bulk/rules/1`: the rules of the rule files, and what is wrong with them."""

    rules: tuple[ListedRule, ...]
    problems: tuple[RuleProblem, ...]


class RulesTestDocument(msgspec.Struct, frozen=True, kw_only=True, tag_field="schema", tag="falcon-bulk/rules-test/1"):
    """`falcon-bulk/rules-test/1`: rules held against the alerts of one customer."""

    customer: str
    cid: str
    since: str
    alerts: int
    rules: tuple[RuleTest, ...]
    incomplete: tuple[str, ...]


def rules_report(rules: Sequence[ListedRule], problems: Sequence[RuleProblem]) -> Report:
    """Return the report on the rules of the rule files; its exit code is 0."""

    def sheets() -> list[Sheet]:
        columns = (
            _ID,
            _STATE,
            Column("expires", min_width=10),
            Column("owner", drop_order=2, wrap=True),
            Column("ticket", drop_order=3),
            Column("customers", wrap=True, min_width=12, drop_order=1),
        )
        rows: list[Row] = [
            (
                rule.id or "(no id)",
                str(rule.state),
                str(rule.expires or ""),
                rule.owner,
                rule.ticket,
                ", ".join(rule.customers),
            )
            for rule in rules
        ]
        suspended = [f"{rule.id} is suspended by {', '.join(rule.suspended_by)}" for rule in rules if rule.suspended_by]
        return [Sheet(counted(len(rules), "closing rule"), columns, rows, suspended), *_problem_sheets(problems)]

    return Report(sheets, lambda: _rules_document(rules, problems))


def lint_report(rules: Sequence[ListedRule], problems: Sequence[RuleProblem], files: int, exit_code: int) -> Report:
    """Return the report of lint. files: how many were read."""

    def sheets() -> list[Sheet]:
        if not problems:
            title = f"{counted(len(rules), 'rule')} in {counted(files, 'file')}: nothing is wrong."
            return [Sheet(title, (), ())]
        return _problem_sheets(problems)

    return Report(sheets, lambda: _rules_document(rules, problems), exit_code=exit_code)


def _problem_sheets(problems: Sequence[RuleProblem]) -> list[Sheet]:
    if not problems:
        return []
    lines = [problem_line(problem) for problem in problems]
    fatal = sum(problem.fatal for problem in problems)
    return [Sheet(counted(fatal, "problem"), (), (), lines)]


def problem_line(problem: RuleProblem) -> str:
    """Return `FILE:LINE: rule ID: what is wrong`, as editors follow it."""
    rule = f"rule {problem.rule}: " if problem.rule else ""
    note = "" if problem.fatal else "note: "
    return f"{problem.path}:{problem.line}: {note}{rule}{problem.message}"


def _rules_document(rules: Sequence[ListedRule], problems: Sequence[RuleProblem]) -> RulesDocument:
    return RulesDocument(rules=tuple(rules), problems=tuple(problems))


def rules_test_report(
    customer: str,
    cid: str,
    since: str,
    alerts: int,
    tests: Sequence[RuleTest],
    incomplete: tuple[str, ...],
    exit_code: int,
) -> Report:
    """Return the report on rules held against a customer's alerts since a time (UTC, RFC 3339)."""

    def sheets() -> list[Sheet]:
        title = f"{customer}: {counted(len(tests), 'rule')} against {counted(alerts, 'alert')} since {since[:10]}"
        notes = [
            *(
                f"{test.id}: the true positive {composite_id} contradicts it"
                for test in tests
                for composite_id in test.true_positives
            ),
            *(f"{test.id} differs: {composite_id}" for test in tests for composite_id in test.differing),
            *(f"Incomplete: {reason}" for reason in incomplete),
        ]
        return [Sheet(title, rule_test_columns(), [rule_test_row(test) for test in tests], notes)]

    def document() -> RulesTestDocument:
        return RulesTestDocument(
            customer=customer,
            cid=cid,
            since=since,
            alerts=alerts,
            rules=tuple(tests),
            incomplete=incomplete,
        )

    return Report(sheets, document, exit_code=exit_code)


def rule_test_columns() -> tuple[Column, ...]:
    """Return the columns of a rule held against history."""
    return (
        _ID,
        _STATE,
        Column("fits", right=True),
        Column("would close", right=True, min_width=11),
        Column("held", right=True, drop_order=3),
        Column("differ", right=True),
        Column("false positive", right=True, drop_order=1, min_width=14),
        Column("true positive", right=True, min_width=13),
        Column("ignored", right=True, drop_order=2),
    )


def rule_test_row(test: RuleTest) -> Row:
    """Return the row of a rule held against history."""
    return (
        test.id,
        str(test.state),
        test.fits,
        test.would_close,
        sum(test.held.values()),
        test.differs,
        test.by_resolution["false_positive"],
        test.by_resolution["true_positive"],
        test.by_resolution["ignored"],
    )
