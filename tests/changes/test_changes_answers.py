"""Answers to a change that are lost, half true or refusals: each alert is settled, none gets two comments."""

from dataclasses import replace
from typing import Any

import pytest

from falcon_bulk.errors import AnswerLost, ExitCode, MissingScope, Rejected, Unreachable
from falcon_bulk.falcon import alerts as alerts_module
from falcon_bulk.model.run import Outcome, RunStatus
from falcon_bulk.model.timing import MAX_LATENESS
from falcon_bulk.model.vocabulary import Resolution, Status
from falcon_bulk.operations.changes.batch_sender import MAX_LOST_IN_A_ROW, MAX_SPLITS
from falcon_bulk.operations.changes.request import ChangeRequest
from tests.support.run_harness import ALL_GUARDRAILS, CLOSE, RunHarness, Start
from tests.support.sampling import quick_first

LOST = [
    pytest.param({"kind": "drop", "applied": True}, id="reset after the effect"),
    pytest.param({"kind": "drop", "applied": False}, id="reset before the effect"),
    pytest.param({"kind": "status", "status": 500, "applied": True}, id="500 although applied"),
    pytest.param({"kind": "status", "status": 503}, id="503 and not applied"),
    pytest.param({"kind": "status", "status": 504, "applied": True}, id="504 although applied"),
    pytest.param({"kind": "truncate"}, id="body breaks off"),
    pytest.param({"kind": "truncate", "mode": "length"}, id="body cut without a sign"),
    pytest.param({"kind": "empty", "applied": True}, id="empty 200, applied"),
    pytest.param({"kind": "empty", "applied": False}, id="empty 200, not applied"),
    pytest.param({"kind": "html", "status": 200, "applied": True}, id="a proxy's page with 200, applied"),
    pytest.param({"kind": "html", "status": 502, "applied": False}, id="a proxy's page with 502"),
    pytest.param({"kind": "not_json", "applied": True}, id="no JSON, applied"),
]


@pytest.mark.parametrize("fault", LOST)
def test_a_comment_is_not_sent_twice_when_the_answer_is_lost(harness: RunHarness, fault: dict[str, Any]) -> None:
    ids = harness.ids(25)
    plan = harness.planned(ids)
    harness.order(endpoint="patch", skip=1, times=1, **fault)
    result = harness.carry_out(plan)
    assert (result.status, result.changed, result.verified) == (RunStatus.SUCCESS, 25, 25)
    assert harness.comments(plan, ids) == {1: 25}
    assert harness.statuses(ids) == {"closed": 25}
    again = not fault.get("applied", fault["kind"] == "truncate")
    assert len(harness.patches) == 3 + again, "a batch that was applied is not sent again, one that was not is"


@pytest.mark.parametrize("applied", [True, False])
def test_a_comment_is_not_sent_twice_when_the_answer_comes_too_late(
    harness: RunHarness, applied: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerts_module, "UPDATE_ALERTS", replace(alerts_module.UPDATE_ALERTS, read_timeout=0.2))
    ids = harness.ids(15)
    plan = harness.planned(ids)
    harness.order("delay", endpoint="patch", seconds=0.6, applied=applied)
    result = harness.carry_out(plan, workers=1)
    if applied:
        assert (result.status, harness.comments(plan, ids)) == (RunStatus.SUCCESS, {1: 15})
    else:  # Falcon gets to it after the alerts were read: nothing can tell that beforehand
        assert result.changed + result.drifted + result.unknown == 15


@pytest.mark.parametrize("fault", LOST)
def test_every_answer_lost_twice_in_a_row_still_leaves_one_comment(harness: RunHarness, fault: dict[str, Any]) -> None:
    ids = harness.ids(20)
    plan = harness.planned(ids)
    harness.order(endpoint="patch", times=2, **fault)
    result = harness.carry_out(plan, workers=1)
    assert (result.changed, harness.comments(plan, ids)) == (20, {1: 20})


