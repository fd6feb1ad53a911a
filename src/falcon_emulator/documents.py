"""Render an alert as the JSON document that Falcon would send.

Shapes follow public sample documents of each product, and gofalcon's schema for fields that it requires and no sample
shows, such as `linked_case_ids`. Assumption, since no public sample shows it: the xdr document (`entities` with a list
per kind).
"""

from collections.abc import Callable

import msgspec

from falcon_emulator.alert_records import FULL_SCHEMA_KINDS, Alert, Comment, Evidence, Fields, State
from falcon_emulator.timestamps import MILLISECOND, SECOND, rfc3339

NO_SHA1 = "0" * 40
INCIDENT_EVERY = 13
RESOLUTIONS = ("true_positive", "false_positive", "ignored")


def render(alert: Alert, state: State) -> bytes:
    """Return the document of `alert` in `state`, as JSON bytes."""
    own = msgspec.json.encode(own_fields(alert, state))
    pattern, place, actor = alert.parts
    return b"{%b,%b,%b,%b" % (pattern.json, place.json, actor.json, own[1:])


def own_fields(alert: Alert, state: State) -> Fields:
    """Return the top-level fields that are the alert's own, not from shared fragments."""
    fields = _IDENTITY[alert.kind](alert)
    fields |= _evidence(alert.evidence, alert)
    fields |= _state(state)
    fields["cid"] = alert.cid
    fields["composite_id"] = alert.composite_id
    fields["id"] = alert.composite_id[len(alert.cid) + 1 :]
    fields["created_timestamp"] = rfc3339(alert.created)
    if alert.case_ids or alert.kind in FULL_SCHEMA_KINDS:
        fields["linked_case_ids"] = alert.case_ids
    return fields


def resolution(tags: tuple[str, ...] | None) -> str | None:
    """Return the last resolution among the tags; `resolution` mirrors it and cannot be written (falcon-mcp #450)."""
    return next((tag for tag in reversed(tags or ()) if tag in RESOLUTIONS), None)


def scrambled_comment(comments: tuple[Comment, ...]) -> str:
    """Return the `comment` field: each distinct word of all comments once, in a meaningless order."""
    words = {word for comment in comments for word in comment.value.split()}
    return " ".join(sorted(words, key=lambda word: (word[::-1], word)))


def _state(state: State) -> Fields:
    fields: Fields = {"status": state.status, "updated_timestamp": rfc3339(state.updated)}
    if state.crawled:
        fields["crawled_timestamp"] = rfc3339(state.crawled)
    if state.show_in_ui is not None:
        fields["show_in_ui"] = state.show_in_ui
        fields["seconds_to_triaged"] = state.seconds_to_triaged
        fields["seconds_to_resolved"] = state.seconds_to_resolved
    if state.assignee is not None:
        named = {
            "assigned_to_name": state.assignee.name,
            "assigned_to_uid": state.assignee.uid,
            "assigned_to_uuid": state.assignee.uuid,
        }
        fields |= {name: value for name, value in named.items() if value}
    if state.tags is not None:
        fields["tags"] = state.tags
        if resolved := resolution(state.tags):
            fields["resolution"] = resolved
    if state.comments:
        fields["comments"] = state.comments
        fields["comment"] = scrambled_comment(state.comments)
    return fields


def _evidence(evidence: Evidence, alert: Alert) -> Fields:
    fields: Fields = {}
    if subject := evidence.subject:
        fields |= {"sha256": subject.sha256, "md5": subject.md5, "sha1": NO_SHA1}
    if evidence.entities:
        fields["entities"] = {"sha256": [file.sha256 for file in evidence.entities]}
    if found := evidence.indicator:
        fields |= {
            "ioc_type": "hash_sha256",
            "ioc_value": found.sha256,
            "ioc_source": "file_write",
            "ioc_description": found.name,
            "ioc_values": [],
        }
        fields["ioc_context"] = [
            {
                "ioc_description": found.name,
                "ioc_source": "file_write",
                "ioc_type": "hash_sha256",
                "ioc_value": found.sha256,
                "md5": found.md5,
                "sha256": found.sha256,
                "type": "module",
            }
        ]
    if taken := evidence.quarantined:
        fields["quarantined_files"] = [
            {
                "filename": taken.name,
                "id": f"{alert.shared('agent_id')}_{taken.sha256}",
                "sha256": taken.sha256,
                "state": "quarantined",
            }
        ]
    if other := evidence.associated:
        fields["associated_files"] = [{"filepath": other.name, "sha256": other.sha256}]
    if written := evidence.written:
        fields["file_writes"] = [{"name": written.name, "sha256": written.sha256}]
    return fields


