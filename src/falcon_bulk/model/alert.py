"""Alerts: the fields of Falcon's documents that the tool uses.

Every field but the id may be missing or have an unusual type: products differ, and old documents lack fields that new
ones have. So fields are typed loosely, and properties return checked values.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from falcon_bulk.model.vocabulary import severity_band, status_of


class Device(msgspec.Struct, frozen=True, gc=False):
    """The used part of `device`; absent for ngsiem, often for idp."""

    hostname: Any = None


class Process(msgspec.Struct, frozen=True, gc=False):
    """`parent_details` and `grandparent_details`: usually legitimate system binaries."""

    sha256: Any = None
    md5: Any = None
    filename: Any = None
    cmdline: Any = None


class Entities(msgspec.Struct, frozen=True, gc=False):
    """`entities` of an xdr alert; `sha256` was reported as a list."""

    sha256: Any = None


class HashedFile(msgspec.Struct, frozen=True, gc=False):
    """An element of `quarantined_files`, `associated_files`, `file_writes` or `ioc_context`.

    The file's name is in the first of `filename`, `filepath`, `name` and `ioc_description` (seen in samples).
    """

    sha256: Any = None
    md5: Any = None
    filename: Any = None
    filepath: Any = None
    name: Any = None
    ioc_type: Any = None
    ioc_value: Any = None
    ioc_description: Any = None


class Comment(msgspec.Struct, frozen=True, gc=False):
    """An element of `comments`."""

    value: Any = None


class BriefAlert(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The fields needed to read alerts and to select them by hash. Names are those of the document."""

    composite_id: str
    cid: Any = None
    created_timestamp: Any = None
    status: Any = None
    filename: Any = None
    sha256: Any = None
    md5: Any = None
    ioc_type: Any = None
    ioc_value: Any = None
    show_in_ui: Any = None
    entities: Entities | None = None

    @property
    def tenant(self) -> str:
        """The CID the alert belongs to, in lower case: `cid`, else the part of its id before the first colon."""
        return text(self.cid).lower() or self.composite_id.partition(":")[0].lower()

    @property
    def status_name(self) -> str:
        """The status as Falcon takes it, however the document spells it; an unknown one as it came."""
        return status_of(text(self.status))

    @property
    def hidden(self) -> bool:
        """Whether the console hides the alert. A missing field means that it is shown (automated leads)."""
        return self.show_in_ui is False


class CountedAlert(BriefAlert, frozen=True, kw_only=True, gc=False):
    """The fields needed to count alerts by hash."""

    severity: Any = None
    severity_name: Any = None
    product: Any = None
    name: Any = None
    display_name: Any = None
    resolution: Any = None
    device: Device | None = None
    parent_details: Process | None = None
    grandparent_details: Process | None = None
    quarantined_files: tuple[HashedFile, ...] | None = None
    associated_files: tuple[HashedFile, ...] | None = None
    file_writes: tuple[HashedFile, ...] | None = None
    ioc_context: tuple[HashedFile, ...] | None = None
    # Further fields that may have the host's name, after `device.hostname`.
    source_endpoint_host_name: Any = None
    host_names: Any = None
    source_hosts: Any = None
    computer_name: Any = None
    hostname: Any = None

    @property
    def host(self) -> str:
        """The host's name from the first field that has one, or ''."""
        return next(self.hosts, "")

    @property
    def hosts(self) -> Iterator[str]:
        """The host's names from all fields that may have one, best first."""
        fields = (
            self.device.hostname if self.device else None,
            self.source_endpoint_host_name,
            self.host_names,
            self.source_hosts,
            self.computer_name,
            self.hostname,
        )
        for value in fields:
            yield from texts(value)

    @property
    def title(self) -> str:
        """The alert's name."""
        return text(self.name) or text(self.display_name)

    @property
    def severity_number(self) -> float | None:
        """The severity, 1 to 100, or None if the document has none."""
        number = self.severity
        return number if isinstance(number, int | float) and not isinstance(number, bool) else None

    @property
    def severity_label(self) -> str:
        """The severity's name; derived from the number if the document has no name; else ''."""
        if name := text(self.severity_name).strip():
            return name
        number = self.severity_number
        return severity_band(number) if number is not None else ""

    @property
    def day(self) -> str:
        """The day it was created (UTC), or ''."""
        return text(self.created_timestamp)[: len("2026-11-24")]


class ReportedAlert(CountedAlert, frozen=True, kw_only=True, gc=False):
    """The fields needed to report what became of alerts."""

    seconds_to_resolved: Any = None

    @property
    def resolution_seconds(self) -> float | None:
        """Falcon's seconds from creation to closing; None for 0, which closed alerts have too."""
        seconds = self.seconds_to_resolved
        is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
        return seconds if is_number and seconds > 0 else None


class Alert(CountedAlert, frozen=True, kw_only=True, gc=False):
    """All fields of an alert document that the tool uses."""

    updated_timestamp: Any = None
    type: Any = None
    tactic: Any = None
    technique: Any = None
    filepath: Any = None
    cmdline: Any = None
    global_prevalence: Any = None
    local_prevalence: Any = None
    user_name: Any = None
    user_id: Any = None
    pattern_id: Any = None
    pattern_disposition: Any = None
    pattern_disposition_description: Any = None
    tags: Any = None
    assigned_to_name: Any = None
    assigned_to_uid: Any = None
    assigned_to_uuid: Any = None
    comment: Any = None
    falcon_host_link: Any = None
    comments: list[Comment] | None = None
    # No public document shows a linked case. These names are assumptions, except the last, which is in ngsiem samples:
    # the correlation rule created a case from the alert.
    case_id: Any = None
    case_ids: Any = None
    linked_case_ids: Any = None
    cases: Any = None
    correlation_rule_create_case: Any = None

    @property
    def tag_set(self) -> frozenset[str]:
        """The tags, without the empty ones that real documents contain."""
        return frozenset(texts(self.tags))

    @property
    def assignee(self) -> str:
        """Who the alert is assigned to, or ''."""
        names = map(text, (self.assigned_to_name, self.assigned_to_uid, self.assigned_to_uuid))
        return next((name for name in names if name.strip()), "")

    @property
    def case(self) -> str:
        """The linked case, or ''."""
        for value in filter(None, (self.case_id, self.case_ids, self.linked_case_ids, self.cases)):
            if linked := ",".join(sorted(texts(value))):
                return linked
            if not isinstance(value, list) or any(value):
                return "linked"
        return "created by its rule" if self.correlation_rule_create_case is True else ""

    @property
    def comment_texts(self) -> list[str]:
        """The comments, oldest first."""
        return [text(comment.value) for comment in self.comments or ()]


def text(value: object) -> str:
    """Return a string as it is, a number as text, anything else as ''."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def texts(value: object) -> Sequence[str]:
    """Return the non-empty strings of a field that may have a string, a list or nothing."""
    if isinstance(value, str):
        return (value,) if value else ()
    return [item for item in value if item and isinstance(item, str)] if isinstance(value, list) else ()