def test_alerts_whose_answer_and_read_back_are_lost_are_unknown_until_a_resume_reconciles_them(
    harness: RunHarness,
) -> None:
    ids = harness.ids(30)
    plan = harness.planned(ids)
    harness.order("drop", endpoint="patch", applied=True, times=None)
    harness.order("status", status=503, endpoint="entities", times=None)
    result = harness.carry_out(plan)
    assert result.exit_code == ExitCode.PARTIAL
    assert result.unknown > 0
    assert result.changed == 0
    assert harness.journal.unfinished() is not None
    harness.healthy()
    result = harness.resume(plan)
    assert (result.status, result.changed, result.verified, result.unknown) == (RunStatus.SUCCESS, 30, 30, 0)
    assert harness.comments(plan, ids) == {1: 30}
    assert harness.journal.unfinished() is None


def test_a_part_that_was_left_out_fails_alone_and_the_rest_is_changed(harness: RunHarness) -> None:
    ids = harness.ids(20)
    plan = harness.planned(ids)
    harness.order("partial", endpoint="patch", count=7, status=404, text="cannot be changed")
    result = harness.carry_out(plan, workers=1)
    assert (result.changed, result.failed, result.verified) == (17, 3, 17)
    assert (result.status, result.exit_code) == (RunStatus.PARTIAL, ExitCode.PARTIAL)
    assert harness.comments(plan, ids) == {1: 17, 0: 3}
    assert len(harness.patches) == 2, "what Falcon refuses for good is not sent again"
    failed = {record.item_id for record in harness.records(plan).values() if record.outcome == Outcome.FAILED}
    assert all(harness.comments_on(plan, composite_id) == 0 for composite_id in failed)
    assert failed == {composite_id for problem in result.errors for composite_id in problem.ids}
    assert {problem.message for problem in result.errors} == {"cannot be changed"}


def test_a_part_that_was_left_out_for_a_moment_is_sent_again_alone(harness: RunHarness) -> None:
    ids = harness.ids(20)
    plan = harness.planned(ids)
    harness.order("partial", endpoint="patch", count=7, status=503, text="try later")
    result = harness.carry_out(plan, workers=1)
    assert (result.status, result.changed, result.verified) == (RunStatus.SUCCESS, 20, 20)
    assert harness.comments(plan, ids) == {1: 20}
    assert sorted(request.ids for request in harness.patches) == [3, 10, 10]


def test_a_200_that_did_nothing_is_no_success(harness: RunHarness) -> None:
    ids = harness.ids(10)
    plan = harness.planned(ids)
    harness.order("nothing_applied", endpoint="patch", status=409, text="locked by another process")
    result = harness.carry_out(plan)
    assert (result.status, result.exit_code) == (RunStatus.FAILED, ExitCode.PARTIAL)
    assert (result.changed, result.failed, result.verified) == (0, 10, 0)
    assert harness.comments(plan, ids) == {0: 10}
    reasons = {record.reason for record in harness.records(plan).values()}
    assert reasons == {"locked by another process"}


@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("unknown", ["only_itself", "ignored", "batch_400", "batch_404"])
@pytest.mark.parametrize("errors", quick_first("null", "empty", "absent"))
def test_an_alert_that_is_gone_fails_alone_whatever_falcon_makes_of_it(
    start: Start, counted: bool, unknown: str, errors: str
) -> None:
    harness = start(count_no_ops=counted, unknown_id=unknown, errors_when_none=errors)
    ids = harness.ids(12)
    plan = harness.planned(ids)
    gone = harness.server.call(lambda: harness.tenant.store.by_id.pop(ids[4]))
    result = harness.carry_out(plan, workers=1)
    harness.tenant.store.by_id[ids[4]] = gone
    assert (result.changed, result.failed, result.verified) == (11, 1, 11)
    assert harness.records(plan)[ids[4]].outcome == Outcome.FAILED
    assert harness.comments(plan, ids) == {1: 11, 0: 1}
    assert harness.journal.unfinished() is None, "what failed for good leaves nothing to resume"
    assert len(harness.patches) <= 3, "reading names the alert that is gone: no halving is needed"


@pytest.mark.parametrize("counted", [True, False])
def test_alerts_that_were_so_already_count_as_changed_whether_falcon_counts_them_or_not(
    start: Start, counted: bool
) -> None:
    """An analyst closes some in the minute in which a run does not read again: its write makes no difference there."""
    harness = start(count_no_ops=counted, no_op_moves_updated=False)
    ids = harness.ids(10)
    plan = harness.planned(ids)
    result = harness.carry_out(plan)
    assert (result.status, result.changed, result.verified) == (RunStatus.SUCCESS, 10, 10)
    again = harness.run(ids, ChangeRequest(status=Status.CLOSED, operator="ann", overrides=ALL_GUARDRAILS))
    assert again.result.selected == 10
    assert harness.comments(again.plan, ids) == {0: 10}, "what is closed already is skipped, not touched twice"


