"""The journal's tables. All SQL of the project stands in this room."""

VERSION = 1

SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    run_id TEXT PRIMARY KEY,
    plan BLOB NOT NULL,             -- model.plan.Plan as JSON
    preview BLOB NOT NULL,          -- model.preview.Preview as JSON
    status TEXT NOT NULL,           -- model.run.RunStatus, or 'draft' while its plan is being made
    started TEXT NOT NULL,
    finished TEXT,
    closed INTEGER NOT NULL DEFAULT 0,  -- 1: nothing is left to do, or it was abandoned
    exit_code INTEGER NOT NULL DEFAULT 0,
    requests INTEGER NOT NULL DEFAULT 0,
    seconds REAL NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS action_sets (
    run_id TEXT NOT NULL,
    action_set INTEGER NOT NULL,
    actions BLOB NOT NULL,
    PRIMARY KEY (run_id, action_set)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS alerts (
    run_id TEXT NOT NULL,
    composite_id TEXT NOT NULL,
    action_set INTEGER NOT NULL,
    before BLOB NOT NULL,           -- model.plan.AlertState: what was seen when the plan was made
    state TEXT NOT NULL DEFAULT 'not_sent',  -- model.run.Outcome; 'unknown' from the intent until the outcome
    reason TEXT NOT NULL DEFAULT '',
    after BLOB,                     -- AlertState read back after the change
    verified INTEGER NOT NULL DEFAULT 0,
    batch INTEGER
);
CREATE UNIQUE INDEX IF NOT EXISTS alerts_by_id ON alerts (run_id, composite_id);
CREATE INDEX IF NOT EXISTS alerts_by_state ON alerts (run_id, state, action_set);
CREATE TABLE IF NOT EXISTS indicators (
    run_id TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    before BLOB,                    -- model.indicator.Indicator that is to be deleted; NULL: one is to be created
    state TEXT NOT NULL DEFAULT 'not_sent',  -- as in alerts
    reason TEXT NOT NULL DEFAULT '',
    indicator_id TEXT NOT NULL DEFAULT '',   -- '' until it is known
    after BLOB,                     -- Indicator as read back
    verified INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (run_id, sha256)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batches (
    run_id TEXT NOT NULL,
    batch INTEGER NOT NULL,
    alerts INTEGER NOT NULL,
    sent TEXT NOT NULL,             -- when the intent was recorded
    answered TEXT,
    outcome TEXT NOT NULL DEFAULT '',
    trace_id TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (run_id, batch)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS problems (
    run_id TEXT NOT NULL,
    problem BLOB NOT NULL           -- model.run.RunProblem as JSON
);
"""
