"""The reports of `runs`: the journal's list of runs, and one run with its alerts."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import msgspec

from falcon_bulk.model.plan import AlertState, Plan
from falcon_bulk.model.plural import counted
from falcon_bulk.model.run import ItemRecord, RunResult, RunRow
from falcon_bulk.report import chart
from falcon_bulk.report.facts import FACT_COLUMNS
from falcon_bulk.report.page import Page
from falcon_bulk.report.report import Report
from falcon_bulk.report.run_result import AllowDocument, RunDocument, result_document, result_sheets
from falcon_bulk.report.sheet import Column, Row, Sheet, StoredRows, format_cell, id_column
from falcon_bulk.report.times import describe_period

AlertRecord = ItemRecord[AlertState]

RUN_LEGEND = {
    "Run": "one bulk change of alerts, recorded alert by alert",
    "Selected": "alerts that the run was about",
    "Skipped": "needed no change",
    "Held": "left alone by a guardrail, which keeps certain alerts out of bulk changes",
    "Planned": "were to be changed",
    "Changed, verified": "Falcon accepted the change; read again, the alert was as it should be",
    "Drifted": "changed by somebody since the plan, so left alone",
    "Failed, unknown": "Falcon refused the change; the answer was lost",
}
"""The terms of the pages on runs."""

_RUN_COLUMNS = (
    Column("started", style="time", min_width=19),
    Column("run_id", min_width=40, whole=True),
    Column("customer", drop_order=4, min_width=20, whole=True),
    Column("operator", min_width=12),
    Column("command", min_width=12),
    Column("status", min_width=13),
    Column("planned", right=True, drop_order=2),
    Column("changed", right=True),
    Column("actions", drop_order=5, min_width=14, wrap=True),
    Column("selection", min_width=60, whole=True),
    Column("comment", drop_order=7, min_width=24, wrap=True),
    Column("overridden", drop_order=8, wrap=True),
    Column("finished", style="time", drop_order=9, min_width=19),
    Column("cid", style="id", drop_order=10, min_width=32, whole=True),
)
_OF_SEVERAL = {"customer": 0, "operator": 3}
"""The drop order of columns where the runs are of several customers."""
_RECORD_COLUMNS = (
    Column("outcome"),
    id_column("composite_id"),
    Column("status before", drop_order=2),
    Column("assigned before", drop_order=4),
    Column("tags before", drop_order=3),
    Column("reason", drop_order=1, min_width=16, wrap=True),
)


class StateDocument(msgspec.Struct, frozen=True):
    """An alert's state before a run, in JSON; fields are named as Falcon names them."""

    status: str
    assigned_to_name: str
    assigned_to_uid: str
    assigned_to_uuid: str
    tags: Sequence[str]
    show_in_ui: bool | None
    case: str
    comments: int


class RecordDocument(msgspec.Struct, frozen=True):
    """An alert of a run, in JSON. rule: the closing rule that closes it, '' in other runs."""

    composite_id: str
    before: StateDocument | None
    outcome: str
    reason: str
    rule: str


def runs_sheet(rows: Iterable[RunRow], *, of_several: bool = False) -> Sheet:
    """Return a row for each run, in the given order. of_several: whether they are of several customers."""
    columns = [replace(column, drop_order=_OF_SEVERAL.get(column.title, column.drop_order)) for column in _RUN_COLUMNS]
    return Sheet("", columns if of_several else _RUN_COLUMNS, map(_run_cells, rows), common_above=True)


def runs_page(rows: Sequence[RunRow], *others: Sheet) -> Page:
    """Return the list of runs with the number of them by status. others: sheets below the list."""
    statuses = Counter(str(row.status) for row in rows)
    charts = [chart.bars("Runs by status", chart.by_frequency(statuses), len(rows))] if rows else []
    customers = {row.customer for row in rows}
    of = next(iter(customers)) if len(customers) == 1 else f"{format_cell(len(customers))} customers"
    title = f"{counted(len(rows), 'run')}{f' of {of}' if rows else ''}"
    period = describe_period(min(row.started for row in rows), max(row.started for row in rows), "") if rows else ""
    sheet = runs_sheet(rows)
    *columns, _cid = sheet.columns
    listed = replace(sheet, columns=columns, rows=[row[:-1] for row in sheet.rows])
    return Page([listed, *others], title, charts=charts, period=period, legend=RUN_LEGEND)


class RunsDocument(msgspec.Struct, frozen=True, tag_field="schema", tag="falcon-bulk/runs/1"):
    """`falcon-bulk/runs/1`."""

    runs: Sequence[RunRow]