@pytest.mark.parametrize("mode", ["batch_400", "batch_404"])
@pytest.mark.parametrize("place", [0, 37, 99])
def test_one_poison_alert_is_found_by_halving_and_fails_alone(harness: RunHarness, mode: str, place: int) -> None:
    ids = harness.ids(100)
    plan = harness.planned(ids)
    harness.order("poison", endpoint="patch", ids=[ids[place]], mode=mode, times=None)
    result = harness.carry_out(plan, batch_size=100)
    assert (result.changed, result.failed) == (99, 1)
    assert harness.records(plan)[ids[place]].outcome == Outcome.FAILED
    assert harness.comments(plan, ids) == {1: 99, 0: 1}
    assert len(harness.patches) <= 15, "100 alerts are halved seven times at most"


def test_several_poison_alerts_fail_alone(harness: RunHarness) -> None:
    ids = harness.ids(60)
    poison = ids[3::20]
    plan = harness.planned(ids)
    harness.order("poison", endpoint="patch", ids=poison, times=None)
    result = harness.carry_out(plan, batch_size=60)
    assert (result.changed, result.failed) == (57, 3)
    assert {
        composite_id for composite_id, record in harness.records(plan).items() if record.outcome == Outcome.FAILED
    } == set(poison)


def test_an_alert_that_keeps_meeting_a_server_error_fails_alone_and_the_run_goes_on(harness: RunHarness) -> None:
    ids = harness.ids(40)
    plan = harness.planned(ids)
    harness.order("poison", endpoint="patch", ids=[ids[5]], mode="only_itself", status=500, times=None)
    result = harness.carry_out(plan, batch_size=10)
    assert (result.changed, result.failed, result.unknown, result.not_sent) == (39, 1, 0, 0)
    assert harness.records(plan)[ids[5]].outcome == Outcome.FAILED
    assert harness.comments(plan, ids) == {1: 39, 0: 1}


def test_an_alert_that_was_written_and_cannot_be_found_is_unknown_and_reconciled_by_resume(harness: RunHarness) -> None:
    ids = harness.ids(20)
    plan = harness.planned(ids)
    read = harness.falcon.alerts.by_id
    harness.falcon.alerts.by_id = lambda asked: [raw for raw in read(asked) if ids[5].encode() not in bytes(raw)]  # type: ignore[method-assign]
    result = harness.carry_out(plan)
    assert (result.changed, result.unknown, result.failed) == (19, 1, 0)
    harness.falcon.alerts.by_id = read  # type: ignore[method-assign]
    result = harness.carry_out(plan)
    assert (result.changed, result.unknown, result.verified) == (20, 0, 20)
    assert harness.comments(plan, ids) == {1: 20}


def test_a_poison_alert_that_harms_only_itself_costs_no_further_request(harness: RunHarness) -> None:
    ids = harness.ids(20)
    plan = harness.planned(ids)
    harness.order("poison", endpoint="patch", ids=[ids[5]], mode="only_itself", status=400, times=None)
    result = harness.carry_out(plan)
    assert (result.changed, result.failed, len(harness.patches)) == (19, 1, 2)


def test_halves_are_paced_like_batches(harness: RunHarness) -> None:
    ids = harness.ids(40)
    plan = harness.planned(ids)
    harness.order("poison", endpoint="patch", ids=[ids[11]], times=None)
    begun = harness.timing.monotonic()
    harness.carry_out(plan, batch_size=40, delay=3.0, workers=1)
    assert harness.timing.monotonic() - begun >= 3.0 * (len(harness.patches) - 1)


def test_a_413_is_answered_with_smaller_batches(harness: RunHarness) -> None:
    ids = harness.ids(40)
    plan = harness.planned(ids)
    harness.order("status", status=413, text="request too large", endpoint="patch", times=1)
    result = harness.carry_out(plan, batch_size=40)
    assert (result.status, result.changed) == (RunStatus.SUCCESS, 40)
    assert [request.ids for request in harness.patches] == [40, 20, 20]


