"""The preview of a change: what would happen to how many alerts, on one screen, or in full with --details."""

import textwrap
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from falcon_bulk.model.plan import AlertPlan, IndicatorPlan, Plan
from falcon_bulk.model.preview import Preview, TopValues
from falcon_bulk.model.vocabulary import SEVERITY_NAMES, Resolution, Status
from falcon_bulk.report.change_phrase import describe_change, describe_effects
from falcon_bulk.report.count_rows import COUNT_COLUMNS, describe_held, describe_skipped, skipped_and_held_rows
from falcon_bulk.report.facts import FACT_COLUMNS
from falcon_bulk.report.indicators import indicator_preview_sheets
from falcon_bulk.report.named_items import named_items_sheets
from falcon_bulk.report.outliers import outlier_findings, outlier_sheets
from falcon_bulk.report.rules_run import rules_run_sheet
from falcon_bulk.report.sheet import Column, Row, Sheet, format_cell
from falcon_bulk.report.times import readable_time
from falcon_bulk.textsafe import printable

MAX_GROUPS = 5
MAX_EXAMPLES = 5
MAX_VALUES = 5
CLOSING_NOTE = "No undo reverses workflows, tickets or mails that closing can fire."
UNDO_NOTE = "Comments cannot be undone, nor workflows, tickets and mails that were fired."

_LISTED = {"Rule": "rules", "Severity": "severity", "Host": "hosts", "File": "files", "Parent": "parents"}
_COMMAND_LINE = "Command line"
_LABEL_WIDTH = 11
_LINES_AROUND = 4
"""Lines of a screen for the title, a blank one, and the question."""
_DISPENSABLE = ("outliers", "created", "note", "parents", "by name")
"""Lines that are left out, in this order, where a screen has no room even for one value of each property."""


class Screen(NamedTuple):
    """The size of the terminal that a preview is to fit on."""

    columns: int
    lines: int


def preview_sheets(plan: Plan, preview: Preview, *, details: bool = False, screen: Screen | None = None) -> list[Sheet]:
    """Return the plan for a person to confirm.

    screen: what it has to fit on; fewer of the most frequent values are listed if it has no room for five. details:
    add tables of every property and of the outliers.
    """
    number = f"{format_cell(preview.planned)} of {format_cell(preview.selected)}"
    title = f"{plan.customer}: {describe_change(plan, preview, number)}"
    if isinstance(plan, IndicatorPlan):
        return indicator_preview_sheets(plan, preview, title)
    finding, outlier_warnings = outlier_findings(preview.outliers) if preview.outliers else ("", [])
    warnings = (*outlier_warnings, *preview.warnings)
    fitted = None if details else screen
    for shown in range(MAX_VALUES, 0, -1):
        rows = list(_facts(plan, preview, finding, shown, fitted))
        if _fits(rows, warnings, fitted):
            break
    for label in _DISPENSABLE:
        if not _fits(rows, warnings, fitted):
            rows = [row for row in rows if row[0] != label]
    sheets = [Sheet(title, FACT_COLUMNS, rows, warnings=warnings)]
    if details and preview.rules:
        sheets.append(rules_run_sheet(preview.rules, dry=True))
    if details:
        sheets += _detail_sheets(preview, by_rules=plan.is_by_rules)
    return sheets if fitted else [*sheets, *named_items_sheets(preview.items)]


def _facts(
    plan: AlertPlan, preview: Preview, outliers: str, shown: int, screen: Screen | None
) -> Iterator[tuple[str, str]]:
    cids = plan.cid + (f" and {len(plan.cids) - 1} more" if len(plan.cids) > 1 else "")
    yield "tenant", f"{cids} at {plan.cloud.removeprefix('https://')}"
    yield "selected", plan.selection if screen is None else _short_selection(plan)
    if preview.planned:
        yield "created", f"{readable_time(preview.oldest)} to {readable_time(preview.newest)} UTC"
    if plan.undoes:
        yield "undoes", plan.undoes
    samples = {sample.title: sample for sample in preview.samples}
    for title, label in _LISTED.items():
        if sample := samples.get(title):
            yield label, _listed(_by_rank(sample), MAX_VALUES) if title == "Severity" else _listed(sample, shown)
    if command_lines := samples.get(_COMMAND_LINE):
        yield from _command_lines(command_lines, shown, screen)
    if outliers:
        yield "outliers", outliers
    if held := describe_held(preview.held, advice=not plan.is_by_rules):
        yield "held", held
    if skipped := describe_skipped(preview.skipped):
        yield "skipped", skipped
    if (number := len(preview.items)) and screen is not None:
        listed = "it" if number == 1 else "them"
        yield "by name", f"{format_cell(number)} given by name left alone; --details lists {listed}"
    if plan.overrides:
        yield "overrides", ", ".join(plan.overrides)
    if further := _further_effects(plan, preview):
        yield "changes", further
    yield "comment", plan.comment
    yield (
        "run",
        f"{plan.run_id}, planned {readable_time(plan.created)} UTC by {plan.operator}"
        + (f" on {plan.machine}" if plan.machine else ""),
    )
    if note := _note(plan, preview):
        yield "note", note


