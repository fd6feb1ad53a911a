"""A plan as a file, `falcon-bulk/plan/2`: JSON lines, the last of which holds the SHA-256 of all bytes before it.

First the plan's header, then action sets and alerts, then the preview, then the end. The digest guards against damage
and is no signature: `plan_check.py` holds what the file says of itself against its rows. The file is written and read
as a stream, so that its size does not matter.
"""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from falcon_bulk.errors import Refused
from falcon_bulk.model.clock import rfc3339
from falcon_bulk.model.plan import PLAN_SCHEMA, ActionSet, AlertPlan, AlertState, PlannedItem
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.run import Outcome
from falcon_bulk.operations.changes.plan_check import PlanCheck


class PlanLine(msgspec.Struct, frozen=True, tag_field="line", tag="plan"):
    """The first line."""

    schema: str
    plan: AlertPlan


class ActionSetLine(msgspec.Struct, frozen=True, tag_field="line", tag="action_set"):
    """An action set; comes before the first alert that has it."""

    number: int
    actions: ActionSet


class AlertLine(msgspec.Struct, frozen=True, tag_field="line", tag="alert"):
    """An alert with its action set and what was seen of it."""

    alert: PlannedItem[AlertState]


class PreviewLine(msgspec.Struct, frozen=True, tag_field="line", tag="preview"):
    """The plan in numbers."""

    preview: Preview


class EndLine(msgspec.Struct, frozen=True, tag_field="line", tag="end"):
    """The last line. sha256: of all bytes before this line."""

    sha256: str


MAX_CLOCK_DIFFERENCE = timedelta(minutes=5)
"""How far the clocks of two machines may differ, so that a plan is not taken for one from the future."""

