"""Keeps the alerts that rules may close until all are read: only then is it known which rules surge, and what differs.

In memory up to some size, then in a temporary file.
"""

from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from types import TracebackType

import msgspec

from falcon_bulk.model.alert import Alert
from falcon_bulk.model.alert_decoder import decode_alert
from falcon_bulk.operations.rules.rule_book import Decision

MAX_IN_MEMORY = 32 * 1024 * 1024
_LENGTH = 4


class _Candidate(msgspec.Struct, array_like=True):
    decision: Decision
    document: bytes


_decode_candidate = msgspec.msgpack.Decoder(_Candidate).decode


class Candidates:
    """Alerts with what the rules say about each. Use it as a context manager."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=MAX_IN_MEMORY)  # noqa: SIM115 - closed by __exit__

    def __enter__(self) -> "Candidates":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, decision: Decision, document: msgspec.Raw) -> None:
        """Keep an alert."""
        data = msgspec.msgpack.encode(_Candidate(decision, bytes(document)))
        self._file.write(len(data).to_bytes(_LENGTH, "big"))
        self._file.write(data)

    def __iter__(self) -> Iterator[tuple[Decision, Alert]]:
        """Yield the alerts in their order."""
        self._file.seek(0)
        while length := self._file.read(_LENGTH):
            candidate = _decode_candidate(self._file.read(int.from_bytes(length, "big")))
            yield Decision(*candidate.decision), decode_alert(candidate.document)
