"""The query language: what parses, and what it finds."""

import fnmatch
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falcon_emulator import Switches, Tenant
from falcon_emulator.control import describe_alert
from falcon_emulator.documents import render
from falcon_emulator.fql import FqlError, parse
from falcon_emulator.matching import predicate, wildcard
from falcon_emulator.search import Query, alert_terms
from falcon_emulator.timestamps import DAY, rfc3339
from tests.support.http_caller import Caller
from tests.support.sampling import examples

from .conftest import Start

TENANT = Tenant(alerts=600, seed=3)
DESCRIPTIONS = [describe_alert(alert) for alert in TENANT.store.newest_first]
Check = Callable[[dict[str, Any]], bool]


def found(filter: str, **switches: Any) -> set[str]:  # noqa: A002  the parameter's name
    chosen = Switches(**switches)
    matches = predicate(parse(filter, chosen.bare_mix), alert_terms(chosen, TENANT.clock.now()))
    return {alert.composite_id for alert in TENANT.store.newest_first if matches(alert)}


def expected(check: Check) -> set[str]:
    return {alert["composite_id"] for alert in DESCRIPTIONS if check(alert)}


@pytest.mark.parametrize(
    ("filter", "check"),
    [
        ("status:'new'", lambda alert: alert["status"] == "new"),
        ('status:"new"', lambda alert: alert["status"] == "new"),
        ("status:!'new'", lambda alert: alert["status"] != "new"),
        ("status:'New'", lambda alert: False),
        ("status:['new','closed']", lambda alert: alert["status"] in ("new", "closed")),
        ("status:!['new','closed']", lambda alert: alert["status"] not in ("new", "closed")),
        ("status:['n*']", lambda alert: False),
        ("status:'*o*'", lambda alert: "o" in alert["status"]),
        ("status:*'*o*'", lambda alert: "o" in alert["status"]),
        ("status:*!'*o*'", lambda alert: "o" not in alert["status"]),
        ("status:*'*O*'", lambda alert: False),
        ("status:~*'*O*'", lambda alert: "o" in alert["status"]),
        ("status:~*'NEW'", lambda alert: alert["status"] == "new"),
        ("status:~*!'*O*'", lambda alert: "o" not in alert["status"]),
        ("status:*'new'", lambda alert: alert["status"] == "new"),
        ("tactic:~*'machine*'", lambda alert: (alert["tactic"] or "").lower().startswith("machine")),
        ("assigned_to_name:*!'*'", lambda alert: alert["assigned_to_name"] is None),
        ("tags:*'falcon*'", lambda alert: False),
        ("tags:~*'falcon*'", lambda alert: False),
        ("severity:*'7*'", lambda alert: str(alert["severity"]).startswith("7")),
        ("*", lambda alert: True),
        (" * ", lambda alert: True),
        ("severity:70", lambda alert: alert["severity"] == 70),
        ("severity:>=70", lambda alert: (alert["severity"] or 0) >= 70),
        ("severity:<'30'", lambda alert: alert["severity"] is not None and alert["severity"] < 30),
        ("severity:!70", lambda alert: alert["severity"] != 70),
        ("severity:[70,90]", lambda alert: alert["severity"] in (70, 90)),
        ("severity:'High'", lambda alert: False),
        ("severity:!'High'", lambda alert: False),
        ("severity:'7*'", lambda alert: str(alert["severity"]).startswith("7")),
        ("severity:['7*']", lambda alert: False),
        ("severity:!'*'", lambda alert: alert["severity"] is None),
        ("cid:'x'", lambda alert: False),
        ("cid:!'x'", lambda alert: True),
        ("composite_id:!'x'", lambda alert: True),
        ("severity_name:'High'", lambda alert: alert["severity_name"] == "High"),
        ("severity_name:!'*'", lambda alert: alert["severity_name"] is None),
        ("show_in_ui:false", lambda alert: alert["show_in_ui"] is False),
        ("show_in_ui:'false'", lambda alert: alert["show_in_ui"] is False),
        ("show_in_ui:no", None),
        ("assigned_to_name:!'*'", lambda alert: alert["assigned_to_name"] is None),
        ("assigned_to_name:'*'", lambda alert: alert["assigned_to_name"] is not None),
        ("assigned_to_name:null", lambda alert: alert["assigned_to_name"] is None),
        ("assigned_to_uid:!null", lambda alert: alert["assigned_to_uid"] is not None),
        ("tags:'falcon_complete'", lambda alert: "falcon_complete" in (alert["tags"] or ())),
        ("tags:''", lambda alert: "" in (alert["tags"] or ())),
        ("tags:'falcon*'", lambda alert: False),
        ("tags:~'falcon_complete'", lambda alert: False),
        ("tags:!'ignored'", lambda alert: "ignored" not in (alert["tags"] or ())),
        ("tags:['ignored','triage']", lambda alert: bool({"ignored", "triage"} & set(alert["tags"] or ()))),
        ("name:~'file HIGH'", lambda alert: False),
        ("tactic:~'machine LEARNING'", lambda alert: alert["tactic"] == "Machine Learning"),
        ("tactic:!~'learning'", lambda alert: alert["tactic"] is None or "Learning" not in alert["tactic"]),
        ("created_timestamp:>'now-20d'", lambda alert: alert["created_timestamp"] > days_ago(20)),
        ("created_timestamp:<='now-20d'", lambda alert: alert["created_timestamp"] <= days_ago(20)),
        ("created_timestamp:>'2020-01-01'", lambda alert: True),
        ("created_timestamp:<'2020-01-01T00:00:00+02:00'", lambda alert: False),
        ("status:'new'+product:'epp'", lambda alert: alert["status"] == "new" and alert["product"] == "epp"),
        (
            "status:'new' + ( product:'epp' , product:'xdr' )",
            lambda alert: alert["status"] == "new" and alert["product"] in ("epp", "xdr"),
        ),
        ("status:'new',severity:90", lambda alert: alert["status"] == "new" or alert["severity"] == 90),
        ("nothing:'x'", lambda alert: False),
        ("nothing:!'x'", lambda alert: False),
        ("device.nothing:'x'", lambda alert: False),
    ],
)
def test_a_filter_finds_the_matching_alerts(filter: str, check: Check | None) -> None:  # noqa: A002
    if check is None:
        with pytest.raises(FqlError):
            parse(filter)
    else:
        assert found(filter) == expected(check)


