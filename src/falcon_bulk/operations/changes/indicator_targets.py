"""Indicators as what a run changes: creating allow-list entries or deleting them, read back afterwards.

Creating twice makes no second indicator: Falcon refuses a duplicate. Deleting twice deletes nothing more. What became
of them is read all the same, so that what is reported is what is there.
"""

from collections.abc import Sequence, Set
from typing import TYPE_CHECKING, Protocol

from falcon_bulk.errors import AnswerLost, Rejected
from falcon_bulk.falcon.indicators import ERROR_PREFIX, IDS_PER_REQUEST, CreateResponse
from falcon_bulk.model.alert import text
from falcon_bulk.model.indicator import Indicator, IndicatorSpec
from falcon_bulk.model.plan import ActionSet, IndicatorPlan, PlannedItem
from falcon_bulk.model.run import ItemOutcome, Outcome, RunProblem
from falcon_bulk.operations.changes.target import Answer, Refusal, Retry

if TYPE_CHECKING:
    from falcon_bulk.journal.items import ItemRecords
    from falcon_bulk.journal.journal import Journal

CREATE_BATCH = 200

PlannedIndicator = PlannedItem[Indicator]
IndicatorOutcome = ItemOutcome[Indicator]


class IndicatorClient(Protocol):
    """The part of `falcon.indicators.Indicators` that a run needs."""

    def find(self, hashes: Sequence[str]) -> dict[str, tuple[Indicator, ...]]: ...
    def by_id(self, ids: Sequence[str]) -> dict[str, Indicator]: ...
    def create(self, hashes: Sequence[str], spec: IndicatorSpec, comment: str) -> CreateResponse: ...
    def delete(self, ids: Sequence[str], comment: str) -> str: ...


class _IndicatorTarget:
    """What creating and deleting have in common. An item of a lost request stays unknown until it is reconciled."""

    unchanged_after_loss = Outcome.UNKNOWN

    def __init__(self, indicators: IndicatorClient, plan: IndicatorPlan) -> None:
        self._indicators = indicators
        self._plan = plan

    def records(self, journal: "Journal") -> "ItemRecords[Indicator]":
        """Return the journal's indicators."""
        return journal.indicators

    def shows_late(self, items: Sequence[PlannedIndicator], answer: Answer, lost: Set[str]) -> bool:
        """Return whether Falcon reports some of them as done, or a lost request may have done them."""
        return any(answer.accepts(item.item_id) or item.item_id in lost for item in items)

    def concerns_request(self, error: Rejected) -> bool:
        """Return False: which refusals concern single indicators only is not known, so all are split."""
        return False

    def _decide_unseen(self, item: PlannedIndicator, answer: Answer, lost: Set[str]) -> IndicatorOutcome | Retry:
        if (refusal := answer.refused.get(item.item_id)) is not None:
            # A duplicate may be the lost creation; what is refused as an error was not created then either.
            may_exist = item.item_id in lost and not refusal.reason.startswith(ERROR_PREFIX)
            return _outcome(item, Outcome.UNKNOWN if may_exist else Outcome.FAILED, refusal.reason)
        if answer.accepts(item.item_id):
            return _outcome(item, Outcome.UNKNOWN, "Falcon says it is done, and reading does not show it")
        general = answer.general.reason if answer.general else ""
        if answer.refused:
            error = Rejected(general or "Refused together with others.", trace_id=answer.trace_id)
            return Retry(error, transient=False)
        reason = general or "Falcon's answer does not say what it did"
        return Retry(AnswerLost(f"{reason}.", trace_id=answer.trace_id), transient=True)


