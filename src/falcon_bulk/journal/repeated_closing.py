"""Tells whether what a run closed was closed by hand before: the same hashes, or the same selection."""

import re

import msgspec
from sqlalchemy import select

from falcon_bulk.journal.database import Database
from falcon_bulk.journal.files import DRAFT
from falcon_bulk.journal.schema import items, runs
from falcon_bulk.model.plan import AlertPlan
from falcon_bulk.model.run import Outcome
from falcon_bulk.model.vocabulary import Status

BY_HAND = ("close-hash", "bulk-close")
"""The commands with which a person closes alerts."""
_TIMES = re.compile(r"(?:^|, )created (?:since|before) \S+?(?=,|$)")
_GIVEN_IDS = "exactly "


class _Closing(msgspec.Struct):
    """The part of a plan that says which alerts it was about."""

    hashes: tuple[str, ...] = ()
    selection: str = ""
    target: str = ""


_decode_closing = msgspec.json.Decoder(_Closing).decode


def closed_by_hand_before(database: Database, plan: AlertPlan) -> int:
    """Return how many earlier runs closed the same group by hand, without those that were undone.

    The group is that of the hashes or else, with its times left out, of the selection; ids that were given are none.
    Raises JournalProblem.
    """
    group = _group(plan.hashes, plan.selection)
    if not group or plan.command not in BY_HAND or plan.target != Status.CLOSED:
        return 0
    recorded = select(runs.c.run_id, runs.c.plan, runs.c.undoes, runs.c.command).where(runs.c.status != DRAFT)
    with database.read() as db:
        rows = db.execute(recorded).all()
        undone = {row.undoes for row in rows if row.undoes}
        same = [
            row.run_id
            for row in rows
            if row.command in BY_HAND
            and row.run_id not in {plan.run_id, *undone}
            and (closing := _decode_closing(row.plan)).target == Status.CLOSED
            and _group(closing.hashes, closing.selection) == group
        ]
        changed = select(items.c.run_id).where(items.c.run_id.in_(same), items.c.state == Outcome.CHANGED)
        return len(db.execute(changed.distinct()).all())


def _group(hashes: tuple[str, ...], selection: str) -> object:
    if hashes:
        return frozenset(hashes)
    return "" if selection.startswith(_GIVEN_IDS) else _TIMES.sub("", selection).removeprefix(", ")
