"""A list without rows: a terminal says that there is none and what to do; programs still get the headings."""

import json
from typing import Any

import pytest

from tests.support.command import CommandRunner, without_styling

NO_HOST = ("--host", "no-such-host")


def shown(shell: CommandRunner, *argv: str, customer: str | None = "acme") -> list[str]:
    with shell.terminal(*argv, columns=80, customer=customer) as terminal:
        done = terminal.finish()
    assert done.code == 0, done
    return without_styling(done.out).splitlines()


def test_a_query_that_finds_nothing_says_so_and_shows_no_headings(readable: CommandRunner) -> None:
    lines = shown(readable, "query", *NO_HOST)
    assert lines[0] == "acme: 0 alerts"
    assert "No alert matches: host no-such-host." in lines
    assert lines[-1] == "Count all alerts:  falcon-bulk summary --customer acme"

    assert "created_timestamp" not in "\n".join(lines)


@pytest.mark.parametrize("command", ["query --details", "query --fields name,hostname", "hash-summary", "summary"])
def test_no_other_view_of_alerts_has_headings_of_nothing(readable: CommandRunner, command: str) -> None:
    lines = shown(readable, *command.split(), *NO_HOST)
    assert lines[0].startswith("acme: 0 ")
    assert not [line for line in lines if line.startswith("─")]
    assert "No alert matches: host no-such-host." in lines


def test_a_journal_without_runs_says_only_that(readable: CommandRunner) -> None:
    assert shown(readable, "runs") == ["No runs of this customer are recorded on this machine."]


def test_a_folder_without_customers_says_how_to_add_one(readable: CommandRunner) -> None:
    (readable.folder / "nobody").mkdir(exist_ok=True)
    (line,) = shown(readable, "customers", "--customers-dir", "nobody", customer=None)
    assert line == "There is no env file in nobody; `falcon-bulk customers add` creates one."
    done = readable.bare("overview", "--all-customers", "--customers-dir", "nobody")
    assert done.code == 2
    assert "Error: No customers in nobody.\n" in done.err
    assert "Hint: `falcon-bulk customers add NAME --customers-dir nobody` adds one.\n" in done.err


def test_a_tag_that_no_customer_has_says_where_tags_are(readable: CommandRunner) -> None:
    done = readable.bare("query", "--customer-tag", "gold")
    assert done.code == 2
    assert "Error: There is no customer with the tag gold in customers.\n" in done.err
    assert "Hint: `falcon-bulk customers` shows the tags; FALCON_TAGS in a customer's file sets them.\n" in done.err


def test_formats_for_programs_stay_as_they_are(readable: CommandRunner) -> None:
    assert readable("query", *NO_HOST, "--format", "csv").text.startswith("composite_id,created_timestamp,")
    assert json.loads(readable("query", *NO_HOST, "--format", "json").text) == []
    assert "| composite\\_id | created\\_timestamp |" in readable("query", *NO_HOST, "--format", "markdown").text
    assert "composite_id" in readable("query", *NO_HOST).text


def test_a_hash_that_is_left_alone_is_shown_whole(acme: Any) -> None:
    shell: CommandRunner = acme(alerts=200)
    digest = max(hashes := shell.hashes(), key=lambda one: len(hashes[one]))
    command = ("close-hash", "--hash", digest, "--status", "closed")
    lines = shown(shell, *command)
    assert lines[lines.index("given by name") + 2 :].count(digest) == 1


def test_hashes_of_several_customers_without_any_are_said_to_be_none(readable: CommandRunner) -> None:
    lines = shown(readable, "hash-summary", "--all-customers", *NO_HOST, customer=None)
    assert lines[:2] == ["Hashes across customers", "No alert has a hash of its own."]
