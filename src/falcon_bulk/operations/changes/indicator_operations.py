"""What a run does to indicators, creating or deleting, and how each is settled from what is read afterwards.

Creating twice makes no second indicator: a duplicate is refused. Deleting twice deletes nothing more. So both can be
sent again; what became of them is still read first, so that what is reported is what is there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from falcon_bulk.falcon.indicators import IDS_PER_REQUEST, CreateResponse
from falcon_bulk.model.alert import text
from falcon_bulk.model.indicator import Indicator, IndicatorSpec, PlannedIndicator
from falcon_bulk.model.plan import Plan
from falcon_bulk.model.run import IndicatorOutcome, Outcome

BATCH = 200


class IndicatorClient(Protocol):
    """What of `falcon.indicators.Indicators` a run needs."""

    def find(self, hashes: Sequence[str]) -> dict[str, tuple[Indicator, ...]]: ...
    def by_id(self, ids: Sequence[str]) -> dict[str, Indicator]: ...
    def create(self, hashes: Sequence[str], allowance: IndicatorSpec, comment: str) -> CreateResponse: ...
    def delete(self, ids: Sequence[str], comment: str) -> str: ...


@dataclass(frozen=True)
class OperationAnswer:
    """What Falcon answered: by hash the ids of those it says are done, and what is wrong with others; by words, what
    is wrong with the request.
    """

    done: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    words: str = ""
    trace_id: str = ""


class IndicatorOperation(Protocol):
    """One of the two."""

    size: int
    """How many go into a request."""

    def send(self, rows: Sequence[PlannedIndicator]) -> OperationAnswer:
        """Ask Falcon for it. Raises AnswerLost, Rejected, and what else a request raises."""

    def read(
        self, rows: Sequence[PlannedIndicator], *, sent: bool, done: dict[str, str]
    ) -> dict[str, IndicatorOutcome]:
        """By hash, what is settled by reading; one that is missing is as it was.

        sent: they were sent, and may have had their effect. done: the ids that Falcon answered with.
        """


class CreateIndicators:
    """Creates an allow-list indicator for each hash. Ours is known by the run's mark in its description."""

    size = BATCH

    def __init__(self, indicators: IndicatorClient, plan: Plan, allowance: IndicatorSpec) -> None:
        self._indicators = indicators
        self._plan = plan
        self._allowance = allowance

    def send(self, rows: Sequence[PlannedIndicator]) -> OperationAnswer:
        """Ask Falcon to create them."""
        answer = self._indicators.create([row.sha256 for row in rows], self._allowance, self._plan.comment)
        done = {one.sha256: text(one.id) for one in answer.created}
        return OperationAnswer(done, answer.refused, answer.message, answer.trace_id)

    def read(
        self, rows: Sequence[PlannedIndicator], *, sent: bool, done: dict[str, str]
    ) -> dict[str, IndicatorOutcome]:
        """By id those that Falcon says it made, by hash the others, since a search may lag behind."""
        hashes = [row.sha256 for row in rows]
        by_id = self._indicators.by_id([done[digest] for digest in hashes if digest in done])
        found: dict[str, tuple[Indicator, ...]] = {one.sha256: (one,) for one in by_id.values()}
        if others := [digest for digest in hashes if digest not in done]:
            found |= self._indicators.find(others)
        return {digest: self._settled(digest, found[digest], digest in done) for digest in hashes if digest in found}

    def _settled(self, digest: str, found: Sequence[Indicator], answered: bool) -> IndicatorOutcome:
        ours = next((one for one in found if answered or self._plan.marker in text(one.description)), None)
        if ours is None:
            return IndicatorOutcome(
                sha256=digest, outcome=Outcome.DRIFTED, reason=f"somebody made one since: {found[0].words}"
            )
        as_wanted = ours.is_as_wanted(self._allowance)
        return IndicatorOutcome(
            sha256=digest,
            outcome=Outcome.CHANGED,
            reason="" if as_wanted else f"created, but read back as: {ours.words}",
            indicator_id=text(ours.id),
            after=ours,
            verified=as_wanted,
        )


class DeleteIndicators:
    """Deletes indicators by id, as long as they are as they were when the plan was made."""

    size = IDS_PER_REQUEST

    def __init__(self, indicators: IndicatorClient, plan: Plan) -> None:
        self._indicators = indicators
        self._plan = plan

    def send(self, rows: Sequence[PlannedIndicator]) -> OperationAnswer:
        """Ask Falcon to delete them."""
        words = self._indicators.delete([row.indicator_id for row in rows], self._plan.comment)
        return OperationAnswer({} if words else {row.sha256: row.indicator_id for row in rows}, words=words)

    def read(
        self, rows: Sequence[PlannedIndicator], *, sent: bool, done: dict[str, str]
    ) -> dict[str, IndicatorOutcome]:
        """One that is gone is done if it was sent, and somebody else's doing if it was not."""
        now = self._indicators.by_id([row.indicator_id for row in rows])
        settled = {row.sha256: self._settled(row, now.get(row.indicator_id), sent) for row in rows}
        return {digest: one for digest, one in settled.items() if one is not None}

    def _settled(self, row: PlannedIndicator, now: Indicator | None, sent: bool) -> IndicatorOutcome | None:
        if now is None:
            return IndicatorOutcome(
                sha256=row.sha256,
                outcome=Outcome.CHANGED if sent else Outcome.DRIFTED,
                reason="" if sent else "somebody deleted it since",
                indicator_id=row.indicator_id,
                verified=sent,
            )
        if row.before is not None and (drift := row.before.drift_to(now)):
            return IndicatorOutcome(
                sha256=row.sha256, outcome=Outcome.DRIFTED, reason="; ".join(drift), indicator_id=row.indicator_id
            )
        return None


def operation_for(plan: Plan, indicators: IndicatorClient) -> IndicatorOperation:
    """What a run about indicators does: an undo deletes."""
    if plan.undoes or plan.allowance is None:
        return DeleteIndicators(indicators, plan)
    return CreateIndicators(indicators, plan, plan.allowance)
