"""Generated documents, against the descriptions of their alerts and the shape of real documents."""

import json
import re
import subprocess
import sys
import textwrap
from collections import Counter
from typing import Any

import pytest

from falcon_emulator import Tenant
from falcon_emulator.catalog import HOSTILE
from falcon_emulator.control import describe_alert
from falcon_emulator.documents import render
from falcon_emulator.timestamps import parse, rfc3339
from tests.support.command import PATIENCE
from tests.support.peak_memory import run_measured

TENANT = Tenant(alerts=6000, seed=11, children=1)
ALERTS = TENANT.store.newest_first
DOCUMENTS: list[dict[str, Any]] = [json.loads(render(alert, alert.state)) for alert in ALERTS]
DESCRIPTIONS = [json.loads(json.dumps(describe_alert(alert))) for alert in ALERTS]


def own_hashes(document: dict[str, Any]) -> list[str]:
    """The rule: sha256, entities.sha256, and ioc_value of ioc_type hash_sha256."""
    found = {document.get("sha256"), *document.get("entities", {}).get("sha256", [])}
    if document.get("ioc_type") == "hash_sha256":
        found.add(document.get("ioc_value"))
    return sorted(found - {None})


def test_no_document_has_a_key_twice() -> None:
    def without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len({key for key, _ in pairs}) == len(pairs)
        return dict(pairs)

    for alert in ALERTS:
        json.loads(render(alert, alert.state), object_pairs_hook=without_repeats)


def of(**wanted: str) -> list[dict[str, Any]]:
    return [document for document in DOCUMENTS if all(document.get(name) == value for name, value in wanted.items())]


def test_documents_match_the_descriptions_of_their_alerts() -> None:
    for document, expected in zip(DOCUMENTS, DESCRIPTIONS, strict=True):
        assert own_hashes(document) == expected["hashes"]
        for name in (
            "composite_id",
            "cid",
            "status",
            "product",
            "type",
            "created_timestamp",
            "updated_timestamp",
        ):
            assert document[name] == expected[name]
        for name in (
            "severity",
            "severity_name",
            "show_in_ui",
            "tags",
            "assigned_to_name",
            "assigned_to_uid",
        ):
            assert document.get(name) == expected[name]
        assert document.get("linked_case_ids", []) == expected["case"]
        assert [comment["value"] for comment in document.get("comments", [])] == expected["comments"]
        assert document["composite_id"] == f"{document['cid']}:{document['id']}"


def test_every_kind_of_alert_is_generated() -> None:
    kinds = {(document["product"], document["type"]) for document in DOCUMENTS}
    assert kinds == {
        ("epp", "ldt"),
        ("epp", "ods"),
        ("overwatch", "ldt"),
        ("xdr", "xdr"),
        ("idp", "idp-user-endpoint-app-info"),
        ("ngsiem", "correlation-detection"),
        ("mobile", "mobile-android-attestation"),
        ("fcs", "cloud-ioa"),
        ("automated-lead", "automated-lead"),
        ("automated-lead-context", "signal"),
        ("thirdparty", "thirdparty"),
    }


def test_fields_that_the_schema_requires_are_there_where_older_samples_lack_them() -> None:
    required = {
        "aggregation_rule_id",
        "aggregation_rule_name",
        "cms_rule_id",
        "cms_rule_instance_id",
        "cms_rule_instance_version",
        "external",
        "has_script_or_module_ioc",
        "is_aggregated",
        "is_falcon_platform_ioa",
        "linked_behavioral_detections",
        "linked_case_ids",
    }
    assert all(required <= document.keys() for document in of(product="epp"))
    assert not any(required & document.keys() for document in of(product="mobile") if "linked_case_ids" not in document)
    assert all("crawl_edge_ids" in document for document in of(type="ldt"))
    assert all("source_account_object_guid" in document for document in of(product="idp"))
    assert {type(document["device"]["ou"]) for document in of(product="epp")} == {list, type(None)}
    assert {type(document["pattern_id"]) for document in of(product="mobile")} == {str}
    assert {type(document["pattern_id"]) for document in of(product="epp")} == {int}
    assert not any("case_ids" in document for document in DOCUMENTS)


def test_tags_of_services_and_groups_have_prefixes() -> None:
    tags = {tag for document in DOCUMENTS for tag in document.get("tags") or ()}
    assert {"fc/offering/falcon_complete", "FalconGroupingTags/globex-migration"} <= tags


def test_leads_have_neither_severity_nor_visibility() -> None:
    leads = of(product="automated-lead")
    assert leads
    for lead in leads:
        assert not {"severity", "severity_name", "show_in_ui", "confidence"} & lead.keys()
        assert (lead["status"], lead["is_closed"]) == ("new", True)


