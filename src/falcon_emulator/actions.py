"""Apply the actions of a PATCH to an alert's state.

Names, values and error texts: gofalcon's swagger, falcon-mcp's live tests and crowdstrike-mcp.
"""

import msgspec

from falcon_emulator.alert_records import Assignee, Comment, State
from falcon_emulator.http import ApiError
from falcon_emulator.timestamps import rfc3339

STATUSES = ("new", "in_progress", "reopened", "closed")
MAX_VALUE = 1023
NAMES = frozenset(
    (
        "update_status",
        "append_comment",
        "add_tag",
        "remove_tag",
        "remove_tags_by_prefix",
        "assign_to_uuid",
        "assign_to_user_id",
        "assign_to_name",
        "unassign",
        "show_in_ui",
    )
)
_NOT_EMPTY = frozenset(("append_comment", "add_tag", "remove_tag", "remove_tags_by_prefix"))
_REMOVALS = ("remove_tag", "remove_tags_by_prefix")


class Action(msgspec.Struct, frozen=True):
    """One entry of action_parameters; both fields must be strings."""

    name: str
    value: str


def check_action(action: Action, counted: str = "bytes") -> None:
    """Raise ApiError 400 for an action that Falcon refuses; `counted` is the switch action_value."""
    if action.name not in NAMES:
        raise ApiError(400, f"invalid action parameter name: {action.name}")
    if len(action.value.encode() if counted == "bytes" else action.value) > MAX_VALUE:
        raise ApiError(400, "invalid action value specified. must be less than 1024")
    if action.name == "update_status" and action.value not in STATUSES:
        listed = ", ".join(f'"{status}"' for status in STATUSES)
        raise ApiError(400, f"invalid status for update_status action param. must be one of [{listed}]")
    if action.name == "show_in_ui" and action.value not in ("true", "false"):
        raise ApiError(400, "invalid value for show_in_ui action param. must be true or false")
    if action.name in _NOT_EMPTY and not action.value:
        raise ApiError(400, f"invalid value for {action.name} action param. must not be empty")


def apply_actions(state: State, actions: list[Action], now: int, author: str, *, hide_closed: bool = False) -> State:
    """Return the state after all actions. Tags are removed before others are added; `updated` does not change."""
    replace = msgspec.structs.replace
    for action in sorted(actions, key=lambda action: action.name not in _REMOVALS):
        name, value = action.name, action.value
        if name == "update_status":
            hidden = hide_closed and value == "closed"
            state = replace(state, status=value, show_in_ui=False if hidden else state.show_in_ui)
        elif name == "append_comment":
            state = replace(state, comments=(*state.comments, Comment(value, rfc3339(now), author)))
        elif name == "show_in_ui":
            state = replace(state, show_in_ui=value == "true")
        elif name == "unassign":
            state = replace(state, assignee=None)
        elif name.startswith("assign_to_"):
            state = replace(state, assignee=_assignee(name, value))
        else:
            state = replace(state, tags=_tags(state.tags or (), name, value))
    return state


def _assignee(name: str, value: str) -> Assignee:
    """Accept any value, whether or not such a user exists (documented in chronicle's content-hub)."""
    part = {"assign_to_name": "name", "assign_to_user_id": "uid", "assign_to_uuid": "uuid"}[name]
    return Assignee(**{part: value})


def _tags(tags: tuple[str, ...], name: str, value: str) -> tuple[str, ...]:
    if name == "remove_tag":
        return tuple(tag for tag in tags if tag != value)
    if name == "remove_tags_by_prefix":
        return tuple(tag for tag in tags if not tag.startswith(value))
    return tags if value in tags else (*tags, value)
