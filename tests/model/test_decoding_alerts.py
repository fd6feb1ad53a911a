"""Decoding an alert from a document, whatever the document looks like."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcon_bulk.model.alert import Alert, BriefAlert
from falcon_bulk.model.alert_decoder import decode_alert, decode_as, decode_document
from falcon_bulk.model.hashes import own_hashes
from falcon_bulk.model.plan import AlertState
from falcon_bulk.operations.counting.related_hashes import RelatedHashCounter

ID = "0123456789abcdef0123456789abcdef:ind:1:2-3-4"
HASH = "a" * 64

# What the tool reads, and nests, in an alert.
FIELDS = [name for name in Alert.__struct_fields__ if name != "composite_id"]


def an_alert(**fields: Any) -> Alert:
    return decode_alert(json.dumps({"composite_id": ID, **fields}).encode())


def everything_of(alert: Alert) -> list[object]:
    """All that is ever asked of an alert."""
    return [
        *(alert.tenant, alert.host, list(alert.hosts), alert.title, alert.severity_number, alert.severity_label),
        *(alert.tag_set, alert.hidden, alert.assignee, alert.case, alert.comment_texts),
        *(own_hashes(alert), RelatedHashCounter().add([alert]), AlertState.of(alert)),
    ]


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["sha256", "value", "hostname"]), inner)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=8))
def test_a_field_may_have_any_type_and_the_alert_keeps_its_id(fields: dict[str, Any]) -> None:
    alert = an_alert(**fields)
    assert alert.composite_id == ID
    everything_of(alert)


@given(st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=8))
def test_a_brief_alert_has_the_same_values_as_the_whole_alert(fields: dict[str, Any]) -> None:
    document = json.dumps({"composite_id": ID, **fields}).encode()
    brief, alert = decode_as(BriefAlert, document), decode_alert(document)
    assert [getattr(brief, name) for name in brief.__struct_fields__] == [
        getattr(alert, name) for name in brief.__struct_fields__
    ]


@given(st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_other_document_raises_only_a_decoding_error(document: bytes) -> None:
    try:
        alert = decode_alert(document)
    except msgspec.MsgspecError:
        return
    everything_of(alert)


@given(st.text(alphabet=st.characters(min_codepoint=0xD800, max_codepoint=0xDFFF), min_size=1), st.text())
def test_lone_surrogates_become_question_marks_and_leave_the_rest_as_it_is(lone: str, name: str) -> None:
    document = json.dumps({"composite_id": ID, "filename": f"a{lone}b", "name": name, "status": "new"}).encode()
    alert = decode_alert(document)
    str(alert.filename).encode()
    assert str(alert.filename)[0] + str(alert.filename)[-1] == "ab"
    assert (alert.composite_id, alert.status) == (ID, "new")


def test_bytes_that_are_not_utf8_are_replaced() -> None:
    document = b'{"composite_id": "' + ID.encode() + b'", "filename": "a\xff.exe", "severity": 50}'
    assert decode_alert(document).filename == "a\ufffd.exe"
    assert decode_document(document)["filename"] == "a\ufffd.exe"


def test_a_lone_surrogate_in_a_file_name_is_shown_as_a_question_mark() -> None:
    document = b'{"composite_id": "' + ID.encode() + b'", "filename": "a\\ud800.exe", "severity": 50}'
    assert decode_alert(document).filename == "a?.exe"
    assert decode_document(document)["filename"] == "a?.exe"
    assert decode_alert(document).severity_number == 50


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"{}",
        b'{"composite_id": null}',
        b'{"composite_id": 7}',
        b'{"composite_id": ["a"]}',
        b"\xff\xfe",
    ],
)
def test_a_document_without_an_id_is_a_decoding_error(document: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        decode_alert(document)


@pytest.mark.parametrize("value", [7, "text", [], True, [["x"]], {"hostname": {"deep": 1}}])
def test_a_nested_field_of_another_type_is_dropped_and_its_neighbours_stay(value: Any) -> None:
    alert = an_alert(device=value, entities={"sha256": [HASH]}, comments="none", status="new", sha256=HASH)
    assert alert.host == ""
    assert alert.comment_texts == []
    assert alert.status == "new"
    assert own_hashes(alert) == {HASH: ("sha256", "entities.sha256")}


@pytest.mark.parametrize("stray", [None, 7, "text", {"value": 7}, {}, [{}], []])
def test_a_list_keeps_the_elements_that_can_be_decoded(stray: Any) -> None:
    alert = an_alert(comments=[stray, {"value": "closed by us"}, stray], quarantined_files=[{"sha256": HASH}, stray])
    assert "closed by us" in alert.comment_texts
    assert HASH in [file.sha256 for file in alert.quarantined_files or ()]


@pytest.mark.parametrize(
    ("fields", "host"),
    [
        ({"device": {"hostname": "A"}, "hostname": "B"}, "A"),
        ({"device": {}, "source_endpoint_host_name": "B"}, "B"),
        ({"device": None, "host_names": ["", "C"]}, "C"),
        ({"host_names": [], "source_hosts": ["D"]}, "D"),
        ({"computer_name": "E"}, "E"),
        ({"hostname": "F"}, "F"),
        ({"hostname": 7}, ""),
        ({}, ""),
    ],
)
def test_a_host_is_found_in_the_fields_of_all_products(fields: dict[str, Any], host: str) -> None:
    assert an_alert(**fields).host == host


@pytest.mark.parametrize(
    ("fields", "number", "label"),
    [
        ({"severity": 79, "severity_name": "High"}, 79, "High"),
        ({"severity": 60, "severity_name": "Medium"}, 60, "Medium"),
        ({"severity": 80}, 80, "Critical"),
        ({"severity": 79.5}, 79.5, "High"),
        ({"severity": 1}, 1, "Informational"),
        ({"severity_name": "Low"}, None, "Low"),
        ({"severity": "90"}, None, ""),
        ({"severity": True}, None, ""),
        ({}, None, ""),
    ],
)
def test_a_severity_has_the_name_in_the_document_or_that_of_its_number(
    fields: dict[str, Any], number: float | None, label: str
) -> None:
    alert = an_alert(**fields)
    assert (alert.severity_number, alert.severity_label) == (number, label)


@pytest.mark.parametrize(
    ("fields", "case"),
    [
        ({"case_id": "C-1"}, "C-1"),
        ({"case_ids": ["C-2", "C-1"]}, "C-1,C-2"),
        ({"linked_case_ids": [7]}, "linked"),
        ({"cases": [{"id": 1}]}, "linked"),
        ({"cases": {"id": 1}}, "linked"),
        ({"correlation_rule_create_case": True}, "created by its rule"),
        ({"correlation_rule_create_case": False, "case_ids": [], "cases": [""], "case_id": ""}, ""),
    ],
)
def test_a_linked_case_is_found_in_any_form(fields: dict[str, Any], case: str) -> None:
    assert an_alert(**fields).case == case


@pytest.mark.parametrize(
    ("show", "hidden"), [(False, True), (True, False), (None, False), ("false", False), (0, False)]
)
def test_only_a_plain_false_hides_an_alert(show: Any, hidden: bool) -> None:
    assert an_alert(show_in_ui=show).hidden is hidden
    assert an_alert().hidden is False


def test_the_tenant_is_the_cid_or_else_the_beginning_of_the_id() -> None:
    assert an_alert(cid="ABC").tenant == "abc"
    assert an_alert().tenant == ID.partition(":")[0]
    assert an_alert(cid="").tenant == ID.partition(":")[0]


def test_empty_tags_and_those_that_are_not_text_are_dropped() -> None:
    assert an_alert(tags=["", "a", "a", 7, None, "b"]).tag_set == {"a", "b"}
    assert an_alert(tags="a").tag_set == {"a"}


# Documents of real products, where they are at hand

SAMPLES = sorted((Path(__file__).parents[3] / "shared" / "samples").glob("*.jsonl"))
DOCUMENTS = [
    pytest.param(line, id=f"{path.stem}-{number}")
    for path in SAMPLES
    for number, line in enumerate(path.read_bytes().splitlines(), 1)
]


@pytest.mark.skipif(not DOCUMENTS, reason="no sample documents here")
@pytest.mark.parametrize("line", DOCUMENTS or [b""])
def test_documents_of_real_products_are_read(line: bytes) -> None:
    document = json.loads(line)
    document = document.get("alert", document) if "composite_id" not in document else document
    if "composite_id" not in document:
        pytest.skip("not an alert of the Alerts API")
    alert = decode_alert(json.dumps(document).encode())
    assert alert.composite_id == document["composite_id"]
    assert alert.tenant
    assert alert.severity_label or "severity" not in document
    everything_of(alert)
    own = set(own_hashes(alert))
    assert own == set(own_hashes(decode_alert(json.dumps(document).encode())))
    if isinstance(document.get("sha256"), str) and len(document["sha256"]) == 64:
        assert document["sha256"].lower() in own
    parent = (document.get("parent_details") or {}).get("sha256")
    assert parent is None or parent == document.get("sha256") or parent not in own
