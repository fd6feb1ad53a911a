"""What `runs` prints: the journal's list of runs, and one run with its alerts."""

from collections.abc import Iterable
from typing import Any

from falcon_bulk.model.plan import AlertState
from falcon_bulk.model.run import AlertRecord, RunResult, RunRow
from falcon_bulk.report.result import result_document
from falcon_bulk.report.sheet import Column, Row, Sheet

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
