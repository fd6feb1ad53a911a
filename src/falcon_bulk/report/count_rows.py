"""Numbers of alerts in words, as previews and results show them."""

from collections.abc import Iterator

from falcon_bulk.report.sheet import Column, Row


def count_columns(of: str) -> tuple[Column, ...]:
    """A number of what is counted, what it is, and why."""
    return Column(of, right=True), Column("", min_width=24), Column("", wrap=True)


COUNT_COLUMNS = count_columns("alerts")

_SKIP_REASONS = {
    "already": "already in the wanted status",
    "duplicate": "named more than once",
    "not_found": "no such alert",
}


def skipped_and_held_rows(skipped: dict[str, int], held: dict[str, int]) -> Iterator[Row]:
    """A row for each reason to skip and each guard rail that holds, with the option that lifts it."""
    for reason, number in skipped.items():
        if number:
            yield number, f"skipped: {reason}", _SKIP_REASONS.get(reason, "")
    for rail, number in held.items():
        if number:
            yield number, f"held: {rail}", f"held back; --override {rail} lets them through"
