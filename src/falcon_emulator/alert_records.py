"""The tenant's record of an alert.

An alert's document is not stored. It is assembled on demand from fragments that many alerts share (the detection
pattern, the host, the process tree) and from the alert's own identity, evidence and state.
"""

from typing import Any

import msgspec

from falcon_emulator.timestamps import MILLISECOND

Fields = dict[str, Any]

# The kinds of alerts whose documents have the fields that gofalcon's schema requires and no older sample shows.
FULL_SCHEMA_KINDS = frozenset(("ldt", "ods", "overwatch", "xdr", "ngsiem", "fcs"))


class Fragment:
    """Top-level fields that many documents share, and their JSON, encoded once."""

    __slots__ = ("fields", "json")

    def __init__(self, fields: Fields) -> None:
        self.fields = fields
        self.json = msgspec.json.encode(fields)[1:-1]


class Assignee(msgspec.Struct, frozen=True):
    """The user an alert is assigned to; unknown parts are empty strings."""

    name: str = ""
    uid: str = ""
    uuid: str = ""


class Comment(msgspec.Struct, frozen=True):
    """One comment; `falcon_user_id` is the API client's id when an API client wrote it."""

    value: str
    timestamp: str
    falcon_user_id: str


class State(msgspec.Struct, frozen=True):
    """Everything about an alert that can change. A change makes a new state; the old one stays as it is.

    Times are in ns. `show_in_ui` None, `tags` None and `crawled` 0 mean that the document has no such field.
    """

    status: str
    updated: int
    crawled: int = 0
    show_in_ui: bool | None = True
    assignee: Assignee | None = None
    tags: tuple[str, ...] | None = None
    comments: tuple[Comment, ...] = ()
    seconds_to_triaged: int = 0
    seconds_to_resolved: int = 0


class File(msgspec.Struct, frozen=True):
    """A file's hashes and name."""

    sha256: str
    md5: str
    name: str


class Evidence(msgspec.Struct, frozen=True):
    """The files an alert names, by the document's fields.

    `subject`: sha256/md5. `entities`: entities.sha256. `indicator`: ioc_type/ioc_value and ioc_context.
    `quarantined`, `associated` and `written` are related files, not the alert's own.
    """

    subject: File | None = None
    entities: tuple[File, ...] = ()
    indicator: File | None = None
    quarantined: File | None = None
    associated: File | None = None
    written: File | None = None

    def own_hashes(self) -> tuple[str, ...]:
        """Return the alert's own SHA256 values (subject, entities, indicator), sorted and distinct."""
        files = [self.subject, self.indicator, *self.entities]
        return tuple(sorted({file.sha256 for file in files if file is not None}))


NO_EVIDENCE = Evidence()


class Alert(msgspec.Struct, eq=False):
    """One alert: its identity, shared fragments, evidence and state.

    `state` is current, as the entities endpoint shows it; `indexed` is the state in the search index, which may lag.
    """

    composite_id: str
    cid: str
    kind: str
    parts: tuple[Fragment, ...]
    created: int
    salt: int
    state: State
    indexed: State
    evidence: Evidence = NO_EVIDENCE
    case_ids: tuple[str, ...] = ()
    hostile: bool = False

    @property
    def created_ms(self) -> int:
        """Return milliseconds since 1970; the index keeps no finer time (a decoded `after` in public test data)."""
        return self.created // MILLISECOND

    def shared(self, name: str) -> Any:
        """Return the value of a top-level field from the shared fragments, or None."""
        for part in self.parts:
            if name in part.fields:
                return part.fields[name]
        return None
