"""The preview of a change: the plan in numbers, and what will be sent."""

from collections.abc import Iterator

from falcon_bulk.model.plan import AlertPlan, IndicatorPlan, Plan
from falcon_bulk.model.preview import Preview, TopValues
from falcon_bulk.report.count_rows import COUNT_COLUMNS, skipped_and_held_rows
from falcon_bulk.report.facts import FACT_COLUMNS
from falcon_bulk.report.indicators import indicator_preview_sheets
from falcon_bulk.report.outliers import outlier_sheets
from falcon_bulk.report.sheet import Column, Row, Sheet, format_cell

MAX_GROUPS = 5
MAX_EXAMPLES = 5


def preview_sheets(plan: Plan, preview: Preview) -> list[Sheet]:
    """Return the plan for a person to confirm; the warnings come last, next to the question."""
    if isinstance(plan, IndicatorPlan):
        return indicator_preview_sheets(plan, preview)
    sheets = [_actions_sheet(plan, preview), _counts_sheet(preview), *map(_top_values_sheet, preview.samples)]
    if preview.outliers is not None:
        sheets += outlier_sheets(preview.outliers, MAX_GROUPS, MAX_EXAMPLES)
    return [*sheets[:-1], sheets[-1].with_notes(preview.warnings)]


def _actions_sheet(plan: AlertPlan, preview: Preview) -> Sheet:
    numbers = f"{format_cell(preview.planned)} of {format_cell(preview.selected)}"
    title = f"{plan.customer}: {numbers} alerts to change ({plan.command})"
    return Sheet(title, FACT_COLUMNS, list(_facts(plan, preview)))


def _facts(plan: AlertPlan, preview: Preview) -> Iterator[Row]:
    yield "tenant", f"{plan.cid} at {plan.cloud}"
    if others := [cid for cid in plan.cids if cid != plan.cid]:
        yield "also", ", ".join(others)
    yield "selected by", plan.selection
    if preview.planned:
        yield "created", f"{preview.oldest} to {preview.newest}"
    if plan.undoes:
        yield "undoes", plan.undoes
    for action in preview.actions:
        yield "sends", action
    if plan.overrides:
        yield "overrides", ", ".join(plan.overrides)
    yield "operator", plan.operator
    yield "run", plan.run_id


def _counts_sheet(preview: Preview) -> Sheet:
    rows: list[Row] = [
        (preview.selected, "selected", ""),
        *skipped_and_held_rows(preview.skipped, preview.held),
        (preview.planned, "planned", "will be changed"),
    ]
    return Sheet("", COUNT_COLUMNS, rows)


def _top_values_sheet(sample: TopValues) -> Sheet:
    notes = [f"and {format_cell(sample.others)} more"] if sample.others else []
    rows = [(number, value or "none") for value, number in sample.counts]
    style = "severity" if sample.title == "Severity" else ""
    columns = (Column("alerts", right=True, bar=True), Column(sample.title, style=style, wrap=True, min_width=64))
    return Sheet("", columns, rows, notes)
