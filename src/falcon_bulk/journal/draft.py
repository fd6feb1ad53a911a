"""A plan on its way into the journal."""

from typing import TYPE_CHECKING

from falcon_bulk.journal.alerts import ROWS_AT_ONCE
from falcon_bulk.model.indicator import PlannedIndicator
from falcon_bulk.model.plan import ActionSet, PlannedAlert
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.run import Outcome

if TYPE_CHECKING:
    from falcon_bulk.journal.journal import Journal


class Draft:
    """A plan on its way into the journal; collects rows so that they are written 1,000 at a time."""

    def __init__(self, journal: "Journal", run_id: str) -> None:
        self._journal = journal
        self.run_id = run_id
        self._rows: list[tuple[PlannedAlert, Outcome, str]] = []
        self._indicators: list[tuple[PlannedIndicator, Outcome, str]] = []
        self._action_sets: list[tuple[int, ActionSet]] = []

    def add_action_set(self, number: int, action_set: ActionSet) -> None:
        """A new way; comes before the first alert that goes it."""
        self._action_sets.append((number, action_set))

    def add(self, alert: PlannedAlert, outcome: Outcome = Outcome.NOT_SENT, reason: str = "") -> None:
        """An alert of the plan. An outcome other than NOT_SENT is final already (an undo's drifted ones)."""
        self._rows.append((alert, outcome, reason))
        if len(self._rows) >= ROWS_AT_ONCE:
            self.flush()

    def add_indicator(self, planned: PlannedIndicator, outcome: Outcome = Outcome.NOT_SENT, reason: str = "") -> None:
        """An indicator of the plan, as `add` does for an alert."""
        self._indicators.append((planned, outcome, reason))

    def flush(self) -> None:
        """Write what is collected."""
        self._journal.indicators.add(self.run_id, self._indicators)
        self._indicators = []
        self._journal.alerts.add(self.run_id, self._rows, self._action_sets)
        self._rows, self._action_sets = [], []

    def begin(self, preview: Preview, at: str) -> None:
        """The plan is whole and will be carried out."""
        self.flush()
        self._journal.begin(self.run_id, preview, at)
