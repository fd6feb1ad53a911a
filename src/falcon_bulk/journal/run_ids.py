"""Lists the newest runs for shell completion: quickly, without SQLAlchemy, and without changing a journal."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from falcon_bulk.journal.files import DRAFT

MAX_RUNS = 50
_QUERY = "SELECT run_id, command, status, started, customer FROM runs WHERE status != ? ORDER BY started DESC LIMIT ?"


class RecordedRun(NamedTuple):
    """A run as completion shows it. started: UTC, RFC 3339."""

    run_id: str
    command: str
    status: str
    started: str
    customer: str


def newest_runs(paths: Iterable[Path], customer: str = "") -> list[RecordedRun]:
    """Return the newest runs of all journals that can be read, newest first. customer: '' for those of every one."""
    runs: list[RecordedRun] = []
    for path in paths:
        with (
            suppress(sqlite3.Error),
            closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=0.2)) as db,
        ):
            runs += (RecordedRun(*map(str, row)) for row in db.execute(_QUERY, (DRAFT, MAX_RUNS)))
    wanted = [run for run in runs if not customer or run.customer == customer]
    return sorted(wanted, key=lambda run: run.started, reverse=True)[:MAX_RUNS]
