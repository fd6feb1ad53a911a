"""Brings a journal of an older version to the present schema, in the caller's transaction."""

from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import Connection, inspect

from falcon_bulk.journal.schema import closed_alerts, items, metadata, runs


def migrate(db: Connection, version: int) -> None:
    """Apply all migrations from a version on, in order."""
    for step in _STEPS[version - 1 :]:
        step(db)


_COPIES_FROM_VERSION_1 = (
    """
    INSERT INTO action_sets (cid, run_id, number, actions)
    SELECT runs.cid, run_id, way, CAST(actions AS TEXT) FROM v1_ways JOIN runs USING (run_id)
    """,
    """
    INSERT INTO items (cid, run_id, item_id, position, action_set, before, state, reason, after, verified, batch)
    SELECT runs.cid, run_id, composite_id, v1_alerts.rowid, way, CAST(before AS TEXT), state, reason,
           CAST(after AS TEXT), verified, batch
    FROM v1_alerts JOIN runs USING (run_id)
    """,
    """
    INSERT INTO items (cid, run_id, item_id, position, action_set, before, state, reason, remote_id, after, verified)
    SELECT runs.cid, run_id, sha256, row_number() OVER (PARTITION BY run_id ORDER BY sha256), 0,
           CAST(before AS TEXT), state, reason, indicator_id, CAST(after AS TEXT), verified
    FROM v1_indicators JOIN runs USING (run_id)
    """,
    """
    INSERT INTO batches (cid, run_id, number, items, sent, answered, outcome, trace_id)
    SELECT runs.cid, run_id, batch, alerts, sent, answered, outcome, trace_id FROM v1_batches JOIN runs USING (run_id)
    """,
    """
    INSERT INTO problems (cid, run_id, position, problem)
    SELECT runs.cid, run_id, v1_problems.rowid, CAST(problem AS TEXT) FROM v1_problems JOIN runs USING (run_id)
    """,
)
"""SQLite's own SQL: version 1 was never kept in anything else. Positions are distinct in each run: batches continue
after the last one seen."""


def _from_version_1(db: Connection) -> None:
    """Version 1 had a table each for alerts and indicators, `ways` for action sets, and runs as plan JSON alone."""
    tables = ("ways", "alerts", "indicators", "batches", "problems", "runs")
    for name in tables:
        db.exec_driver_sql(f"ALTER TABLE {name} RENAME TO v1_{name}")
    metadata.create_all(db)
    former = db.exec_driver_sql(
        "SELECT run_id, plan, preview, status, started, finished, closed, exit_code, requests, seconds "
        "FROM v1_runs WHERE status != 'draft' ORDER BY started, rowid"
    ).mappings()
    for position, run in enumerate(former.all(), 1):
        db.execute(runs.insert(), _run_of_version_1(dict(run)) | {"position": position})
    for statement in _COPIES_FROM_VERSION_1:
        db.exec_driver_sql(statement)
    for name in tables:
        db.exec_driver_sql(f"DROP TABLE v1_{name}")


def _run_of_version_1(run: dict[str, Any]) -> dict[str, Any]:
    plan = msgspec.json.decode(run["plan"], type=dict[str, Any])
    preview = msgspec.json.decode(run["preview"], type=dict[str, Any])
    spec, overrides = plan.pop("allowance", None), plan.pop("lifted", ())
    plan |= {"kind": "alerts", "overrides": overrides} if spec is None else {"kind": "indicators", "spec": spec}
    preview["actions"] = preview.pop("sent", ())
    preview.pop("alike", None)  # shown to whoever confirmed the run, and not used since
    columns = ("cid", "kind", "command", "customer", "operator", "selection", "comment", "undoes")
    return run | {
        "machine": "",
        **{name: plan.get(name, "") for name in columns},
        "plan": msgspec.json.encode(plan).decode(),
        "preview": msgspec.json.encode(preview).decode(),
    }


def _from_version_2(db: Connection) -> None:
    """Version 2 knew no closing rules: it kept no compared values, and had no index by alert or by rule."""
    if "compared" not in {column["name"] for column in inspect(db).get_columns(items.name)}:
        db.exec_driver_sql("ALTER TABLE items ADD COLUMN compared TEXT")
    closed_alerts.create(db, checkfirst=True)
    for index in items.indexes:
        index.create(db, checkfirst=True)


_STEPS: tuple[Callable[[Connection], None], ...] = (_from_version_1, _from_version_2)
