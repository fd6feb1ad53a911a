"""Writes a plan into the journal while it is being made."""

from collections.abc import Callable
from typing import Any, Generic

from falcon_bulk.journal.items import ROWS_AT_ONCE, DraftRow, ItemRecords
from falcon_bulk.model.plan import ActionSet, PlannedItem, State
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.run import Outcome


class Draft(Generic[State]):
    """Takes the items of a plan and writes them 1,000 at a time.

    begin_run: makes the draft a run; takes the preview and the time.
    """

    def __init__(
        self, run_id: str, records: ItemRecords[State], begin_run: Callable[[str, Preview, str], None]
    ) -> None:
        self.run_id = run_id
        self._records = records
        self._begin_run = begin_run
        self._rows: list[DraftRow[State]] = []
        self._action_sets: list[tuple[int, ActionSet]] = []
        self._written = 0

    def add_action_set(self, number: int, actions: ActionSet) -> None:
        """Take a new action set; called before the first alert that has it."""
        self._action_sets.append((number, actions))

    def add(self, item: PlannedItem[Any], outcome: Outcome = Outcome.NOT_SENT, reason: str = "") -> None:
        """Take an item of the plan. An outcome other than NOT_SENT is final already."""
        self._add(DraftRow(item, outcome, reason))

    def leave(self, item_id: str, outcome: Outcome, reason: str) -> None:
        """Take an item that was selected and is not planned: HELD or SKIPPED."""
        self._add(DraftRow(PlannedItem(item_id, None), outcome, reason))

    def begin(self, preview: Preview, at: str) -> None:
        """Make the draft, which is whole now, a run. at: UTC, RFC 3339."""
        self._flush()
        self._begin_run(self.run_id, preview, at)

    def _add(self, row: DraftRow[State]) -> None:
        self._rows.append(row)
        if len(self._rows) >= ROWS_AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        self._records.add(self.run_id, self._rows, self._action_sets, self._written)
        self._written += len(self._rows)
        self._rows, self._action_sets = [], []
