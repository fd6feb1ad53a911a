"""Rows of numbers that previews and results of changes show."""

from collections.abc import Iterator

from falcon_bulk.report.sheet import Column, Row


def count_columns(items: str) -> tuple[Column, ...]:
    """Return columns for a number of items, what is counted, and why."""
    return Column(items, right=True), Column("", min_width=24), Column("", wrap=True)


COUNT_COLUMNS = count_columns("alerts")

_SKIP_REASONS = {
    "already": "as the change wants them",
    "closed": "closed; --status closed selects them",
    "duplicate": "named more than once",
    "not_found": "no such alert",
}


def skipped_and_held_rows(skipped: dict[str, int], held: dict[str, int]) -> Iterator[Row]:
    """Yield a row for each reason to skip alerts and each guardrail that holds some, with the option to override it."""
    for reason, number in skipped.items():
        if number:
            yield number, f"skipped: {reason}", _SKIP_REASONS.get(reason, "")
    for guardrail, number in held.items():
        if number:
            yield number, f"held: {guardrail}", f"held by a guardrail; --override {guardrail} includes them"
