"""A zero that may be a mistake says why."""

import pytest

from tests.support.command import CommandRunner
from tests.support.sampling import quick_first

pytestmark = pytest.mark.slow

COMMANDS = quick_first(
    "query",
    "query --all",
    "query --count",
    "hash-summary",
    "summary",
    "bulk-close --dry-run",
    "query --sort status.asc",
)


def notes(shell: CommandRunner, argv: str, *options: str) -> str:
    done = shell(*argv.split(), *options)
    assert done.code == 0, done
    return " ".join(line for line in done.err.splitlines() if line.startswith("Note: "))


@pytest.fixture(scope="module")
def host(readable: CommandRunner) -> str:
    documents = readable("query", "--product", "epp", "--limit", "1", "--fields", "hostname", "--format", "jsonl")
    return str(documents.documents[0]["hostname"])


@pytest.mark.parametrize("command", COMMANDS)
def test_a_since_after_the_until(readable: CommandRunner, command: str) -> None:
    text = notes(readable, command, "--since", "1d", "--until", "7d")
    assert "is not before --until" in text
    assert text.count("Note: ") == 1
    assert "is in the future" in notes(readable, command, "--since", "2999-01-01")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_host_in_another_case_or_without_an_asterisk(readable: CommandRunner, host: str, command: str) -> None:
    assert f"have {host}. Host names are compared" in notes(readable, command, "--host", host.lower()).replace(
        "has ", "have "
    )
    assert f"{host[:5]}*. Host names" in notes(readable, command, "--host", host[:5])
    assert f"{host[:5]}*. Host names" in notes(readable, command, "--host", host[:5].lower())
    assert f"one with {host[2:9].lower()} in it, in any case" in notes(readable, command, "--host", host[2:9].lower())


@pytest.mark.parametrize("command", COMMANDS)
def test_a_hash_that_is_only_a_related_one(readable: CommandRunner, command: str) -> None:
    related = readable.json("hash-summary")["related"][0]
    text = notes(readable, command, "--hash", related["sha256"])
    assert "The hash stands in alerts only as a related hash: " in text
    assert related["fields"][0] in text


def test_a_zero_that_nothing_explains_says_nothing_of_the_kind(readable: CommandRunner, host: str) -> None:
    assert notes(readable, "query", "--name", "Nothing is called that") == ""
    assert notes(readable, "query", "--host", "NO-SUCH-HOST") == ""
    assert notes(readable, "query", "--hash", "ab" * 32) == ""
    assert notes(readable, "query", "--host", host, "--since", "2020-01-01", "--until", "2020-01-02") == ""


def test_what_is_found_costs_no_more_requests(readable: CommandRunner, host: str) -> None:
    found = readable("query", "--host", host, "--limit", "1")
    nothing = readable("query", "--host", host, "--limit", "1", "--name", "Nothing is called that")
    assert len(found.requests) <= len(nothing.requests)
    assert "Note: " not in found.err