def test_the_number_of_splits_has_a_bound_when_falcon_refuses_everything(harness: RunHarness) -> None:
    ids = harness.ids(160)
    plan = harness.planned(ids)
    harness.order("status", status=400, text="no", endpoint="patch", times=None)
    result = harness.carry_out(plan, batch_size=80, workers=1)
    assert result.changed == 0
    assert result.unknown == 0
    assert harness.comments(plan, ids) == {0: 160}
    assert len(harness.patches) <= 2 * MAX_SPLITS + 2, "a refusal of all is not asked about again for each batch"


ABOUT_THE_REQUEST = [
    'invalid status for update_status action param. must be one of ["new", "in_progress", "reopened", "closed"]',
    "failed to read and parse request",
    "invalid element in the request",
    "invalid value for append_comment action param. must be less than 1024 characters",
    "comment too long",
]


@pytest.mark.parametrize("text", ABOUT_THE_REQUEST)
def test_a_400_about_the_request_itself_stops_the_run(harness: RunHarness, text: str) -> None:
    ids = harness.ids(100)
    plan = harness.planned(ids)
    harness.order("status", status=400, text=text, endpoint="patch", times=None)
    result = harness.carry_out(plan)
    assert isinstance(harness.causes[-1], Rejected)
    assert (result.status, result.changed) == (RunStatus.FAILED, 0)
    assert len(harness.patches) <= 2, "no batch beyond those in flight, and no halves"
    assert text in {problem.message.removeprefix("Falcon answers 400: ").removesuffix(".") for problem in result.errors}
    assert harness.journal.unfinished() is None, "sending the same again would not help: it blocks nothing"


def test_a_number_in_an_alerts_id_does_not_make_a_refusal_one_about_the_request(harness: RunHarness) -> None:
    ids = harness.ids(10)
    plan = harness.planned(ids)
    harness.order("status", status=400, text=f"cannot update {harness.tenant.cid}:ind:1:77-1024-5", endpoint="patch")
    result = harness.carry_out(plan)
    assert (result.status, result.changed) == (RunStatus.SUCCESS, 10)


@pytest.mark.parametrize("status", [405, 409, 422])
def test_a_refusal_that_smaller_batches_cannot_cure_stops_the_run(harness: RunHarness, status: int) -> None:
    ids = harness.ids(40)
    plan = harness.planned(ids)
    harness.order("status", status=status, text="not like this", endpoint="patch", times=None)
    result = harness.carry_out(plan)
    assert result.changed == 0
    assert len(harness.patches) <= 2


def test_a_redirect_of_a_change_is_not_followed_and_stops_the_run(harness: RunHarness) -> None:
    ids = harness.ids(40)
    plan = harness.planned(ids)
    harness.order("redirect", location="https://api.us-2.crowdstrike.com/", endpoint="patch", times=None)
    result = harness.carry_out(plan)
    assert result.changed == 0
    assert len(harness.patches) <= 2


def test_a_scope_that_is_missing_from_the_start_leaves_all_as_it_was_and_blocks_nothing(harness: RunHarness) -> None:
    ids = harness.ids(40)
    plan = harness.planned(ids)
    harness.order("status", status=403, text="access denied, authorization failed", endpoint="patch", times=None)
    result = harness.carry_out(plan)
    assert (result.status, result.exit_code) == (RunStatus.FAILED, ExitCode.ACCESS)
    assert (result.not_sent, result.changed) == (40, 0)
    assert "Alerts: Write" in str(harness.causes[-1])
    assert len(harness.patches) <= 2
    assert harness.journal.unfinished() is None


def test_a_scope_that_is_taken_away_in_the_middle_stops_the_run_until_a_resume(harness: RunHarness) -> None:
    ids = harness.ids(60)
    plan = harness.planned(ids)
    harness.order("status", status=403, text="access denied", endpoint="patch", skip=2, times=None)
    result = harness.carry_out(plan, workers=1)
    assert (result.changed, result.not_sent, result.exit_code) == (20, 40, ExitCode.PARTIAL)
    assert isinstance(harness.causes[-1], MissingScope)
    harness.healthy()
    result = harness.resume(plan)
    assert (result.status, result.changed) == (RunStatus.SUCCESS, 60)
    assert harness.comments(plan, ids) == {1: 60}