class CreateTarget(_IndicatorTarget):
    """Creates an allow-list indicator for each hash. Ours is recognised by the run's marker in its description."""

    reads_before_sending = False
    batch_size = CREATE_BATCH

    def read(self, items: Sequence[PlannedIndicator], answer: Answer | None = None) -> dict[str, tuple[Indicator, ...]]:
        """Return the indicators of each hash: by id those that Falcon says it made, by hash the others."""
        accepted = answer.accepted or {} if answer else {}
        hashes = [item.item_id for item in items]
        by_id = self._indicators.by_id([accepted[digest] for digest in hashes if digest in accepted])
        found: dict[str, tuple[Indicator, ...]] = {indicator.sha256: (indicator,) for indicator in by_id.values()}
        if others := [digest for digest in hashes if digest not in accepted]:
            found |= self._indicators.find(others)
        return found

    def check(
        self, item: PlannedIndicator, actions: ActionSet, now: tuple[Indicator, ...] | None
    ) -> IndicatorOutcome | None:
        """Return an outcome for a hash that has an indicator by now."""
        return self.reconcile(item, actions, now, None)

    def send(self, items: Sequence[PlannedIndicator], actions: ActionSet) -> Answer:
        """Ask Falcon to create them. Raises AnswerLost, Rejected, and other errors if nothing was sent."""
        response = self._indicators.create([item.item_id for item in items], self._plan.spec, self._plan.comment)
        return Answer(
            accepted={indicator.sha256: text(indicator.id) for indicator in response.created},
            refused={digest: Refusal(reason) for digest, reason in response.refused.items()},
            general=Refusal(response.message) if response.message else None,
            problems=tuple(
                RunProblem(code=0, message=reason, trace_id=response.trace_id, ids=(digest,))
                for digest, reason in response.refused.items()
            ),
            trace_id=response.trace_id,
        )

    def reconcile(
        self,
        item: PlannedIndicator,
        actions: ActionSet,
        now: tuple[Indicator, ...] | None,
        answer: Answer | None,
        *,
        sent: bool = True,
    ) -> IndicatorOutcome | None:
        """Return the outcome of a hash from the indicators it has; None if it has none.

        Without Falcon's answer, somebody may have changed ours after it was created. Its state is then not recorded
        as what the run led to, so that an undo leaves it alone.
        """
        if not now:
            return None
        accepted = answer is not None and answer.accepts(item.item_id)
        ours = next(
            (indicator for indicator in now if accepted or self._plan.marker in text(indicator.description)), None
        )
        if ours is None:
            return _outcome(item, Outcome.DRIFTED, f"somebody created one since: {now[0].summary}")
        matches = ours.matches(self._plan.spec)
        return ItemOutcome(
            item_id=item.item_id,
            outcome=Outcome.CHANGED,
            reason="" if matches else f"created, but read back as: {ours.summary}",
            remote_id=text(ours.id),
            after=ours if accepted or matches else None,
            verified=matches,
        )

    def decide_unseen(
        self, item: PlannedIndicator, now: tuple[Indicator, ...] | None, answer: Answer, lost: Set[str]
    ) -> IndicatorOutcome | Retry:
        """Decide about a hash that has no indicator although the request was answered."""
        return self._decide_unseen(item, answer, lost)


class DeleteTarget(_IndicatorTarget):
    """Deletes indicators by id, as long as they are as they were when the plan was made."""

    reads_before_sending = False
    batch_size = IDS_PER_REQUEST

    def read(self, items: Sequence[PlannedIndicator], answer: Answer | None = None) -> dict[str, Indicator]:
        """Return the indicators as they are now, by hash; deleted ones are missing."""
        now = self._indicators.by_id([item.remote_id for item in items])
        return {item.item_id: now[item.remote_id] for item in items if item.remote_id in now}

    def check(self, item: PlannedIndicator, actions: ActionSet, now: Indicator | None) -> IndicatorOutcome | None:
        """Return an outcome for an indicator that somebody deleted or changed since."""
        return self.reconcile(item, actions, now, None, sent=False)

    def send(self, items: Sequence[PlannedIndicator], actions: ActionSet) -> Answer:
        """Ask Falcon to delete them. Raises AnswerLost, Rejected, and other errors if nothing was sent."""
        error = self._indicators.delete([item.remote_id for item in items], self._plan.comment)
        if error:
            return Answer(accepted={}, general=Refusal(error))
        return Answer(accepted={item.item_id: item.remote_id for item in items})

    def reconcile(
        self,
        item: PlannedIndicator,
        actions: ActionSet,
        now: Indicator | None,
        answer: Answer | None,
        *,
        sent: bool = True,
    ) -> IndicatorOutcome | None:
        """Return the outcome of an indicator that is gone, by us or by somebody else, or that somebody changed."""
        if now is None and sent:
            return ItemOutcome(item_id=item.item_id, outcome=Outcome.CHANGED, remote_id=item.remote_id, verified=True)
        if now is None:
            return _outcome(item, Outcome.DRIFTED, "somebody deleted it since")
        if item.before is not None and (drift := item.before.drift_to(now)):
            return _outcome(item, Outcome.DRIFTED, "; ".join(drift))
        return None

    def decide_unseen(
        self, item: PlannedIndicator, now: Indicator | None, answer: Answer, lost: Set[str]
    ) -> IndicatorOutcome | Retry:
        """Decide about an indicator that is still there although the request was answered."""
        return self._decide_unseen(item, answer, lost)


def _outcome(item: PlannedIndicator, outcome: Outcome, reason: str) -> IndicatorOutcome:
    return ItemOutcome(item_id=item.item_id, outcome=outcome, reason=reason, remote_id=item.remote_id)
