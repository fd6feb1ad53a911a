"""The truth for tests: every request and every change, in order."""

from typing import Any

import msgspec

from falcon_emulator.alert_records import State


class Request(msgspec.Struct):
    """One request to the API and what became of it.

    `at` in ns; `token` shows its last four characters only.
    """

    number: int
    at: int
    method: str
    path: str
    query: dict[str, str]
    body_bytes: int
    endpoint: str
    ids: int = 0
    filter: str = ""
    token: str = ""
    fault: str = ""
    status: int = 0


class Change(msgspec.Struct, frozen=True):
    """One alert changed by one request, or by an analyst (`request` 0)."""

    at: int
    request: int
    composite_id: str
    actions: list[tuple[str, str]]
    before: State
    after: State


class RequestLog:
    """`made`: how many alerts were made, by kind. `requests` and `changes`: all of them, oldest first."""

    def __init__(self) -> None:
        self.alerts_by_kind: dict[str, int] = {}
        self.requests: list[Request] = []
        self.changes: list[Change] = []

    def count_alerts(self, kinds: list[str]) -> None:
        """Add alerts of these kinds to `made`."""
        for kind in kinds:
            self.alerts_by_kind[kind] = self.alerts_by_kind.get(kind, 0) + 1


def jsonl(entries: list[Any]) -> bytes:
    """Entries as JSON lines."""
    return b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries)
