"""Writes a plan into the journal while it is being made."""

from typing import Any, Generic

from falcon_bulk.journal.items import ROWS_AT_ONCE, DraftRow, ItemRecords
from falcon_bulk.model.plan import ActionSet, PlannedItem, State
from falcon_bulk.model.run import Outcome


class Draft(Generic[State]):
    """Takes the items of a plan and writes them 1,000 at a time; `finish` writes the last."""

    def __init__(self, run_id: str, records: ItemRecords[State]) -> None:
        self.run_id = run_id
        self._records = records
        self._rows: list[DraftRow[State]] = []
        self._action_sets: list[tuple[int, ActionSet]] = []
        self._written = 0

    def add_action_set(self, number: int, actions: ActionSet) -> None:
        """Take a new action set; called before the first alert that has it."""
        self._action_sets.append((number, actions))

    def add(self, item: PlannedItem[Any], outcome: Outcome = Outcome.NOT_SENT, reason: str = "") -> None:
        """Take an item of the plan. An outcome other than NOT_SENT is final already."""
        self._add(DraftRow(item, outcome, reason))

    def leave(self, item_id: str, outcome: Outcome, reason: str, rule: str = "") -> None:
        """Take an item that was selected and is not planned: HELD or SKIPPED. rule: the closing rule that matches."""
        self._add(DraftRow(PlannedItem(item_id, None, rule=rule), outcome, reason))

    def finish(self) -> None:
        """Write what was not written yet: the draft is whole."""
        self._flush()

    def _add(self, row: DraftRow[State]) -> None:
        self._rows.append(row)
        if len(self._rows) >= ROWS_AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        self._records.add(self.run_id, self._rows, self._action_sets, self._written)
        self._written += len(self._rows)
        self._rows, self._action_sets = [], []
