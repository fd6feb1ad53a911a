"""What the engine needs to know of the kind of thing that a run changes.

Alerts and indicators differ in how an item is sent, read and reconciled, and in what may be sent again. All else
(intent and outcome, crash, resume, splitting, results) is the engine's.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from falcon_bulk.errors import FalconAnswer, Rejected
from falcon_bulk.model.plan import ActionSet, PlannedItem, State
from falcon_bulk.model.run import ItemOutcome, Outcome, RunProblem

if TYPE_CHECKING:
    from falcon_bulk.journal.items import ItemRecords
    from falcon_bulk.journal.journal import Journal

Current = TypeVar("Current")
"""What is read of an item: an alert, or the indicators of a hash."""


class Refusal(NamedTuple):
    """Why Falcon refuses an item or a request: its text and code (0: none); passing: the same may succeed later."""

    reason: str
    code: int = 0
    passing: bool = False


@dataclass(frozen=True)
class Answer:
    """What Falcon answered to a request that was not refused as a whole.

    accepted: by item id, the remote id ('' where there is none) of each item that Falcon says is done; None where it
    does not name them. refused: by item id, why. general: what is wrong with the request as a whole. complete: False
    where it says that fewer items were written than sent. problems: the errors to record.
    """

    accepted: Mapping[str, str] | None = None
    refused: Mapping[str, Refusal] = field(default_factory=dict)
    general: Refusal | None = None
    complete: bool = True
    problems: tuple[RunProblem, ...] = ()
    trace_id: str = ""

    def accepts(self, item_id: str) -> bool:
        """Return whether the answer says that this item was done."""
        if self.accepted is not None:
            return item_id in self.accepted
        return not self.general and item_id not in self.refused


class Retry(NamedTuple):
    """An item that is as it was and is to be sent again. transient: the same request may succeed later."""

    error: FalconAnswer
    transient: bool


class Target(Protocol[State, Current]):
    """A kind of thing that a run changes.

    batch_size: the most items of one request. reads_before_sending: whether items are read before each send, however
    fresh what is known of them. unchanged_after_loss: what an item counts as that shows no change after
    a request whose answer was lost, until it is sent again.
    """

    batch_size: int
    reads_before_sending: bool
    unchanged_after_loss: Outcome

    def records(self, journal: "Journal") -> "ItemRecords[State]":
        """Return the journal's items of this kind."""

    def read(self, items: Sequence[PlannedItem[State]], answer: Answer | None = None) -> dict[str, Current]:
        """Return what is there now, by item id; unknown items are missing. answer: what Falcon answered about them."""

    def check(self, item: PlannedItem[State], actions: ActionSet, now: Current | None) -> ItemOutcome[State] | None:
        """Return an outcome for an item that is not to be sent any more, as it was just read; None to send it."""

    def send(self, items: Sequence[PlannedItem[State]], actions: ActionSet) -> Answer:
        """Send one request. Raises AnswerLost, Rejected, and other errors of the client if nothing was sent."""

    def reconcile(
        self,
        item: PlannedItem[State],
        actions: ActionSet,
        now: Current | None,
        answer: Answer | None,
        *,
        sent: bool = True,
    ) -> ItemOutcome[State] | None:
        """Return the outcome of an item from what is there now, or None if it is as it was.

        answer: None if it was lost, or the request refused. sent: whether our request may have had an effect.
        """

    def shows_late(self, items: Sequence[PlannedItem[State]], answer: Answer, lost: Set[str]) -> bool:
        """Return whether items that read as before are worth another look. lost: ids whose request was lost before."""

    def decide_unseen(
        self, item: PlannedItem[State], now: Current | None, answer: Answer, lost: Set[str]
    ) -> ItemOutcome[State] | Retry:
        """Decide about an item that still reads as before although its request was answered."""

    def concerns_request(self, error: Rejected) -> bool:
        """Return whether a refusal is about the request itself, so that fewer items would be refused as well."""