def _sensor(alert: Alert) -> Fields:
    """Return fields of epp/ldt, overwatch and signals: what a sensor saw in a process tree.

    Some belong to a legacy incident, which is not a case.
    """
    aid, local = alert.shared("agent_id"), alert.composite_id.rsplit(":", 1)[1]
    process = local.partition("-")[0]
    tree, began = int(process) - 7_919, alert.created - 62 * SECOND
    graph = f"ctg:{aid}:{tree}"
    context = rfc3339(began // MILLISECOND * MILLISECOND)
    incident = {"created": context, "id": f"inc:{aid}:{alert.salt:032x}", "score": "8.59", "start": context}
    return ({"incident": incident} if alert.salt % INCIDENT_EVERY == 0 else {}) | {
        "aggregate_id": f"aggind:{aid}:{tree}",
        "context_timestamp": context,
        "control_graph_id": graph,
        "crawl_edge_ids": {"Sensor": [f"{alert.salt:016x}"]},
        "crawl_vertex_ids": {"Sensor": [f"aggind:{aid}:{tree}", graph, f"pid:{aid}:{process}"]},
        "falcon_host_link": f"https://falcon.crowdstrike.com/activity-v2/detections/{alert.composite_id}",
        "indicator_id": f"ind:{aid}:{local}",
        "local_process_id": str(alert.salt % 30_000),
        "parent_process_id": str(tree),
        "poly_id": f"AAC{alert.salt:032x}AATiEm{alert.salt:016x}==",
        "process_id": process,
        "process_start_time": str(began // SECOND),
        "process_end_time": str(began // SECOND + alert.salt % 60),
        "timestamp": context,
        "tree_id": str(tree),
        "tree_root": process,
        "triggering_process_graph_id": f"pid:{aid}:{process}",
    }


def _scan(alert: Alert) -> Fields:
    """Return fields of epp/ods: what an on-demand scan found."""
    event = alert.composite_id.rsplit(":", 1)[1]
    return {
        "aggregate_id": "",
        "event_id": event,
        "scan_id": f"{alert.salt:032x}",
        "quarantined": True,
        "timestamp": rfc3339(alert.created // SECOND * SECOND),
    }


def _identity(alert: Alert) -> Fields:
    began = rfc3339((alert.created - 90 * SECOND) // MILLISECOND * MILLISECOND)
    return {
        "aggregate_id": f"aggind:{alert.cid}:{alert.composite_id.rsplit(':', 1)[1]}",
        "context_timestamp": began,
        "start_time": began,
        "end_time": began,
        "timestamp": began,
    }


def _correlation(alert: Alert) -> Fields:
    return {
        "aggregate_id": "",
        "detection_id": f"{alert.salt:032x}",
        "enriched_entities": {},
        "priority_details": {},
        "event_ids": f"{alert.salt:x}_2_0_{alert.created // SECOND}",
        "has_truncated_entities": False,
        "correlation_rule_create_case": alert.salt % 4 == 0,
        "timestamp": rfc3339((alert.created - 4 * SECOND) // SECOND * SECOND),
    }


def _extended(alert: Alert) -> Fields:
    return {
        "aggregate_id": "",
        "incident_id": f"xdr|{alert.salt:x}",
        "start_time": rfc3339(alert.created - 3600 * SECOND),
        "end_time": rfc3339(alert.created - 9 * SECOND),
        "timestamp": rfc3339(alert.created - 9 * SECOND),
    }


def _mobile(alert: Alert) -> Fields:
    return {
        "aggregate_id": "",
        "mobile_detection_id": str(alert.salt),
        "timestamp": rfc3339((alert.created - 61 * SECOND) // MILLISECOND * MILLISECOND),
    }


def _lead(alert: Alert) -> Fields:
    """Return fields of automated-lead: no severity, no show_in_ui, is_closed beside status new (a real sample)."""
    lead = alert.composite_id.rsplit(":", 1)[1]
    started = rfc3339((alert.created - 95 * SECOND) // SECOND * SECOND)
    name = f"{alert.shared('device')['hostname']} at {started}"
    return {
        "lead_id": lead,
        "lead_type": "simple",
        "is_closed": True,
        "score": alert.salt % 100,
        "name": name,
        "display_name": name,
        "signal_start_timestamp": started,
        "timestamp": rfc3339(alert.created),
    }


def _cloud(alert: Alert) -> Fields:
    """Return fields of fcs; `resource_uuid` has 64 hex digits but is not a hash."""
    link = f"https://falcon.crowdstrike.com/unified-detections/{alert.composite_id}"
    return {
        "aggregate_id": "",
        "event_id": alert.composite_id.rsplit(":", 1)[1],
        "falcon_host_link": link,
        "resource_id": f"sg-{alert.salt:017x}"[:20],
        "resource_uuid": f"{alert.salt * 0x9E3779B97F4A7C15:064x}"[-64:],
        "timestamp": rfc3339((alert.created - 3 * SECOND) // SECOND * SECOND),
    }


def _third_party(alert: Alert) -> Fields:
    return {
        "aggregate_id": "",
        "vendor_event_id": f"{alert.salt:x}",
        "timestamp": rfc3339(alert.created // SECOND * SECOND),
    }


_IDENTITY: dict[str, Callable[[Alert], Fields]] = {
    "ldt": _sensor,
    "overwatch": _sensor,
    "signal": _sensor,
    "ods": _scan,
    "idp": _identity,
    "ngsiem": _correlation,
    "xdr": _extended,
    "mobile": _mobile,
    "lead": _lead,
    "fcs": _cloud,
    "thirdparty": _third_party,
}
