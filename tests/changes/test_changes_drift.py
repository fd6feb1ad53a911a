"""What others did to an alert since the plan: it is left alone and listed. What Falcon's crawler did is nothing."""

import threading
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from falcon_bulk.errors import ExitCode
from falcon_bulk.model.run import Outcome, RunStatus
from falcon_bulk.model.vocabulary import Status
from falcon_bulk.operations.changes.batch_sender import MAX_STATE_AGE
from falcon_bulk.operations.changes.request import ChangeRequest
from tests.support.run_harness import CLOSE, RunHarness, Start

RAILED = ChangeRequest(status=Status.CLOSED, operator="ann")
EDITS = [
    pytest.param({"status": "in_progress"}, "status new → in_progress", id="status"),
    pytest.param({"status": "closed"}, "status new → closed", id="the wanted status"),
    pytest.param({"assign": "bo.birch"}, "assignee none → bo.birch", id="assignee"),
    pytest.param({"tags": ["triage-42"]}, "triage-42", id="tags"),
    pytest.param({"show_in_ui": False}, "visibility shown → hidden", id="visibility"),
    pytest.param({"comment": "looking at it"}, "comments none → 1", id="comment"),
]


def an_easy_one(harness: RunHarness, count: int) -> list[str]:
    """Alerts that no guard rail holds: not critical, no OverWatch, no case, of a plain kind."""
    found = [
        composite_id
        for composite_id in harness.ids(100)
        if (harness.tenant.store.by_id[composite_id].shared("severity") or 99) < 80
        and harness.tenant.store.by_id[composite_id].kind.startswith("ldt")
        and not harness.tenant.store.by_id[composite_id].case_ids
        and harness.tenant.store.by_id[composite_id].state.show_in_ui is True
        and not harness.tenant.store.by_id[composite_id].state.tags
    ]
    assert len(found) >= count
    return found[:count]


@pytest.mark.parametrize(("edit", "said"), EDITS)
def test_an_alert_that_somebody_touched_since_the_plan_is_left_alone_and_listed(
    harness: RunHarness, edit: dict[str, Any], said: str
) -> None:
    ids = harness.ids(12)
    plan = harness.planned(ids)
    harness.edit(ids[4:7], **edit)
    before = {composite_id: harness.tenant.store.by_id[composite_id].state for composite_id in ids[4:7]}
    result = harness.carry_out(plan, fresh=False)
    assert (result.changed, result.drifted, result.verified) == (9, 3, 9)
    assert (result.status, result.exit_code) == (RunStatus.PARTIAL, ExitCode.PARTIAL)
    assert {composite_id: harness.tenant.store.by_id[composite_id].state for composite_id in ids[4:7]} == before
    assert harness.comments(plan, ids) == {1: 9, 0: 3}
    reasons = {
        composite_id: record.reason
        for composite_id, record in harness.records(plan).items()
        if record.outcome == "drifted"
    }
    assert reasons.keys() == set(ids[4:7])
    assert all(said in reason for reason in reasons.values())
    assert harness.journal.unfinished() is None, "drift is final and blocks nothing"


def test_a_moved_case_link_is_drift(harness: RunHarness) -> None:
    ids = harness.ids(5)
    plan = harness.planned(ids)
    harness.tenant.store.by_id[ids[2]].case_ids = ("case-7",)
    result = harness.carry_out(plan, fresh=False)
    assert (result.changed, result.drifted) == (4, 1)
    assert "case none → case-7" in harness.records(plan)[ids[2]].reason


def test_a_comment_alone_is_drift_even_where_the_tag_and_status_are_as_before(harness: RunHarness) -> None:
    ids = harness.ids(3)
    plan = harness.planned(ids)
    harness.edit(ids[:1], comment="please wait")
    assert harness.carry_out(plan, fresh=False).drifted == 1


def test_the_crawler_moves_updated_timestamp_and_that_is_no_drift(harness: RunHarness) -> None:
    ids = harness.ids(30)
    plan = harness.planned(ids)
    seen = {composite_id: harness.tenant.store.by_id[composite_id].state.updated for composite_id in ids}
    assert harness.server.call(lambda: harness.tenant.crawl(60)) >= 30
    assert all(harness.tenant.store.by_id[composite_id].state.updated != seen[composite_id] for composite_id in ids)
    result = harness.carry_out(plan, fresh=False)
    assert (result.status, result.changed, result.drifted) == (RunStatus.SUCCESS, 30, 0)