def _short_selection(plan: AlertPlan) -> str:
    """Return the selection with the number of its hashes in place of several hashes."""
    named = f"hash {' or '.join(plan.hashes)}"
    return plan.selection.replace(named, f"{len(plan.hashes)} hashes") if len(plan.hashes) > 1 else plan.selection


def _further_effects(plan: AlertPlan, preview: Preview) -> str:
    """Describe the actions that the title does not tell; those of an undo differ from alert to alert."""
    further = [
        effect
        for effect in preview.effects
        if effect.alerts != preview.planned
        or not (effect.name == "update_status" or (effect.name == "add_tag" and effect.value in tuple(Resolution)))
    ]
    return "" if plan.undoes else describe_effects(further, preview.planned)


def _note(plan: AlertPlan, preview: Preview) -> str:
    if plan.undoes:
        return UNDO_NOTE
    closes = any(effect.name == "update_status" and effect.value == Status.CLOSED for effect in preview.effects)
    return CLOSING_NOTE if closes else ""


def _by_rank(severities: TopValues) -> TopValues:
    """Return the severities from the highest to the lowest, as everywhere."""
    rank = {name: place for place, name in enumerate(SEVERITY_NAMES)}
    counts = sorted(severities.counts, key=lambda count: rank.get(count[0] or "", len(rank)))
    return msgspec.structs.replace(severities, counts=tuple(counts))


def _listed(sample: TopValues, shown: int) -> str:
    """Return the most frequent values with their numbers, and how many there are besides."""
    counts = sample.counts[:shown]
    rest = sample.others + len(sample.counts) - len(counts)
    return ", ".join(f"{value or 'none'} {format_cell(number)}" for value, number in counts) + (
        f", and {format_cell(rest)} more" if rest else ""
    )


def _command_lines(sample: TopValues, shown: int, screen: Screen | None) -> Iterator[tuple[str, str]]:
    """Yield a row for each of the most frequent command lines; on a screen it is cut to one line."""
    counts = sample.counts[:shown]
    rest = sample.others + len(sample.counts) - len(counts)
    for index, (value, number) in enumerate(counts):
        text = printable(f"{format_cell(number)}  {value or 'none'}")
        last = f" (and {format_cell(rest)} more)" if rest and index == len(counts) - 1 else ""
        room = screen.columns - _LABEL_WIDTH - len(last) if screen else _columns(text)
        cut = text if _columns(text) <= room else text[: max(room - 1, 1)] + "…"
        yield ("" if index else "commands"), cut + last


def _fits(rows: Sequence[tuple[str, str]], warnings: Sequence[str], screen: Screen | None) -> bool:
    """Return whether a preview has room on a screen beside its title and the question."""
    if screen is None:
        return True
    lines = sum(_lines(f"Warning: {warning}", screen.columns) for warning in warnings)
    lines += sum(_lines(printable(value), screen.columns - _LABEL_WIDTH) for _, value in rows)
    return lines <= screen.lines - _LINES_AROUND


def _lines(text: str, columns: int) -> int:
    """Return how many lines a text takes when it is wrapped between words, as tables do it."""
    width = max(columns, 1)
    extra = -(-(_columns(text) - len(text)) // width)  # characters of two columns
    return max(1, len(textwrap.wrap(text, width))) + extra


def _columns(text: str) -> int:
    """Return about how many columns of a terminal a text takes."""
    return len(text) + sum(
        unicodedata.east_asian_width(character) in "WF" for character in text if character > "\u1100"
    )


def _detail_sheets(preview: Preview, *, by_rules: bool) -> Iterator[Sheet]:
    rows: list[Row] = [
        (preview.selected, "selected", ""),
        *skipped_and_held_rows(preview.skipped, preview.held, advice=not by_rules),
        (preview.planned, "planned", "will be changed"),
    ]
    yield Sheet("", COUNT_COLUMNS, rows)
    yield from map(_top_values_sheet, preview.samples)
    if preview.outliers is not None:
        yield from outlier_sheets(preview.outliers, MAX_GROUPS, MAX_EXAMPLES)


def _top_values_sheet(sample: TopValues) -> Sheet:
    notes = [f"and {format_cell(sample.others)} more"] if sample.others else []
    rows = [(number, value or "none") for value, number in sample.counts]
    style = "severity" if sample.title == "Severity" else ""
    columns = (Column("alerts", right=True, bar=True), Column(sample.title, style=style, wrap=True, min_width=64))
    return Sheet("", columns, rows, notes)
