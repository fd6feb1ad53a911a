"""Planning an undo: what is gone is skipped, what was changed since is listed and left alone."""

import json
from collections.abc import Sequence

import msgspec
import pytest

from falcon_bulk.errors import WrongTenant
from falcon_bulk.model.alert import Alert
from falcon_bulk.model.clock import SystemClock
from falcon_bulk.model.plan import Action, ActionSet, AlertState, PlannedItem
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.run import ItemRecord, Outcome
from falcon_bulk.operations.changes.undo import changed_after_all, plan_undo
from falcon_bulk.operations.reading.read_progress import ReadProgress
from tests.support.plan_builders import CID, OTHER_CID, RUN, a_document, a_plan, an_alert, planned

OURS = f"Set to closed (by alice, falcon-bulk {RUN})"
UNDO = a_plan(run_id="261118r1c2d3", command="undo", undoes=RUN, comment=f"Undo of {RUN}")


class ById:
    """The alerts that are still there, by id, as `AlertReader` gives them."""

    def __init__(self, *documents: bytes) -> None:
        self.documents = {json.loads(document)["composite_id"]: document for document in documents}

    def by_id(self, ids: Sequence[str]) -> list[msgspec.Raw]:
        return [msgspec.Raw(self.documents[composite_id]) for composite_id in ids if composite_id in self.documents]


class Sink:
    """What is planned, with its outcome and why."""

    def __init__(self) -> None:
        self.action_sets: dict[int, ActionSet] = {}
        self.planned: dict[str, tuple[ActionSet, Outcome, str]] = {}
        self.left: dict[str, tuple[Outcome, str]] = {}

    def add_action_set(self, number: int, action_set: ActionSet) -> None:
        self.action_sets[number] = action_set

    def add(self, item: PlannedItem[AlertState], outcome: Outcome = Outcome.NOT_SENT, reason: str = "") -> None:
        self.planned[item.item_id] = (self.action_sets[item.action_set], outcome, reason)

    def leave(self, item_id: str, outcome: Outcome, reason: str, rule: str = "") -> None:
        self.left[item_id] = (outcome, reason)


def a_record(before: Alert, after: Alert | None, outcome: Outcome = Outcome.CHANGED) -> ItemRecord[AlertState]:
    return ItemRecord(
        item_id=before.composite_id,
        before=AlertState.of(before),
        outcome=outcome,
        reason="",
        after=AlertState.of(after) if after else None,
    )


def undoing(records: Sequence[ItemRecord[AlertState]], alerts: ById) -> tuple[Preview, Sink]:
    sink = Sink()
    return plan_undo(records, alerts, UNDO, sink, ReadProgress(SystemClock())), sink  # type: ignore[arg-type]


def test_what_is_as_the_run_left_it_goes_back_and_what_is_gone_is_skipped() -> None:
    here, gone = an_alert(1), an_alert(2)
    records = [a_record(here, an_alert(1, status="closed")), a_record(gone, an_alert(2, status="closed"))]
    preview, sink = undoing(records, ById(a_document(1, status="closed")))
    assert (preview.selected, preview.planned, preview.skipped) == (2, 1, {"not_found": 1})
    action_set = (Action("update_status", "new"), Action("append_comment", UNDO.comment))
    assert sink.planned == {here.composite_id: (action_set, Outcome.NOT_SENT, "")}
    assert sink.left == {gone.composite_id: (Outcome.SKIPPED, "not_found")}


def test_only_what_the_run_changed_is_looked_at() -> None:
    records = [a_record(an_alert(1), an_alert(1, status="closed"), outcome) for outcome in Outcome]
    preview, _ = undoing(records, ById(a_document(1, status="closed")))
    assert preview.selected == 1


@pytest.mark.parametrize("after", [an_alert(1, status="closed"), None], ids=["touched since", "never read back"])
def test_what_may_not_be_as_the_run_left_it_is_listed_and_left_alone(after: Alert | None) -> None:
    preview, sink = undoing([a_record(an_alert(1), after)], ById(a_document(1, status="reopened")))
    ((_, outcome, reason),) = sink.planned.values()
    assert outcome is Outcome.DRIFTED
    assert reason
    assert any("1 of these alerts were changed by someone since" in warning for warning in preview.warnings)


def test_an_alert_of_another_customer_stops_the_plan() -> None:
    record = a_record(an_alert(1), an_alert(1, status="closed"))
    with pytest.raises(WrongTenant, match=OTHER_CID):
        undoing([record], ById(a_document(1, status="closed", cid=OTHER_CID)))


def test_of_what_a_run_left_unknown_only_what_bears_its_comment_is_taken_for_changed() -> None:
    rows = [planned(an_alert(number)) for number in (1, 2, 3)]
    alerts = ById(a_document(1, status="closed", comments=[{"value": OURS}]), a_document(2))
    action_sets = {0: (Action("update_status", "closed"), Action("append_comment", OURS))}
    (found,) = changed_after_all([rows], action_sets, alerts, {CID})  # type: ignore[arg-type]
    assert (found.item_id, found.outcome) == (f"{CID}:ind:1:2-3-4", Outcome.CHANGED)
    assert found.after is not None
    assert found.after.status == "closed"
