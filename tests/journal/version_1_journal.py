"""A journal as the first version of the program wrote it, from its rows in version_1_rows.json.

It has five runs: a bulk-close with one failed alert, the undo of it, an allow-hash, the undo of that, and a bulk-close
that was killed when 8 alerts were changed, 8 unknown and 8 not sent.
"""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

CID = "0799715cac6f83718e52c4efb1100f04"
CLOSED, UNDO_OF_CLOSED = "261128gzjxde", "2611286r8tkc"
ALLOWED, UNDO_OF_ALLOWED = "261128nay3xt", "261128t5sgpy"
UNFINISHED = "261128rsa9bk"
_ROWS = Path(__file__).with_name("version_1_rows.json")
_BYTES = frozenset({"plan", "preview", "actions", "before", "after", "problem"})

Tables = dict[str, list[dict[str, Any]]]


def write_journal_of_version_1(
    folder: Path, alter: Callable[[Tables], None] = lambda tables: None, *, cid: str = CID
) -> Path:
    """Write the journal of a CID and return its path. alter: changes the rows before they are written."""
    document = json.loads(_ROWS.read_text("utf-8"))
    alter(document["tables"])
    path = folder / f"{cid}.sqlite3"
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
