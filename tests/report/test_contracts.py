"""The JSON contracts, key for key."""

import io
import json
from typing import Any

from falcon_bulk.errors import Busy, UsageProblem
from falcon_bulk.model.run import Outcome, RunStatus
from falcon_bulk.report.error import error_document
from falcon_bulk.report.hash_summary import hash_summary_document
from falcon_bulk.report.output import dump
from falcon_bulk.report.run_result import result_document
from falcon_bulk.report.runs import RunsDocument, run_detail_document
from tests.support.report_builders import (
    CID,
    RUN,
    SHA256,
    a_hash_count,
    a_hash_elsewhere,
    a_hash_summary,
    a_partial_result,
    a_record,
    a_result,
    a_run_row,
)


def decoded(document: object) -> dict[str, Any]:
    stream = io.BytesIO()
    dump(document, stream)
    return json.loads(stream.getvalue())  # type: ignore[no-any-return]


RUN_KEYS = [
    *("schema", "run_id", "customer", "cid", "command", "operator", "selection", "comment", "actions"),
    *("status", "exit_code", "selected", "skipped", "held", "planned", "failed", "drifted", "unknown", "not_sent"),
    *("verified", "batches", "requests", "seconds", "errors", "incomplete", "changed", "overridden", "plan_file"),
    "items",
]


def test_hash_summary() -> None:
    summary = a_hash_summary(a_hash_count(3, max_severity=None), related=(a_hash_elsewhere(),))
    assert decoded(hash_summary_document(summary)) == {
        "schema": "falcon-bulk/hash-summary/1",
        "customer": "acme",
        "generated_at": "2026-11-17T06:50:00Z",
        "filter": "status:'new'",
        "alerts_read": 5000,
        "alerts_with_hash": 4100,
        "unique_hashes": 1,
        "by_severity": {"High": 4900, "": 100},
        "by_product": {"epp": 5000},
        "by_day": {"2026-11-17": 5000},
        "hashes": [
            {
                "sha256": SHA256,
                "md5": None,
                "alerts": 3,
                "by_status": {"closed": 1, "new": 2},
                "by_product": {"epp": 3},
                "hosts": 34,
                "max_severity": None,
                "first_seen": "2026-10-01T00:00:00Z",
                "last_seen": "2026-11-17T06:50:00Z",
                "names": ["Suspicious activity"],
                "filenames": ["setup.exe", "inventory.dll"],
                "fields": ["sha256"],
                "other_fields": [],
                "by_resolution": {},
            }
        ],
        "related": [
            {
                "sha256": "b" * 64,
                "md5": "c" * 32,
                "alerts": 12,
                "fields": ["parent_details.sha256"],
                "filenames": ["explorer.exe"],
            }
        ],
        "incomplete": [],
    }


def test_a_run() -> None:
    document = decoded(result_document(a_partial_result()))
    assert list(document) == RUN_KEYS
    assert document["schema"] == "falcon-bulk/run/1"
    assert (document["status"], document["exit_code"]) == ("partial", 6)
    assert (document["skipped"], document["held"]) == ({"already": 300}, {"critical": 26})
    assert document["plan_file"] is None
    assert document["errors"] == [
        {
            "code": 500,
            "message": "Internal Server Error",
            "trace_id": "a1b2c3d4-0000-1111-2222-333344445555",
            "ids": ["id-1", "id-2", "id-3", "id-4", "id-5"],
        }
    ]


def test_the_exit_code_in_a_document_is_a_plain_number() -> None:
    assert type(decoded(result_document(a_result()))["exit_code"]) is int
    assert type(decoded(error_document(UsageProblem("m", "h")))["exit_code"]) is int


def test_the_list_of_runs() -> None:
    assert decoded(
        RunsDocument(
            [
                a_run_row(
                    status=RunStatus.UNFINISHED,
                    operator="alice",
                    selection=f"hash {SHA256}",
                    comment="Known tool",
                    actions=("status: closed",),
                    overridden=("assigned",),
                )
            ]
        )
    ) == {
        "schema": "falcon-bulk/runs/1",
        "runs": [
            {
                "run_id": RUN,
                "customer": "acme",
                "cid": CID,
                "command": "close-hash",
                "operator": "alice",
                "selection": f"hash {SHA256}",
                "actions": ["status: closed"],
                "comment": "Known tool",
                "overridden": ["assigned"],
                "rule": "",
                "status": "unfinished",
                "started": "2026-11-17T06:50:00Z",
                "finished": None,
                "planned": 1204,
                "changed": 1204,
            }
        ],
    }


def test_a_run_with_its_alerts() -> None:
    record = a_record(1, Outcome.DRIFTED, "status new → closed", case_id="case-1", show_in_ui=True)
    document = decoded(run_detail_document(a_result(), [record]))
    assert list(document) == [*RUN_KEYS, "alerts"]
    assert document["alerts"] == [
        {
            "composite_id": f"{CID}:ind:{CID}:1-103-7",
            "before": {
                "status": "new",
                "assigned_to_name": "Alice Example",
                "assigned_to_uid": "",
                "assigned_to_uuid": "",
                "tags": ["pilot", "triage"],
                "show_in_ui": True,
                "case": "case-1",
                "comments": 0,
            },
            "outcome": "drifted",
            "reason": "status new → closed",
            "rule": "",
        }
    ]


def test_an_error() -> None:
    assert decoded(error_document(Busy("Another run holds acme.", "Wait for it."))) == {
        "schema": "falcon-bulk/error/1",
        "error": {"code": "busy", "message": "Another run holds acme.", "hint": "Wait for it."},
        "exit_code": 8,
    }


def test_a_document_is_indented_utf8_with_a_newline_and_nothing_unseen() -> None:
    stream = io.BytesIO()
    dump({"a": "é\u202e\udc80"}, stream)
    assert stream.getvalue() == '{\n  "a": "é\\u202e\\udc80"\n}\n'.encode()
