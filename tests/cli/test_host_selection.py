"""--host finds an alert by each field that can hold its host's name."""

import re

from tests.support.command import CommandRunner

LISTS = ("host_names", "source_hosts")


def test_a_whole_name_is_found_in_the_lists_of_hosts_too(readable: CommandRunner) -> None:
    documents = readable("query", "--filter", "*", "--all", "--format", "jsonl").documents
    listed = {field: [document for document in documents if document.get(field)] for field in LISTS}
    for field, with_hosts in listed.items():
        host = next(name for one in with_hosts for name in one[field] if re.fullmatch(r"[A-Za-z0-9][\w.-]*", name))
        expected = {one["composite_id"] for one in documents for name in LISTS if host in (one.get(name) or ())}
        found = readable("query", "--host", host, "--all", "--format", "jsonl").documents
        assert expected <= {one["composite_id"] for one in found}, field
        assert readable("query", "--host", host, "--count").out == b"%d\n" % len(found)
