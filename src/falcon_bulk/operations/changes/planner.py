"""Making a plan: which alerts of a selection get which actions, which are skipped, which are held back."""

import re
from collections.abc import Iterable
from typing import Protocol

import msgspec

from falcon_bulk.errors import Refused, UsageProblem, WrongTenant
from falcon_bulk.model.alert import Alert, BriefAlert
from falcon_bulk.model.indicator import PlannedIndicator
from falcon_bulk.model.plan import Action, ActionSet, AlertState, Plan, PlannedAlert
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.run import Outcome
from falcon_bulk.model.vocabulary import Resolution, Status
from falcon_bulk.operations.changes.guardrails import GUARDRAILS, guardrail_for
from falcon_bulk.operations.changes.preview_builder import PreviewBuilder
from falcon_bulk.operations.reading.read_all import AlertDocument

VALUE_LIMIT = 1_024
CLOSE_WARNING = "Closing can fire workflows, tickets and mails that no undo takes back."
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What the options of a changing command ask for. overrides: names of guard rails."""

    status: Status | None
    operator: str
    comment: str = ""
    resolution: Resolution | None = None
    tags: tuple[str, ...] = ()
    assign_to: str = ""
    overrides: frozenset[str] = frozenset()

    def comment_of(self, run_id: str) -> str:
        """The one comment that every changed alert gets. Raises UsageProblem if Falcon would refuse it."""
        words = self.comment or (f"Set to {self.status}" if self.status else "Changed")
        return check_action_value("comment", f"{words} (by {self.operator}, falcon-bulk {run_id})")

    def check(self) -> None:
        """Raises UsageProblem for a value that Falcon would refuse, or for an unknown rail."""
        if self.comment:
            check_action_value("comment", self.comment)
        for tag in self.tags:
            check_action_value("tag", tag)
            if self.resolution and tag in tuple(Resolution) and tag != self.resolution:
                raise UsageProblem(
                    f"--resolution {self.resolution} and the tag {tag} contradict each other.",
                    "A resolution is such a tag; give one of them.",
                )
        if self.assign_to:
            check_action_value("assignee", self.assign_to)
        for rail in self.overrides:
            if rail not in GUARDRAILS:
                raise UsageProblem(
                    f"There is no guard rail {rail!r}.", f"The rails are {', '.join(GUARDRAILS)}, or all."
                )

    def action_set(self, alert: Alert, comment: str) -> ActionSet:
        """The actions for one alert: another resolution's tag goes in the same request that sets this one's."""
        others = [v for v in Resolution if v != self.resolution and v in alert.tag_set] if self.resolution else []
        added = [tag for tag in (self.resolution, *self.tags) if tag]
        return (
            *([Action("update_status", self.status)] if self.status else []),
            *(Action("remove_tag", resolution.value) for resolution in others),
            *(Action("add_tag", str(tag)) for tag in dict.fromkeys(added)),
            *([assign_action(self.assign_to)] if self.assign_to else []),
            Action("append_comment", comment),
        )


class PlanSink(Protocol):
    """Where a plan in the making goes: nowhere, a file, the journal."""

    def add_action_set(self, number: int, action_set: ActionSet) -> None:
        """A new way; comes before the first alert that goes it."""

    def add(self, alert: PlannedAlert, outcome: Outcome = Outcome.NOT_SENT, reason: str = "") -> None:
        """An alert of the plan. An outcome other than NOT_SENT is final already (an undo's drifted ones)."""


class NullSink:
    """The sink of a dry run that saves nothing."""

    def add_action_set(self, number: int, action_set: ActionSet) -> None:
        """Forget it."""

    def add(self, alert: PlannedAlert, outcome: Outcome = Outcome.NOT_SENT, reason: str = "") -> None:
        """Forget it."""

    def add_indicator(self, planned: PlannedIndicator, outcome: Outcome = Outcome.NOT_SENT, reason: str = "") -> None:
        """Forget it."""


class ActionSetNumbers:
    """Numbers the ways of a plan as they turn up."""

    def __init__(self, sink: PlanSink) -> None:
        self._sink = sink
        self._numbers: dict[ActionSet, int] = {}

    def number(self, action_set: ActionSet) -> int:
        """The number of a way; a new one is given to the sink first."""
        if action_set not in self._numbers:
            self._numbers[action_set] = len(self._numbers)
            self._sink.add_action_set(self._numbers[action_set], action_set)
        return self._numbers[action_set]


def make_plan(
    found: Iterable[list[AlertDocument[Alert]]],
    change: Change,
    plan: Plan,
    sink: PlanSink,
    *,
    given: tuple[str, ...] = (),
) -> Preview:
    """Plan a change of the alerts found, and count it.

    given: the exact ids asked for, if the selection is by id. Raises WrongTenant for an alert of a CID that
    the plan does not allow.
    """
    tally, action_sets = PreviewBuilder(plan.hashes), ActionSetNumbers(sink)
    selected, allowed = frozenset(plan.hashes), frozenset(plan.cids)
    for alert in (item.alert for page in found for item in page):
        check_tenant(alert, allowed)
        if alert.status == change.status:
            tally.skip("already")
        elif rail := guardrail_for(alert, selected, change.overrides):
            tally.hold(rail)
        else:
            number = action_sets.number(change.action_set(alert, plan.comment))
            sink.add(PlannedAlert(alert.composite_id, number, AlertState.of(alert)))
            tally.plan(alert)
    if given:
        distinct = len(set(given))
        tally.skip("not_found", distinct - tally.selected)
        tally.skip("duplicate", len(given) - distinct)
    warnings = [CLOSE_WARNING] if change.status == Status.CLOSED else []
    return tally.preview(describe_actions(change, plan.comment), by_hash=bool(plan.hashes), warnings=warnings)


def check_tenant(alert: BriefAlert, allowed: frozenset[str]) -> None:
    """Raises WrongTenant if the alert belongs to a CID that is not allowed."""
    if alert.tenant not in allowed:
        raise WrongTenant(
            f"The alert {alert.composite_id} belongs to the CID {alert.tenant}, not to {', '.join(sorted(allowed))}.",
            "Nothing was changed. List every CID to change in FALCON_CID, or use the child's own credentials.",
        )


def check_bounds(planned: int, *, expect: int | None, most: int | None, what: str = "alerts") -> None:
    """Raises Refused if the number of planned alerts, or indicators, is not what --expect and --max allow."""
    if expect is not None and planned != expect:
        raise Refused(f"{planned:,} {what} would be changed, {expect:,} were expected.", "Nothing was changed.")
    if most is not None and planned > most:
        raise Refused(f"{planned:,} {what} would be changed, at most {most:,} are allowed.", "Nothing was changed.")


def describe_actions(change: Change, comment: str) -> list[str]:
    """What each planned alert gets, a line each, for the preview."""
    lines = [f"status: {change.status}"] if change.status else []
    if change.resolution:
        lines.append(f"resolution: {change.resolution} (a tag; the tag of another resolution is removed)")
    lines += [f"tag: {tag}" for tag in change.tags]
    if change.assign_to:
        lines.append(f"assigned to: {change.assign_to}")
    return [*lines, f"comment: {comment}"]


def assign_action(who: str) -> Action:
    """The action that assigns to a UUID, an email or a name; Falcon accepts any text, existing user or not."""
    if _UUID.fullmatch(who):
        return Action("assign_to_uuid", who)
    return Action("assign_to_user_id" if "@" in who else "assign_to_name", who)


def check_action_value(what: str, value: str) -> str:
    """A value that PATCH v3 takes: not blank, no control characters, under 1,024 characters and bytes.

    Raises UsageProblem.
    """
    if not value.strip():
        raise UsageProblem(f"The {what} is blank.")
    if _CONTROL.search(value):
        raise UsageProblem(f"The {what} has control characters.", "Write it as one line of plain text.")
    if len(value.encode()) >= VALUE_LIMIT:
        raise UsageProblem(
            f"The {what} has {len(value):,} characters, {len(value.encode()):,} bytes; Falcon takes under 1,024.",
            "Shorten it; the operator and the run id are part of it.",
        )
    return value
