"""Counts by field equal those of the tenant."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from falcon_emulator import Server, Tenant
from tests.support.command import CommandRunner


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandRunner]:
    with Server(Tenant(alerts=1_200, seed=4)) as server:
        yield CommandRunner(Path(tmp_path_factory.mktemp("summary")), server)


def counts(document: dict[str, Any], field: str) -> Counter[Any]:
    assert not any(one.get("rest") for one in document["by"][field])
    values = ((one["value"], one["alerts"]) for one in document["by"][field])
    return Counter({tuple(value) if isinstance(value, list) else value: alerts for value, alerts in values})


def test_counts_equal_those_of_the_tenant(shell: CommandRunner) -> None:
    fields = ("status", "product", "type", "tactic", "assigned_to_name", "day", "product*status", "tag")
    document = shell.json("summary", "--by", ",".join(fields), "--top", "9999")
    truth = shell.alerts()
    assert document["alerts_read"] == len(truth)
    assert document["hidden"] == sum(alert["show_in_ui"] is False for alert in truth)
    for field in ("status", "product", "type", "tactic", "assigned_to_name"):
        assert counts(document, field) == Counter(alert[field] or None for alert in truth)
    assert counts(document, "day") == Counter(alert["created_timestamp"][:10] for alert in truth)
    assert counts(document, "product*status") == Counter((alert["product"], alert["status"]) for alert in truth)
    tags = Counter(tag for alert in truth for tag in {tag for tag in alert["tags"] or () if tag} or {None})
    assert counts(document, "tag") == tags


def test_values_beyond_the_top_are_counted_as_the_rest(shell: CommandRunner) -> None:
    document = shell.json("summary", "--by", "name", "--top", "3")
    *shown, rest = document["by"]["name"]
    assert len(shown) == 3
    assert rest["rest"] is True
    assert rest["value"] is None
    assert sum(one["alerts"] for one in (*shown, rest)) == document["alerts_read"]
    assert [one["alerts"] for one in shown] == sorted((one["alerts"] for one in shown), reverse=True)


def test_the_contract_and_the_line_of_visible_and_hidden_alerts(shell: CommandRunner) -> None:
    document = shell.json("summary", "--status", "new")
    keys = {"schema", "customer", "generated_at", "filter", "alerts_read", "hidden", "source", "by", "incomplete"}
    assert set(document) == keys
    assert document["incomplete"] == []
    assert document["schema"] == "falcon-bulk/summary/1"
    assert set(document["by"]) == {"severity", "status", "product"}
    shown = shell("summary", "--status", "new").text
    visible = document["alerts_read"] - document["hidden"]
    assert f"{visible:,} visible + {document['hidden']:,} hidden = {document['alerts_read']:,} alerts" in shown


def test_a_field_path_of_the_document_is_a_field(shell: CommandRunner) -> None:
    document = shell.json("summary", "--by", "device.platform_name", "--top", "99")
    assert {"Windows", "Linux", "Mac"} <= set(counts(document, "device.platform_name"))


@pytest.mark.parametrize("field", ["x y", "a*b*c", "name*", "'"])
def test_an_invalid_field_is_refused_before_any_request(shell: CommandRunner, field: str) -> None:
    done = shell("summary", "--by", field)
    assert done.code == 2
    assert not done.requests


def test_an_empty_selection_is_said(shell: CommandRunner) -> None:
    done = shell("summary", "--name", "Nothing is called that", "--fail-on-empty")
    assert done.code == 9
    assert "No alert matches" in done.err
