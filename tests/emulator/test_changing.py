"""PATCH v3."""

import pytest

from tests.support.http_caller import PATCH, Caller, affected, message

from .conftest import Start

CLOSE = ("update_status", "closed")


def test_a_patch_closes_and_counts_and_has_no_resources(start: Start) -> None:
    caller = start()
    ids = caller.ids("status:'new'")[:20]
    answer = caller.patch(ids, CLOSE)
    assert answer.status_code == 200
    assert answer.json().keys() == {"meta", "errors"}
    assert affected(answer) == 20
    assert {caller.document(composite_id)["status"] for composite_id in ids} == {"closed"}
    assert not set(ids) & set(caller.ids("status:'new'"))


@pytest.mark.parametrize("status", ["new", "in_progress", "reopened", "closed"])
def test_every_status_can_be_set(start: Start, status: str) -> None:
    caller = start()
    composite_id = caller.ids()[0]
    caller.patch([composite_id], ("update_status", status))
    assert caller.document(composite_id)["status"] == status


@pytest.mark.parametrize("status", ["Closed", "", "ignored", "true_positive"])
def test_another_status_is_refused_with_falcons_message(shared: Caller, status: str) -> None:
    answer = shared.patch(shared.ids()[:1], ("update_status", status))
    assert answer.status_code == 400
    assert message(answer) == (
        'invalid status for update_status action param. must be one of ["new", "in_progress", "reopened", "closed"]'
    )


@pytest.mark.parametrize("value", [True, 1, None, ["closed"]])
def test_values_that_are_not_strings_are_refused(shared: Caller, value: object) -> None:
    answer = shared.patch(shared.ids()[:1], ("show_in_ui", value))
    assert (answer.status_code, message(answer)) == (400, "failed to read and parse request")


@pytest.mark.parametrize(
    "action",
    [
        ("close", "true"),
        ("new_behavior_processed", "x"),
        ("append_comment", ""),
        ("append_comment", "x" * 1024),
        ("add_tag", ""),
        ("show_in_ui", "yes"),
        ("show_in_ui", "False"),
    ],
)
def test_other_actions_are_refused_and_do_nothing(shared: Caller, action: tuple[str, str]) -> None:
    ids = shared.ids()[:2]
    before = [shared.document(composite_id) for composite_id in ids]
    assert shared.patch(ids, CLOSE, action).status_code == 400
    assert [shared.document(composite_id) for composite_id in ids] == before


def test_bodies_without_ids_or_actions_are_refused(shared: Caller) -> None:
    composite_id = shared.ids()[0]
    for body, text in (
        ({"ids": [composite_id], "action_parameters": []}, "invalid element in the request"),
        ({"composite_ids": [composite_id]}, "action_parameters must not be empty"),
        ({"composite_ids": [], "action_parameters": []}, "composite_ids must not be empty"),
        ({"composite_ids": [composite_id], "action_parameters": [{"name": "unassign"}]}, "failed to read"),
    ):
        answer = shared.send("PATCH", PATCH, json=body)
        assert answer.status_code == 400
        assert message(answer).startswith(text)
    assert shared.send("PATCH", PATCH, data="{").status_code == 400


def test_more_than_1000_ids_are_413_and_do_nothing(shared: Caller) -> None:
    ids = shared.ids()
    changes = len(shared.tenant.request_log.changes)
    answer = shared.patch(ids[:1001], CLOSE)
    assert (answer.status_code, message(answer)) == (413, "request too large")
    assert len(shared.tenant.request_log.changes) == changes
    assert shared.patch(ids[:1000], ("remove_tag", "nothing")).status_code == 200


def test_a_comment_of_1023_characters_is_accepted(start: Start) -> None:
    caller = start()
    composite_id = caller.ids()[0]
    assert caller.patch([composite_id], ("append_comment", "x" * 1023)).status_code == 200


@pytest.mark.parametrize("counted", ["bytes", "characters"])
def test_an_action_value_of_1024_is_refused_with_falcons_message(start: Start, counted: str) -> None:
    caller = start(action_value=counted)
    composite_id = caller.ids()[0]
    refused = caller.patch([composite_id], ("append_comment", "x" * 1024))
    assert (refused.status_code, message(refused)) == (
        400,
        "invalid action value specified. must be less than 1024",
    )
    wide = caller.patch([composite_id], ("append_comment", "\u00e9" * 1023))
    assert wide.status_code == (400 if counted == "bytes" else 200)


