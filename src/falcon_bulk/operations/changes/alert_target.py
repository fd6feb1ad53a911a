"""Alerts as what a run changes: PATCH v3, read back by id.

`append_comment` is not idempotent, so an alert is sent again only after it was read and found as before.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, TypeVar

import msgspec

from falcon_bulk.errors import Rejected
from falcon_bulk.falcon.alerts import PAGE, UpdateResponse
from falcon_bulk.falcon.responses import ApiError
from falcon_bulk.model.alert import Alert
from falcon_bulk.model.alert_decoder import decode_alert
from falcon_bulk.model.hashes import own_hashes
from falcon_bulk.model.plan import ActionSet, AlertPlan, AlertState, PlannedItem
from falcon_bulk.model.run import ItemOutcome, Outcome, RunProblem
from falcon_bulk.operations.changes.guardrails import Candidate, guardrail_for
from falcon_bulk.operations.changes.reconcile import drifted_outcome, failed_outcome, reconcile_alert
from falcon_bulk.operations.changes.rule_check import RuleCheck
from falcon_bulk.operations.changes.target import Answer, Refusal, Retry
from falcon_bulk.operations.reading.read_ahead import parts_of, read_ahead
from falcon_bulk.operations.reading.tenant_check import check_tenant

if TYPE_CHECKING:
    from falcon_bulk.journal.items import ItemRecords
    from falcon_bulk.journal.journal import Journal

Row = TypeVar("Row")

# Refusals that may be about some of the alerts only.
SPLITTABLE_STATUSES = (400, 404, 413)
# Texts of a 400 that is about the request itself (public reports): sending less of it does not help.
REQUEST_ERROR_TEXTS = (
    "invalid status",
    "failed to read and parse request",
    "invalid element in the request",
    "action param",
    "action value",
    "must be less than 1024",
    "too long",
    "1024 characters",
    "1,024 characters",
)

PlannedAlert = PlannedItem[AlertState]
AlertOutcome = ItemOutcome[AlertState]


class AlertUpdater(Protocol):
    """The part of `falcon.alerts.Alerts` that a run needs."""

    def by_id(self, ids: Sequence[str]) -> list[msgspec.Raw]: ...
    def update(self, ids: Sequence[str], action_set: ActionSet) -> UpdateResponse: ...


class AlertTarget:
    """Changes alerts as a plan says."""

    batch_size = PAGE
    unchanged_after_loss = Outcome.NOT_SENT

    def __init__(self, alerts: AlertUpdater, plan: AlertPlan, rule_check: RuleCheck | None = None) -> None:
        """Change alerts as a plan says. rule_check: asks the rules again, for a plan that they made."""
        self._alerts = alerts
        self._plan = plan
        self._rule_check = rule_check
        self.reads_before_sending = rule_check is not None
        self._selected, self._overrides, self._cids = map(frozenset, (plan.hashes, plan.overrides, plan.cids))

    def records(self, journal: "Journal") -> "ItemRecords[AlertState]":
        """Return the journal's alerts."""
        return journal.alerts

    def read(self, items: Sequence[PlannedAlert], answer: Answer | None = None) -> dict[str, Alert]:
        """Return the alerts as they are now, by id; unknown ones are missing. Raises WrongTenant."""
        if self._rule_check is not None:
            self._rule_check.refresh()
        return read_alerts(self._alerts, [item.item_id for item in items], self._cids)

    def check(self, item: PlannedAlert, actions: ActionSet, now: Alert | None) -> AlertOutcome | None:
        """Return an outcome for an alert that drifted, or that a guardrail holds or no rule would close by now."""
        outcome = self.reconcile(item, actions, now, None)
        if now is None or outcome is not None or self._plan.undoes:
            return outcome
        own = own_hashes(now).keys()
        if self._rule_check is not None:
            objection = self._rule_check.objection(self._plan, item.rule, now, own, actions)
        else:
            guardrail = guardrail_for(Candidate(now, own, actions, self._selected), self._overrides)
            objection = guardrail and f"now held back by the guardrail {guardrail}"
        return drifted_outcome(item, (objection,)) if objection else None

    def send(self, items: Sequence[PlannedAlert], actions: ActionSet) -> Answer:
        """Send one PATCH. Raises AnswerLost, Rejected, and other errors of the client if nothing was sent."""
        response = self._alerts.update([item.item_id for item in items], actions)
        general = next((_refusal(error) for error in response.problems if not error.id), None)
        return Answer(
            refused={str(error.id): _refusal(error) for error in response.problems if error.id},
            general=general,
            complete=response.affected is None or response.affected >= len(items),
            problems=tuple(
                RunProblem(
                    code=error.status,
                    message=error.text,
                    trace_id=response.trace_id,
                    ids=(str(error.id),) if error.id else (),
                )
                for error in response.problems
            ),
            trace_id=response.trace_id,
        )

    def reconcile(
        self,
        item: PlannedAlert,
        actions: ActionSet,
        now: Alert | None,
        answer: Answer | None,
        *,
        sent: bool = True,
    ) -> AlertOutcome | None:
        """Return the outcome of an alert that was sent, or None if it is as it was."""
        accepted = answer is not None and answer.accepts(item.item_id)
        if now is None and accepted and answer is not None and answer.complete:
            return None  # Falcon says that it is written: it may yet be found
        if item.before is None:
            return failed_outcome(item, "its state before the change is not known")
        return reconcile_alert(item, item.before, actions, now, accepted=accepted)

    def shows_late(self, items: Sequence[PlannedAlert], answer: Answer, lost: Set[str]) -> bool:
        """Return whether Falcon says that it changed all of them: what it read back may lag."""
        return answer.complete and not answer.problems

    def decide_unseen(
        self, item: PlannedAlert, now: Alert | None, answer: Answer, lost: Set[str]
    ) -> AlertOutcome | Retry:
        """Decide about an alert that reads as before although the PATCH was answered."""
        refusal = answer.refused.get(item.item_id, answer.general)
        if refusal is not None and refusal.passing:
            return Retry(Rejected(refusal.reason, status=refusal.code, trace_id=answer.trace_id), transient=True)
        if refusal is None and now is None:
            return ItemOutcome(item_id=item.item_id, outcome=Outcome.UNKNOWN, reason="written, and not found since")
        return failed_outcome(item, refusal.reason if refusal else "Falcon answered with success and left it as it was")

    def concerns_request(self, error: Rejected) -> bool:
        """Return whether fewer alerts in a request would be refused as well."""
        text = error.message.casefold()
        return error.status not in SPLITTABLE_STATUSES or (
            error.status == 400 and any(known in text for known in REQUEST_ERROR_TEXTS)
        )


