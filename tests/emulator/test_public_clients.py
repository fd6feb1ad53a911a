"""Calls as two public clients make them, answered as their authors expect.

falcon-mcp 0.20.0 calls operations by name through FalconPy's APIHarnessV2 and crowdstrike-mcp 5.9.2 calls FalconPy's
Alerts class. The calls are made here with FalconPy itself; what is asserted is what those clients read of the answers.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from falconpy import Alerts, APIHarnessV2

from falcon_emulator import Server, Switches, Tenant
from falcon_emulator.timestamps import SECOND
from tests.support.http_caller import Caller

from .conftest import Start

Harness = Any


def harness(caller: Caller) -> Harness:
    """Return FalconPy's harness, logged in at the caller's tenant."""
    tenant = caller.tenant
    return APIHarnessV2(client_id=tenant.client_id, client_secret=tenant.client_secret, base_url=caller.url)


@pytest.fixture(scope="module")
def shared() -> Iterator[Caller]:
    """A tenant without X-Cs-Region: FalconPy would follow it from loopback to the cloud of that name."""
    tenant = Tenant(alerts=2000, seed=7, switches=Switches(region="none"))
    with Server(tenant) as server:
        caller = Caller(server, tenant)
        yield caller
        caller.session.close()


@pytest.fixture(scope="module")
def by_name(shared: Caller) -> Iterator[Harness]:
    client = harness(shared)
    yield client
    client.logout()


def alerts_of(caller: Caller) -> Any:
    """Return FalconPy's Alerts class, logged in at the caller's tenant."""
    tenant = caller.tenant
    return Alerts(client_id=tenant.client_id, client_secret=tenant.client_secret, base_url=caller.url)


def good(answer: Any, status: int = 200) -> dict[str, Any]:
    """Return the body of an answer with the status and without errors."""
    assert answer["status_code"] == status, answer
    assert not answer["body"].get("errors")
    return dict(answer["body"])


def refusal(answer: Any) -> tuple[int, str]:
    """Return the status and the first message."""
    return answer["status_code"], answer["body"]["errors"][0]["message"]


class TestFalconMcpSearch:
    """falcon_search_detections and falcon_get_detection_details."""

    @pytest.mark.parametrize(
        ("filter", "sort"),
        [
            (None, None),
            ("status:'new'+severity_name:'High'", "severity.desc"),
            ("device.hostname:'*'", "timestamp.desc"),
            ("status:'new'+(severity:>=60+severity:<80)+product:'epp'", "created_timestamp.asc"),
            ("assigned_to_name:!'*'+severity:>=90+created_timestamp:>'2025-01-19T00:00:00Z'", "updated_timestamp.desc"),
            ("product:['epp', 'xdr', 'overwatch']", "confidence.desc"),
            ("timestamp:>'now-30d'", "agent_id.asc"),
            ("pattern_id:'*0*'", "severity|desc"),
            ("description:'*a*'", None),
            ("product:'epp'+device.agent_version:'7.*'", None),
            ("product:'epp'+parent_details.filename:'*e*'", None),
            ("incident.score:>=8", None),
            ("status:'closed'+seconds_to_resolved:<3600+severity_name:'High'", None),
            ("tags:'true_positive'", None),
        ],
    )
    def test_ids_are_found_and_their_documents_read(
        self,
        by_name: Harness,
        filter: str | None,  # noqa: A002  the parameter's name
        sort: str | None,
    ) -> None:
        asked = {"filter": filter, "limit": 10, "sort": sort, "include_hidden": True}
        found = good(
            by_name.command(
                "GetQueriesAlertsV2", parameters={name: value for name, value in asked.items() if value is not None}
            )
        )
        ids = found["resources"]
        assert 0 < len(ids) <= 10
        assert found["meta"]["pagination"]["total"] >= len(ids)
        body, hidden = {"composite_ids": ids}, {"include_hidden": True}
        read = good(by_name.command("PostEntitiesAlertsV2", body=body, parameters=hidden))["resources"]
        assert {alert["composite_id"] for alert in read} == {*ids}

    def test_hidden_alerts_are_left_out_where_asked(self, by_name: Harness) -> None:
        totals = [
            good(by_name.command("GetQueriesAlertsV2", parameters={"limit": 1, "include_hidden": hidden}))["meta"]
            for hidden in (True, False)
        ]
        assert totals[0]["pagination"]["total"] > totals[1]["pagination"]["total"]

    def test_a_filter_that_cannot_be_read_is_an_error_with_a_message(self, by_name: Harness) -> None:
        status, text = refusal(by_name.command("GetQueriesAlertsV2", parameters={"filter": "status:new"}))
        assert (status, bool(text)) == (400, True)

    def test_an_unknown_field_is_no_error(self, by_name: Harness) -> None:
        found = good(by_name.command("GetQueriesAlertsV2", parameters={"filter": "nothing:'x'"}))
        assert (found["resources"], found["meta"]["pagination"]["total"]) == ([], 0)

    def test_free_text_is_searched(self, by_name: Harness) -> None:
        found = good(by_name.command("GetQueriesAlertsV2", parameters={"q": "powershell.exe", "limit": 5}))
        assert found["resources"]

    def test_a_missing_scope_is_a_403_that_says_so(self, start: Start) -> None:
        answer = harness(start(login=False, region="none", scopes="")).command(
            "GetQueriesAlertsV2", parameters={"limit": 1}
        )
        assert refusal(answer) == (403, "access denied, scope not permitted")


class TestFalconMcpAggregates:
    """falcon_aggregate_detections."""

    @pytest.mark.parametrize(
        "spec",
        [
            {"type": "terms", "field": "severity_name", "sort": "_count|desc", "size": 10},
            {"type": "terms", "field": "severity_name", "sort": "_key|asc"},
            {"type": "terms", "field": "severity_name", "include": "High|Critical"},
            {"type": "terms", "field": "device.hostname", "size": 10, "filter": "status:'new'"},
            {"type": "date_histogram", "field": "timestamp", "interval": "day", "filter": "timestamp:>'now-7d'"},
            {"type": "date_histogram", "field": "created_timestamp", "interval": "hour", "time_zone": "+00:00"},
            {"type": "date_range", "field": "timestamp", "date_ranges": [{"from": "now-7d", "to": "now"}]},
            {"type": "range", "field": "severity", "ranges": [{"From": 0, "To": 50}, {"From": 50, "To": 100}]},
            {"type": "terms", "field": "assigned_to_name", "missing": "Unassigned"},
            {"type": "terms", "field": "product", "sub_aggregates": [{"type": "terms", "field": "status", "size": 3}]},
            {"type": "terms", "field": "data_domains"},
            {"type": "terms", "field": "source_products"},
            {"type": "terms", "field": "source_vendors"},
            {"type": "terms", "field": "tags"},
        ],
    )
    def test_buckets_have_a_label_and_a_count(self, by_name: Harness, spec: dict[str, Any]) -> None:
        asked = spec | {"name": "alert_aggregation"}
        answer = by_name.command("PostAggregatesAlertsV2", body=[asked], parameters={"include_hidden": True})
        (result,) = good(answer)["resources"]
        assert result["name"] == "alert_aggregation"
        assert result["buckets"]
        assert all("label" in bucket and isinstance(bucket["count"], int) for bucket in result["buckets"])
        if spec["type"] == "date_histogram":
            assert {type(bucket["label"]) for bucket in result["buckets"]} == {int}
            assert all(bucket["key_as_string"].endswith(".000Z") for bucket in result["buckets"])

    @pytest.mark.parametrize("kind", ["cardinality", "max", "min", "avg", "sum"])
    def test_a_single_value_is_a_bucket_with_value_and_count(self, by_name: Harness, kind: str) -> None:
        spec = {"type": kind, "field": "severity", "name": "x"}
        (result,) = good(by_name.command("PostAggregatesAlertsV2", body=[spec]))["resources"]
        (bucket,) = result["buckets"]
        assert bucket["count"] > 0
        assert bucket["value"] > 0

    def test_chosen_percentiles_are_answered(self, by_name: Harness) -> None:
        spec = {"type": "percentiles", "field": "severity", "percents": [50.0, 95.0], "name": "x"}
        (result,) = good(by_name.command("PostAggregatesAlertsV2", body=[spec]))["resources"]
        assert len(result["buckets"]) == 2

    def test_an_unsupported_field_has_no_buckets_and_no_error(self, by_name: Harness) -> None:
        spec = {"type": "terms", "field": "nothing", "name": "x"}
        (result,) = good(by_name.command("PostAggregatesAlertsV2", body=[spec]))["resources"]
        assert result["buckets"] == []

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({"type": "terms", "field": "status"}, 400),
            ([{"type": "terms", "field": "status", "sort": "_count.desc"}], 400),
            ([{"type": "date_histogram", "field": "timestamp"}], 500),
            ([{"type": "terms", "field": "status", "sub_aggregates": [{"type": "range", "field": "severity"}]}], 500),
        ],
    )
    def test_what_the_client_checks_first_is_refused(self, by_name: Harness, body: Any, status: int) -> None:
        assert by_name.command("PostAggregatesAlertsV2", body=body)["status_code"] == status


class TestFalconMcpUpdates:
    """falcon_update_detections."""

    def test_every_action_is_taken_and_the_answer_has_no_resources(self, start: Start) -> None:
        caller = start(region="none")
        client, ids = harness(caller), caller.ids("status:'new'")[:3]
        actions = [
            {"name": "update_status", "value": "closed"},
            {"name": "assign_to_name", "value": "Jane Smith"},
            {"name": "append_comment", "value": "as agreed"},
            {"name": "show_in_ui", "value": "false"},
            {"name": "add_tag", "value": "false_positive"},
            {"name": "remove_tag", "value": "triage"},
            {"name": "remove_tags_by_prefix", "value": "fc/"},
        ]
        done = good(client.command("PatchEntitiesAlertsV3", body={"action_parameters": actions, "composite_ids": ids}))
        assert "resources" not in done
        assert done["meta"]["writes"]["resources_affected"] == 3
        for alert in map(caller.document, ids):
            assert (alert["status"], alert["resolution"], alert["assigned_to_name"]) == (
                "closed",
                "false_positive",
                "Jane Smith",
            )
        unassign = [{"name": "unassign", "value": "true"}]
        good(client.command("PatchEntitiesAlertsV3", body={"action_parameters": unassign, "composite_ids": ids}))
        assert "assigned_to_name" not in caller.document(ids[0])

    def test_more_than_1000_ids_are_a_413_with_its_text(self, by_name: Harness) -> None:
        body = {"action_parameters": [{"name": "add_tag", "value": "x"}], "composite_ids": ["x"] * 1001}
        assert refusal(by_name.command("PatchEntitiesAlertsV3", body=body)) == (413, "request too large")

    def test_a_json_boolean_is_refused(self, by_name: Harness) -> None:
        body = {"action_parameters": [{"name": "show_in_ui", "value": False}], "composite_ids": ["x"]}
        answer = by_name.command("PatchEntitiesAlertsV3", body=body)
        assert refusal(answer) == (400, "failed to read and parse request")


class TestFalconMcpIndicators:
    """falcon_search_iocs, falcon_add_ioc and falcon_remove_iocs."""

    def add(self, client: Harness, *indicators: dict[str, Any]) -> list[dict[str, Any]]:
        body = {"indicators": list(indicators), "comment": "audit"}
        answer = client.command("indicator_create_v1", parameters={"ignore_warnings": False}, body=body)
        return list(good(answer, 201)["resources"])

    def indicator(self, value: str, /, **more: Any) -> dict[str, Any]:
        common = {"type": "domain", "action": "detect", "source": "mcp", "severity": "high", "platforms": ["windows"]}
        return common | {"value": value, "applied_globally": True, "metadata": {"filename": "evil.exe"}} | more

    def test_an_indicator_is_added_found_read_and_removed(self, start: Start) -> None:
        caller = start(login=False, region="none")
        client = harness(caller)
        (made,) = self.add(client, self.indicator("malicious.example"))
        wanted = {"filter": "type:'domain'+expired:false", "limit": 10, "sort": "modified_on.desc"}
        found = good(client.command("indicator_search_v1", parameters=wanted))
        assert (found["resources"], found["meta"]["pagination"]["total"]) == ([made["id"]], 1)
        (read,) = good(client.command("indicator_get_v1", parameters={"ids": found["resources"]}))["resources"]
        assert (read["value"], read["severity_number"], read["created_by"]) == (
            "malicious.example",
            70,
            caller.tenant.client_id,
        )
        gone = good(client.command("indicator_delete_v1", parameters={"ids": [made["id"]], "comment": "done"}))
        assert gone["resources"] == [made["id"]]
        assert good(client.command("indicator_search_v1", parameters=wanted))["resources"] == []

    def test_pages_follow_after_and_a_filter_removes_in_bulk(self, start: Start) -> None:
        client = harness(start(login=False, region="none"))
        self.add(client, *(self.indicator(f"host{number}.example", source="bulk") for number in range(25)))
        self.add(client, self.indicator("kept.example"))
        seen, asked = [], {"filter": "source:'bulk'", "limit": 10, "sort": "value.desc", "from_parent": False}
        while True:
            page = good(client.command("indicator_search_v1", parameters=asked))
            seen += page["resources"]
            if not (after := page["meta"]["pagination"].get("after")):
                break
            asked["after"] = after
        assert len({*seen}) == len(seen) == 25
        gone = good(client.command("indicator_delete_v1", parameters={"filter": "source:'bulk'", "comment": "done"}))
        assert {*gone["resources"]} == {*seen}
        left = good(client.command("indicator_search_v1", parameters={"limit": 10}))
        assert left["meta"]["pagination"]["total"] == 1

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            ({"severity": ""}, "cannot be empty for this 'action' and 'mobile_action' combination"),
            ({"type": "sha1", "value": "ab" * 20}, "type"),
        ],
    )
    def test_a_bad_indicator_is_a_400_whose_resources_say_why(
        self, start: Start, change: dict[str, Any], says: str
    ) -> None:
        body = {"indicators": [self.indicator("x.example", **change)]}
        answer = harness(start(login=False, region="none")).command("indicator_create_v1", body=body)
        assert answer["status_code"] == 400
        assert answer["body"]["errors"]
        assert says in answer["body"]["resources"][0]["message"]


class TestCrowdstrikeMcp:
    """get_alerts, alert_analysis and update_alert_status."""

    @pytest.fixture
    def alerts(self, shared: Caller) -> Any:
        return alerts_of(shared)

    def since(self, shared: Caller, days: int) -> str:
        now = datetime.fromtimestamp(shared.tenant.clock.now() / SECOND, UTC)
        return (now - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")

    @pytest.mark.parametrize(
        ("clauses", "more"),
        [
            ((), {}),
            (("severity:>=40",), {"q": "example"}),
            (("severity:>=50", "status:'new'"), {"offset": 5}),
            (("name:~*'*ACCESS*'",), {}),
            (("product:['ngsiem']",), {}),
            (("product:['thirdparty']", "severity:>=20"), {}),
        ],
    )
    def test_alerts_are_listed_and_read(
        self, shared: Caller, alerts: Any, clauses: tuple[str, ...], more: dict[str, Any]
    ) -> None:
        statement = "+".join((f"created_timestamp:>='{self.since(shared, 90)}'", *clauses))
        asked = {"filter": statement, "limit": 50, "offset": 0, "sort": "created_timestamp.desc"} | more
        found = good(alerts.query_alerts_v2(**asked))
        assert found["resources"]
        assert found["meta"]["pagination"]["total"] >= len(found["resources"])
        read = good(alerts.get_alerts_v2(composite_ids=found["resources"]))["resources"]
        assert len(read) == len(found["resources"])
        for alert in read:
            assert isinstance(alert.get("description", ""), str)
            assert isinstance(alert.get("tags", []), list)
            assert alert["composite_id"].count(":") >= 2

    def test_a_wildcard_without_case_and_its_negation_divide_the_alerts(self, shared: Caller, alerts: Any) -> None:
        everything, matching, others = (
            good(alerts.query_alerts_v2(filter=statement, limit=1))["meta"]["pagination"]["total"]
            for statement in ("*", "name:~*'*ACCESS*'", "name:~*!'*access*'")
        )
        assert matching > 0
        assert matching + others == everything == 2000

    def test_an_unknown_id_is_a_200_without_resources(self, alerts: Any) -> None:
        assert good(alerts.get_alerts_v2(composite_ids=["a:ind:b:1-2-3"]))["resources"] == []

    def test_a_change_with_comment_tags_and_assignment_is_made(self, start: Start) -> None:
        caller = start(region="none")
        client = alerts_of(caller)
        ids = caller.ids("status:'new'")[:2]
        actions = [
            {"name": "update_status", "value": "in_progress"},
            {"name": "append_comment", "value": "x" * 1023},
            {"name": "add_tag", "value": "one"},
            {"name": "add_tag", "value": "two"},
            {"name": "assign_to_user_id", "value": "analyst@example.com"},
        ]
        good(client.update_alerts_v3(composite_ids=ids, action_parameters=actions))
        document = caller.document(ids[0])
        assert (document["status"], document["assigned_to_uid"]) == ("in_progress", "analyst@example.com")
        assert {"one", "two"} <= {*document["tags"]}
        unassign = [{"name": "unassign", "value": ""}]
        good(client.update_alerts_v3(composite_ids=ids, action_parameters=unassign))
        assert "assigned_to_uid" not in caller.document(ids[0])

    def test_a_value_of_1024_characters_is_refused_with_the_text_it_quotes(self, alerts: Any, shared: Caller) -> None:
        actions = [{"name": "append_comment", "value": "x" * 1024}]
        answer = alerts.update_alerts_v3(composite_ids=shared.ids(limit=1), action_parameters=actions)
        assert refusal(answer) == (400, "invalid action value specified. must be less than 1024")

    def test_a_third_party_change_with_a_500_is_seen_when_read_again(self, start: Start) -> None:
        caller = start(region="none")
        client = alerts_of(caller)
        ids = caller.ids("product:'thirdparty'+status:'new'")[:2]
        actions = [{"name": "update_status", "value": "closed"}]
        assert client.update_alerts_v3(composite_ids=ids, action_parameters=actions)["status_code"] == 500
        read = good(client.get_alerts_v2(composite_ids=ids))["resources"]
        assert [alert["status"] for alert in read] == ["closed", "closed"]
