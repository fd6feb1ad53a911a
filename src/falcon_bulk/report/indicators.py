"""What allow-hash and its undo show: the plan, the hashes one by one, and what the indicators are like."""

from collections.abc import Iterable, Iterator
from typing import Any

from falcon_bulk.model.indicator import HashOutcome
from falcon_bulk.model.plan import Plan
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.run import Outcome, RunResult
from falcon_bulk.report.count_rows import count_columns
from falcon_bulk.report.facts import FACT_COLUMNS
from falcon_bulk.report.sheet import Column, Row, Sheet, format_cell

ALLOW_SCHEMA = "falcon-bulk/allow/1"
NUMBER_COLUMNS = count_columns("indicators")
MOST_HASHES = 50

_HASH_COLUMNS = (
    Column("sha256", min_width=12),
    Column("outcome", min_width=8),
    Column("reason", wrap=True, min_width=20),
    Column("indicator", drop_order=1, min_width=12),
)
_REASONS = {
    "already": "the same or a wider scope is allowed",
    "not_found": "its indicator is gone",
    "narrower": "allowed in a narrower scope; change that indicator in the console",
    "no-action": "an indicator without an action is there, expired perhaps; delete it first",
}


def indicator_preview_sheets(plan: Plan, preview: Preview) -> list[Sheet]:
    """The plan for a person to say yes or no to; the warnings stand last, next to the question."""
    numbers = f"{format_cell(preview.planned)} of {format_cell(preview.selected)}"
    deed = "delete" if plan.undoes else "create"
    title = f"{plan.customer}: {numbers} indicators to {deed} ({plan.command})"
    hashes = hashes_sheet(preview.hashes, {Outcome.NOT_SENT: f"to {deed}"}, MOST_HASHES)
    return [Sheet(title, FACT_COLUMNS, list(_facts(plan, preview))), hashes.with_notes(preview.warnings)]


def operation_past_tense(result: RunResult) -> str:
    """What a run did to the indicators that it changed."""
    return "deleted" if result.command == "undo" else "created"


def result_hashes_sheet(result: RunResult, most: int | None = None) -> Sheet:
    """What became of each hash of a run, of `most` of them."""
    return hashes_sheet(
        result.hashes, {Outcome.CHANGED: operation_past_tense(result), Outcome.NOT_SENT: "not sent"}, most
    )


def hashes_sheet(hashes: Iterable[HashOutcome], words: dict[Outcome, str], most: int | None = None) -> Sheet:
    """A row for each hash, `most` of them. words: what outcomes are called."""
    rows = [(one.sha256, _word(one.outcome, words), one.reason, one.indicator_id) for one in hashes]
    notes = [f"and {format_cell(len(rows) - most)} more"] if most is not None and len(rows) > most else []
    return Sheet("", _HASH_COLUMNS, rows[:most], notes)


def indicators_left_alone(skipped: dict[str, int], held: dict[str, int]) -> Iterator[Row]:
    """A row for each reason to skip a hash or to hold it back."""
    for word, counts in (("skipped", skipped), ("held", held)):
        for reason, number in counts.items():
            yield number, f"{word}: {reason}", _REASONS.get(reason, "")


def indicator_fields(result: RunResult) -> dict[str, Any]:
    """What `falcon-bulk/allow/1` has beyond the numbers of a run."""
    if (allowance := result.allowance) is None:
        return {}
    words = {Outcome.CHANGED: operation_past_tense(result)}
    return {
        "indicator": {
            "action": "allow",
            "platforms": list(allowance.platforms),
            "applied_globally": not allowance.host_groups,
            "host_groups": list(allowance.host_groups),
            "expiration": allowance.expiration or None,
            "description": allowance.description,
        },
        "hashes": [
            {
                "sha256": one.sha256,
                "outcome": _word(one.outcome, words),
                "reason": one.reason,
                "indicator_id": one.indicator_id or None,
            }
            for one in result.hashes
        ],
    }


def _word(outcome: str, words: dict[Outcome, str]) -> str:
    return {str(known): word for known, word in words.items()}.get(outcome, outcome)


def _facts(plan: Plan, preview: Preview) -> Iterator[Row]:
    yield "tenant", f"{plan.cid} at {plan.cloud}"
    if plan.undoes:
        yield "takes back", plan.undoes
        yield "comment", plan.comment
    for line in preview.sent:
        what, _, value = line.partition(": ")
        yield (what, value) if value else ("sends", what)
    for number, word, why in indicators_left_alone(preview.skipped, preview.held):
        yield word, f"{format_cell(number)} hashes: {why}"
    yield "operator", plan.operator
    yield "run", plan.run_id
