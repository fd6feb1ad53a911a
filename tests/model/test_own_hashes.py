"""Which hashes are an alert's own: the rule that all commands share."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcon_bulk.model.alert import Alert
from falcon_bulk.model.alert_decoder import decode_alert
from falcon_bulk.model.hashes import HASH_FIELDS, OWN_FIELDS, RELATED_FIELDS, SEARCHED_FIELDS, own_hashes
from falcon_bulk.operations.counting.related_hashes import RelatedHashCounter

A, B = "a" * 64, "b" * 64


def an_alert(**fields: Any) -> Alert:
    return decode_alert(json.dumps({"composite_id": "c:ind:1:2", **fields}).encode())


def other_hashes(alert: Alert) -> dict[str, tuple[str, ...]]:
    counter = RelatedHashCounter()
    counter.add([alert])
    return {related.sha256: related.fields for related in counter.counts(own=own_hashes(alert))}


@pytest.mark.parametrize(
    ("fields", "own"),
    [
        ({"sha256": A}, {A: ("sha256",)}),
        ({"sha256": A.upper()}, {A: ("sha256",)}),
        ({"sha256": [A, B]}, {A: ("sha256",), B: ("sha256",)}),
        ({"entities": {"sha256": [A, B]}}, {A: ("entities.sha256",), B: ("entities.sha256",)}),
        ({"entities": {"sha256": A}}, {A: ("entities.sha256",)}),
        ({"ioc_type": "hash_sha256", "ioc_value": A}, {A: ("ioc_value",)}),
        (
            {"sha256": A, "entities": {"sha256": [A]}, "ioc_type": "hash_sha256", "ioc_value": A},
            {A: ("sha256", "entities.sha256", "ioc_value")},
        ),
        ({"ioc_type": "hash_md5", "ioc_value": A}, {}),
        ({"ioc_type": "domain", "ioc_value": A}, {}),
        ({"ioc_value": A}, {}),
        ({"sha256": A[:-1]}, {}),
        ({"sha256": A + "0"}, {}),
        ({"sha256": ""}, {}),
        ({"sha256": 7}, {}),
        ({"sha256": "0x" + A[2:]}, {}),
        ({"resource_uuid": A, "aggregate_id": A, "lead_id": A}, {}),
        ({"md5": A}, {}),
        ({}, {}),
    ],
)
def test_a_hash_in_one_of_three_fields_is_an_own_hash(fields: dict[str, Any], own: dict[str, tuple[str, ...]]) -> None:
    assert own_hashes(an_alert(**fields)) == own


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("parent_details.sha256", {"parent_details": {"sha256": A}}),
        ("grandparent_details.sha256", {"grandparent_details": {"sha256": A}}),
        ("quarantined_files.sha256", {"quarantined_files": [{"sha256": A}]}),
        ("associated_files.sha256", {"associated_files": [{"sha256": A}]}),
        ("file_writes.sha256", {"file_writes": [{"sha256": A}]}),
        ("ioc_context.sha256", {"ioc_context": [{"sha256": A, "ioc_type": "hash_md5", "ioc_value": B}]}),
        ("ioc_context.ioc_value", {"ioc_context": [{"ioc_type": "hash_sha256", "ioc_value": A.upper()}]}),
    ],
)
def test_a_related_hash_is_shown_and_selects_nothing(field: str, fields: dict[str, Any]) -> None:
    assert own_hashes(an_alert(**fields)) == {}
    assert other_hashes(an_alert(**fields)) == {A: (field,)}
    assert other_hashes(an_alert(sha256=A, **fields)) == {}


@pytest.mark.parametrize(
    "fields",
    [
        {"parent_details": {"sha256": value}, "ioc_context": [{"sha256": value}, {"ioc_value": A}]}
        for value in (None, 7, "", "x", A[:-1], [A], {"sha256": A})
    ],
)
def test_a_value_that_is_no_hash_is_ignored(fields: dict[str, Any]) -> None:
    assert other_hashes(an_alert(**fields)) == {}


def test_a_related_hash_is_shown_with_all_of_its_fields() -> None:
    alert = an_alert(
        parent_details={"sha256": A}, quarantined_files=[{"sha256": A}, {"sha256": B}], file_writes=[{"sha256": A}]
    )
    assert other_hashes(alert) == {
        A: ("parent_details.sha256", "quarantined_files.sha256", "file_writes.sha256"),
        B: ("quarantined_files.sha256",),
    }


def test_every_own_field_is_searched_and_no_other_field_selects() -> None:
    """What is own and not searched would be missed; what is searched and not own would be read for nothing."""
    assert OWN_FIELDS == SEARCHED_FIELDS == ("sha256", "entities.sha256", "ioc_value")
    assert len({field.field for field in HASH_FIELDS}) == len(HASH_FIELDS) == len(OWN_FIELDS) + len(RELATED_FIELDS)


hashes = st.sampled_from([A, B, A.upper(), "c" * 63, "", None, 7, "domain.example"])
documents = st.fixed_dictionaries(
    {},
    optional={
        "sha256": hashes | st.lists(hashes),
        "entities": st.fixed_dictionaries({}, optional={"sha256": hashes | st.lists(hashes)}),
        "ioc_type": st.sampled_from(["hash_sha256", "hash_md5", "domain", None]),
        "ioc_value": hashes,
        "parent_details": st.fixed_dictionaries({"sha256": hashes}),
        "quarantined_files": st.lists(st.fixed_dictionaries({"sha256": hashes}), max_size=2),
    },
)


@given(documents)
def test_own_hashes_are_those_of_the_three_own_fields_and_never_related(document: dict[str, Any]) -> None:
    def listed(value: Any) -> list[Any]:
        return value if isinstance(value, list) else [value]

    values = [
        *listed(document.get("sha256")),
        *listed(document.get("entities", {}).get("sha256")),
        *([document.get("ioc_value")] if document.get("ioc_type") == "hash_sha256" else []),
    ]
    expected = {value.lower() for value in values if isinstance(value, str) and value.lower() in (A, B)}
    alert = an_alert(**document)
    assert own_hashes(alert).keys() == expected
    assert not own_hashes(alert).keys() & other_hashes(alert).keys()
    assert {field for fields in own_hashes(alert).values() for field in fields} <= set(OWN_FIELDS)
    assert {field for fields in other_hashes(alert).values() for field in fields} <= set(RELATED_FIELDS)
