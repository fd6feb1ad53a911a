"""Checks a plan file against itself: its names, its action sets and alerts, and what it says of them.

The digest of a plan file is no signature. Whoever edits one can make a new digest, so nothing in the file is believed
that could not be in a plan of ours, and what it says in numbers must be what its rows are.
"""

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from types import TracebackType

from falcon_bulk.config.customers import is_customer_name
from falcon_bulk.config.operator import operator_problem
from falcon_bulk.errors import UsageProblem
from falcon_bulk.model.closing_rule import HOLD_REASONS
from falcon_bulk.model.hashes import HEX64
from falcon_bulk.model.plan import RULES_COMMAND, Action, ActionSet, AlertPlan, AlertState, PlannedItem
from falcon_bulk.model.preview import ActionCount, Preview
from falcon_bulk.model.run import NamedItem
from falcon_bulk.model.selection import describe_hashes
from falcon_bulk.model.vocabulary import Status
from falcon_bulk.operations.changes.guardrails import GUARDRAILS
from falcon_bulk.operations.changes.request import check_action_value
from falcon_bulk.operations.inputs.ids_file import is_composite_id

COMMANDS = frozenset({"close-hash", "bulk-close", RULES_COMMAND})
"""The commands whose plans may be saved; an undo is made from the journal and nothing else."""
SKIP_REASONS = frozenset({"already", "closed", "duplicate", "not_found"})
NOT_PLANNED_OUTCOMES = frozenset({"not_found", "held", "skipped"})
ASSIGNING = frozenset({"assign_to_uuid", "assign_to_user_id", "assign_to_name", "unassign"})
ACTIONS = ASSIGNING | {"update_status", "add_tag", "remove_tag", "append_comment"}
MAX_NAME_LENGTH = 255
COMPARED_VALUES = 9
MAX_COMMENTS = 1_000_000_000
"""More comments than an alert has; the journal cannot hold every number that JSON can."""

