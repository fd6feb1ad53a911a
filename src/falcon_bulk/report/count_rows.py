"""Rows of numbers that previews and results of changes show."""

from collections.abc import Iterator

from falcon_bulk.report.sheet import Column, Row, format_cell


def count_columns(items: str) -> tuple[Column, ...]:
    """Return columns for a number of items, what is counted, and why."""
    return Column(items, right=True), Column("", min_width=24), Column("", wrap=True)


COUNT_COLUMNS = count_columns("alerts")

_SKIP_REASONS = {
    "already": "as the change wants them",
    "closed": "closed",
    "duplicate": "named more than once",
    "not_found": "no such alert in the selection",
}


def describe_skipped(skipped: dict[str, int]) -> str:
    """Describe what was skipped in one line; '' for nothing."""
    return _in_one_line({reason: number for reason, number in skipped.items() if number})


def describe_held(held: dict[str, int], *, advice: bool = True) -> str:
    """Describe what guardrails hold in one line, with the option that overrides them; '' for nothing.

    advice: see `skipped_and_held_rows`.
    """
    line = _in_one_line({guardrail: number for guardrail, number in held.items() if number})
    return f"{line} (--override NAME)" if line and advice else line


def _in_one_line(counts: dict[str, int]) -> str:
    listed = ", ".join(f"{name} {format_cell(number)}" for name, number in counts.items())
    return f"{format_cell(sum(counts.values()))}: {listed}" if len(counts) > 1 else listed


_HELD_BY_RULES = {
    "closed-before": "closed before, and back again",
    "suspended": "a true positive contradicts a rule that matches them",
    "differs": "they match a rule and differ from what it expects",
    "surge": "far more than the rule usually closes",
    "outlier": "unlike the others that the rule closes",
}


def skipped_and_held_rows(skipped: dict[str, int], held: dict[str, int], *, advice: bool = True) -> Iterator[Row]:
    """Yield a row for each reason to skip alerts and each guardrail that holds some.

    advice: name the options that would include them, which means nothing to those who only read a report.
    """
    for reason, number in skipped.items():
        if number:
            option = "; --status closed selects them" if reason == "closed" and advice else ""
            yield number, f"skipped: {reason}", f"{_SKIP_REASONS.get(reason, '')}{option}"
    for guardrail, number in held.items():
        if number:
            by_guardrail = f"--override {guardrail} includes them" if advice else "held by a guardrail"
            yield number, f"held: {guardrail}", _HELD_BY_RULES.get(guardrail, by_guardrail)