SHARED_LISTS = (
    "data_domains",
    "host_names",
    "user_names",
    "source_hosts",
    "source_ips",
    "source_products",
    "source_vendors",
)


@pytest.mark.parametrize("name", SHARED_LISTS)
def test_a_shared_list_matches_by_a_whole_element(shared: Caller, name: str) -> None:
    documents = shared.combined(limit=1000).json()["resources"]
    value = next(
        document[name][-1] for document in documents if document.get(name) and document[name][-1].isprintable()
    )
    escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("*", "\\*")
    matching = {document["composite_id"] for document in documents if value in (document.get(name) or ())}
    assert matching <= set(shared.ids(f"{name}:'{escaped}'"))
    assert not matching & set(shared.ids(f"{name}:!'{escaped}'"))
    assert shared.ids(f"{name}:*'{value[:1]}*'") == []


@pytest.mark.parametrize(
    ("filter", "check"),
    [
        ("linked_case_ids:'*'", lambda alert: False),
        ("is_aggregated:false", lambda alert: alert.get("is_aggregated") is False),
        ("external:!false", lambda alert: alert.get("external") is not False),
        ("cms_rule_id:'*'", lambda alert: alert.get("cms_rule_id") is not None),
        ("pattern_disposition_details.kill_process:false", lambda alert: "pattern_disposition_details" in alert),
        ("device.ou:'Clients'", lambda alert: "Clients" in ((alert.get("device") or {}).get("ou") or ())),
        ("pattern_id:>0", lambda alert: "pattern_id" in alert),
        ("pattern_id:'*'", lambda alert: "pattern_id" in alert),
        ("case_ids:!'x'", lambda alert: False),
    ],
)
def test_fields_of_the_schema_can_be_filtered(filter: str, check: Check) -> None:  # noqa: A002
    documents = [json.loads(render(alert, alert.indexed)) for alert in TENANT.store.newest_first]
    assert found(filter) == {document["composite_id"] for document in documents if check(document)}


def test_an_alert_is_found_by_the_case_it_is_linked_to(shared: Caller) -> None:
    linked = next(alert for alert in shared.combined(limit=1000).json()["resources"] if alert.get("linked_case_ids"))
    assert linked["composite_id"] in shared.ids(f"linked_case_ids:'{linked['linked_case_ids'][0]}'")


def days_ago(days: int) -> str:
    return rfc3339(TENANT.clock.now() - days * DAY)


