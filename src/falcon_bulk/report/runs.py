"""What `runs` prints: the journal's list of runs, and one run with its alerts."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from falcon_bulk.model.plan import AlertState, Plan
from falcon_bulk.model.run import AlertRecord, RunResult, RunRow
from falcon_bulk.report import chart
from falcon_bulk.report.page import Page
from falcon_bulk.report.run_result import result_document, result_sheets
from falcon_bulk.report.sheet import Column, Row, Sheet, format_cell

_RUN_COLUMNS = (
    Column("started", style="time", spare=2, least=16),
    Column("run_id", least=40),
    Column("customer", spare=3),
    Column("command", spare=4, least=12),
    Column("status", least=13),
    Column("planned", right=True, spare=1),
    Column("changed", right=True),
    Column("finished", style="time", spare=5, least=16),
    Column("cid", spare=6, least=32),
)
_RECORD_COLUMNS = (
    Column("outcome"),
    Column("composite_id", style="id", least=24),
    Column("status before", spare=2),
    Column("assigned before", spare=4),
    Column("tags before", spare=3),
    Column("reason", spare=1, least=16),
)


def runs_sheet(rows: Iterable[RunRow]) -> Sheet:
    """A line for each run, in the given order."""
    return Sheet("", _RUN_COLUMNS, map(_run_cells, rows))


def runs_page(rows: Sequence[RunRow]) -> Page:
    """The list of runs with the number of them by how they stand."""
    standings = Counter(str(row.status) for row in rows)
    charts = [chart.bars("Runs by how they stand", chart.most_first(standings), len(rows))] if rows else []
    return Page([runs_sheet(rows)], f"{format_cell(len(rows))} runs", charts=charts)


def runs_document(rows: Iterable[RunRow]) -> dict[str, Any]:
    """`falcon-bulk/runs/1`, in the given order."""
    return {
        "schema": "falcon-bulk/runs/1",
        "runs": [
            {
                "run_id": row.run_id,
                "customer": row.customer,
                "cid": row.cid,
                "command": row.command,
                "status": str(row.status),
                "started": row.started,
                "finished": row.finished,
                "planned": row.planned,
                "changed": row.changed,
            }
            for row in rows
        ],
    }


def alert_records_sheet(alerts: Iterable[AlertRecord]) -> Sheet:
    """What became of each alert of a run, and what it was before."""
    return Sheet("", _RECORD_COLUMNS, map(_record_cells, alerts))


def run_detail_sheets(result: Sequence[Sheet], each: Sheet) -> list[Sheet]:
    """A run's result, and a sheet with each of its alerts or indicators, which csv shows alone."""
    first, *others = result
    return [replace(first, flat=each), *others, each]


def run_page(
    result: RunResult, plan: Plan, alerts: Callable[[], Iterable[AlertRecord]], sent: Mapping[str, int]
) -> Page:
    """A run with its alerts, and charts of what became of them, what they were, and when they were sent.

    alerts: gives all of them anew with each call. sent: the alerts of the batches by the time (UTC) they left.
    """
    facts = {
        "customer": result.customer,
        "run": result.run_id,
        "command": result.command,
        "selected by": plan.selection,
        "planned at": plan.created,
        "carried out by": plan.operator,
        "comment": plan.comment,
    }
    outcomes, statuses = Counter[str](), Counter[str]()
    for alert in alerts():
        outcomes[str(alert.outcome)] += 1
        statuses[alert.before.status] += 1
    left = {f"{kind}: {why}": number for kind, of in _left_alone(result) for why, number in of.items() if number}
    charts = [
        chart.bars("What became of the alerts", chart.most_first(outcomes), result.planned),
        chart.bars("Their status before", chart.most_first(statuses), result.planned),
    ]
    if left:
        charts.append(chart.bars("Selected and left alone", chart.most_first(left), result.selected))
    if sent:
        charts.append(chart.timeline("Alerts sent (UTC)", sent, "second"))
    records = replace(alert_records_sheet(alerts()), title="Alerts")
    return Page(
        [*result_sheets(result), records], facts={what: fact for what, fact in facts.items() if fact}, charts=charts
    )


def _left_alone(result: RunResult) -> tuple[tuple[str, dict[str, int]], ...]:
    return ("skipped", result.skipped), ("held", result.held)


def run_detail_document(result: RunResult, alerts: Iterable[AlertRecord]) -> dict[str, Any]:
    """`falcon-bulk/run/1` with the run's alerts under `alerts`."""
    return result_document(result) | {
        "alerts": [
            {
                "composite_id": alert.composite_id,
                "before": _before(alert.before),
                "outcome": str(alert.outcome),
                "reason": alert.reason,
            }
            for alert in alerts
        ]
    }


def _before(state: AlertState) -> dict[str, Any]:
    return {
        "status": state.status,
        "assigned_to_name": state.assigned_name,
        "assigned_to_uid": state.assigned_uid,
        "assigned_to_uuid": state.assigned_uuid,
        "tags": list(state.tags),
        "show_in_ui": state.show_in_ui,
        "case": state.case,
        "comments": state.comments,
    }


def _run_cells(row: RunRow) -> Row:
    return (
        row.started,
        row.run_id,
        row.customer,
        row.command,
        str(row.status),
        row.planned,
        row.changed,
        row.finished,
        row.cid,
    )


def _record_cells(alert: AlertRecord) -> Row:
    before = alert.before
    return (
        str(alert.outcome),
        alert.composite_id,
        before.status,
        before.assigned_name or before.assigned_uid or before.assigned_uuid,
        ", ".join(before.tags),
        alert.reason,
    )
