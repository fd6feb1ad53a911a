"""A log of every request and every change, in order, for tests to check."""

from typing import Any

import msgspec

from falcon_emulator.alert_records import State


class Request(msgspec.Struct):
    """One request to the API and its outcome.

    `at` is in ns; `token` has only the last four characters.
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
    """One change of one alert, by a request or by an analyst (`request` 0)."""

    at: int
    request: int
    composite_id: str
    actions: list[tuple[str, str]]
    before: State
    after: State


class RequestLog:
    """The requests and changes, oldest first, and the number of generated alerts by kind."""

    def __init__(self) -> None:
        self.alerts_by_kind: dict[str, int] = {}
        self.requests: list[Request] = []
        self.changes: list[Change] = []

    def count_alerts(self, kinds: list[str]) -> None:
        """Add alerts of these kinds to `alerts_by_kind`."""
        for kind in kinds:
            self.alerts_by_kind[kind] = self.alerts_by_kind.get(kind, 0) + 1


def jsonl(entries: list[Any]) -> bytes:
    """Return the entries as JSON lines."""
    return b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries)
