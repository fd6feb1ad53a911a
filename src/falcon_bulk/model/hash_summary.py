"""The result of hash-summary."""

import msgspec


class HashCount(msgspec.Struct, frozen=True, kw_only=True):
    """One SHA256 and the alerts it is an own hash of; an alert counts once.

    hosts is the number of distinct hosts; names and filenames the five most frequent; by_resolution counts the
    resolutions given; max_severity 1 to 100, or None if no alert had one. fields: where the hash was an alert's own;
    other_fields: where it was in an alert without being its own. md5: None if not known.
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
    by_resolution: dict[str, int] = {}
    other_fields: tuple[str, ...] = ()
    md5: str | None = None


class RelatedHash(msgspec.Struct, frozen=True, kw_only=True):
    """A SHA256 that no alert has as its own, and how many alerts have it in the fields.

    filenames: the five most frequent names of the file, where they are known; md5: None if not known.
    """

    sha256: str
    md5: str | None
    alerts: int
    fields: tuple[str, ...]
    filenames: tuple[str, ...]


class HashSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Own hashes, most frequent first, of the alerts read.

    by_severity (its name), by_product and by_day (created, UTC) count all alerts read, with a hash or not; `''`
    is for those that have none.
    """

    customer: str
    generated_at: str
    filter: str
    alerts_read: int
    alerts_with_hash: int
    hashes: tuple[HashCount, ...]
    related: tuple[RelatedHash, ...] = ()
    by_severity: dict[str, int] = {}
    by_product: dict[str, int] = {}
    by_day: dict[str, int] = {}