def test_all_drifted_sends_no_change_at_all(harness: RunHarness) -> None:
    ids = harness.ids(10)
    plan = harness.planned(ids)
    harness.edit(ids, assign="bo.birch")
    result = harness.carry_out(plan, fresh=False)
    assert (result.drifted, result.exit_code) == (10, ExitCode.PARTIAL)
    assert harness.patches == []


def test_alerts_read_less_than_a_minute_ago_are_not_read_again_and_older_ones_are(harness: RunHarness) -> None:
    ids = harness.ids(20)
    fresh = harness.planned(ids)
    reads = len(harness.requests("entities"))
    harness.carry_out(fresh)
    assert len(harness.requests("entities")) - reads == 2, "one read-back for each batch"
    ids = harness.ids(30)
    slow = harness.planned(ids)
    reads = len(harness.requests("entities"))
    *_, last = harness.journal.alerts.batches(slow.run_id, 10)
    harness.edit([row.item_id for row in last[:5]], comment="mine")
    result = harness.carry_out(slow, delay=MAX_STATE_AGE * 0.6, workers=1)
    assert (result.changed, result.drifted) == (25, 5), "by the last batch the minute was over"
    assert len(harness.requests("entities")) - reads == 4


def test_guardrails_are_checked_again_on_what_is_read_before_sending(harness: RunHarness) -> None:
    ids = an_easy_one(harness, 6)
    plan = harness.planned(ids, RAILED)
    alert = harness.tenant.store.by_id[ids[0]]
    alert.parts = tuple(type(part)({**part.fields, **_worse(part.fields)}) for part in alert.parts)
    assert alert.shared("severity") == 95
    result = harness.carry_out(plan, fresh=False)
    assert (result.changed, result.drifted) == (5, 1)
    assert "guardrail critical" in harness.records(plan)[ids[0]].reason
    assert harness.comments_on(plan, ids[0]) == 0


def _worse(fields: dict[str, Any]) -> dict[str, Any]:
    return {"severity": 95, "severity_name": "Critical"} if "severity" in fields else {}


def test_guardrails_hold_what_is_assigned_in_progress_or_a_true_positive(harness: RunHarness) -> None:
    ids = an_easy_one(harness, 8)
    harness.edit(ids[:1], assign="bo.birch")
    harness.edit(ids[1:2], status="in_progress")
    harness.edit(ids[2:3], tags=["true_positive"])
    plan = harness.planned(ids, RAILED)
    result = harness.carry_out(plan)
    assert result.held == {"assigned": 1, "in-progress": 1, "true-positive": 1}
    assert (result.selected, result.planned, result.changed) == (8, 5, 5)
    assert harness.comments(plan, ids[:3]) == {0: 3}


def test_an_alert_that_is_gone_when_it_is_read_again_fails_alone(harness: RunHarness) -> None:
    ids = harness.ids(6)
    plan = harness.planned(ids)
    gone = harness.server.call(lambda: harness.tenant.store.by_id.pop(ids[3]))
    result = harness.carry_out(plan, fresh=False)
    harness.tenant.store.by_id[ids[3]] = gone
    assert (result.changed, result.failed) == (5, 1)
    assert harness.comments_on(plan, ids[3]) == 0


def test_an_alert_that_somebody_closed_after_a_lost_answer_is_drifted_and_not_ours(harness: RunHarness) -> None:
    """Falcon drops the request without an effect and, before anything is read, an analyst closes three alerts."""
    ids = harness.ids(10)
    plan = harness.planned(ids)
    harness.order("drop", endpoint="patch", applied=False)
    harness.order("status", status=503, endpoint="entities", times=None)
    assert harness.carry_out(plan).unknown == 10
    harness.healthy()
    harness.edit(ids[:3], status="closed")
    result = harness.resume(plan)
    assert (result.changed, result.drifted, result.unknown) == (7, 3, 0)
    assert harness.comments(plan, ids) == {1: 7, 0: 3}


