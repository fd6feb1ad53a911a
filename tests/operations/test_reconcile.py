"""What became of an alert that was sent, from what is read of it afterwards."""

import unicodedata
from itertools import product
from typing import Any

import pytest

from falcon_bulk.model.plan import Action, ActionSet, AlertState
from falcon_bulk.model.run import Outcome
from falcon_bulk.operations.changes.reconcile import is_in_target_state, reconcile_alert
from tests.support.plan_builders import RUN, a_plan, an_alert, planned

OURS = a_plan().comment
ACTIONS: ActionSet = (Action("update_status", "closed"), Action("add_tag", "pilot"), Action("append_comment", OURS))
BEFORE = an_alert(comments=[{"value": "seen"}])


def later(**fields: Any) -> Any:
    return an_alert(**{"comments": [{"value": "seen"}]} | fields)


DONE: dict[str, Any] = {"status": "closed", "tags": ["pilot"]}
WITH_OURS: dict[str, Any] = {"comments": [{"value": "seen"}, {"value": OURS}]}
WITH_THEIRS: dict[str, Any] = {"comments": [{"value": "seen"}, {"value": "looks bad to me"}]}


@pytest.mark.parametrize(
    ("fields", "accepted", "outcome", "verified"),
    [
        # our comment is there: it was us, whatever Falcon answered
        (DONE | WITH_OURS, True, Outcome.CHANGED, True),
        (DONE | WITH_OURS, False, Outcome.CHANGED, True),
        (WITH_OURS, True, Outcome.CHANGED, False),
        (WITH_OURS | {"status": "reopened"}, False, Outcome.CHANGED, False),
        # no comment of ours, the wanted state: ours only if Falcon says that it was written
        (DONE, True, Outcome.CHANGED, True),
        (DONE, False, Outcome.DRIFTED, False),
        (DONE | WITH_THEIRS, False, Outcome.DRIFTED, False),
        # as before: not applied
        ({}, True, None, False),
        ({}, False, None, False),
        ({"updated_timestamp": "2026-11-18T00:00:00Z"}, False, None, False),
        # somebody else was there
        (WITH_THEIRS, True, Outcome.DRIFTED, False),
        ({"status": "in_progress"}, True, Outcome.DRIFTED, False),
        ({"assigned_to_name": "Bob"}, False, Outcome.DRIFTED, False),
        ({"status": "closed"}, True, Outcome.DRIFTED, False),
    ],
)
def test_the_comment_the_answer_and_the_state_decide(
    fields: dict[str, Any], accepted: bool, outcome: Outcome | None, verified: bool
) -> None:
    decided = reconcile_alert(planned(BEFORE), AlertState.of(BEFORE), ACTIONS, later(**fields), accepted=accepted)
    assert (decided.outcome if decided else None) == outcome
    if decided:
        assert decided.item_id == BEFORE.composite_id
        assert decided.verified == verified
        assert (decided.after is not None) == (outcome == Outcome.CHANGED)
        assert bool(decided.reason) != verified


@pytest.mark.parametrize("accepted", [True, False])
def test_an_alert_that_falcon_does_not_know_has_failed(accepted: bool) -> None:
    decided = reconcile_alert(planned(BEFORE), AlertState.of(BEFORE), ACTIONS, None, accepted=accepted)
    assert decided is not None
    assert decided.outcome == Outcome.FAILED
    assert "does not know" in decided.reason


@pytest.mark.parametrize(
    "comment",
    [
        f"Set to closed (by alice, falcon-bulk {RUN[:-1]}b)",
        "falcon-bulk",
        RUN,
        f"Undo of {RUN} (by bob, falcon-bulk X)",
        f"see also: {OURS}",
        f"{OURS} and reopened by me",
        f"Reverted what was wrong (by bob, falcon-bulk {RUN})",
        OURS.upper(),
        OURS[:-1],
    ],
)
def test_a_comment_that_is_not_ours_as_a_whole_is_not_taken_for_ours(comment: str) -> None:
    now = later(**DONE, comments=[{"value": "seen"}, {"value": comment}])
    decided = reconcile_alert(planned(BEFORE), AlertState.of(BEFORE), ACTIONS, now)
    assert decided is not None
    assert decided.outcome == Outcome.DRIFTED


