"""What the tenant keeps about an alert.

An alert's document is not stored. It is put together on demand from fragments that many alerts share (the
detection pattern, the host, the process tree) and from what is its own: its identity, its evidence and its
state.
"""

from typing import Any

import msgspec

from falcon_emulator.timestamps import MILLISECOND

Fields = dict[str, Any]


class Fragment:
    """A part of a document that many alerts have in common: top-level fields and their JSON, encoded once."""

    __slots__ = ("fields", "json")

    def __init__(self, fields: Fields) -> None:
        self.fields = fields
        self.json = msgspec.json.encode(fields)[1:-1]


class Assignee(msgspec.Struct, frozen=True):
    """Whom an alert is assigned to; a part that is not known is an empty string."""

    name: str = ""
    uid: str = ""
    uuid: str = ""


class Comment(msgspec.Struct, frozen=True):
    """One comment; `falcon_user_id` is the API client's id when an API client wrote it."""

    value: str
    timestamp: str
    falcon_user_id: str


class State(msgspec.Struct, frozen=True):
    """All that can change about an alert. A change makes a new state and leaves the old one as it was.

    `show_in_ui` None: the document has no such field. `tags` None: likewise. `crawled` 0: likewise (moments
    in ns).
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
    """A file by its hashes and its name."""

    sha256: str
    md5: str
    name: str


class Evidence(msgspec.Struct, frozen=True):
    """The files an alert names, by the place they stand in.

    `subject`: sha256/md5. `entities`: entities.sha256. `indicator`: ioc_type/ioc_value and ioc_context.
    `quarantined`, `associated` and `written` are about other files than the alert's own.
    """

    subject: File | None = None
    entities: tuple[File, ...] = ()
    indicator: File | None = None
    quarantined: File | None = None
    associated: File | None = None
    written: File | None = None

    def own_hashes(self) -> tuple[str, ...]:
        """The SHA256 values that make an alert that file's alert: subject, entities, indicator.

        Sorted, distinct.
        """
        files = [self.subject, self.indicator, *self.entities]
        return tuple(sorted({file.sha256 for file in files if file is not None}))


NO_EVIDENCE = Evidence()


class Alert(msgspec.Struct, eq=False):
    """One alert: who it is, what it shares, and its state.

    `state` is what the entities endpoint knows at once; `indexed` is what the search has caught up with.
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
        """Milliseconds since 1970: the search keeps no finer time (a decoded `after` in public test data)."""
        return self.created // MILLISECOND

    def shared(self, name: str) -> Any:
        """The value of a top-level field that stands in one of the shared parts, or None."""
        for part in self.parts:
            if name in part.fields:
                return part.fields[name]
        return None