@pytest.mark.parametrize("header", ["milliseconds", "seconds", "missing", "nonsense", "past"])
def test_a_storm_of_429_is_sat_out(harness: RunHarness, header: str) -> None:
    ids = harness.ids(50)
    plan = harness.planned(ids)
    harness.order("rate_limit", header=header, seconds=20, times=6)
    result = harness.carry_out(plan, workers=4)
    assert (result.status, result.changed) == (RunStatus.SUCCESS, 50)
    assert harness.comments(plan, ids) == {1: 50}


def test_a_storm_that_does_not_end_changes_nothing_and_blocks_nothing(harness: RunHarness) -> None:
    ids = harness.ids(50)
    plan = harness.planned(ids)
    harness.order("rate_limit", endpoint="patch", times=None)
    result = harness.carry_out(plan)
    assert (result.status, result.exit_code, result.not_sent) == (RunStatus.FAILED, ExitCode.UNREACHABLE, 50)
    assert isinstance(harness.causes[-1], Unreachable)
    assert len(harness.patches) <= 2 * 9
    assert harness.journal.unfinished() is None


def test_a_503_for_ever_costs_few_requests_and_leaves_unknown_what_was_sent(harness: RunHarness) -> None:
    ids = harness.ids(100)
    plan = harness.planned(ids)
    harness.order("status", status=503, endpoint="patch", times=None)
    result = harness.carry_out(plan)
    assert (result.status, result.exit_code) == (RunStatus.PARTIAL, ExitCode.PARTIAL)
    assert (result.unknown + result.not_sent, result.failed) == (100, 0)
    assert result.not_sent > 0, "no new batch is begun while Falcon answers nothing"
    assert len(harness.patches) <= 2 * (MAX_LOST_IN_A_ROW + 4)
    assert isinstance(harness.causes[-1], AnswerLost)
    assert {error.code for error in result.errors} == {503}
    harness.healthy()
    assert harness.resume(plan).changed == 100
    assert harness.comments(plan, ids) == {1: 100}


def test_a_503_after_the_first_batches_is_partial_and_a_resume_does_the_rest(harness: RunHarness) -> None:
    ids = harness.ids(50)
    plan = harness.planned(ids)
    harness.order("status", status=503, endpoint="patch", skip=2, times=None)
    result = harness.carry_out(plan, workers=1)
    assert (result.changed, result.unknown, result.exit_code) == (20, 30, ExitCode.PARTIAL)
    harness.healthy()
    assert harness.resume(plan).changed == 50
    assert harness.comments(plan, ids) == {1: 50}


def test_nothing_is_sent_again_before_the_lost_request_is_as_old_as_its_timeout(harness: RunHarness) -> None:
    ids = harness.ids(40)
    plan = harness.planned(ids)
    sent: list[tuple[float, int]] = []
    harness.on_patch(lambda count: sent.append((harness.timing.passed, count)))
    harness.order("status", status=504, endpoint="patch", times=1)
    result = harness.carry_out(plan, workers=1)
    assert (result.status, result.verified) == (RunStatus.SUCCESS, 40)
    assert [count for _, count in sent] == [10] * 5
    moments = [at for at, _ in sent]
    assert moments[3] < MAX_LATENESS, "other batches go on"
    assert moments[4] - moments[0] >= MAX_LATENESS
    assert harness.comments(plan, ids) == {1: 40}


@pytest.mark.parametrize("after", [8, 12, 30, 100, 175])
def test_a_change_that_takes_effect_late_is_found_and_not_sent_again(harness: RunHarness, after: int) -> None:
    ids = harness.ids(20)
    plan = harness.planned(ids)
    applied: list[float] = []

    def take_effect(count: int) -> None:
        if not applied:
            due = harness.timing.passed + after
            applied.append(due)
            harness.timing.at(due, lambda: harness.take_effect(plan, ids[:10]))

    harness.on_patch(take_effect)
    harness.order("status", status=504, endpoint="patch", times=1)
    result = harness.carry_out(plan, workers=1)
    assert (result.status, result.verified) == (RunStatus.SUCCESS, 20)
    assert applied
    assert len(harness.patches) == 2
    assert harness.comments(plan, ids) == {1: 20}