def runs_report(rows: Sequence[RunRow]) -> Report:
    """Return the report on a journal's runs, in the given order."""
    return Report(lambda: [runs_sheet(rows)], lambda: RunsDocument(rows), lambda: runs_page(rows))


def alert_records_sheet(alerts: Callable[[], Iterable[AlertRecord]]) -> Sheet:
    """Return a row for each alert of a run: its outcome, and its state before. alerts: reads all with each call."""
    return Sheet("", _RECORD_COLUMNS, StoredRows(lambda: map(_record_cells, alerts())))


def run_detail_sheets(result: RunResult, sheets: Sequence[Sheet], each: Sheet) -> list[Sheet]:
    """Return a run's result, who ran it and why, and each of its alerts or indicators, which is all that csv has."""
    first, *others = sheets
    return [replace(first, csv_sheet=each), run_facts_sheet(result), *others, each]


def run_page(
    result: RunResult, plan: Plan, alerts: Callable[[], Iterable[AlertRecord]], sent: Mapping[str, int]
) -> Page:
    """Return a run with its alerts, and charts of outcomes, states before, and when batches were sent.

    alerts: reads all of them with each call. sent: alerts by the time (UTC) their batch was sent.
    """
    facts = {"customer": result.customer, "run": result.run_id, "planned at": plan.created, **run_facts(result)}
    outcomes, statuses = Counter[str](), Counter[str]()
    for alert in alerts():
        outcomes[str(alert.outcome)] += 1
        if alert.before:
            statuses[alert.before.status] += 1
    left = {f"{kind}: {why}": number for kind, of in _left_alone(result) for why, number in of.items() if number}
    charts = [
        chart.bars("Outcomes", chart.by_frequency(outcomes), result.planned),
        chart.bars("Status before", chart.by_frequency(statuses), result.planned),
    ]
    if left:
        charts.append(chart.bars("Selected and left alone", chart.by_frequency(left), result.selected))
    if sent:
        charts.append(chart.timeline("Alerts sent (UTC)", sent, "second"))
    records = replace(alert_records_sheet(alerts), title="Alerts")
    return Page(
        [*result_sheets(result, advice=False), records],
        facts={what: fact for what, fact in facts.items() if fact},
        charts=charts,
        period=plan.created[:10],
        legend=RUN_LEGEND,
    )


def run_facts(result: RunResult) -> dict[str, str]:
    """Return who ran it, on what, what it did to each item, what it overrode, and why."""
    facts = {
        "operator": result.operator,
        "command": result.command,
        "selected": result.selection,
        "actions": without_comment(result.actions),
        "overrides": ", ".join(result.overridden),
        "comment": result.comment,
    }
    return {label: value for label, value in facts.items() if value}


def run_facts_sheet(result: RunResult) -> Sheet:
    """Return the facts of a run as rows."""
    return Sheet("", FACT_COLUMNS, list(run_facts(result).items()))


def without_comment(actions: Sequence[str]) -> str:
    """Return the actions of a run in one line, without the comment, which has a place of its own."""
    return ", ".join(action for action in actions if not action.startswith("comment: "))


def _left_alone(result: RunResult) -> tuple[tuple[str, dict[str, int]], ...]:
    return ("skipped", result.skipped), ("held", result.held)


def run_detail_document(result: RunResult, alerts: Iterable[AlertRecord]) -> RunDocument | AllowDocument:
    """Return `falcon-bulk/run/1` with the run's alerts, which are read while it is written."""
    document = result_document(result)
    if isinstance(document, AllowDocument):
        return document
    return msgspec.structs.replace(document, alerts=map(_record_document, alerts))


def _record_document(alert: AlertRecord) -> RecordDocument:
    return RecordDocument(alert.item_id, _state_document(alert.before), alert.outcome, alert.reason, alert.rule)


def _state_document(state: AlertState | None) -> StateDocument | None:
    if state is None:
        return None
    return StateDocument(
        state.status,
        state.assigned_name,
        state.assigned_uid,
        state.assigned_uuid,
        state.tags,
        state.show_in_ui,
        state.case,
        state.comments,
    )


def _run_cells(row: RunRow) -> Row:
    return (
        row.started,
        row.run_id,
        row.customer,
        row.operator,
        row.command,
        str(row.status),
        row.planned,
        row.changed,
        without_comment(row.actions),
        row.selection,
        row.comment,
        ", ".join(row.overridden),
        row.finished,
        row.cid,
    )


def _record_cells(alert: AlertRecord) -> Row:
    before = alert.before
    return (
        str(alert.outcome),
        alert.item_id,
        before.status if before else "",
        (before.assigned_name or before.assigned_uid or before.assigned_uuid) if before else "",
        ", ".join(before.tags) if before else "",
        alert.reason,
    )
