"""Which alerts the guardrails hold, and which come near and pass."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcon_bulk.model.alert import Alert
from falcon_bulk.model.hashes import own_hashes
from falcon_bulk.model.plan import Action
from falcon_bulk.operations.changes.guardrails import GUARDRAILS, Candidate, guardrail_for, overrides_of
from tests.support.plan_builders import HASH, OTHER_HASH, an_alert

NOTHING: frozenset[str] = frozenset()
CLOSE = (Action("update_status", "closed"), Action("append_comment", "done"))
UNNAMED = {"severity": ..., "severity_name": ...}


def candidate(alert: Alert, selected: frozenset[str] = NOTHING, status: str = "closed") -> Candidate:
    return Candidate(alert, own_hashes(alert).keys(), (Action("update_status", status), *CLOSE[1:]), selected)


def held_by(alert: Alert, selected: frozenset[str] = NOTHING, overrides: frozenset[str] = NOTHING) -> str:
    return guardrail_for(candidate(alert, selected), overrides)


HELD: list[tuple[str, dict[str, Any]]] = [
    ("critical", {"severity": 80, "severity_name": "High"}),
    ("critical", {"severity": 100, "severity_name": ...}),
    ("critical", {"severity": 79, "severity_name": "Critical"}),
    ("critical", {"severity": ..., "severity_name": "CRITICAL"}),
    ("no-severity", UNNAMED),
    ("no-severity", {"severity": "90", "severity_name": ...}),
    ("no-severity", {"severity": None, "severity_name": ""}),
    ("overwatch", {"product": "overwatch"}),
    ("overwatch", {"product": "OverWatch"}),
    ("overwatch", {"tactic": "Falcon Overwatch"}),
    ("overwatch", {"tactic": "Falcon OverWatch"}),
    ("falcon-complete", {"tags": ["falcon_complete"]}),
    ("falcon-complete", {"tags": ["FC-Escalated"]}),
    ("falcon-complete", {"tags": ["fc/offering/falcon_complete"]}),
    ("falcon-complete", {"tags": ["FalconGroupingTags/fc/managed"]}),
    ("falcon-complete", {"tags": ["SensorGroupingTags/Falcon_Complete"]}),
    ("falcon-complete", {"tags": ["Falcon Complete"]}),
    ("true-positive", {"tags": ["True_Positive"]}),
    ("falcon-complete", {"tags": ["pilot", "Falcon_Complete_Review"]}),
    ("falcon-complete", {"assigned_to_name": "Falcon Complete Team"}),
    ("falcon-complete", {"assigned_to_name": "CrowdStrike Team"}),
    ("falcon-complete", {"assigned_to_uid": "someone@crowdstrike.com"}),
    ("true-positive", {"tags": ["true_positive"]}),
    ("true-positive", {"resolution": "true_positive"}),
    ("case", {"case_id": "C-1"}),
    ("case", {"case_ids": ["C-1"]}),
    ("case", {"cases": [{"id": "C-1"}]}),
    ("case", {"correlation_rule_create_case": True}),
    ("assigned", {"assigned_to_name": "Alice"}),
    ("assigned", {"assigned_to_uid": "alice@acme.example"}),
    ("assigned", {"assigned_to_uuid": "6a1b"}),
    ("in-progress", {"status": "in_progress"}),
    ("reopened", {"status": "reopened"}),
    # Odd spellings of the same.
    ("critical", {"severity": ..., "severity_name": " critical\u00a0"}),
    ("no-severity", {"severity": ..., "severity_name": "  "}),
    ("no-severity", {"severity": ..., "severity_name": "Unknown"}),
    ("overwatch", {"product": " Over-Watch "}),
    ("overwatch", {"product": "Falcon OverWatch"}),
    ("overwatch", {"tactic": "falcon_overwatch"}),
    ("falcon-complete", {"tags": ["FalconComplete"]}),
    ("falcon-complete", {"tags": [" FC / offering/x "]}),
    ("falcon-complete", {"tags": ["FC_Escalated"]}),
    ("falcon-complete", {"tags": ["FalconGroupingTags/fc:managed"]}),
    ("falcon-complete", {"assigned_to_name": "Falcon-Complete  Team"}),
    ("falcon-complete", {"assigned_to_uid": "Someone@CrowdStrike.com"}),
    ("true-positive", {"tags": ["True Positive"]}),
    ("true-positive", {"tags": ["triage:true-positive"]}),
    ("true-positive", {"resolution": "TruePositive"}),
    ("in-progress", {"status": "In Progress"}),
    ("in-progress", {"status": "in-progress "}),
    ("reopened", {"status": "Reopened"}),
]

PASSING: list[dict[str, Any]] = [
    {},
    {"severity": 79, "severity_name": "High"},
    {"severity": 60, "severity_name": ...},
    {"severity": ..., "severity_name": "Low"},
    {"severity": 0, "severity_name": ...},
    {"product": "epp", "tactic": "Execution"},
    {"name": "Falcon Overwatch", "description": "overwatch"},
    {"tags": ["fc", "complete", "not-falcon_complete", "FCX"]},
    {"tags": ["false_positive", "ignored"], "resolution": "false_positive"},
    {"tags": ["not_true_positive", "true_positives"]},
    {"case_id": "", "case_ids": [], "cases": None, "correlation_rule_create_case": False},
    {"assigned_to_name": "", "assigned_to_uid": None},
    {"status": "closed"},
    {"tags": [""], "resolution": ""},
    {"assigned_to_name": " ", "assigned_to_uid": "\t"},
    {"severity": ..., "severity_name": "low "},
]


@pytest.mark.parametrize(("guardrail", "fields"), HELD)
def test_an_alert_is_held_by_its_guardrail(guardrail: str, fields: dict[str, Any]) -> None:
    assert held_by(an_alert(**fields)) == guardrail


@pytest.mark.parametrize(("guardrail", "fields"), HELD)
def test_an_overridden_guardrail_holds_nothing(guardrail: str, fields: dict[str, Any]) -> None:
    overrides = frozenset({guardrail, "assigned"})  # who is of a team is also assigned
    assert held_by(an_alert(**fields), NOTHING, overrides) == ""


@pytest.mark.parametrize("fields", PASSING)
def test_what_only_comes_near_passes(fields: dict[str, Any]) -> None:
    assert held_by(an_alert(**fields)) == ""


def test_an_alert_counts_under_the_first_guardrail_that_holds_it() -> None:
    fields: dict[str, Any] = {}
    everything = an_alert(
        severity=90,
        product="overwatch",
        tags=["FC-1", "true_positive"],
        case_id="C-1",
        assigned_to_name="Alice",
        status="in_progress",
        sha256=OTHER_HASH,
        **fields,
    )
    overrides: set[str] = set()
    order = []
    while guardrail := held_by(everything, frozenset({HASH}), frozenset(overrides)):
        order.append(guardrail)
        overrides.add(guardrail)
    assert order == [guardrail for guardrail in GUARDRAILS if guardrail not in ("no-severity", "reopened", "closed")]


@pytest.mark.parametrize(
    ("status", "held"), [("new", True), ("in_progress", True), ("reopened", True), ("closed", False)]
)
def test_a_closed_alert_is_held_from_being_opened(status: str, held: bool) -> None:
    closed = candidate(an_alert(status="closed"), status=status)
    assert guardrail_for(closed, NOTHING) == ("closed" if held else "")
    assert guardrail_for(closed._replace(actions=CLOSE[1:]), NOTHING) == ""
    assert guardrail_for(closed, frozenset({"closed"})) == ""


def test_all_overrides_every_guardrail_but_that_against_opening_closed_alerts() -> None:
    assert overrides_of(frozenset({"all"})) == GUARDRAILS.keys() - {"closed"}
    assert overrides_of(frozenset({"all", "closed"})) == GUARDRAILS.keys()
    assert overrides_of(frozenset({"case"})) == {"case"}


def test_the_guardrails_stand_in_the_order_that_is_documented() -> None:
    assert list(GUARDRAILS) == [
        *("critical", "no-severity", "overwatch", "falcon-complete", "true-positive"),
        *("case", "assigned", "in-progress", "reopened", "closed", "other-hashes"),
    ]


@pytest.mark.parametrize(
    ("fields", "held"),
    [
        ({"sha256": HASH}, False),
        ({"sha256": HASH.upper()}, False),
        ({"sha256": HASH, "entities": {"sha256": [HASH]}}, False),
        ({"sha256": HASH, "entities": {"sha256": [HASH, OTHER_HASH]}}, True),
        ({"sha256": OTHER_HASH, "ioc_type": "hash_sha256", "ioc_value": HASH}, True),
        ({"sha256": HASH, "parent_details": {"sha256": OTHER_HASH}}, False),
        ({"sha256": HASH, "ioc_type": "domain", "ioc_value": OTHER_HASH}, False),
    ],
)
def test_another_own_hash_holds_an_alert_back_where_hashes_were_selected(fields: dict[str, Any], held: bool) -> None:
    alert = an_alert(**fields)
    assert held_by(alert, frozenset({HASH})) == ("other-hashes" if held else "")
    assert held_by(alert, frozenset({HASH, OTHER_HASH})) == ""
    assert held_by(alert) == ""


anything = st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.lists(st.text(max_size=4), max_size=2)


@given(
    st.dictionaries(
        st.sampled_from(["severity", "severity_name", "tags", "product", "tactic", "case_ids", "assigned_to_name"]),
        anything,
    )
)
def test_a_guardrail_takes_any_document(fields: dict[str, Any]) -> None:
    alert = an_alert(**fields)
    guardrail = held_by(alert, frozenset({HASH}))
    assert guardrail == "" or GUARDRAILS[guardrail](candidate(alert, frozenset({HASH})))