Line = PlanLine | ActionSetLine | AlertLine | PreviewLine | EndLine
_decode = msgspec.json.Decoder(Line).decode
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for a line that is no JSON, is not UTF-8, or is nested too deeply."""


PLAN_START = b'{"line":"plan","schema":"falcon-bulk/plan/'


def is_plan(head: bytes) -> bool:
    """Return whether a file that begins with these bytes is a plan file, of whatever version."""
    return head.startswith(PLAN_START)


class PlanFileWriter:
    """A plan sink that writes a file as the plan is made. `finish` completes it."""

    def __init__(self, file: BinaryIO, plan: AlertPlan) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._write(PlanLine(PLAN_SCHEMA, plan))

    def add_action_set(self, number: int, actions: ActionSet) -> None:
        """Write an action set."""
        self._write(ActionSetLine(number, actions))

    def add(self, item: PlannedItem[Any], outcome: Outcome = Outcome.NOT_SENT, reason: str = "") -> None:
        """Write an alert that is to be changed."""
        if outcome == Outcome.NOT_SENT:
            self._write(AlertLine(item))

    def leave(self, item_id: str, outcome: Outcome, reason: str, rule: str = "") -> None:
        """Write nothing: what is not planned is no part of the file."""

    def finish(self, preview: Preview) -> None:
        """Write the preview and the end."""
        self._write(PreviewLine(preview))
        self._write(EndLine(self._digest.hexdigest()))

    def _write(self, line: Line) -> None:
        data = msgspec.json.encode(line) + b"\n"
        self._digest.update(data)
        self._file.write(data)


class PlanFile:
    """A plan file that is whole, undamaged, and what it says of itself.

    plan: its header; preview: its numbers when it was made, of which only the number of alerts and what was not planned
    count for more than a comparison with its rows. Raises Refused if it cannot be read, is a plan of another version,
    was damaged or edited, or contradicts itself.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._digest = ""
        header: PlanLine | None = None
        preview: Preview | None = None
        with PlanCheck() as check:
            for line in self._checked_lines():
                match line:
                    case PlanLine():
                        header = line
                        check.take_plan(line.plan)
                    case ActionSetLine():
                        check.take_action_set(line.number, line.actions)
                    case AlertLine():
                        check.take_alert(line.alert)
                    case PreviewLine():
                        preview = line.preview
                        check.take_preview(preview)
                    case EndLine():
                        self._digest = line.sha256
            if check.problem:
                raise Refused(
                    f"{path} is no plan that falcon-bulk made: {check.problem}.",
                    "Nothing was changed. Make a new plan.",
                )
        if header is None or preview is None:
            raise self._damaged()
        self.plan = header.plan
        self.preview = preview

    def rows(self) -> Iterator[tuple[PlannedItem[AlertState], ActionSet]]:
        """Yield each alert with its actions.

        Raises Refused, at the latest after the last alert, if the file is not the one any more that was checked.
        """
        action_sets: dict[int, ActionSet] = {}
        for line in self._checked_lines():
            if isinstance(line, ActionSetLine):
                action_sets[line.number] = line.actions
            elif isinstance(line, AlertLine) and line.alert.action_set in action_sets:
                yield line.alert, action_sets[line.alert.action_set]
            elif isinstance(line, AlertLine) or (isinstance(line, EndLine) and line.sha256 != self._digest):
                raise Refused(f"{self.path} was replaced while it was read.", "Nothing was changed.")

    def check(self, *, customer: str, cids: tuple[str, ...], cloud: str, now: datetime, max_age: timedelta) -> None:
        """Raise Refused for a plan of another customer, tenant or cloud, one from the future, or one too old."""
        plan_cids = dict.fromkeys((self.plan.cid, *self.plan.cids))
        if not plan_cids.keys() <= set(cids):
            raise Refused(
                f"The plan is for the CID {', '.join(plan_cids)}, these credentials are for {', '.join(cids)}.",
                "Use the env file of the customer that the plan was made for.",
            )
        if self.plan.cloud != cloud:
            raise Refused(f"The plan is for {self.plan.cloud}, this is {cloud}.", "Use the env file it was made with.")
        if self.plan.customer != customer:
            raise Refused(
                f"The plan is for the customer {self.plan.customer}, these credentials are for {customer}.",
                "Use the env file of the customer that the plan was made for.",
            )
        age = now - datetime.fromisoformat(self.plan.created)
        if age < -MAX_CLOCK_DIFFERENCE:
            raise Refused(
                f"The plan was made at {self.plan.created}, and it is {rfc3339(now)}: a plan from the future.",
                "Set this machine's clock, or make a new plan.",
            )
        if age > max_age:
            raise Refused(
                f"The plan was made {age.total_seconds() / 3600:.1f} hours ago.",
                "Make a new one, or allow its age with --plan-ttl.",
            )

    def _checked_lines(self) -> Iterator[Line]:
        """Yield all lines. Raises Refused where they are out of order, and at the end if the digest is wrong."""
        digest = hashlib.sha256()
        before: Line | None = None
        for number, (line, data) in enumerate(self._lines(), 1):
            if (number == 1) != isinstance(line, PlanLine) or not _may_follow(before, line):
                raise self._damaged(number)
            if isinstance(line, PlanLine) and line.schema != PLAN_SCHEMA:
                raise self._damaged(number)
            if isinstance(line, EndLine) and line.sha256 != digest.hexdigest():
                raise self._damaged()
            digest.update(data)
            before = line
            yield line
        if not isinstance(before, EndLine):
            raise self._damaged()

    def _lines(self) -> Iterator[tuple[Line, bytes]]:
        number = 0
        try:
            with self.path.open("rb") as file:
                for data in file:
                    number += 1
                    if number == 1:
                        self._check_version(data)
                    yield _decode(data), data
        except OSError as error:
            raise Refused(
                f"The plan {self.path} cannot be read: {error.strerror}.",
                "`--dry-run --plan FILE` saves one; for several customers --plan names a folder.",
            ) from None
        except _UNREADABLE:
            raise self._damaged(number) from None

    def _check_version(self, data: bytes) -> None:
        """Raise Refused for the first line of a plan of another version, whatever else it holds."""
        try:
            schema = _decode_header(data).schema
        except _UNREADABLE:
            return
        if schema and schema != PLAN_SCHEMA:
            raise Refused(f"{self.path} is a plan of another version ({schema}).", "Make a new plan.")

    def _damaged(self, line: int = 0) -> Refused:
        where = f"line {line}" if line else "it"
        return Refused(
            f"{self.path} is not a complete plan: {where} was cut off, was edited, or is something else.",
            "Make a new plan.",
        )


def check_saved_overrides(named: Iterable[str], plans: Iterable[PlanFile]) -> None:
    """Raise Refused for a guardrail named to be overridden that none of the plans was saved with; `all` is any."""
    saved = {name for file in plans for name in file.plan.overrides}
    for name in named:
        if name != "all" and name not in saved:
            raise Refused(f"The plan was saved without --override {name}.", "Make a new plan with it.")


class _AnyHeader(msgspec.Struct):
    schema: str = ""


_decode_header = msgspec.json.Decoder(_AnyHeader).decode


def _may_follow(before: Line | None, line: Line) -> bool:
    """Return whether the lines may stand in this order: alerts, then the preview, then the end."""
    if isinstance(before, EndLine):
        return False
    return isinstance(before, PreviewLine) == isinstance(line, EndLine)