@pytest.mark.parametrize(
    ("mode", "statuses"),
    [("alone_500", [200, 500, 200]), ("any_500", [200, 500, 500]), ("works", [200, 200, 200])],
)
def test_third_party_alerts_are_changed_with_a_500(start: Start, mode: str, statuses: list[int]) -> None:
    caller = start(third_party_patch=mode)
    third, other = caller.ids("product:'thirdparty'")[0], caller.ids("product:'epp'")[0]
    for ids, status in zip(([other], [third], [third, other]), statuses, strict=True):
        caller.patch(ids, ("update_status", "reopened"))
        assert caller.patch(ids, ("update_status", "closed")).status_code == status
        assert {caller.document(composite_id)["status"] for composite_id in ids} == {"closed"}


def test_a_patch_may_take_fewer_ids(start: Start) -> None:
    caller = start(patch_max_ids=10)
    ids = caller.ids()
    assert caller.patch(ids[:11], ("update_status", "closed")).status_code == 413
    assert caller.patch(ids[:10], ("update_status", "closed")).status_code == 200


def test_comments_are_appended_each_time_with_the_client_as_author(start: Start) -> None:
    caller = start()
    composite_id = next(
        composite_id for composite_id in caller.ids() if "comments" not in caller.document(composite_id)
    )
    for _ in range(2):
        caller.patch([composite_id], ("append_comment", "closed by ada, run seven"))
    comments = caller.document(composite_id)["comments"]
    assert [comment["value"] for comment in comments] == ["closed by ada, run seven"] * 2
    assert {comment["falcon_user_id"] for comment in comments} == {caller.tenant.client_id}
    assert sorted(caller.document(composite_id)["comment"].split()) == sorted(["closed", "by", "ada,", "run", "seven"])
    assert composite_id in caller.ids("comments.value:'seven'")
    assert composite_id not in caller.ids("comments.value:'Seven'")


def test_removals_of_tags_come_before_additions(start: Start) -> None:
    caller = start()
    composite_id = caller.ids()[0]
    caller.patch([composite_id], ("add_tag", "FC-1"), ("add_tag", "FC-2"), ("add_tag", "kept"))
    caller.patch([composite_id], ("add_tag", "FC-3"), ("remove_tags_by_prefix", "FC-"), ("add_tag", "kept"))
    tags = caller.document(composite_id)["tags"]
    assert [tag for tag in tags if tag.startswith("FC-")] == ["FC-3"]
    assert tags.count("kept") == 1
    caller.patch([composite_id], ("add_tag", "kept"), ("remove_tag", "kept"))
    assert "kept" in caller.document(composite_id)["tags"]


def test_resolution_mirrors_the_resolution_tag(start: Start) -> None:
    caller = start()
    composite_id = next(composite_id for composite_id in caller.ids() if "tags" not in caller.document(composite_id))
    assert "resolution" not in caller.document(composite_id)
    caller.patch([composite_id], ("add_tag", "false_positive"))
    assert caller.document(composite_id)["resolution"] == "false_positive"
    assert composite_id in caller.ids("resolution:'false_positive'")
    caller.patch([composite_id], ("add_tag", "true_positive"), ("remove_tag", "false_positive"))
    assert caller.document(composite_id)["resolution"] == "true_positive"
    caller.patch([composite_id], ("remove_tag", "true_positive"))
    assert "resolution" not in caller.document(composite_id)


@pytest.mark.parametrize(
    ("action", "field"),
    [
        ("assign_to_name", "assigned_to_name"),
        ("assign_to_user_id", "assigned_to_uid"),
        ("assign_to_uuid", "assigned_to_uuid"),
    ],
)
def test_anyone_can_be_assigned_and_unassigned(start: Start, action: str, field: str) -> None:
    caller = start()
    composite_id = caller.ids()[0]
    caller.patch([composite_id], (action, "who is that?"))
    assert caller.document(composite_id)[field] == "who is that?"
    caller.patch([composite_id], ("unassign", ""))
    assert not [name for name in caller.document(composite_id) if name.startswith("assigned_to")]


