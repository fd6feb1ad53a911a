"""The result of hash-summary."""

import msgspec


class HashCount(msgspec.Struct, frozen=True, kw_only=True):
    """A SHA256 and the alerts that have it as their own; each alert counts once.

    hosts: the number of distinct hosts. names and filenames: the five most frequent. max_severity: 1 to 100, or None if
    no alert has one. fields: the own fields that had the hash; other_fields: the related ones. md5: None if not known.
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
    """A SHA256 that no alert has as its own, and the number of alerts that have it in `fields`.

    filenames: the five most frequent known names of the file. md5: None if not known.
    """

    sha256: str
    md5: str | None
    alerts: int
    fields: tuple[str, ...]
    filenames: tuple[str, ...]


class HashSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The own hashes of the alerts read, most frequent first, and their related hashes.

    by_severity (its name), by_product and by_day (created, UTC) count all alerts read, including those without a hash;
    `''` counts alerts without a value. incomplete: why fewer alerts were read than match.
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
    incomplete: tuple[str, ...] = ()
