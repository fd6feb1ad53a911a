"""What counts as a change of substance between two states of an alert."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcon_bulk.model.alert_decoder import decode_alert
from falcon_bulk.model.plan import AlertState

BEFORE: dict[str, Any] = {
    "composite_id": "c:ind:1:2",
    "status": "new",
    "tags": ["b", "a"],
    "assigned_to_name": "Alice",
    "assigned_to_uid": "alice@acme.example",
    "show_in_ui": True,
    "comments": [{"value": "seen"}],
    "updated_timestamp": "2026-11-17T06:50:00Z",
}


def state(**changed: Any) -> AlertState:
    document = {name: value for name, value in (BEFORE | changed).items() if value != "absent"}
    return AlertState.of(decode_alert(json.dumps(document).encode()))


@pytest.mark.parametrize(
    ("changed", "drift"),
    [
        ({"status": "in_progress"}, ("status new → in_progress",)),
        ({"status": "absent"}, ("status new → none",)),
        ({"tags": ["a"]}, ("tags a,b → a",)),
        ({"tags": []}, ("tags a,b → none",)),
        ({"tags": ["a,b"]}, ("tags a,b → a,b",)),
        (
            {"assigned_to_name": "Bob", "assigned_to_uid": "bob@acme.example"},
            ("assignee Alice alice@acme.example → Bob bob@acme.example",),
        ),
        (
            {"assigned_to_name": "absent", "assigned_to_uid": "absent"},
            ("assignee Alice alice@acme.example → none",),
        ),
        ({"show_in_ui": False}, ("visibility shown → hidden",)),
        ({"case_id": "C-1"}, ("case none → C-1",)),
        ({"comments": [{"value": "seen"}, {"value": "mine"}]}, ("comments 1 → 2",)),
        ({"comments": []}, ("comments 1 → none",)),
        ({"status": "closed", "show_in_ui": False}, ("status new → closed", "visibility shown → hidden")),
    ],
)
def test_a_change_of_substance_is_drift_and_told_in_words(changed: dict[str, Any], drift: tuple[str, ...]) -> None:
    assert state().drift_to(state(**changed)) == drift


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"updated_timestamp": "2026-11-18T00:00:00Z"},
        {"tags": ["a", "b"]},
        {"tags": ["", "a", "b", "a"]},
        {"show_in_ui": "absent"},
        {"severity": 90, "name": "renamed by Falcon", "crawled_timestamp": "2026-11-18T00:00:00Z"},
    ],
)
def test_what_falcon_moves_by_itself_or_writes_another_way_is_no_drift(changed: dict[str, Any]) -> None:
    assert state().drift_to(state(**changed)) == ()


def test_the_moment_of_the_last_update_is_kept_and_not_compared() -> None:
    assert state().updated == "2026-11-17T06:50:00Z"
    assert state(updated_timestamp="absent").updated == ""


words = st.sampled_from(["", "a", "b", "a b", "a,b"])
states = st.builds(
    AlertState,
    status=words,
    assigned_uid=st.just(""),
    assigned_name=words,
    assigned_uuid=st.just(""),
    tags=st.lists(words.filter(bool), unique=True, max_size=3).map(sorted).map(tuple),
    show_in_ui=st.sampled_from([None, True, False]),
    case=words,
    comments=st.integers(0, 2),
    updated=words,
)


@given(states, states)
def test_two_states_drift_exactly_where_they_differ_in_substance(one: AlertState, other: AlertState) -> None:
    def substance(state: AlertState) -> AlertState:
        return msgspec.structs.replace(state, updated="", show_in_ui=state.show_in_ui is not False)

    assert one.drift_to(one) == ()
    assert bool(one.drift_to(other)) == (substance(one) != substance(other))
    assert len(one.drift_to(other)) == len(other.drift_to(one))