def test_about_a_quarter_of_endpoint_alerts_have_a_subject_hash() -> None:
    endpoint = of(product="epp")
    share = sum("sha256" in document for document in endpoint) / len(endpoint)
    assert 0.2 < share < 0.3
    assert 0.1 < sum(bool(own_hashes(document)) for document in DOCUMENTS) / len(DOCUMENTS) < 0.4


def test_hashes_are_in_every_field_that_can_have_one() -> None:
    places = Counter(
        name
        for document in DOCUMENTS
        for name in (
            "sha256",
            "entities",
            "ioc_value",
            "ioc_context",
            "quarantined_files",
            "associated_files",
            "file_writes",
            "parent_details",
            "grandparent_details",
            "resource_uuid",
        )
        if name in document
    )
    assert len(places) == 10
    assert [document for document in DOCUMENTS if "ioc_value" in document and "sha256" not in document]
    assert [document for document in DOCUMENTS if "quarantined_files" in document and not own_hashes(document)]
    assert {len(document["entities"]["sha256"]) for document in of(product="xdr") if "entities" in document} == {
        1,
        2,
        3,
        4,
    }
    assert all(re.fullmatch("[0-9a-f]{64}", document["resource_uuid"]) for document in of(product="fcs"))
    assert all(re.fullmatch("[0-9a-f]{64}", value) for document in DOCUMENTS for value in own_hashes(document))


def test_a_few_hashes_are_common_and_many_are_rare() -> None:
    counts = Counter(value for document in DOCUMENTS for value in own_hashes(document))
    assert counts.most_common(1)[0][1] > 50
    assert sum(count == 1 for count in counts.values()) > len(counts) / 2


def test_every_kind_of_state_is_generated() -> None:
    assert {document["status"] for document in DOCUMENTS} == {"new", "in_progress", "closed", "reopened"}
    assert Counter(document["status"] for document in DOCUMENTS).most_common(1)[0][0] == "new"
    assert {document.get("show_in_ui") for document in DOCUMENTS} == {True, False, None}
    assert {document.get("resolution") for document in DOCUMENTS} == {
        "true_positive",
        "false_positive",
        "ignored",
        None,
    }
    tags = [document.get("tags") for document in DOCUMENTS]
    assert None in tags
    assert [] in tags
    assert any("" in tag for tag in tags if tag)
    assert any(document.get("assigned_to_name") == "Crowdstrike Team" for document in DOCUMENTS)
    assert any("falcon_complete" in (tag or ()) for tag in tags)
    assert any("FC-FP" in (tag or ()) for tag in tags)
    assert any(document.get("linked_case_ids") for document in DOCUMENTS)
    assert any("incident" in document for document in DOCUMENTS)
    assert any(document.get("tactic") == "Falcon Overwatch" for document in of(product="epp"))
    assert any("severity" in document and "severity_name" not in document for document in DOCUMENTS)
    assert {2, 10, 30, 50, 70, 79, 90} <= {document.get("severity") for document in DOCUMENTS}


