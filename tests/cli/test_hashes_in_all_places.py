"""hash-summary says of each hash where it stands and what its MD5 is, as the documents themselves have it."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.command import CommandRunner

OWN = ("sha256", "entities.sha256", "ioc_value")


def standings(document: dict[str, Any]) -> Iterator[tuple[str, str, str | None]]:
    """Every field, hash and MD5 beside it in a document of the emulator, by a reading of the test's own."""
    if document.get("sha256"):
        yield "sha256", document["sha256"], document.get("md5")
    for digest in document.get("entities", {}).get("sha256", []):
        yield "entities.sha256", digest, None
    if document.get("ioc_type") == "hash_sha256":
        yield "ioc_value", document["ioc_value"], None
    for process in ("parent_details", "grandparent_details"):
        if details := document.get(process):
            yield f"{process}.sha256", details["sha256"], details["md5"]
    for files in ("quarantined_files", "associated_files", "file_writes"):
        for file in document.get(files, []):
            yield f"{files}.sha256", file["sha256"], file.get("md5")
    for context in document.get("ioc_context", []):
        yield "ioc_context.sha256", context["sha256"], context["md5"]
        if context["ioc_type"] == "hash_sha256":
            yield "ioc_context.ioc_value", context["ioc_value"], None


def test_the_places_and_md5s_of_all_hashes_are_those_of_the_documents(readable: CommandRunner) -> None:
    fields: dict[str, set[str]] = defaultdict(set)
    md5s: dict[str, set[str]] = defaultdict(set)
    elsewhere: dict[str, set[str]] = defaultdict(set)
    for document in readable("query", "--all", "--format", "jsonl").documents:
        for field, digest, md5 in standings(document):
            fields[digest].add(field)
            md5s[digest].update({md5} if md5 else ())
            if field not in OWN:
                elsewhere[digest].add(document["composite_id"])
    summary = readable.json("hash-summary")
    own = {row["sha256"]: row for row in summary["hashes"]}
    others = {row["sha256"]: row for row in summary["related"]}
    assert own.keys() | others.keys() == fields.keys()
    assert not own.keys() & others.keys()
    assert len(others) > 20
    for digest, row in own.items():
        assert set(row["fields"]) == fields[digest] & set(OWN)
        assert set(row["other_fields"]) == fields[digest] - set(OWN)
    for digest, row in others.items():
        assert set(row["fields"]) == fields[digest]
        assert row["alerts"] == len(elsewhere[digest])
    for digest, row in (own | others).items():
        assert row["md5"] == (next(iter(md5s[digest])) if len(md5s[digest]) == 1 else None)
    assert sum(row["md5"] is not None for row in own.values()) > 100
    frequency = [row["alerts"] for row in summary["related"]]
    assert frequency == sorted(frequency, reverse=True)


@pytest.mark.slow
def test_csv_has_the_own_hashes_alone_and_the_tables_the_others_too(readable: CommandRunner) -> None:
    document = readable.json("hash-summary", "--product", "epp")
    lines = readable("hash-summary", "--product", "epp", "--format", "csv").lines
    assert len(lines) == 1 + len(document["hashes"])
    assert lines[0].split(b",")[:3] == [b"alerts", b"sha256", b"md5"]
    assert lines[0].endswith(b",fields")
    table = readable("hash-summary", "--product", "epp").text
    related = f"acme: {len(document['related'])} hashes seen only as parent, quarantined or written files"
    title, _, rest = table.partition(related)
    assert all(row["sha256"] in rest and row["sha256"] not in title for row in document["related"])
