"""What a change is to do: the checked options of a changing command, and the bounds that it must keep."""

import re
from collections.abc import Collection, Iterable

import msgspec

from falcon_bulk.errors import Refused, UsageProblem
from falcon_bulk.model.plan import Action, ActionSet, AlertState
from falcon_bulk.model.plural import counted
from falcon_bulk.model.vocabulary import Resolution, Status, same_text
from falcon_bulk.operations.changes.guardrails import GUARDRAILS
from falcon_bulk.operations.changes.reconcile import has_effect

VALUE_LIMIT = 1_024
"""Characters and bytes that every action value must stay under (demisto/content-docs #1648, crowdstrike-mcp)."""
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class ChangeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A change of alerts. status: None keeps it. overrides: names of guardrails."""

    status: Status | None
    operator: str
    comment: str = ""
    resolution: Resolution | None = None
    tags: tuple[str, ...] = ()
    untags: tuple[str, ...] = ()
    assign_to: str = ""
    unassign: bool = False
    overrides: frozenset[str] = frozenset()

    def full_comment(self, run_id: str) -> str:
        """Return the one comment that every changed alert gets. Raises UsageProblem if Falcon would refuse it."""
        text = self.comment or (f"Set to {self.status}" if self.status else "Changed")
        return check_action_value("comment", f"{text} (by {self.operator}, falcon-bulk {run_id})")

    def check(self) -> None:
        """Raise UsageProblem for a value that Falcon would refuse, a change of nothing, or an unknown guardrail."""
        if self.comment:
            check_action_value("comment", self.comment)
        for tag in (*self.tags, *self.untags):
            check_action_value("tag", tag)
        added = (*self.tags, *([str(self.resolution)] if self.resolution else []))
        if both := [tag for tag in self.untags if any(same_text(tag, other) for other in added)]:
            raise UsageProblem(f"The tag {both[0]} is both added and removed.", "Give one of the two options.")
        for tag in self.tags:
            named = next((name for name in Resolution if same_text(tag, name)), self.resolution)
            if self.resolution and named != self.resolution:
                raise UsageProblem(
                    f"--resolution {self.resolution} and the tag {tag} contradict each other.",
                    "A resolution is such a tag; give one of them.",
                )
        if self.assign_to:
            check_action_value("assignee", self.assign_to)
            if self.unassign:
                raise UsageProblem("--assign-to and --unassign contradict each other.", "Give one of them.")
        if not (self.asks_for_state or self.comment):
            raise UsageProblem(
                "--set-status keep changes nothing by itself.",
                "Add --resolution, --tag, --untag, --assign-to, --unassign or --comment.",
            )
        check_overrides(self.overrides)

    @property
    def asks_for_state(self) -> bool:
        """Whether the change is about more than a comment."""
        return bool(self.status or self.resolution or self.tags or self.untags or self.assign_to or self.unassign)

    def lacking(self, state: AlertState) -> ActionSet:
        """Return the actions that lead an alert to what the change asks for, without those that would change nothing.

        The tags of other resolutions are removed in the same request; --untag removes a tag in the spelling that the
        alert has. The comment is not among them.
        """
        other_resolutions = [tag for tag in Resolution if self.resolution and tag != self.resolution]
        untagged = [tag for name in self.untags for tag in state.tags if same_text(tag, name)]
        wanted = (
            *([Action("update_status", self.status)] if self.status else []),
            *(Action("remove_tag", str(tag)) for tag in dict.fromkeys((*other_resolutions, *untagged))),
            *(Action("add_tag", str(tag)) for tag in dict.fromkeys((self.resolution, *self.tags)) if tag),
            *([assign_action(self.assign_to)] if self.assign_to else []),
            *([Action("unassign", "true")] if self.unassign else []),
        )
        return tuple(action for action in wanted if not has_effect(action, state))

    def describe_actions(self, comment: str) -> list[str]:
        """Describe what each planned alert gets, a line each, for the preview."""
        lines = [f"status: {self.status}"] if self.status else []
        if self.resolution:
            lines.append(f"resolution: {self.resolution}")
        lines += [f"tag: {tag}" for tag in self.tags]
        lines += [f"tag removed: {tag}" for tag in self.untags]
        if self.assign_to:
            lines.append(f"assigned to: {self.assign_to}")
        if self.unassign:
            lines.append("assigned to: nobody")
        return [*lines, f"comment: {comment}"]


def check_overrides(names: Iterable[str]) -> None:
    """Raise UsageProblem for a name that is no guardrail's."""
    for name in names:
        if name not in GUARDRAILS:
            raise UsageProblem(
                f"There is no guardrail {name!r}.", f"The guardrails are {', '.join(GUARDRAILS)}, or all."
            )


def describe_actions(actions: Collection[Action], comment: str) -> list[str]:
    """Describe actions as `ChangeRequest.describe_actions` does: what alerts get in all, a line each."""
    lines: dict[str, None] = {}
    resolves = any(action.name == "add_tag" and action.value in tuple(Resolution) for action in actions)
    for action in actions:
        match action.name:
            case "update_status":
                lines[f"status: {action.value}"] = None
            case "add_tag" if action.value in tuple(Resolution):
                lines[f"resolution: {action.value} (a tag; the tag of another resolution is removed)"] = None
            case "add_tag":
                lines[f"tag: {action.value}"] = None
            case "remove_tag" if not (resolves and action.value in tuple(Resolution)):
                lines[f"tag removed: {action.value}"] = None
            case "assign_to_uuid" | "assign_to_user_id" | "assign_to_name":
                lines[f"assigned to: {action.value}"] = None
            case "unassign":
                lines["assigned to: nobody"] = None
    return [*lines, f"comment: {comment}"]


OUT_OF_BOUNDS = "Nothing was changed. Look with --dry-run, then narrow the selection or change the bound."


class Bounds(msgspec.Struct, frozen=True):
    """How many items may be changed: exactly `expect` or at most `maximum`; None is no bound."""

    expect: int | None = None
    maximum: int | None = None

    def check(self, planned: int, item: str = "alert") -> None:
        """Raise Refused if that many planned items are out of bounds. item: what one of them is."""
        if self.expect is not None and planned != self.expect:
            raise Refused(f"{counted(planned, item)} would be changed, {self.expect:,} were expected.", OUT_OF_BOUNDS)
        if self.maximum is not None and planned > self.maximum:
            allowed = f"at most {self.maximum:,} are allowed"
            raise Refused(f"{counted(planned, item)} would be changed, {allowed}.", OUT_OF_BOUNDS)


def assign_action(assignee: str) -> Action:
    """Return the action that assigns to a UUID, an email or a name; Falcon accepts any text, existing user or not."""
    if _UUID.fullmatch(assignee):
        return Action("assign_to_uuid", assignee)
    return Action("assign_to_user_id" if "@" in assignee else "assign_to_name", assignee)


def check_action_value(field: str, value: str) -> str:
    """Return a value that PATCH v3 takes: not blank, no control characters, under 1,024 characters and bytes.

    field: what the value is, for the message. Raises UsageProblem.
    """
    if not value.strip():
        raise UsageProblem(f"The {field} is blank.")
    if _CONTROL.search(value):
        raise UsageProblem(f"The {field} has control characters.", "Write it as one line of plain text.")
    if len(value.encode()) >= VALUE_LIMIT:
        raise UsageProblem(
            f"The {field} has {len(value):,} characters, {len(value.encode()):,} bytes; Falcon takes under 1,024.",
            "Shorten it; the operator and the run id are part of it.",
        )
    return value