_RUN_ID = re.compile(r"[0-9]{6}[a-z0-9]{6}")
_CID = re.compile(r"[0-9a-f]{32}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


class PlanCheck:
    """Takes the parts of a plan file in their order; `problem` is then the first thing that is wrong, '' if nothing is.

    The ids seen are kept in a temporary database of SQLite, which moves to disk when they are many. Use it as a
    context manager.
    """

    def __init__(self) -> None:
        self.problem = ""
        self._plan: AlertPlan | None = None
        self._action_sets: list[ActionSet] = []
        self._alerts_of_set: Counter[int] = Counter()
        self._closed = 0
        self._line = 0
        self._ids = sqlite3.connect("", isolation_level=None)

    def __enter__(self) -> "PlanCheck":
        self._ids.execute("CREATE TABLE ids (id TEXT PRIMARY KEY) WITHOUT ROWID")
        self._ids.execute("BEGIN")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ids.close()

    def take_plan(self, plan: AlertPlan) -> None:
        """Check the header."""
        self._plan = plan
        self._note(_header_problems(plan))

    def take_action_set(self, number: int, actions: ActionSet) -> None:
        """Check an action set."""
        self._note(self._action_set_problems(number, actions))
        self._action_sets.append(actions)

    def take_alert(self, item: PlannedItem[AlertState]) -> None:
        """Check an alert."""
        self._note(self._alert_problems(item))
        self._alerts_of_set[item.action_set] += 1
        self._closed += item.before is not None and item.before.status == Status.CLOSED

    def take_preview(self, preview: Preview) -> None:
        """Check what the file says of its alerts."""
        self._note(self._preview_problems(preview))

    def _note(self, problems: Iterator[str]) -> None:
        self._line += 1
        if not self.problem and (problem := next(problems, "")):
            self.problem = f"line {self._line}: {problem}"

    def _action_set_problems(self, number: int, actions: ActionSet) -> Iterator[str]:
        assert self._plan is not None
        if number != len(self._action_sets):
            yield f"the action set {number} is out of order"
        yield from _action_problems(actions, self._plan)

    def _alert_problems(self, item: PlannedItem[AlertState]) -> Iterator[str]:
        if not is_composite_id(item.item_id):
            yield f"{item.item_id[:80]!r} is no composite id"
            return
        if not 0 <= item.action_set < len(self._action_sets):
            yield f"there is no action set {item.action_set}"
        if item.before is None or not 0 <= item.before.comments <= MAX_COMMENTS:
            yield f"it does not say what was seen of {item.item_id}"
        if item.remote_id:
            yield "it is about something else than an alert"
        yield from self._rule_problems(item)
        try:
            self._ids.execute("INSERT INTO ids VALUES (?)", (item.item_id,))
        except sqlite3.IntegrityError:
            yield f"{item.item_id} is there twice"

    def _rule_problems(self, item: PlannedItem[AlertState]) -> Iterator[str]:
        """Yield problems of an alert's rule: in a plan of rules the alert and its comment name it, in others none."""
        assert self._plan is not None
        if not self._plan.is_by_rules:
            if item.rule or item.compared:
                yield "it names a closing rule, and no rule made it"
            return
        if not item.rule or len(item.compared) not in (0, COMPARED_VALUES):
            yield f"it does not say which rule closes {item.item_id}"
        if 0 <= item.action_set < len(self._action_sets):
            comments = [
                action.value for action in self._action_sets[item.action_set] if action.name == "append_comment"
            ]
            if not all(f"rule {item.rule}; by " in comment for comment in comments):
                yield f"the comment of {item.item_id} is not that of its rule"

    def _preview_problems(self, preview: Preview) -> Iterator[str]:
        assert self._plan is not None
        planned = self._alerts_of_set.total()
        if preview.planned != planned:
            yield f"it says {preview.planned} alerts and holds {planned}"
        effects: Counter[Action] = Counter()
        for number, alerts in self._alerts_of_set.items():
            if 0 <= number < len(self._action_sets):
                for action in self._action_sets[number]:
                    effects[action] += alerts * (action.name != "append_comment")
        if Counter({_action_of(effect): effect.alerts for effect in preview.effects}) != +effects:
            yield "it says something else about what is changed than its action sets do"
        if preview.closed != self._closed:
            yield f"it says that {preview.closed} of its alerts are closed, and {self._closed} are"
        numbers = (*preview.skipped.values(), *preview.held.values())
        if preview.selected != planned + sum(numbers) or min(numbers, default=0) < 0:
            yield "the numbers of selected, skipped and held alerts do not add up"
        reasons = GUARDRAILS.keys() | (set(HOLD_REASONS) if self._plan.is_by_rules else set())
        if unknown := (preview.skipped.keys() - SKIP_REASONS) | (preview.held.keys() - reasons):
            yield f"{min(unknown)!r} is no reason to leave an alert alone"
        if not all(self._is_left_alone(item) for item in preview.items):
            yield "what it lists as not planned cannot be"
        if planned and not self._plan.cid:
            yield "it names no CID"

    def _is_left_alone(self, item: NamedItem) -> bool:
        """Return whether what was given by name and is said to be not planned may be so."""
        assert self._plan is not None
        if item.outcome not in NOT_PLANNED_OUTCOMES or item.reason not in SKIP_REASONS | GUARDRAILS.keys():
            return False
        if item.sha256:
            return item.sha256 in self._plan.hashes and not item.composite_id
        found = self._ids.execute("SELECT 1 FROM ids WHERE id = ?", (item.composite_id,)).fetchone()
        return is_composite_id(item.composite_id) and found is None


def _header_problems(plan: AlertPlan) -> Iterator[str]:
    if plan.undoes or plan.command == "undo":
        yield "an undo is made from the journal, never from a file"
    if plan.command not in COMMANDS:
        yield f"{plan.command!r} makes no plans"
    if not _RUN_ID.fullmatch(plan.run_id):
        yield f"{plan.run_id!r} is no run id"
    if not is_customer_name(plan.customer):
        yield f"{plan.customer!r} is no customer's name"
    if not plan.operator.strip() or operator_problem(plan.operator):
        yield f"{plan.operator!r} is no operator's name"
    for name in (plan.machine, plan.version, plan.cloud):
        if len(name) > MAX_NAME_LENGTH or not name.isprintable():
            yield f"{name[:80]!r} is no name"
    if not _is_time(plan.created):
        yield f"{plan.created!r} is no time in UTC"
    # A tenant without alerts has no CID that is known; such a plan holds none.
    for cid in plan.cids if any(plan.cids) else ():
        if not _CID.fullmatch(cid):
            yield f"{cid!r} is no CID"
    if plan.cid != next(iter(plan.cids), None):
        yield f"the CID {plan.cid!r} is not the first of its CIDs"
    for override in plan.overrides:
        if override not in GUARDRAILS:
            yield f"there is no guardrail {override!r}"
    if plan.is_by_rules and (plan.target != Status.CLOSED or plan.overrides or not plan.rule_files):
        yield "closing rules close, override nothing for the whole plan, and come from files"
    if plan.target and plan.target not in tuple(Status):
        yield f"{plan.target!r} is no status"
    yield from _hash_problems(plan)
    yield from _value_problems("comment", plan.comment)
    if not plan.comment.endswith(f" (by {plan.operator}, {plan.marker})"):
        yield "its comment is not that of its operator and run"


def _hash_problems(plan: AlertPlan) -> Iterator[str]:
    """Yield problems of the hashes: those that the selection names decide what the guardrail other-hashes holds."""
    if bool(plan.hashes) != (plan.command == "close-hash"):
        yield f"{plan.command} and {len(plan.hashes)} hashes do not go together"
    for digest in plan.hashes:
        if not HEX64.fullmatch(digest):
            yield f"{digest[:80]!r} is no SHA256"
    if plan.hashes and " ".join(describe_hashes(plan.hashes)) not in plan.selection:
        yield "its hashes are not those of its selection"


def _action_problems(actions: ActionSet, plan: AlertPlan) -> Iterator[str]:
    names = Counter(action.name for action in actions)
    if unknown := names.keys() - ACTIONS:
        yield f"{min(unknown)!r} is no action of a saved plan"
    if names["update_status"] > 1 or sum(names[name] for name in ASSIGNING) > 1 or len(set(actions)) < len(actions):
        yield "the actions of a set contradict each other"
    comments = [action.value for action in actions if action.name == "append_comment"]
    if plan.is_by_rules:
        if len(comments) != 1 or not comments[0].endswith(f"; by {plan.operator}, {plan.marker})"):
            yield "an action set has a comment that is not that of the plan's operator and run"
        if names.keys() - {"update_status", "add_tag", "remove_tag", "append_comment"}:
            yield "an action set does what no rule does"
    elif comments != [plan.comment]:
        yield "an action set has another comment than the plan"
    tags = [action.value for action in actions if action.name in ("add_tag", "remove_tag")]
    if len(set(tags)) < len(tags):
        yield "a tag is both added and removed"
    for action in actions:
        if action.name == "update_status" and action.value != plan.target:
            yield f"an action set has the status {action.value!r}, the plan {plan.target!r}"
        if action.name == "unassign" and action.value != "true":
            yield f"{action.value!r} is no value of unassign"
        yield from _value_problems("value", action.value)


def _value_problems(field: str, value: str) -> Iterator[str]:
    try:
        check_action_value(field, value)
    except UsageProblem as problem:
        yield problem.message


def _action_of(count: ActionCount) -> Action:
    return Action(count.name, count.value)


def _is_time(value: str) -> bool:
    try:
        return bool(_TIME.fullmatch(value) and datetime.fromisoformat(value))
    except ValueError:
        return False