@pytest.mark.parametrize(
    "filter",
    [
        "status",
        "status:",
        "status:new",
        "status:'new",
        "status:'new'+",
        "+status:'new'",
        "(status:'new'",
        "status:'new')",
        "status:'new'product:'epp'",
        "status:['new'",
        "status:[]",
        "status:>['new']",
        "status:'a\\d'",
        "'new'",
        ":'new'",
        "severity:70x",
        "severity:>>70",
        "status:!",
        "status:!*'*o*'",
        "status:*~'*o*'",
        "status:~!'new'",
        "status:*['new']",
        "(*)",
        "*+status:'new'",
        "created_timestamp:~*'2026*'",
        "created_timestamp:*'2026'",
        "status='new'",
        "not status:'new'",
        "created_timestamp:'2026*'",
        "created_timestamp:>'yesterday'",
        "created_timestamp:>'NOW-7D'",
        "created_timestamp:~'2026'",
        "created_timestamp:>5",
        "created_timestamp:>'2026-13-01'",
        "created_timestamp:'*'",
    ],
)
def test_a_bad_filter_is_400_and_says_why(shared: Caller, filter: str) -> None:  # noqa: A002
    answer = shared.query(filter)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"].startswith("invalid filter")
    assert shared.combined(filter=filter).status_code == 400


def test_more_than_20_properties_are_too_many(shared: Caller) -> None:
    assert shared.query(",".join(["severity:70"] * 20)).status_code == 200
    assert shared.query(",".join(["severity:70"] * 21)).status_code == 400
    assert shared.query("severity:[" + ",".join(["70"] * 500) + "]").status_code == 200


@pytest.mark.parametrize(
    ("text", "value"), [(r"a\'b", "a'b"), (r"a\\b", "a\\b"), (r"a\*b", "a*b"), (r"\"", '"'), ('"', '"')]
)
def test_escapes(text: str, value: str) -> None:
    (parsed,) = parse(f"name:'{text}'").values
    assert (parsed.text, parsed.has_wildcard) == (value, False)


def test_a_windows_path_needs_doubled_backslashes(shared: Caller) -> None:
    path = shared.document(shared.ids("device.platform_name:'Windows'")[0])["filepath"]
    if "'" not in path and '"' not in path and "*" not in path:
        escaped = path.replace("\\", "\\\\")
        assert shared.ids(f"filepath:'{escaped}'")
    assert shared.query("filepath:'C:\\Users'").status_code == 400


@pytest.mark.parametrize(
    ("mode", "check"),
    [
        ("and_first", lambda a, b, c: a or (b and c)),
        ("left_to_right", lambda a, b, c: (a or b) and c),
    ],
)
def test_a_mix_without_parentheses_can_be_read_in_two_ways(
    mode: str, check: Callable[[bool, bool, bool], bool]
) -> None:
    matches = found("status:'new',severity:90+product:'epp'", bare_mix=mode)
    assert matches == expected(
        lambda alert: check(alert["status"] == "new", alert["severity"] == 90, alert["product"] == "epp")
    )


def test_a_mix_without_parentheses_can_be_refused(start: Start) -> None:
    caller = start(bare_mix="refuse")
    assert caller.query("status:'new',severity:90+product:'epp'").status_code == 400
    assert caller.query("(status:'new',severity:90)+product:'epp'").status_code == 200


@pytest.mark.parametrize("mode", ["empty_filter", "empty_clause"])
def test_an_unknown_field_empties_its_clause_or_the_filter(mode: str) -> None:
    news = expected(lambda alert: alert["status"] == "new")
    assert found("(status:'new',nothing:'x')", unknown_field=mode) == (news if mode == "empty_clause" else set())


@pytest.mark.parametrize("mode", ["finds_missing", "needs_field"])
def test_a_negation_may_not_find_what_lacks_the_field(mode: str) -> None:
    lacks = mode == "finds_missing"
    for statement, value in (("assigned_to_name:!'x'", None), ("severity_name:!['High','Low']", ("High", "Low"))):
        name = statement.partition(":")[0]
        assert found(statement, negation=mode) == expected(
            lambda alert: lacks if alert[name] is None else alert[name] not in (value or ())  # noqa: B023
        )
    unassigned = expected(lambda alert: alert["assigned_to_name"] is None)
    assert found("assigned_to_name:!'*'", negation=mode) == unassigned
    assert found("assigned_to_name:*!'*'", negation=mode) == unassigned
    assert found("assigned_to_name:!null", negation=mode) == expected(
        lambda alert: alert["assigned_to_name"] is not None
    )