def _refusal(error: ApiError) -> Refusal:
    return Refusal(error.text, error.status, error.transient)


class AlertsById(Protocol):
    """The part of `falcon.alerts.Alerts` that reads alerts by their ids."""

    def by_id(self, ids: Sequence[str]) -> list[msgspec.Raw]: ...


def read_rows(
    rows: Iterable[Row], id_of: Callable[[Row], str], alerts: AlertsById, cids: Set[str], readers: int
) -> Iterator[tuple[list[Row], dict[str, Alert]]]:
    """Yield the rows in parts, each with its alerts as they are now, by id; up to `readers` parts are read at a time.

    Raises as `read_alerts` does.
    """

    def read(part: list[Row]) -> dict[str, Alert]:
        return read_alerts(alerts, list(map(id_of, part)), cids)

    return read_ahead(parts_of(rows, PAGE), read, readers=readers)


def read_alerts(alerts: AlertsById, ids: Sequence[str], cids: Set[str]) -> dict[str, Alert]:
    """Return the alerts with those ids (at most 1,000), by id; unknown ones and what is no alert are missing.

    Raises WrongTenant for an alert of a CID that is not among `cids`.
    """
    found: dict[str, Alert] = {}
    for document in alerts.by_id(ids):
        with suppress(msgspec.MsgspecError, RecursionError):
            alert = decode_alert(document)
            found[alert.composite_id] = alert
    for alert in found.values():
        check_tenant(alert, cids)
    return found
