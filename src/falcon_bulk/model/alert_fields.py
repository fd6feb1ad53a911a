"""Known names of alert fields, and the current names of the fields of the former Detects API.

Sources: the swagger (gofalcon, FalconPy), falcon-mcp's filter guide and public sample documents. The list cannot be
complete, because products add fields: a name that is not in it is doubtful, but not wrong.
"""

from difflib import get_close_matches

_PROCESS = """
cmdline filename filepath local_process_id md5 process_graph_id process_id sha256 timestamp user_graph_id user_id
user_name
"""
_DEVICE = """
agent_load_flags agent_local_time agent_version bios_manufacturer bios_version cid config_id_base config_id_build
config_id_platform device_id external_ip first_seen groups host_hidden_status hostinfo
hostinfo.active_directory_dn_display hostinfo.domain hostname instance_id last_seen local_ip mac_address
machine_domain major_version minor_version modified_timestamp os_version ou platform_id platform_name pod_labels
product_type product_type_desc service_provider service_provider_account_id site_name status system_manufacturer
system_product_name tags
"""
_ALERT = """
added_privileges agent_id agent_scan_id aggregate_id aggregation_rule_id aggregation_rule_name alleged_filetype
assigned_to_name assigned_to_uid assigned_to_uuid associated_files associated_files.filepath
associated_files.sha256 attack_types case_id case_ids cases charlotte charlotte.can_triage
charlotte.triage_status child_process_ids cid cloud_account_id cloud_indicator cloud_provider cloud_region
cmdline cms_rule_id cms_rule_instance_id cms_rule_instance_version comment comments comments.falcon_user_id
comments.timestamp comments.value composite_id computer_name confidence context_timestamp control_graph_id
correlation_rule_create_case correlation_rule_id crawl_edge_ids crawl_vertex_ids crawled_timestamp
created_timestamp data_domains description destination_hosts detection_id device display_name email_sent
end_time enriched_entities enrollment_email entities.sha256 event_correlation_id event_id event_ids event_name
executables_written executables_written.filename executables_written.filepath executables_written.timestamp
external falcon_host_link file_writes file_writes.name file_writes.sha256 filename filepath files_accessed
files_accessed.filename files_accessed.filepath files_accessed.timestamp files_written files_written.filename
files_written.filepath files_written.timestamp global_prevalence grandparent_details has_script_or_module_ioc
has_truncated_entities host_names hostname id idp_policy_rule_id idp_policy_rule_name incident incident.created
incident.end incident.id incident.score incident.start incident_id indicator_id ioc_context
ioc_context.ioc_description ioc_context.ioc_source ioc_context.ioc_type ioc_context.ioc_value ioc_context.md5
ioc_context.sha256 ioc_context.type ioc_description ioc_source ioc_type ioc_value ioc_values is_aggregated
is_closed is_falcon_platform_ioa is_synthetic_quarantine_disposition lead_id lead_type
linked_behavioral_detections linked_case_ids local_prevalence local_process_id logon_domain md5
mfa_authenticated mitre_attack mitre_attack.pattern_id mitre_attack.tactic mitre_attack.tactic_id
mitre_attack.technique mitre_attack.technique_id mobile_detection_id name objective origin_cid os_name
os_version parent_details parent_process_id pattern_disposition pattern_disposition_description
pattern_disposition_details pattern_id platform policy_id poly_id priority_details priority_explanation
priority_value process_end_time process_id process_start_time product quarantined quarantined_files
quarantined_files.filename quarantined_files.id quarantined_files.sha256 quarantined_files.state resolution
resource_id resource_uuid rule_id scan_id scenario score seconds_to_resolved seconds_to_triaged service severity
severity_name sha1 sha256 show_in_ui signal_end_timestamp signal_start_timestamp signal_updated_timestamp
source_account_domain source_account_name source_account_object_guid source_account_upn
source_endpoint_host_name source_endpoint_ip_address source_hosts source_ips source_products source_vendors
start_time status tactic tactic_id tags target_account_name target_endpoint_host_name technique technique_id
template_instance_id threatgraph_indicators timestamp tree_id tree_root triggering_process_graph_id type
updated_timestamp user_id user_name user_names user_principal users users.aid users.full_name users.sid
users.user_name vendor_pattern_id
"""

KNOWN_FIELDS = frozenset(
    [
        *_ALERT.split(),
        *(f"device.{name}" for name in _DEVICE.split()),
        *(f"{process}.{name}" for process in ("parent_details", "grandparent_details") for name in _PROCESS.split()),
    ]
)
"""Names of fields that alerts have; not all of them can be filtered by."""

# '' where alerts have nothing like it. Not here: a behaviour's fields are those of the alert, for the most part.
_FORMER = {
    "adversary_ids": "",
    "behaviors": "",
    "behaviors.behavior_id": "pattern_id",
    "behaviors.device_id": "device.device_id",
    "behaviors.parent_details.parent_cmdline": "parent_details.cmdline",
    "behaviors.parent_details.parent_md5": "parent_details.md5",
    "behaviors.parent_details.parent_process_graph_id": "parent_details.process_graph_id",
    "behaviors.parent_details.parent_sha256": "parent_details.sha256",
    "behaviors.rule_instance_id": "template_instance_id",
    "behaviors.rule_instance_version": "",
    "behaviors_processed": "",
    "date_updated": "updated_timestamp",
    "first_behavior": "created_timestamp (when it happened: timestamp)",
    "hostinfo.domain": "device.hostinfo.domain",
    "last_behavior": "updated_timestamp (when it happened: timestamp)",
    "max_confidence": "confidence",
    "max_severity": "severity",
    "max_severity_displayname": "severity_name",
    "overwatch_notes": "",
}
_BEHAVIOR = "behaviors."


def current_name(name: str) -> str | None:
    """Return the current name of a field of the former Detects API; '' if alerts lack it, None if it is not one."""
    if name in _FORMER or not name.startswith(_BEHAVIOR):
        return _FORMER.get(name)
    own = name.removeprefix(_BEHAVIOR)
    return own if own in KNOWN_FIELDS else ""


def closest_field(name: str) -> str:
    """Return the known field that is most similar to a name, '' if none is."""
    if f"device.{name}" in KNOWN_FIELDS:
        return f"device.{name}"
    return next(iter(get_close_matches(name, sorted(KNOWN_FIELDS), n=1, cutoff=0.75)), "")
