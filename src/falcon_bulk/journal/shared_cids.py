"""Finds unfinished runs that other journals hold of a CID: a run of several CIDs is recorded under the first."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import msgspec

from falcon_bulk.errors import JournalProblem
from falcon_bulk.journal.files import DRAFT, journal_paths, unfinished_run


class _PlanCids(msgspec.Struct):
    """The part of a plan that names its CIDs."""

    cids: tuple[str, ...] = ()


_decode_cids = msgspec.json.Decoder(_PlanCids).decode


def check_no_unfinished_run(folder: Path, cids: Iterable[str]) -> None:
    """Raise Busy if a journal in the folder has an unfinished run of any of the CIDs, whichever it is recorded under.

    A journal that cannot be read raises JournalProblem if it is of one of the CIDs, and is passed over otherwise: it
    stops no other customer. Nothing is written.
    """
    wanted = set(cids)
    for path in journal_paths(folder):
        try:
            open_runs = _unfinished_runs(path)
        except (sqlite3.Error, msgspec.MsgspecError) as error:
            if path.stem in wanted:
                raise JournalProblem(
                    f"The journal {path} cannot be read: {error}.",
                    "Nothing is sent without it; restore a copy.",
                ) from None
            continue
        for run_id, of_run in open_runs:
            if wanted & of_run:
                raise unfinished_run(run_id)


def _unfinished_runs(path: Path) -> list[tuple[str, set[str]]]:
    """Return the run ids of a journal's unfinished runs, each with its CIDs. Raises sqlite3.Error, MsgspecError."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=10.0)) as db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'runs'").fetchone():
            return []  # a process was killed while it created the journal
        rows = db.execute("SELECT run_id, plan FROM runs WHERE closed = 0 AND status != ?", (DRAFT,)).fetchall()
    return [(run_id, {path.stem, *_decode_cids(plan).cids}) for run_id, plan in rows]
