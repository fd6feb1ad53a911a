"""Checks whether a journal can be read, without changing it."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from falcon_bulk.errors import JournalProblem
from falcon_bulk.journal.files import DRAFT, VERSION


class JournalHealth(NamedTuple):
    """How many runs a journal has. newer: it was written by a later version of the program."""

    runs: int
    unfinished: int
    newer: bool


def check_journal(path: Path) -> JournalHealth:
    """Read a journal without writing to it. Raises JournalProblem if it cannot be read or is damaged."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=10.0)) as db:
            (version,) = db.execute("PRAGMA user_version").fetchone()
            (sound,) = db.execute("PRAGMA quick_check(1)").fetchone()
            if sound != "ok":
                raise JournalProblem(
                    f"The journal {path} is damaged.", "Keep a copy; `falcon-bulk runs` shows the rest."
                )
            runs, unfinished = db.execute(
                "SELECT COUNT(*), COALESCE(SUM(closed = 0), 0) FROM runs WHERE status != ?", (DRAFT,)
            ).fetchone()
    except sqlite3.Error as error:
        raise JournalProblem(
            f"The journal {path} cannot be read: {error}.", "Nothing is sent without it. Check the folder's rights."
        ) from None
    return JournalHealth(runs, unfinished, version > VERSION)
