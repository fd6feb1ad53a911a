"""A journal as the first version of the program wrote it, from its rows in version_1_rows.json.

It has a finished run, the undo of it, a run of indicators, and a run that was killed: 3 alerts changed, 3 unknown and
6 not sent. They are listed in this order.
"""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

CID = "0799715cac6f83718e52c4efb1100f04"
CLOSED, UNDO, ALLOWED, UNFINISHED = "261128vzayvc", "2611282zddga", "261128tf8gmt", "261128qv4wgq"
_ROWS = Path(__file__).with_name("version_1_rows.json")
_BYTES = frozenset({"plan", "preview", "actions", "before", "after", "problem"})

Tables = dict[str, list[dict[str, Any]]]


def write_journal_of_version_1(folder: Path, alter: Callable[[Tables], None] = lambda tables: None) -> Path:
    """Write the journal and return its path. alter: changes the rows before."""
    document = json.loads(_ROWS.read_text("utf-8"))
    alter(document["tables"])
    path = folder / f"{CID}.sqlite3"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(document["schema"])
        for table, rows in document["tables"].items():
            for row in rows:
                values = [
                    value.encode() if name in _BYTES and value is not None else value for name, value in row.items()
                ]
                db.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", values)
        db.execute("PRAGMA user_version = 1")
        db.commit()
    return path
