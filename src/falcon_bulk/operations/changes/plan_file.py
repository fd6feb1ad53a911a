"""A plan as a file: a line for the plan, a line for each way and alert, and a last line with the digest.

It is written and read as a stream, so that its size does not matter.
"""

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import msgspec

from falcon_bulk.errors import Refused
from falcon_bulk.model.plan import PLAN_SCHEMA, ActionSet, Plan, PlannedAlert
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.run import Outcome
from falcon_bulk.operations.changes.planner import PlanSink


class PlanLine(msgspec.Struct, frozen=True, tag_field="line", tag="plan"):
    """The first line."""

    schema: str
    plan: Plan


class ActionSetLine(msgspec.Struct, frozen=True, tag_field="line", tag="action_set"):
    """A way; stands before the first alert that goes it."""

    number: int
    actions: ActionSet


class AlertLine(msgspec.Struct, frozen=True, tag_field="line", tag="alert"):
    """An alert with its way and what was seen of it."""

    alert: PlannedAlert


class EndLine(msgspec.Struct, frozen=True, tag_field="line", tag="end"):
    """The last line: the preview, and SHA256 over all lines before it."""

    preview: Preview
    digest: str


_decode = msgspec.json.Decoder(PlanLine | ActionSetLine | AlertLine | EndLine).decode


class PlanFileWriter:
    """A sink that writes the plan as it is made. `finish` completes the file."""

    def __init__(self, file: BinaryIO, plan: Plan) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._write(PlanLine(PLAN_SCHEMA, plan))

    def add_action_set(self, number: int, action_set: ActionSet) -> None:
        """A way, before the first alert that goes it."""
        self._write(ActionSetLine(number, action_set))

    def add(self, alert: PlannedAlert, outcome: Outcome = Outcome.NOT_SENT, reason: str = "") -> None:
        """An alert of the plan; one whose fate is known already is no part of the file."""
        if outcome == Outcome.NOT_SENT:
            self._write(AlertLine(alert))

    def finish(self, preview: Preview) -> None:
        """The last line."""
        self._digest.update(msgspec.json.encode(preview))
        self._write(EndLine(preview, self._digest.hexdigest()))

    def _write(self, line: msgspec.Struct) -> None:
        data = msgspec.json.encode(line) + b"\n"
        if not isinstance(line, EndLine):
            self._digest.update(data)
        self._file.write(data)


class PlanFile:
    """A plan file whose digest was found right.

    Raises Refused if it cannot be read, is no plan of this version, or was damaged or edited.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        tail: EndLine | None = None
        head: PlanLine | None = None
        for line in self._checked_lines():
            head = line if isinstance(line, PlanLine) else head
            tail = line if isinstance(line, EndLine) else tail
        if head is None or tail is None or head.plan.allowance:
            raise self._damaged()
        if head.schema != PLAN_SCHEMA:
            raise Refused(f"{path} is a plan of another version ({head.schema}).", "Make the plan anew.")
        self.plan = head.plan
        self.preview = tail.preview
        self._digest = tail.digest

    def rows(self) -> Iterator[ActionSetLine | AlertLine]:
        """The ways and alerts in the order in which they were planned.

        The last step raises Refused if the file is not any more the one that was checked.
        """
        for line in self._checked_lines():
            if isinstance(line, ActionSetLine | AlertLine):
                yield line
            elif isinstance(line, EndLine) and line.digest != self._digest:
                raise Refused(f"{self.path} was replaced while it was read.", "Nothing was changed.")

    def fill(self, sink: PlanSink) -> Preview:
        """Give the ways and alerts to a sink, and return the preview. Raises Refused as `rows` does."""
        for line in self.rows():
            if isinstance(line, ActionSetLine):
                sink.add_action_set(line.number, line.actions)
            else:
                sink.add(line.alert)
        return self.preview

    def check(self, *, cids: tuple[str, ...], cloud: str, now: datetime, most_age: timedelta) -> None:
        """Raises Refused for a plan of another tenant or cloud, or one that is too old."""
        own = dict.fromkeys((self.plan.cid, *self.plan.cids))
        if not own.keys() <= set(cids):
            raise Refused(
                f"The plan is for the CID {', '.join(own)}, these credentials are for {', '.join(cids)}.",
                "Use the env file of the customer that the plan was made for.",
            )
        if self.plan.cloud != cloud:
            raise Refused(f"The plan is for {self.plan.cloud}, this is {cloud}.", "Use the env file it was made with.")
        age = now - datetime.fromisoformat(self.plan.created)
        if age > most_age:
            raise Refused(
                f"The plan was made {age.total_seconds() / 3600:.1f} hours ago.",
                "Make it anew, or allow its age with --plan-ttl.",
            )

    def _checked_lines(self) -> Iterator[PlanLine | ActionSetLine | AlertLine | EndLine]:
        """All lines. Raises Refused where they are out of order, and at the end if the digest is wrong."""
        digest = hashlib.sha256()
        tail: EndLine | None = None
        for number, (line, data) in enumerate(self._lines(), 1):
            if tail is not None or (number == 1) != isinstance(line, PlanLine):
                raise self._damaged(number)
            tail = line if isinstance(line, EndLine) else None
            digest.update(msgspec.json.encode(tail.preview) if tail else data)
            yield line
        if tail is None or digest.hexdigest() != tail.digest:
            raise self._damaged()

    def _lines(self) -> Iterator[tuple[PlanLine | ActionSetLine | AlertLine | EndLine, bytes]]:
        number = 0
        try:
            with self.path.open("rb") as file:
                for data in file:
                    number += 1
                    yield _decode(data), data
        except OSError as error:
            raise Refused(
                f"The plan {self.path} cannot be read: {error.strerror}.",
                "`--dry-run --plan FILE` saves one; --plan of a round saves a folder of them.",
            ) from None
        except msgspec.MsgspecError:
            raise self._damaged(number) from None

    def _damaged(self, line: int = 0) -> Refused:
        where = f"line {line}" if line else "it"
        return Refused(
            f"{self.path} is not a complete plan: {where} was cut off, was edited, or is something else.",
            "Make the plan anew.",
        )