def test_an_alert_that_we_changed_and_somebody_changed_after_a_crash_is_ours_and_undo_leaves_it_alone(
    harness: RunHarness,
) -> None:
    """Between the lost answer and the resume an analyst takes some of the alerts and reopens them."""
    ids = harness.ids(10)
    plan = harness.planned(ids)
    harness.order("drop", endpoint="patch", applied=True)
    harness.order("status", status=503, endpoint="entities", times=None)
    assert harness.carry_out(plan).unknown == 10
    harness.healthy()
    harness.edit(ids[:3], status="in_progress", assign="bo.birch")
    harness.edit(ids[3:5], assign="bo.birch")
    result = harness.resume(plan)
    assert (result.changed, result.drifted, result.unknown) == (10, 0, 0)
    theirs = {composite_id: harness.tenant.store.by_id[composite_id].state for composite_id in ids[:5]}
    undo = harness.undone(plan.run_id)
    result = harness.carry_out(undo)
    assert (result.changed, result.drifted) == (5, 5)
    assert {composite_id: harness.tenant.store.by_id[composite_id].state for composite_id in ids[:5]} == theirs
    assert harness.statuses(ids[5:]) == {"new": 5}


def test_a_change_of_ours_that_stands_as_not_sent_is_recognized_before_it_is_sent_again(harness: RunHarness) -> None:
    """Falcon answers 403 and carried the change out all the same."""
    ids = harness.ids(10)
    plan = harness.planned(ids)
    harness.order("status", status=403, text="access denied", endpoint="patch", applied=True)
    assert harness.carry_out(plan).not_sent == 10
    result = harness.carry_out(plan, fresh=False)
    assert (result.changed, result.verified, result.drifted) == (10, 10, 0)
    assert harness.comments(plan, ids) == {1: 10}


@pytest.mark.parametrize("hides", [True, False])
def test_a_tenant_where_closing_hides_is_changed_and_undone_alike(start: Start, hides: bool) -> None:
    harness = start(closing_hides=hides)
    ids = harness.ids(10)
    before = {
        composite_id: harness.tenant.store.by_id[composite_id].state.show_in_ui is not False for composite_id in ids
    }
    plan = harness.planned(ids, CLOSE)
    assert harness.carry_out(plan).verified == 10
    result = harness.carry_out(harness.undone(plan.run_id))
    assert (result.status, result.verified) == (RunStatus.SUCCESS, 10)
    assert harness.statuses(ids) == {"new": 10}
    assert {
        composite_id: harness.tenant.store.by_id[composite_id].state.show_in_ui is not False for composite_id in ids
    } == before
    assert {record.outcome for record in harness.records(plan).values()} == {Outcome.CHANGED}


def test_a_saved_plan_is_read_ahead_while_other_batches_wait_for_their_turn(harness: RunHarness) -> None:
    """Three batches are being read before the first is sent: each read waits for the two others."""
    ids = harness.ids(30)
    plan = harness.planned(ids)
    reading = threading.Barrier(3)
    by_id = harness.falcon.alerts.by_id
    reads: list[int] = []

    def read_together(ids: Sequence[str]) -> list[msgspec.Raw]:
        reads.append(len(ids))
        if len(reads) <= 3:
            reading.wait(30)
        return by_id(ids)

    harness.falcon.alerts.by_id = read_together  # type: ignore[method-assign]
    result = harness.carry_out(plan, fresh=False, workers=2)
    assert (result.changed, result.verified) == (30, 30)
    assert not reading.broken


def test_what_will_be_too_old_at_its_turn_is_read_again_before_it_waits_for_that(harness: RunHarness) -> None:
    """Read during its turn, it would keep all other batches waiting."""
    ids = harness.ids(20)
    plan = harness.planned(ids)
    by_id = harness.falcon.alerts.by_id
    reads: defaultdict[str, list[float]] = defaultdict(list)

    def read_and_note(ids: Sequence[str]) -> list[msgspec.Raw]:
        reads[ids[0]].append(harness.timing.passed - began)
        return by_id(ids)

    harness.falcon.alerts.by_id = read_and_note  # type: ignore[method-assign]
    began = harness.timing.passed
    result = harness.carry_out(plan, age=MAX_STATE_AGE - 10, delay=20.0, workers=1)
    assert (result.changed, result.verified) == (20, 20)
    [(again, back)] = [times for times in reads.values() if len(times) > 1]
    assert (again, back) == (0, 20), "the first batch is young enough; the second waits 20 s for its turn"