def test_alerts_are_uneven_in_time() -> None:
    days = Counter(document["created_timestamp"][:10] for document in DOCUMENTS)
    assert 85 <= len(days) <= 92
    assert days.most_common(1)[0][1] > 4 * sorted(days.values())[len(days) // 2]
    assert Counter(document["created_timestamp"] for document in DOCUMENTS).most_common(1)[0][1] == 120
    assert any(len(document["created_timestamp"]) == 30 for document in DOCUMENTS)


def created_in_each_day(spread: str) -> list[int]:
    alerts = Tenant(alerts=9000, spread=spread).store.newest_first
    return sorted(Counter(rfc3339(alert.created)[:10] for alert in alerts).values())


def test_alerts_can_be_even_in_time_except_for_one_instant() -> None:
    days = created_in_each_day("even")
    assert days[-2] < 1.6 * days[len(days) // 2]


def test_one_hour_can_have_three_in_five_alerts() -> None:
    days = created_in_each_day("crowded")
    assert 0.55 * 9000 < sum(days[-2:]) < 0.65 * 9000
    assert days[-3] < 400


def test_a_spread_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="Even"):
        Tenant(alerts=10, spread="Even")


def test_a_burst_shares_one_instant() -> None:
    tenant = Tenant(alerts=100, burst=700)
    counts = Counter(alert.created for alert in tenant.store.newest_first)
    assert counts.most_common(1)[0][1] == 700
    assert len(tenant.store.newest_first) == 800


def test_nothing_was_created_or_updated_after_now() -> None:
    now = rfc3339(TENANT.clock.now())
    assert all(document["created_timestamp"] <= document["updated_timestamp"] <= now for document in DOCUMENTS)


def test_the_crawler_passed_about_an_hour_after_creation() -> None:
    crawled = [
        document
        for document in DOCUMENTS
        if "crawled_timestamp" in document and document["status"] == "new" and "comments" not in document
    ]
    lags = [parse(document["crawled_timestamp"], 0) - parse(document["created_timestamp"], 0) for document in crawled]
    hour = 3600 * 10**9
    assert sum(hour <= lag <= hour + 3 * 10**9 for lag in lags) > 0.9 * len(lags)


def test_one_alert_in_a_hundred_is_hostile_and_still_json() -> None:
    hostile = [
        json.dumps(document) for document, expected in zip(DOCUMENTS, DESCRIPTIONS, strict=True) if expected["hostile"]
    ]
    assert len(hostile) == len(DOCUMENTS) / 100
    assert sum(any(json.dumps(text)[1:-1] in document for text in HOSTILE) for document in hostile) == len(hostile)
    raw = b"".join(render(alert, alert.state) for alert in ALERTS)
    assert not re.search(rb"[\x00-\x1f]", raw)


def test_an_endpoint_document_is_as_long_as_real_ones() -> None:
    sizes = [len(render(alert, alert.state)) for alert in ALERTS if alert.kind == "ldt"]
    assert 4000 < sum(sizes) / len(sizes) < 6500


def test_a_host_runs_programs_of_its_platform() -> None:
    for document in of(type="ldt"):
        assert document["device"]["platform_name"] == document["platform"]


def test_composite_ids_have_the_shapes_of_their_kinds() -> None:
    shapes = {
        "ldt": r"[0-9a-f]{32}:ind:[0-9a-f]{32}:\d+-\d+-\d+",
        "ods": r"[0-9a-f]{32}:ods:[0-9a-f]{32}:[0-9a-f]{32}",
        "idp-user-endpoint-app-info": r"[0-9a-f]{32}:ind:[0-9a-f]{32}:[0-9A-F]{8}(-[0-9A-F]{4,12}){4}",
        "xdr": r"[0-9a-f]{32}:ind:[0-9a-f]{32}:xdr\|.+",
        "mobile-android-attestation": r"[0-9a-f]{32}:ind:[0-9a-f]{32}:\d+\|\d+",
        "automated-lead": r"[0-9a-f]{32}:automated-lead:[0-9a-f]{32}:[0-9a-f]{64}",
        "cloud-ioa": r"[0-9a-f]{32}:fcs:ioa-211:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    }
    for document in DOCUMENTS:
        assert re.fullmatch(shapes.get(document["type"], ".+"), document["composite_id"])
    assert len({document["composite_id"] for document in DOCUMENTS}) == len(DOCUMENTS)
    assert max(len(document["composite_id"]) for document in DOCUMENTS) > 140


def test_the_same_seed_makes_the_same_tenant() -> None:
    def documents(seed: int) -> list[bytes]:
        tenant = Tenant(alerts=300, seed=seed, now=1_800_000_000)
        return [render(alert, alert.state) for alert in tenant.store.newest_first]

    assert documents(4) == documents(4)
    assert documents(4) != documents(5)
    first, second = Tenant(alerts=5, seed=4), Tenant(alerts=5, seed=4)
    assert (first.client_id, first.client_secret, first.cid) == (
        second.client_id,
        second.client_secret,
        second.cid,
    )
    assert {alert.composite_id for alert in first.store.newest_first} == set(second.store.by_id)


def test_the_same_seed_makes_the_same_tenant_in_another_process() -> None:
    code = (
        "import hashlib; from falcon_emulator import Tenant; from falcon_emulator.documents import render;"
        "alerts = Tenant(alerts=2000, now=1_800_000_000).store.newest_first;"
        "print(hashlib.sha256(b''.join(render(one, one.state) for one in alerts)).hexdigest())"
    )
    digests = {subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout for _ in range(2)}
    assert len(digests) == 1


def test_customers_differ() -> None:
    acme, globex = Tenant(alerts=5, customer="acme"), Tenant(alerts=5, customer="globex")
    assert acme.cid != globex.cid
    assert acme.client_secret != globex.client_secret


MEASURED = """
    import time
    began = time.process_time()
    from falcon_emulator import Tenant
    tenant = Tenant(alerts={alerts})
    print(time.process_time() - began)
"""


def measured(alerts: int) -> tuple[float, int]:
    """CPU seconds and bytes of memory that a tenant takes, in a process of its own."""
    code = textwrap.dedent(MEASURED).format(alerts=alerts)
    output, memory = run_measured([sys.executable, "-c", code], timeout=PATIENCE)
    return float(output), memory


@pytest.mark.slow
def test_100_000_alerts_start_within_ten_seconds() -> None:
    assert measured(100_000)[0] < 10


@pytest.mark.slow
def test_400_000_alerts_fit_in_2_gb() -> None:
    assert measured(400_000)[1] < 2_000_000_000
