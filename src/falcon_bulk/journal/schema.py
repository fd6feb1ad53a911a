"""The journal's tables. Statements are written for SQLite and PostgreSQL: times as UTC text, JSON as text."""

from sqlalchemy import Column, Float, Index, Integer, MetaData, Table, Text, text

metadata = MetaData()

schema_version = Table("schema_version", metadata, Column("version", Integer, nullable=False))

runs = Table(
    "runs",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("cid", Text, nullable=False),
    Column("kind", Text, nullable=False),  # `alerts` or `indicators`: what items are
    Column("command", Text, nullable=False),
    Column("customer", Text, nullable=False),
    Column("operator", Text, nullable=False),
    Column("machine", Text, nullable=False),
    Column("selection", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("undoes", Text, nullable=False),
    Column("rule", Text, nullable=False, server_default=""),
    Column("plan", Text, nullable=False),  # model.plan.Plan as JSON
    Column("preview", Text, nullable=False),  # model.preview.Preview as JSON
    Column("status", Text, nullable=False),  # model.run.RunStatus, or `draft` while its plan is being made
    Column("started", Text, nullable=False),
    Column("finished", Text),
    Column("closed", Integer, nullable=False, server_default="0"),  # 1: nothing is left to do, or abandoned
    Column("exit_code", Integer, nullable=False, server_default="0"),
    Column("requests", Integer, nullable=False, server_default="0"),
    Column("seconds", Float, nullable=False, server_default="0"),
    Column("position", Integer, nullable=False),  # the order in which runs were recorded
)

action_sets = Table(
    "action_sets",
    metadata,
    Column("cid", Text, nullable=False),
    Column("run_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("actions", Text, nullable=False),  # model.plan.ActionSet as JSON
)

items = Table(
    "items",
    metadata,
    Column("cid", Text, nullable=False),
    Column("run_id", Text, primary_key=True),
    Column("item_id", Text, primary_key=True),  # a composite id or a SHA256
    Column("position", Integer, nullable=False),  # the order of the plan
    Column("action_set", Integer, nullable=False),
    Column("before", Text),  # AlertState or Indicator as JSON: what was seen when the plan was made
    Column("state", Text, nullable=False),  # model.run.Outcome; `unknown` from the intent until the outcome
    Column("reason", Text, nullable=False),
    Column("rule", Text, nullable=False, server_default=""),
    Column("remote_id", Text, nullable=False, server_default=""),
    Column("after", Text),  # as `before`, as read back after the change
    Column("verified", Integer, nullable=False, server_default="0"),
    Column("batch", Integer),
    Column("compared", Text),  # of what a closing rule closes: the values that the outlier check compares, as JSON
    Index("items_by_state", "run_id", "state", "action_set", "position"),
    Index("items_by_id", "item_id"),
)
_OF_A_RULE = text("rule != ''")
Index(
    "items_by_rule",
    items.c.rule,
    items.c.state,
    items.c.run_id,
    sqlite_where=_OF_A_RULE,
    postgresql_where=_OF_A_RULE,
)

closed_alerts = Table(
    "closed_alerts",
    metadata,
    Column("cid", Text, nullable=False),
    Column("item_id", Text, primary_key=True),  # a composite id that a run closed, or may have, and that was pruned
)

batches = Table(
    "batches",
    metadata,
    Column("cid", Text, nullable=False),
    Column("run_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("items", Integer, nullable=False),
    Column("sent", Text, nullable=False),  # when the intent was recorded
    Column("answered", Text),
    Column("outcome", Text, nullable=False, server_default=""),
    Column("trace_id", Text, nullable=False, server_default=""),
)

problems = Table(
    "problems",
    metadata,
    Column("cid", Text, nullable=False),
    Column("run_id", Text, primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("problem", Text, nullable=False),  # model.run.RunProblem as JSON
)

RUN_TABLES = (items, action_sets, batches, problems, runs)
"""The tables that hold rows of a run, in the order in which these are deleted."""