@pytest.mark.parametrize("mode", ["matches", "no_match", "unknown_field"])
def test_hashes_of_entities_may_not_be_found(mode: str) -> None:
    sha256 = next(alert["hashes"][0] for alert in DESCRIPTIONS if alert["product"] == "xdr" and alert["hashes"])
    matches = found(f"entities.sha256:'{sha256}'", entities_sha256=mode)
    assert bool(matches) is (mode == "matches")
    either = found(f"(status:'new',entities.sha256:'{sha256}')", entities_sha256=mode)
    assert bool(either) is (mode != "unknown_field")


@pytest.mark.parametrize("place", ["ioc_context", "quarantined_files", "associated_files", "file_writes"])
def test_hashes_in_lists_may_be_filtered(place: str) -> None:
    assert found(f"{place}.sha256:'*'") == set()
    assert found(f"{place}.sha256:'*'", nested_hash_fields=True)


def test_times_are_kept_to_the_millisecond_or_finer() -> None:
    for alert in DESCRIPTIONS[:20]:
        at = alert["created_timestamp"]
        assert alert["composite_id"] in found(f"created_timestamp:>='{at}'", time_precision="ns")
        assert alert["composite_id"] not in found(f"created_timestamp:>'{at}'", time_precision="ms")
    instant = TENANT.store.newest_first[5].created
    later = DESCRIPTIONS[5]["created_timestamp"][:23] + "999999Z"
    assert instant % 1_000_000 != 999_999
    inside = DESCRIPTIONS[5]["composite_id"]
    assert inside not in found(f"created_timestamp:<'{later}'", time_precision="ms")
    assert inside in found(f"created_timestamp:<'{later}'", time_precision="ns")


def test_every_own_hash_is_found_by_the_three_clauses() -> None:
    for sha256 in {value for alert in DESCRIPTIONS for value in alert["hashes"]}:
        statement = f"(sha256:'{sha256}',entities.sha256:'{sha256}',ioc_value:'{sha256}')"
        rows = TENANT.search.find(Query(statement), TENANT.clock.now())
        assert {alert.composite_id for alert in rows} == expected(lambda alert: sha256 in alert["hashes"])  # noqa: B023
        assert found(statement.replace(sha256, sha256.upper())) == set() or sha256.isdigit()


LEAVES: list[tuple[str, Check]] = [
    ("status:'new'", lambda alert: alert["status"] == "new"),
    ("severity:>50", lambda alert: (alert["severity"] or 0) > 50),
    ("product:!'epp'", lambda alert: alert["product"] != "epp"),
    ("tags:'ignored'", lambda alert: "ignored" in (alert["tags"] or ())),
    ("assigned_to_name:'*'", lambda alert: alert["assigned_to_name"] is not None),
    ("created_timestamp:>'now-30d'", lambda alert: alert["created_timestamp"] > days_ago(30)),
    ("created_timestamp:<'now-10d'", lambda alert: alert["created_timestamp"] < days_ago(10)),
]


@st.composite
def statements(draw: st.DrawFn, depth: int = 2) -> tuple[str, Check]:
    """A parenthesised statement and the Python that should equal it."""
    if depth == 0 or draw(st.booleans()):
        return draw(st.sampled_from(LEAVES))
    items = draw(st.lists(statements(depth=depth - 1), min_size=1, max_size=3))
    joint, combine = draw(st.sampled_from([("+", all), (",", any)]))
    text = "(" + joint.join(item for item, _ in items) + ")"
    return text, lambda alert: combine(check(alert) for _, check in items)


@settings(max_examples=examples(60), deadline=None)
@given(statements())
def test_and_and_or_with_parentheses_match_pythons_all_and_any(statement: tuple[str, Check]) -> None:
    text, check = statement
    rows = TENANT.search.find(Query(text), TENANT.clock.now())
    assert {alert.composite_id for alert in rows} == expected(check) == found(text)


@settings(max_examples=examples(200), deadline=None)
@given(st.text(alphabet="ab.*", max_size=6), st.text(alphabet="ab.*\n", max_size=8))
def test_wildcards_are_those_of_a_shell_without_brackets(pattern: str, text: str) -> None:
    (value,) = parse(f"name:'{pattern}'").values
    if value.has_wildcard:
        assert wildcard(value)(text) is bool(re.match(fnmatch.translate(pattern), text))