def test_a_stop_ends_the_wait_for_a_lost_answer_and_a_resume_waits_for_the_rest(harness: RunHarness) -> None:
    ids = harness.ids(10)
    plan = harness.planned(ids)
    harness.order("status", status=504, endpoint="patch", times=1)
    harness.timing.stop_in_wait = True
    result = harness.carry_out(plan, workers=1)
    assert (result.status, result.unknown) == (RunStatus.INTERRUPTED, 10)
    harness.timing.stopping = harness.timing.stop_in_wait = False
    before = harness.timing.passed
    assert harness.resume(plan).changed == 10
    assert harness.timing.passed - before >= MAX_LATENESS - 2
    assert harness.comments(plan, ids) == {1: 10}


def test_a_token_that_is_revoked_in_the_middle_costs_one_login_and_no_comment(harness: RunHarness) -> None:
    ids = harness.ids(30)
    plan = harness.planned(ids)
    harness.order("revoke_token", endpoint="patch", skip=1)
    result = harness.carry_out(plan)
    assert (result.status, result.changed) == (RunStatus.SUCCESS, 30)
    assert harness.comments(plan, ids) == {1: 30}
    assert len(harness.requests("token")) == 2


def test_another_resolution_is_replaced_in_the_same_request(harness: RunHarness) -> None:
    ids = harness.ids(4)
    harness.edit(ids[:2], tags=["true_positive", "triage"])
    change = ChangeRequest(
        status=Status.CLOSED, operator="ann", resolution=Resolution.FALSE_POSITIVE, overrides=ALL_GUARDRAILS
    )
    plan = harness.planned(ids, change)
    result = harness.carry_out(plan)
    assert (result.status, result.verified) == (RunStatus.SUCCESS, 4)
    assert harness.tenant.store.by_id[ids[0]].state.tags == ("triage", "false_positive")
    assert [request.ids for request in harness.patches] == [2, 2]


def test_a_change_that_reads_back_in_another_state_is_not_verified(harness: RunHarness) -> None:
    """An analyst reopens an alert between the change and its read-back."""
    ids = harness.ids(10)
    plan = harness.planned(ids)

    class Meddled:
        by_id = harness.falcon.alerts.by_id

        def update(self, batch: Any, action_set: Any) -> Any:
            written = harness.falcon.alerts.update(batch, action_set)
            harness.edit(ids[:3], status="reopened")
            return written

    result = harness.carry_out(plan, alerts=Meddled())
    assert (result.changed, result.verified) == (10, 7)
    assert (result.status, result.exit_code) == (RunStatus.PARTIAL, ExitCode.PARTIAL)


def test_batches_are_as_large_as_asked_and_as_far_apart(harness: RunHarness) -> None:
    ids = harness.ids(95)
    plan = harness.planned(ids)
    begun = harness.timing.monotonic()
    harness.carry_out(plan, batch_size=25, delay=15.0)
    assert sorted(request.ids for request in harness.patches) == [20, 25, 25, 25]
    assert harness.timing.monotonic() - begun >= 3 * 15.0


def test_the_plan_gives_each_alert_exactly_the_actions_asked_for(harness: RunHarness) -> None:
    ids = harness.ids(3)
    plan = harness.planned(ids, CLOSE)
    harness.carry_out(plan)
    written = {change.composite_id: change.actions for change in harness.tenant.request_log.changes if change.request}
    comment = f"Approved tool (by ann, falcon-bulk {plan.run_id})"
    assert written == {composite_id: [("update_status", "closed"), ("append_comment", comment)] for composite_id in ids}


def test_a_run_that_sent_nothing_blocks_no_rerun_also_where_alerts_had_drifted(harness: RunHarness) -> None:
    ids = harness.ids(20)
    plan = harness.planned(ids)
    harness.edit(ids[:3], status="in_progress")
    harness.order("status", status=429, endpoint="patch", times=None)
    result = harness.carry_out(plan, fresh=False)
    assert (result.drifted, result.not_sent, result.exit_code) == (3, 17, ExitCode.UNREACHABLE)
    assert harness.journal.unfinished() is None
