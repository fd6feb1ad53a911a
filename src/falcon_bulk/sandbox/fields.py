"""The search mapping: which fields can be filtered and sorted, of which type, and where their values are.

Names from falcon-mcp's filter guide and the swagger. A field that is not here is unknown to the search.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Literal

import msgspec

from falcon_bulk.sandbox.documents import own_fields, resolution
from falcon_bulk.sandbox.records import Alert
from falcon_bulk.sandbox.switches import Switches
from falcon_bulk.sandbox.timestamps import MILLISECOND, parse

Type = Literal["keyword", "text", "number", "bool", "time", "array", "terms"]


class Field(msgspec.Struct, frozen=True):
    """`values(alert)` is the field's value as the search knows it: None if absent, a tuple for arrays, ns for times.

    `keyword`: a string that can be sorted. `text`: one that cannot. `array`: strings that only match exactly.
    `terms`: free text of which one single word matches.
    """

    name: str
    type: Type
    value: Callable[[Alert], Any]

    @property
    def sortable(self) -> bool:
        return self.type in ("keyword", "number", "bool", "time")


def _document(name: str) -> Callable[[Alert], Any]:
    """Look a dotted path up in the document; through a list of objects it gives a tuple of all it meets."""
    head, *rest = name.split(".")

    def value(alert: Alert) -> Any:
        found = alert.shared(head)
        return _dig(own_fields(alert, alert.indexed).get(head) if found is None else found, rest)

    return value


def _shared(name: str) -> Callable[[Alert], Any]:
    """Like `_document`, for a field that only ever stands in the shared parts."""
    head, *rest = name.split(".")
    if not rest:
        return lambda alert: alert.shared(head)
    return lambda alert: _dig(alert.shared(head), rest)


def _dig(value: Any, path: list[str]) -> Any:
    for index, key in enumerate(path):
        if isinstance(value, list):
            found = tuple(_dig(item, path[index:]) for item in value)
            return tuple(item for item in found if item is not None) or None
        value = value.get(key) if isinstance(value, dict) else None
    return tuple(value) or None if isinstance(value, list | tuple) else value


def _hash_of(place: str) -> Callable[[Alert], str | None]:
    """The hash of a single file among the evidence."""
    get = attrgetter(f"evidence.{place}")

    def value(alert: Alert) -> str | None:
        file = get(alert)
        return None if file is None else str(file.sha256)

    return value


def _assignee(part: str) -> Callable[[Alert], str | None]:
    get = attrgetter(part)
    return lambda alert: alert.indexed.assignee and get(alert.indexed.assignee) or None


def _filled(get: Callable[[Alert], Any]) -> Callable[[Alert], Any]:
    """An empty tuple counts as no value, as in Elasticsearch."""
    return lambda alert: get(alert) or None


def _time(name: str) -> Callable[[Alert], int | None]:
    """A time that only the document has."""
    get = _document(name)

    def value(alert: Alert) -> int | None:
        text = get(alert)
        return None if text is None else parse(text, 0)

    return value


_SHARED_TYPES: dict[Type, str] = {
    "keyword": "product type severity_name agent_id platform tactic tactic_id technique technique_id objective scenario "
               "device.device_id device.platform_name device.product_type_desc device.machine_domain device.os_version "
               "device.local_ip device.external_ip device.cid device.site_name device.status source_account_upn "
               "cloud_provider cloud_account_id cloud_indicator global_prevalence local_prevalence user_id "
               "parent_details.sha256 parent_details.md5 grandparent_details.sha256 grandparent_details.md5 origin_cid",
    "text": "name display_name description cmdline filename filepath user_name device.hostname computer_name logon_domain "
            "source_endpoint_host_name source_account_name parent_details.filename parent_details.cmdline "
            "parent_details.filepath grandparent_details.filename grandparent_details.cmdline "
            "grandparent_details.filepath pattern_disposition_description alleged_filetype user_principal",
    "number": "severity confidence pattern_id pattern_disposition priority_value",
    "bool": "email_sent",
    "array": "data_domains source_products source_vendors source_hosts source_ips host_names user_names device.groups "
             "device.tags mitre_attack.tactic mitre_attack.tactic_id mitre_attack.technique mitre_attack.technique_id",
}
_OWN_TYPES: dict[Type, str] = {
    "keyword": "id aggregate_id indicator_id control_graph_id process_id parent_process_id local_process_id tree_id tree_root "
               "triggering_process_graph_id lead_id lead_type scan_id event_id detection_id incident_id incident.id md5 "
               "sha1 ioc_source poly_id mobile_detection_id resource_id resource_uuid",
    "text": "comment ioc_description",
    "number": "seconds_to_resolved seconds_to_triaged score",
    "bool": "is_closed quarantined correlation_rule_create_case",
    "array": "case_ids ioc_values",
    "terms": "comments.value",
}
_OWN_TIMES = "timestamp context_timestamp start_time end_time"


def _mapping() -> dict[str, Field]:
    fields = [Field(name, type_, _shared(name)) for type_, names in _SHARED_TYPES.items() for name in names.split()]
    fields += [Field(name, type_, _document(name)) for type_, names in _OWN_TYPES.items() for name in names.split()]
    fields += [Field(name, "time", _time(name)) for name in _OWN_TIMES.split()]
    fields += [
        Field("composite_id", "keyword", attrgetter("composite_id")),
        Field("cid", "keyword", attrgetter("cid")),
        Field("status", "keyword", attrgetter("indexed.status")),
        Field("show_in_ui", "bool", attrgetter("indexed.show_in_ui")),
        Field("created_timestamp", "time", attrgetter("created")),
        Field("updated_timestamp", "time", attrgetter("indexed.updated")),
        Field("crawled_timestamp", "time", _filled(attrgetter("indexed.crawled"))),
        Field("tags", "array", _filled(attrgetter("indexed.tags"))),
        Field("resolution", "keyword", lambda alert: resolution(alert.indexed.tags)),
        Field("assigned_to_name", "keyword", _assignee("name")),
        Field("assigned_to_uid", "keyword", _assignee("uid")),
        Field("assigned_to_uuid", "keyword", _assignee("uuid")),
        Field("sha256", "keyword", _hash_of("subject")),
        Field("ioc_value", "keyword", _hash_of("indicator")),
        Field("ioc_type", "keyword", lambda alert: None if alert.evidence.indicator is None else "hash_sha256"),
        Field("entities.sha256", "array", lambda alert: tuple(file.sha256 for file in alert.evidence.entities) or None),
        Field("ioc_context.sha256", "keyword", _hash_of("indicator")),
        Field("quarantined_files.sha256", "keyword", _hash_of("quarantined")),
        Field("associated_files.sha256", "keyword", _hash_of("associated")),
        Field("file_writes.sha256", "keyword", _hash_of("written")),
    ]
    return {field.name: field for field in fields}


_FIELDS = _mapping()
NESTED_HASHES = ("ioc_context.sha256", "quarantined_files.sha256", "associated_files.sha256", "file_writes.sha256")


def field(name: str, switches: Switches) -> Field | None:
    """The field of that name, or None if the search does not know it (as the switches have it)."""
    if name in NESTED_HASHES and not switches.nested_hash_fields:
        return None
    if name == "entities.sha256" and switches.entities_sha256 != "matches":
        return None if switches.entities_sha256 == "unknown_field" else Field(name, "array", lambda alert: None)
    found = _FIELDS.get(name)
    if found is not None and found.type == "time" and switches.time_precision == "ms":
        return Field(name, "time", _in_milliseconds(found.value))
    return found


def _in_milliseconds(get: Callable[[Alert], Any]) -> Callable[[Alert], int | None]:
    def value(alert: Alert) -> int | None:
        moment = get(alert)
        return None if moment is None else moment // MILLISECOND * MILLISECOND

    return value