ACCENTED = f"Naïve – “見た” ﬁle (by alice, falcon-bulk {RUN})"


@pytest.mark.parametrize(
    "kept",
    [
        unicodedata.normalize("NFC", ACCENTED),
        unicodedata.normalize("NFD", ACCENTED),
        unicodedata.normalize("NFKC", ACCENTED),
        ACCENTED.replace(" ", "  "),
        ACCENTED.replace(" ", "\u00a0"),
        f"  {ACCENTED}\r\n",
    ],
)
def test_our_comment_is_ours_however_falcon_normalised_it(kept: str) -> None:
    actions = (*ACTIONS[:2], Action("append_comment", ACCENTED))
    now = later(**DONE, comments=[{"value": "seen"}, {"value": kept}])
    decided = reconcile_alert(planned(BEFORE), AlertState.of(BEFORE), actions, now)
    assert decided is not None
    assert decided.outcome == Outcome.CHANGED


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        (" ".join(sorted(f"seen {OURS}".split())), Outcome.CHANGED),
        (f"seen (by bob, falcon-bulk {RUN})", Outcome.DRIFTED),
        ("", Outcome.DRIFTED),
    ],
)
def test_of_a_comment_that_is_there_in_words_only_all_of_them_must_be(words: str, outcome: Outcome) -> None:
    decided = reconcile_alert(
        planned(BEFORE), AlertState.of(BEFORE), ACTIONS, an_alert(**DONE, comments=None, comment=words)
    )
    assert decided is not None
    assert decided.outcome == outcome


def test_what_drifted_says_what_changed() -> None:
    decided = reconcile_alert(
        planned(BEFORE), AlertState.of(BEFORE), ACTIONS, later(status="in_progress", assigned_to_name="Bob")
    )
    assert decided is not None
    assert decided.reason == "status new → in_progress; assignee none → Bob"


HOLDS: list[tuple[Action, dict[str, Any], bool]] = [
    (Action("update_status", "closed"), {"status": "closed"}, True),
    (Action("update_status", "closed"), {"status": "Closed"}, True),
    (Action("update_status", "closed"), {"status": ...}, False),
    (Action("add_tag", "a"), {"tags": ["b", "a"]}, True),
    (Action("add_tag", "a"), {"tags": ["A"]}, False),
    (Action("remove_tag", "a"), {"tags": ["b"]}, True),
    (Action("remove_tag", "a"), {"tags": ["a"]}, False),
    (Action("show_in_ui", "true"), {}, True),
    (Action("show_in_ui", "true"), {"show_in_ui": False}, False),
    (Action("show_in_ui", "false"), {"show_in_ui": False}, True),
    (Action("show_in_ui", "false"), {}, False),
    (Action("unassign", "true"), {}, True),
    (Action("unassign", "true"), {"assigned_to_uid": "alice@acme.example"}, False),
    (Action("append_comment", "x"), {}, True),
]


@pytest.mark.parametrize(("action", "fields", "holds"), HOLDS)
def test_a_state_is_what_an_action_leads_to_or_not(action: Action, fields: dict[str, Any], holds: bool) -> None:
    assert is_in_target_state((action,), AlertState.of(an_alert(**fields))) is holds


@pytest.mark.parametrize(
    ("one", "other"), list(product([("closed", True), ("new", False)], [("a", True), ("b", False)]))
)
def test_an_action_set_is_done_when_all_of_its_actions_are(one: tuple[str, bool], other: tuple[str, bool]) -> None:
    action_set = (Action("update_status", "closed"), Action("add_tag", "a"))
    assert is_in_target_state(action_set, AlertState.of(an_alert(status=one[0], tags=[other[0]]))) is (
        one[1] and other[1]
    )
