"""The actions that a change means for one alert, and the values that Falcon would refuse."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcon_bulk.errors import ExitCode, UsageProblem
from falcon_bulk.model.plan import Action, AlertState
from falcon_bulk.model.vocabulary import Resolution, Status
from falcon_bulk.operations.changes.guardrails import GUARDRAILS
from falcon_bulk.operations.changes.reconcile import expected_state, is_in_target_state
from falcon_bulk.operations.changes.request import ChangeRequest, assign_action, check_action_value
from tests.support.plan_builders import RUN, an_alert


def a_request(**fields: Any) -> ChangeRequest:
    return ChangeRequest(**{"status": Status.CLOSED, "operator": "alice"} | fields)


def action_set(request: ChangeRequest, **fields: Any) -> list[tuple[str, str]]:
    return [(action.name, action.value) for action in request.lacking(AlertState.of(an_alert(**fields)))]


def test_a_plain_close_sets_the_status() -> None:
    assert action_set(a_request()) == [("update_status", "closed")]


@pytest.mark.parametrize("status", Status)
def test_each_status_is_sent_by_its_own_name(status: Status) -> None:
    assert action_set(a_request(status=status), status="") == [("update_status", str(status))]


@pytest.mark.parametrize(
    ("request_fields", "alert", "lacking"),
    [
        ({}, {"status": "closed"}, []),
        ({"tags": ("pilot",)}, {"status": "closed", "tags": ["pilot"]}, []),
        ({"tags": ("pilot",)}, {"status": "closed"}, [("add_tag", "pilot")]),
        ({"status": None, "tags": ("pilot",)}, {"tags": ["other"]}, [("add_tag", "pilot")]),
        ({"status": None, "untags": ("pilot",)}, {"tags": ["pilot", "other"]}, [("remove_tag", "pilot")]),
        ({"status": None, "untags": ("pilot",)}, {"tags": ["other"]}, []),
        ({"status": None, "unassign": True}, {"assigned_to_uid": "a@acme.example"}, [("unassign", "true")]),
        ({"status": None, "unassign": True}, {}, []),
        ({"status": None, "assign_to": "ANN@acme.example"}, {"assigned_to_uid": "ann@ACME.example"}, []),
        ({"status": None, "assign_to": "ann example"}, {"assigned_to_name": "Ann Example"}, []),
        ({"status": None, "assign_to": "0" * 31 + "A"}, {"assigned_to_uuid": "0" * 31 + "a"}, []),
        ({"status": None, "assign_to": "ann"}, {"assigned_to_name": "Ben"}, [("assign_to_name", "ann")]),
        ({}, {"status": "Closed"}, []),
        ({"status": None, "untags": ("Pilot",)}, {"tags": ["pilot ", "other"]}, [("remove_tag", "pilot ")]),
        ({"status": None, "assign_to": "ann  example"}, {"assigned_to_name": "Ann\u00a0Example"}, []),
        ({"status": None, "unassign": True}, {"assigned_to_name": " "}, []),
        (
            {"status": None, "resolution": Resolution.IGNORED},
            {"tags": ["ignored", "true_positive"]},
            [("remove_tag", "true_positive")],
        ),
    ],
)
def test_an_alert_gets_only_the_actions_that_it_lacks(
    request_fields: dict[str, Any], alert: dict[str, Any], lacking: list[tuple[str, str]]
) -> None:
    request = a_request(**request_fields)
    request.check()
    assert action_set(request, **alert) == lacking


@pytest.mark.parametrize(
    ("tags", "removed"),
    [
        ([], []),
        (["pilot"], []),
        (["true_positive"], ["true_positive"]),
        (["ignored", "true_positive"], ["true_positive", "ignored"]),
        (["TRUE_POSITIVE", "true_positive2"], []),
    ],
)
def test_a_resolution_replaces_the_tags_of_other_resolutions_in_the_same_request(
    tags: list[str], removed: list[str]
) -> None:
    assert action_set(a_request(resolution=Resolution.FALSE_POSITIVE), tags=tags) == [
        ("update_status", "closed"),
        *(("remove_tag", tag) for tag in removed),
        ("add_tag", "false_positive"),
    ]


def test_without_a_resolution_the_tags_of_resolutions_stay() -> None:
    assert action_set(a_request(tags=("pilot",)), tags=["true_positive"]) == [
        ("update_status", "closed"),
        ("add_tag", "pilot"),
    ]


def test_a_tag_given_twice_is_added_once_and_each_in_an_action_of_its_own() -> None:
    request = a_request(resolution=Resolution.IGNORED, tags=("b", "a", "b", "ignored"))
    assert [value for name, value in action_set(request) if name == "add_tag"] == ["ignored", "b", "a"]


@pytest.mark.parametrize(
    ("who", "action"),
    [
        ("alice@acme.example", "assign_to_user_id"),
        ("Alice Example", "assign_to_name"),
        ("6a1b2c3d-0000-4000-8000-0123456789ab", "assign_to_uuid"),
        ("6A1B2C3D000040008000" + "0123456789AB", "assign_to_uuid"),
        ("6a1b2c3d-0000-4000-8000-0123456789abc", "assign_to_name"),
    ],
)
def test_an_assignee_is_a_uuid_an_email_or_a_name(who: str, action: str) -> None:
    assert assign_action(who) == Action(action, who)
    assert action_set(a_request(assign_to=who))[1] == (action, who)


resolutions = st.sampled_from([None, *Resolution])
tags = st.lists(st.sampled_from(["pilot", "triage", *Resolution]).map(str), unique=True, max_size=4)


@given(resolutions, tags, tags, st.sampled_from(Status), st.sampled_from(Status))
def test_what_a_change_leads_to_is_what_it_is_verified_by(
    resolution: Resolution | None, added: list[str], present: list[str], before: Status, after: Status
) -> None:
    request = a_request(status=after, resolution=resolution, tags=tuple(added))
    try:
        request.check()
    except UsageProblem:
        return
    former = AlertState.of(an_alert(status=str(before), tags=present))
    taken = (*request.lacking(former), Action("append_comment", "done"))
    state = expected_state(former, taken, former)
    assert not request.lacking(state)
    assert state.status == after
    assert is_in_target_state(taken, state)
    assert set(added) <= set(state.tags)
    if resolution:
        assert {tag for tag in state.tags if tag in tuple(Resolution)} == {str(resolution)}
    assert all(isinstance(action.value, str) and action.value for action in taken)
    assert [action.name for action in taken].count("append_comment") == 1


# The comment


def test_the_comment_names_the_operator_and_the_run() -> None:
    assert a_request().full_comment(RUN) == f"Set to closed (by alice, falcon-bulk {RUN})"
    assert a_request(comment="Known tool").full_comment(RUN) == f"Known tool (by alice, falcon-bulk {RUN})"


AROUND = len(a_request(comment="x").full_comment(RUN)) - 1


@pytest.mark.parametrize("letter", ["x", "ü", "€", "😀"])
def test_a_comment_of_1023_bytes_is_taken_and_one_of_1024_is_not(letter: str) -> None:
    size = len(letter.encode())
    room = 1_023 - AROUND
    fits = letter * (room // size) + "x" * (room % size)
    assert len(a_request(comment=fits).full_comment(RUN).encode()) == 1_023
    with pytest.raises(UsageProblem) as caught:
        a_request(comment=fits + "x").full_comment(RUN)
    assert caught.value.exit_code == ExitCode.USAGE
    assert "1,024 bytes" in caught.value.message


@pytest.mark.parametrize("value", ["a\nb", "a\tb", "\x00", "\x1b[31m", "\x7f", "\x85", "\u2028", "\ud800", "", "  "])
def test_a_value_with_control_characters_or_blank_is_refused(value: str) -> None:
    for what in ("comment", "tag", "assignee"):
        with pytest.raises(UsageProblem):
            check_action_value(what, value)


@given(st.text(max_size=1_100))
def test_what_is_taken_as_a_value_can_be_sent_and_is_short_enough(value: str) -> None:
    try:
        assert check_action_value("comment", value) == value
    except UsageProblem:
        return
    assert 0 < len(value.encode()) < 1_024
    assert len(value) < 1_024


# Checking the options


def test_a_tag_that_is_another_resolution_contradicts_the_one_given() -> None:
    with pytest.raises(UsageProblem, match="contradict"):
        a_request(resolution=Resolution.FALSE_POSITIVE, tags=("true_positive",)).check()
    a_request(resolution=Resolution.FALSE_POSITIVE, tags=("false_positive", "pilot")).check()
    a_request(tags=("true_positive",)).check()


def test_a_bad_tag_or_assignee_is_refused() -> None:
    for fields in ({"tags": ("ok", "a\nb")}, {"untags": ("",)}, {"assign_to": "x" * 1_024}):
        with pytest.raises(UsageProblem):
            a_request(**fields).check()


@pytest.mark.parametrize(
    "fields",
    [
        {"tags": ("pilot",), "untags": ("pilot",)},
        {"tags": ("pilot",), "untags": ("Pilot ",)},
        {"resolution": Resolution.IGNORED, "tags": ("False_Positive",)},
        {"resolution": Resolution.IGNORED, "untags": ("ignored",)},
        {"assign_to": "ann", "unassign": True},
    ],
)
def test_options_that_contradict_each_other_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(UsageProblem, match=r"both|contradict"):
        a_request(**fields).check()


def test_an_unknown_guardrail_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(UsageProblem) as caught:
        a_request(overrides=frozenset({"critcal"})).check()
    assert "critcal" in caught.value.message
    assert all(name in caught.value.hint for name in GUARDRAILS)
    a_request(overrides=frozenset(GUARDRAILS)).check()
