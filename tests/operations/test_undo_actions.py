"""The actions of an undo, tried on a small model of what Falcon does with actions."""

from dataclasses import dataclass, field, replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcon_bulk.model.plan import Action, ActionSet, AlertState
from falcon_bulk.model.vocabulary import Resolution, Status
from falcon_bulk.operations.changes.request import ChangeRequest
from falcon_bulk.operations.changes.undo import undo_actions
from tests.support.plan_builders import an_alert


@dataclass(frozen=True)
class Person:
    """Somebody an alert can be assigned to."""

    uuid: str = ""
    uid: str = ""
    name: str = ""


PEOPLE = [Person("6a1b", "alice@acme.example", "Alice"), Person("7c2d", "bob@acme.example", "Bob")]
NOBODY = Person()


@dataclass(frozen=True)
class Model:
    """An alert at Falcon: removals of tags run before additions, whatever their order (swagger)."""

    status: str = "new"
    tags: frozenset[str] = frozenset()
    assignee: Person = NOBODY
    shown: bool = True
    comments: tuple[str, ...] = field(default=())

    def apply(self, action_set: ActionSet) -> "Model":
        values = {action.name: action.value for action in action_set}
        tags = self.tags - {action.value for action in action_set if action.name == "remove_tag"}
        return replace(
            self,
            status=values.get("update_status", self.status),
            tags=tags | {action.value for action in action_set if action.name == "add_tag"},
            assignee=self._assigned(values),
            shown=values.get("show_in_ui", "true" if self.shown else "false") == "true",
            comments=self.comments + tuple(action.value for action in action_set if action.name == "append_comment"),
        )

    def _assigned(self, values: dict[str, str]) -> Person:
        if "unassign" in values:
            return NOBODY
        for name, part in (("assign_to_uuid", "uuid"), ("assign_to_user_id", "uid"), ("assign_to_name", "name")):
            if name in values:
                return next(person for person in PEOPLE if getattr(person, part) == values[name])
        return self.assignee

    @property
    def state(self) -> AlertState:
        return AlertState(
            status=self.status,
            assigned_uid=self.assignee.uid,
            assigned_name=self.assignee.name,
            assigned_uuid=self.assignee.uuid,
            tags=tuple(sorted(self.tags)),
            show_in_ui=self.shown,
            case="",
            comments=len(self.comments),
        )


tags = st.frozensets(st.sampled_from(["pilot", "triage", *map(str, Resolution)]))
models = st.builds(
    Model,
    status=st.sampled_from(list(map(str, Status))),
    tags=tags,
    assignee=st.sampled_from([NOBODY, *PEOPLE]),
    shown=st.booleans(),
)
requests = st.builds(
    ChangeRequest,
    status=st.sampled_from(Status),
    operator=st.just("alice"),
    resolution=st.sampled_from([None, *Resolution]),
    tags=st.lists(st.sampled_from(["pilot", "new-tag"]), max_size=2).map(tuple),
    assign_to=st.sampled_from(["", "alice@acme.example", "Bob"]),
)


@given(models, requests, st.booleans())
def test_an_undo_restores_all_but_the_comments(before: Model, request: ChangeRequest, hides: bool) -> None:
    alert = an_alert(status=before.status, tags=sorted(before.tags))
    after = before.apply((*request.lacking(AlertState.of(alert)), Action("append_comment", "there")))
    after = replace(after, shown=after.shown and not hides)  # closing may hide: not known
    restored = after.apply(undo_actions(before.state, after.state, "back"))
    assert replace(restored, comments=()) == before
    assert restored.comments == ("there", "back")


@given(models, models)
def test_an_undo_leads_from_any_state_to_any_other(before: Model, after: Model) -> None:
    action_set = undo_actions(before.state, after.state, "back")
    assert replace(after.apply(action_set), comments=()) == replace(before, comments=())
    names = [action.name for action in action_set]
    assert names[-1] == "append_comment"
    assert names.count("append_comment") == 1
    tags_only = [name for name in names if name.endswith("_tag")]
    assert tags_only == sorted(tags_only, reverse=True)  # remove_tag before add_tag
    assert all(isinstance(action.value, str) and action.value for action in action_set)


@given(models)
def test_where_nothing_changed_there_is_only_the_comment(model: Model) -> None:
    assert undo_actions(model.state, model.state, "back") == (Action("append_comment", "back"),)


@pytest.mark.parametrize(
    ("person", "action"),
    [
        (Person("6a1b", "alice@acme.example", "Alice"), Action("assign_to_uuid", "6a1b")),
        (Person("", "alice@acme.example", "Alice"), Action("assign_to_user_id", "alice@acme.example")),
        (Person("", "", "Alice"), Action("assign_to_name", "Alice")),
        (NOBODY, Action("unassign", "true")),
    ],
)
def test_the_former_assignee_is_named_as_exactly_as_is_known(person: Person, action: Action) -> None:
    before, after = Model(assignee=person), Model(assignee=PEOPLE[1])
    assert action in undo_actions(before.state, after.state, "back")


def test_a_former_status_that_falcon_would_refuse_is_not_sent() -> None:
    before = msgspec.structs.replace(Model().state, status="triaged")
    assert undo_actions(before, Model(status="closed").state, "back") == (Action("append_comment", "back"),)


def test_an_alert_whose_visibility_was_not_said_is_shown_again() -> None:
    before = msgspec.structs.replace(Model().state, show_in_ui=None)
    assert Action("show_in_ui", "true") in undo_actions(before, Model(shown=False).state, "back")