def test_show_in_ui_is_set_by_a_string(start: Start) -> None:
    caller = start()
    composite_id = caller.ids("show_in_ui:true")[0]
    caller.patch([composite_id], ("show_in_ui", "false"))
    assert caller.document(composite_id)["show_in_ui"] is False


def test_without_include_hidden_a_hidden_alert_cannot_be_updated(start: Start) -> None:
    caller = start()
    hidden, visible = caller.ids("show_in_ui:false")[0], caller.ids("show_in_ui:true+status:'new'")[0]
    answer = caller.patch([hidden], CLOSE, include_hidden="false")
    assert (answer.status_code, message(answer)) == (400, "no visible alert present in the update query")
    assert affected(caller.patch([hidden, visible], CLOSE, include_hidden="false")) == 1
    assert caller.document(visible)["status"] == "closed"


@pytest.mark.parametrize("mode", ["only_itself", "ignored", "batch_400", "batch_404"])
def test_an_unknown_id_fails_itself_or_its_batch(start: Start, mode: str) -> None:
    caller = start(unknown_id=mode)
    composite_id = caller.ids("status:'new'")[0]
    answer = caller.patch([composite_id, "nobody"], CLOSE)
    whole = mode.startswith("batch")
    assert answer.status_code == (int(mode[-3:]) if whole else 200)
    assert (caller.document(composite_id)["status"] == "closed") is not whole
    if mode == "only_itself":
        assert answer.json()["errors"] == [{"code": 404, "message": "alert not found", "id": "nobody"}]


@pytest.mark.parametrize("counted", [False, True])
def test_writes_without_effect_may_be_counted(start: Start, counted: bool) -> None:
    caller = start(count_no_ops=counted)
    closed, new = caller.ids("status:'closed'")[0], caller.ids("status:'new'")[0]
    assert affected(caller.patch([closed, new], CLOSE)) == (2 if counted else 1)


@pytest.mark.parametrize("moves", [False, True])
def test_writes_without_effect_may_move_updated_timestamp(start: Start, moves: bool) -> None:
    caller = start(no_op_moves_updated=moves)
    composite_id = caller.ids("status:'closed'")[0]
    before = caller.document(composite_id)
    caller.patch([composite_id], CLOSE)
    after = caller.document(composite_id)
    assert (before["updated_timestamp"] < after["updated_timestamp"]) is moves
    assert before | {"updated_timestamp": ""} == after | {"updated_timestamp": ""}


@pytest.mark.parametrize("hides", [False, True])
def test_closing_may_hide(start: Start, hides: bool) -> None:
    caller = start(closing_hides=hides)
    composite_id = caller.ids("status:'new'+show_in_ui:true")[0]
    caller.patch([composite_id], CLOSE)
    assert caller.document(composite_id)["show_in_ui"] is not hides


def test_the_search_index_lags_and_entities_does_not(start: Start) -> None:
    caller = start(index_lag=60)
    composite_id = caller.ids("status:'new'")[0]
    caller.patch([composite_id], CLOSE)
    assert caller.document(composite_id)["status"] == "closed"
    assert composite_id in caller.ids("status:'new'")
    (seen,) = caller.combined(filter=f"composite_id:'{composite_id}'").json()["resources"]
    assert seen["status"] == "new"
    caller.control("POST", "advance", {"seconds": 60.1})
    assert composite_id not in caller.ids("status:'new'")


def test_every_change_is_in_the_request_log(start: Start) -> None:
    caller = start()
    composite_id = caller.ids("status:'new'")[0]
    caller.patch([composite_id, composite_id], CLOSE, ("append_comment", "done"))
    (change,) = caller.tenant.request_log.changes
    request = caller.tenant.request_log.requests[change.request - 1]
    assert (request.endpoint, request.ids, request.status) == ("patch", 2, 200)
    assert (change.composite_id, change.before.status, change.after.status) == (composite_id, "new", "closed")
    assert change.actions == [CLOSE, ("append_comment", "done")]
    assert (change.before.comments, len(change.after.comments)) == ((), 1)
