"""The progress of a read, for who waits for it and for what the result says of itself."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from falcon_bulk.model.alert_decoder import decode_document
from falcon_bulk.model.clock import Clock
from falcon_bulk.model.field_path import value_at
from falcon_bulk.model.plural import counted
from falcon_bulk.operations.reading.alert_document import AlertDocument


@dataclass
class ReadProgress:
    """The progress of a read: how many alerts Falcon counted, how many were read, and notes for the user.

    on_progress: called with the number of alerts read so far and the number expected.
    incomplete: why fewer alerts were read than match.
    unseen_fields: fields that may not exist, each with a note for the user if no alert has the field.
    matching: how many alerts match the selection, if a limit may cut them.
    """

    clock: Clock
    on_progress: Callable[[int, int], None] = lambda _read, _expected: None
    expected: int = 0
    read: int = 0
    notes: list[str] = field(default_factory=list)
    incomplete: list[str] = field(default_factory=list)
    unseen_fields: dict[str, str] = field(default_factory=dict)
    matching: int = 0

    def restart(self) -> None:
        """Forget the numbers: the alerts are read from the first on, in another way."""
        self.read = self.expected = 0

    def add_expected(self, number: int) -> None:
        """Add alerts that Falcon counts, and report progress."""
        self.expected += number
        self.on_progress(self.read, self.expected)

    def add_read(self, number: int) -> None:
        """Add alerts that were read, and report progress. Raises Stopped if a stop was requested."""
        self.read += number
        self.on_progress(self.read, self.expected)
        self.clock.check()

    def explain(self, reasons: Iterable[str]) -> None:
        """Add notes that explain the result, each once."""
        self.notes.extend(reason for reason in reasons if reason not in self.notes)

    def remove_seen_fields(self, page: Iterable[AlertDocument[Any]]) -> None:
        """Remove from `unseen_fields` the fields that an alert of the page has."""
        for item in page if self.unseen_fields else ():
            document = decode_document(item.document)
            for name in [name for name in self.unseen_fields if value_at(document, name.split(".")) is not None]:
                del self.unseen_fields[name]

    def note_difference(self) -> None:
        """Note if the number of alerts read differs from what Falcon counted; fewer make the result incomplete."""
        if self.read != self.expected:
            (self.incomplete if self.read < self.expected else self.notes).append(
                f"Falcon counted {counted(self.expected, 'alert')}, {self.read:,} were read; "
                "alerts may have arrived or changed in the meantime."
            )
