"""The result of hash-summary."""

import msgspec


class HashCount(msgspec.Struct, frozen=True, kw_only=True):
    """One SHA256 and the alerts it is an own hash of; an alert counts once.

    hosts is the number of distinct hosts; names and filenames the five most frequent; fields the places
    the hash stood in; by_verdict counts the verdicts given; max_severity 1 to 100, or None if no alert had one.
    """

    sha256: str
    alerts: int
    by_status: dict[str, int]
    by_product: dict[str, int]
    hosts: int
    max_severity: float | None
    first_seen: str
    last_seen: str
    names: tuple[str, ...]
    filenames: tuple[str, ...]
    fields: tuple[str, ...]
    by_verdict: dict[str, int] = {}


class HashSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Own hashes, most frequent first, of the alerts read."""

    customer: str
    generated_at: str
    filter: str
    alerts_read: int
    alerts_with_hash: int
    hashes: tuple[HashCount, ...]
