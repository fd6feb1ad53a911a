"""Where a plan goes while it is made: nowhere, a plan file, the journal."""

from typing import Any, Protocol

from falcon_bulk.model.plan import ActionSet, PlannedItem
from falcon_bulk.model.run import Outcome


class PlanSink(Protocol):
    """Receives a plan item by item."""

    def add_action_set(self, number: int, actions: ActionSet) -> None:
        """Take a new action set; called before the first alert that has it."""

    def add(self, item: PlannedItem[Any], outcome: Outcome = Outcome.NOT_SENT, reason: str = "") -> None:
        """Take an item of the plan. An outcome other than NOT_SENT is final already (drifted items of an undo)."""

    def leave(self, item_id: str, outcome: Outcome, reason: str, rule: str = "") -> None:
        """Take an item that was selected and is not planned: HELD or SKIPPED for a reason.

        rule: the closing rule that matches it, if there is one.
        """


class NullSink:
    """The sink of a dry run that saves nothing."""

    def add_action_set(self, number: int, actions: ActionSet) -> None:
        """Drop it."""

    def add(self, item: PlannedItem[Any], outcome: Outcome = Outcome.NOT_SENT, reason: str = "") -> None:
        """Drop it."""

    def leave(self, item_id: str, outcome: Outcome, reason: str, rule: str = "") -> None:
        """Drop it."""
