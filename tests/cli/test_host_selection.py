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


def test_a_change_leaves_out_alerts_that_only_list_the_host_and_says_so(readable: CommandRunner) -> None:
    new = readable("query", "--filter", "status:'new'", "--all", "--format", "jsonl").documents
    on_host = {document.get("device", {}).get("hostname"): document["composite_id"] for document in new}
    host, listed = next(
        (name, document["composite_id"])
        for document in new
        for name in document.get("host_names") or ()
        if name in on_host and name != document.get("device", {}).get("hostname")
    )
    done = readable("bulk-close", "--host", host, "--override", "all", "--dry-run", "--plan", "listed.plan")
    planned = (readable.folder / "listed.plan").read_text()
    assert on_host[host] in planned
    assert listed not in planned
    assert f"Alerts that name {host} only in a list of hosts are left out" in done.err
    named = re.search(r'--filter "(.+?)"', done.err)
    assert named
    found = readable("query", "--filter", named[1], "--all", "--format", "jsonl").documents
    assert listed in {document["composite_id"] for document in found}
