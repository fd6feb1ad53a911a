"""Builds what reports are made of, with harmless values unless a test gives others."""

from typing import Any

import msgspec

from falcon_bulk.errors import ExitCode
from falcon_bulk.model.alert import Alert
from falcon_bulk.model.alert_decoder import decode_alert
from falcon_bulk.model.hash_summary import HashCount, HashSummary, RelatedHash
from falcon_bulk.model.plan import AlertPlan, AlertState
from falcon_bulk.model.preview import ActionCount, Preview, TopValues
from falcon_bulk.model.run import AlertRunResult, ItemRecord, Outcome, RunProblem, RunRow, RunStatus

CID = "0123456789abcdef0123456789abcdef"
SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
RUN = "20261117T065000-7f3a"
LINK = "https://falcon.us-2.crowdstrike.com/activity-v2/detections/x?_cid=y"


def a_document(number: int = 1, **fields: Any) -> bytes:
    document = {
        "composite_id": f"{CID}:ind:{CID}:{number}-103-7",
        "created_timestamp": "2026-11-17T06:50:00.123456789Z",
        "severity": 70,
        "severity_name": "High",
        "status": "new",
        "product": "epp",
        "type": "ldt",
        "name": "Suspicious activity",
        "device": {"hostname": "ACME-WKS-0142"},
        "filename": "setup.exe",
        "sha256": SHA256,
        "assigned_to_name": "Alice Example",
        "tactic": "Execution",
        "technique": "PowerShell",
        "user_name": "j.doe",
        "cmdline": "powershell.exe -NoProfile -File C:\\ProgramData\\Initech\\inventory.ps1",
        "tags": ["triage", "pilot"],
        "falcon_host_link": LINK,
    }
    return msgspec.json.encode(document | fields)


def an_alert(number: int = 1, **fields: Any) -> Alert:
    return decode_alert(a_document(number, **fields))


def a_plan(**fields: Any) -> AlertPlan:
    usual: dict[str, Any] = {
        "run_id": RUN,
        "command": "close-hash",
        "customer": "acme",
        "cid": CID,
        "cids": (CID,),
        "cloud": "https://api.us-2.crowdstrike.com",
        "operator": "alice",
        "machine": "soc-01",
        "created": "2026-11-17T06:50:00Z",
        "selection": f"hash {SHA256}",
        "overrides": ("assigned",),
        "target": "closed",
    }
    return AlertPlan(**usual | fields)


def a_preview(**fields: Any) -> Preview:
    usual: dict[str, Any] = {
        "selected": 1530,
        "planned": 1204,
        "skipped": {"already": 300, "duplicate": 0},
        "held": {"critical": 22, "overwatch": 4},
        "samples": (
            TopValues(title="host", counts=(("ACME-WKS-0142", 900), ("ACME-SRV-01", 204)), others=87),
            TopValues(title="severity", counts=(("High", 1000), ("Medium", 204))),
        ),
        "oldest": "2026-10-01T00:00:00Z",
        "newest": "2026-11-17T06:50:00Z",
        "actions": ("set the status to closed", "add the tag false_positive"),
        "effects": (
            ActionCount(name="update_status", value="closed", alerts=1204),
            ActionCount(name="add_tag", value="false_positive", alerts=1204),
        ),
    }
    return Preview(**usual | fields)


def a_result(**fields: Any) -> AlertRunResult:
    usual: dict[str, Any] = {
        "run_id": RUN,
        "customer": "acme",
        "cid": CID,
        "command": "close-hash",
        "status": RunStatus.SUCCESS,
        "exit_code": ExitCode.DONE,
        "selected": 1530,
        "skipped": {"already": 300},
        "held": {"critical": 26},
        "planned": 1204,
        "changed": 1204,
        "verified": 1204,
        "batches": 2,
        "requests": 9,
        "seconds": 4.25,
    }
    return AlertRunResult(**usual | fields)


def a_partial_result(**fields: Any) -> AlertRunResult:
    usual: dict[str, Any] = {
        "status": RunStatus.PARTIAL,
        "exit_code": ExitCode.PARTIAL,
        "changed": 1100,
        "verified": 1098,
        "failed": 2,
        "drifted": 2,
        "unknown": 50,
        "not_sent": 50,
        "errors": (a_problem(),),
    }
    return a_result(**usual | fields)


def a_problem(**fields: Any) -> RunProblem:
    usual: dict[str, Any] = {
        "code": 500,
        "message": "Internal Server Error",
        "trace_id": "a1b2c3d4-0000-1111-2222-333344445555",
        "ids": ("id-1", "id-2", "id-3", "id-4", "id-5"),
    }
    return RunProblem(**usual | fields)


def a_run_row(**fields: Any) -> RunRow:
    usual: dict[str, Any] = {
        "run_id": RUN,
        "customer": "acme",
        "cid": CID,
        "command": "close-hash",
        "status": RunStatus.SUCCESS,
        "started": "2026-11-17T06:50:00Z",
        "finished": None,
        "planned": 1204,
        "changed": 1204,
    }
    return RunRow(**usual | fields)


def a_record(
    number: int = 1, outcome: Outcome = Outcome.CHANGED, reason: str = "", **fields: Any
) -> ItemRecord[AlertState]:
    alert = an_alert(number, **fields)
    return ItemRecord(item_id=alert.composite_id, before=AlertState.of(alert), outcome=outcome, reason=reason)


def a_hash_count(alerts: int = 3200, **fields: Any) -> HashCount:
    usual: dict[str, Any] = {
        "sha256": SHA256,
        "alerts": alerts,
        "by_status": {"closed": 1, "new": alerts - 1},
        "by_product": {"epp": alerts},
        "hosts": 34,
        "max_severity": 90.0,
        "first_seen": "2026-10-01T00:00:00Z",
        "last_seen": "2026-11-17T06:50:00Z",
        "names": ("Suspicious activity",),
        "filenames": ("setup.exe", "inventory.dll"),
        "fields": ("sha256",),
    }
    return HashCount(**usual | fields)


def a_hash_elsewhere(alerts: int = 12, **fields: Any) -> RelatedHash:
    usual: dict[str, Any] = {
        "sha256": "b" * 64,
        "md5": "c" * 32,
        "alerts": alerts,
        "fields": ("parent_details.sha256",),
        "filenames": ("explorer.exe",),
    }
    return RelatedHash(**usual | fields)


def a_hash_summary(*hashes: HashCount, **fields: Any) -> HashSummary:
    usual: dict[str, Any] = {
        "customer": "acme",
        "generated_at": "2026-11-17T06:50:00Z",
        "filter": "status:'new'",
        "alerts_read": 5000,
        "alerts_with_hash": 4100,
        "hashes": hashes,
        "by_severity": {"High": 4900, "": 100},
        "by_product": {"epp": 5000},
        "by_day": {"2026-11-17": 5000},
    }
    return HashSummary(**usual | fields)
