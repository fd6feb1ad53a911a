"""doctor --probe says what is so at this tenant, by reading alone, and names nobody in what it prints to paste."""

import re
from typing import Any

import pytest

from tests.support.command import CommandResult, CommandRunner

READS = {"token", "queries", "combined", "entities", "aggregates"}


def answers(done: CommandResult) -> dict[str, str]:
    assert done.code == 0, done
    return {finding["question"]: finding["answer"] for finding in done.document["probe"]}


def test_it_finds_what_is_so_with_read_scope_and_a_handful_of_requests_a_question(acme: Any) -> None:
    shell = acme(alerts=400, scopes="alerts:read", combined_hidden="omitted", negation="needs_field")
    done = shell("doctor", "--probe", "--quick", "--format", "json")
    found = answers(done)
    assert found["hidden alerts"] == "omitted"
    assert found["`!` and missing fields"] == "needs_field"
    assert found["`entities.sha256`"] == "matches"
    assert {request.endpoint for request in done.requests} <= READS
    assert len(done.requests) < 3 * len(found)
    assert not shell.changes()


def test_without_it_the_document_has_no_probe(readable: CommandRunner) -> None:
    assert "probe" not in readable.json("doctor")


def test_the_block_to_paste_has_neither_secrets_nor_names_ids_and_hashes(acme: Any) -> None:
    shell = acme(alerts=400, window_error=400)
    done = shell("doctor", "--probe", "--quick", "--format", "markdown")
    assert done.code == 0, done
    text = done.text.replace("\\", "")
    assert "offset 10000 and limit 1 are invalid" in text
    assert "| hidden alerts | included |" in text
    assert not re.search(r"[0-9a-f]{32}", text)
    private = {shell.tenant.client_secret, shell.tenant.client_id, "acme"}
    private |= {alert["composite_id"] for alert in shell.alerts()} | set(shell.hashes())
    assert not [private_text for private_text in private if private_text in text]
    assert "hidden alerts" in shell("doctor", "--probe", "--quick").text


def test_an_id_or_a_hash_in_falcons_words_is_not_pasted(acme: Any) -> None:
    shell = acme(alerts=200)
    digest, uuid = "ab" * 32, "0f0e0d0c-1111-2222-3333-444455556666"
    shell.order("status", endpoint="queries", status=418, text=f"no {digest} of {uuid}", times=None)
    done = shell("doctor", "--probe", "--quick", "--format", "markdown")
    assert digest not in done.text
    assert uuid not in done.text


def test_a_tenant_that_cannot_be_read_is_not_probed(acme: Any) -> None:
    done = acme(alerts=10, scopes="alerts:write")("doctor", "--probe", "--format", "json")
    assert done.code == 4, done
    assert "probe" not in done.document


@pytest.mark.slow
def test_the_age_at_which_an_after_expires_is_found_by_waiting(acme: Any) -> None:
    done = acme(alerts=50, after_seconds=4.5)("doctor", "--probe", "--format", "json")
    assert answers(done)["life of `after`"] == "expires (404)"
    assert "between 0 and 5 s" in done.text


def test_quick_alone_is_refused(readable: CommandRunner) -> None:
    done = readable("doctor", "--quick")
    assert (done.code, done.requests) == (2, [])
    assert "--probe" in done.err
