"""hash-summary: related hashes, the fields that hashes are in, and the MD5s that are known to belong to them."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcon_bulk.model.alert import CountedAlert
from falcon_bulk.model.alert_decoder import decode_alert
from falcon_bulk.model.hash_summary import HashSummary
from falcon_bulk.operations.counting.hash_summary import summarize_hashes
from falcon_bulk.operations.counting.related_hashes import RelatedHashCounter
from falcon_bulk.operations.reading.alert_document import decode_result

A, B, C = "a1" * 32, "b2" * 32, "c3" * 32
M, N = "d4" * 16, "e5" * 16


def summary_of(*documents: dict[str, Any]) -> HashSummary:
    pages = [
        [
            decode_result(
                CountedAlert, msgspec.Raw(json.dumps({"composite_id": f"c:ind:1:{number}", **document}).encode())
            )
        ]
        for number, document in enumerate(documents)
    ]
    return summarize_hashes(pages, customer="acme", generated_at="2026-11-17T06:50:00Z", selection="all alerts")


def test_a_hash_is_related_if_it_is_no_own_hash_of_the_alerts_read() -> None:
    summary = summary_of(
        {"sha256": A, "parent_details": {"sha256": B}},
        {"parent_details": {"sha256": A}, "grandparent_details": {"sha256": C.upper()}},
        {"parent_details": {"sha256": C}},
    )
    assert [(related.sha256, related.alerts, related.fields) for related in summary.related] == [
        (C, 2, ("parent_details.sha256", "grandparent_details.sha256")),
        (B, 1, ("parent_details.sha256",)),
    ]
    (own,) = summary.hashes
    assert (own.alerts, own.fields, own.other_fields) == (1, ("sha256",), ("parent_details.sha256",))


def test_an_alert_counts_once_for_a_hash_in_several_of_its_fields() -> None:
    place = {"sha256": A, "filename": "C:\\Windows\\explorer.exe"}
    (related,) = summary_of(
        {"parent_details": place, "grandparent_details": place, "quarantined_files": [place, place]},
        {"parent_details": place},
    ).related
    assert (related.alerts, related.filenames) == (2, ("explorer.exe",))
    assert related.fields == ("parent_details.sha256", "grandparent_details.sha256", "quarantined_files.sha256")


def test_the_names_of_a_file_are_the_most_frequent_without_their_folders() -> None:
    names = ["/tmp/b", "C:\\x\\b", "D:\\b", "/opt/a", "a", *"cdefg", "", None, 7]
    documents = [{"associated_files": [{"sha256": A, "filepath": name}]} for name in names]
    documents.append(
        {"file_writes": [{"sha256": A, "name": "c"}], "ioc_context": [{"sha256": A, "ioc_description": "c"}]}
    )
    (related,) = summary_of(*documents).related
    assert related.filenames == ("b", "c", "a", "d", "e")
    assert related.alerts == len(names) + 1


@pytest.mark.parametrize(
    ("document", "md5"),
    [
        ({"sha256": A, "md5": M}, M),
        ({"sha256": A, "md5": M.upper()}, M),
        ({"sha256": [A], "md5": M}, None),
        ({"entities": {"sha256": [A]}, "md5": M}, None),
        ({"ioc_type": "hash_sha256", "ioc_value": A, "md5": M}, None),
        ({"ioc_type": "hash_sha256", "ioc_value": A, "ioc_context": [{"sha256": A, "md5": M}]}, M),
        ({"sha256": A, "parent_details": {"sha256": A, "md5": M}}, M),
        ({"sha256": A, "md5": M, "parent_details": {"sha256": A, "md5": N}}, None),
        ({"sha256": A, "md5": "0" * 32}, None),
        ({"sha256": A, "md5": "nonsense"}, None),
        ({"sha256": A, "md5": [M]}, None),
        ({"sha256": A}, None),
    ],
)
def test_a_hash_has_an_md5_only_if_it_is_known_to_belong_to_it(document: dict[str, Any], md5: str | None) -> None:
    (own,) = summary_of(document).hashes
    assert own.md5 == md5


def test_a_related_hash_has_its_md5_too() -> None:
    summary = summary_of(
        {"parent_details": {"sha256": A, "md5": M}},
        {"parent_details": {"sha256": A.upper(), "md5": None}},
        {"grandparent_details": {"sha256": B, "md5": M}},
        {"grandparent_details": {"sha256": B, "md5": N}},
        {"quarantined_files": [{"sha256": C, "md5": [N]}, {"sha256": C, "md5": N}]},
    )
    assert {related.sha256: (related.md5, related.alerts) for related in summary.related} == {
        A: (M, 2),
        B: (None, 2),
        C: (N, 1),
    }


def test_values_that_are_no_hashes_are_not_counted() -> None:
    values = [None, 7, "", "x", A[:-1], [A], {"sha256": A}]
    summary = summary_of(
        *({"parent_details": {"sha256": value}, "file_writes": [{"sha256": value}]} for value in values)
    )
    assert (summary.related, summary.hashes, summary.alerts_read) == ((), (), len(values))


values = st.sampled_from([A, A.upper(), B, M, "x", "", None, 7, [A], {"a": A}])
files = st.dictionaries(st.sampled_from(["sha256", "md5", "filename", "ioc_type", "ioc_value"]), values, max_size=3)
documents = st.fixed_dictionaries(
    {},
    optional={
        "parent_details": files,
        "grandparent_details": files,
        "quarantined_files": st.lists(files, max_size=2),
        "ioc_context": st.lists(files, max_size=2),
    },
)


@given(st.lists(documents, max_size=4), st.lists(st.integers(0, 3), max_size=8))
def test_equal_alerts_are_counted_as_if_one_by_one(different: list[dict[str, Any]], order: list[int]) -> None:
    alerts = [decode_alert(json.dumps({"composite_id": "c:ind:1:2", **document}).encode()) for document in different]
    page = [alerts[number % len(alerts)] for number in order if alerts]
    together, one_by_one = RelatedHashCounter(), RelatedHashCounter()
    together.add(page)
    for alert in page:
        one_by_one.add([alert])
    assert together.counts(own=()) == one_by_one.counts(own=())
