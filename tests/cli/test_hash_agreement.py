"""One rule says which alerts are a hash's own, and every command keeps to it, whatever the tenant's habits."""

from itertools import product
from typing import Any

import pytest

from tests.support.command import CommandRunner
from tests.support.sampling import quick_first


def hash_in(shell: CommandRunner, place: str) -> str:
    """The most frequent hash of those that stand in this place and in no other."""
    subject: set[str] = set()
    entities: set[str] = set()
    indicator: set[str] = set()
    counts = {digest: len(having) for digest, having in shell.hashes().items()}

    def look() -> None:
        for alert in shell.tenant.store.newest_first:
            evidence = alert.evidence
            subject.update({evidence.subject.sha256} if evidence.subject else ())
            entities.update(file.sha256 for file in evidence.entities)
            indicator.update({evidence.indicator.sha256} if evidence.indicator else ())

    shell.server.call(look)
    chosen = {
        "several": subject & entities & indicator,
        "entities.sha256": entities - subject - indicator,
        "ioc_value": indicator - subject - entities,
        "sha256": subject - entities - indicator,
    }[place]
    return max(sorted(chosen), key=lambda digest: counts[digest])


def assert_agreement(shell: CommandRunner, digests: list[str]) -> None:
    """hash-summary, query and close-hash see exactly the truth."""
    truth = shell.hashes()
    summary = shell.json("hash-summary")
    assert {row["sha256"]: row["alerts"] for row in summary["hashes"]} == {
        digest: len(having) for digest, having in truth.items()
    }
    assert summary["alerts_read"] == len(shell.alerts())
    for digest in digests:
        done = shell("query", "--hash", digest, "--all", "--format", "jsonl")
        found = [document["composite_id"] for document in done.documents]
        assert len(found) == len(set(found))
        assert set(found) == truth[digest]
    several = ",".join(digests)
    union = set().union(*(truth[digest] for digest in digests))
    plan = shell.json("close-hash", "--hash", several, "--dry-run")
    assert plan["selected"] == len(union)


def test_hash_summary_is_the_truth_hash_for_hash(readable: CommandRunner) -> None:
    alerts = {alert["composite_id"]: alert for alert in readable.alerts()}
    truth = readable.hashes()
    done = readable.json("hash-summary")
    rows = done["hashes"]
    assert [row["alerts"] for row in rows] == sorted((row["alerts"] for row in rows), reverse=True)
    for row in rows:
        having = [alerts[composite_id] for composite_id in truth[row["sha256"]]]
        instants = sorted(alert["created_timestamp"] for alert in having)
        assert row["alerts"] == len(having)
        assert row["by_status"] == tally(having, "status")
        assert row["by_product"] == tally(having, "product")
        assert row["first_seen"] == instants[0]
        assert row["last_seen"] == instants[-1]
        assert row["max_severity"] == max(
            (alert["severity"] for alert in having if alert["severity"] is not None), default=None
        )
    assert done["unique_hashes"] == len(rows) == len(truth)
    assert done["alerts_with_hash"] == sum(bool(alert["hashes"]) for alert in alerts.values())


def tally(alerts: list[dict[str, Any]], key: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for alert in alerts:
        counts[alert[key]] = counts.get(alert[key], 0) + 1
    return counts


def test_a_hash_has_the_same_alerts_in_every_command(readable: CommandRunner) -> None:
    places = ("sha256", "entities.sha256", "ioc_value", "several")
    assert_agreement(readable, [hash_in(readable, place) for place in places])


@pytest.mark.slow
def test_an_upper_case_hash_is_the_same_hash(readable: CommandRunner) -> None:
    digest = hash_in(readable, "sha256")
    done = readable("query", "--hash", digest.upper(), "--all", "--format", "jsonl")
    assert {document["composite_id"] for document in done.documents} == readable.hashes()[digest]


@pytest.mark.slow
def test_a_hash_that_stands_elsewhere_selects_nothing(readable: CommandRunner) -> None:
    """A quarantined, associated or written file is not what the alert is about."""

    def other() -> set[str]:
        return {
            file.sha256
            for alert in readable.tenant.store.newest_first
            for file in (alert.evidence.quarantined, alert.evidence.associated, alert.evidence.written)
            if file
        }

    elsewhere = sorted(readable.server.call(other) - readable.hashes().keys())
    assert elsewhere
    done = readable("query", "--hash", ",".join(elsewhere[:5]), "--count")
    assert done.out == b"0\n"


@pytest.mark.slow
def test_more_hashes_than_one_filter_takes_are_all_found(readable: CommandRunner) -> None:
    truth = readable.hashes()
    digests = sorted(truth)[:60]
    done = readable("query", "--hash", ",".join(digests), "--all", "--format", "jsonl")
    found = [document["composite_id"] for document in done.documents]
    assert len(found) == len(set(found))
    assert set(found) == set().union(*(truth[digest] for digest in digests))


@pytest.mark.parametrize(
    "habits",
    quick_first(
        {"unknown_field": "empty_filter", "entities_sha256": "unknown_field", "combined_hidden": "omitted"},
        {"unknown_field": "empty_clause", "entities_sha256": "no_match", "time_precision": "ns"},
        {},
    ),
)
def test_commands_agree_whatever_the_search_knows_of_entities(acme: Any, habits: dict[str, Any]) -> None:
    shell = acme(alerts=1200, seed=3, **habits)
    assert_agreement(shell, [hash_in(shell, place) for place in ("entities.sha256", "ioc_value")])


@pytest.mark.slow
@pytest.mark.parametrize(
    "habits",
    [
        {"unknown_field": unknown, "entities_sha256": entities, "combined_hidden": hidden}
        for unknown, entities, hidden in product(
            ("empty_filter", "empty_clause"), ("matches", "no_match", "unknown_field"), ("included", "omitted")
        )
    ],
    ids=lambda habits: "-".join(habits.values()),
)
def test_commands_agree_under_every_habit_of_the_search(acme: Any, habits: dict[str, Any]) -> None:
    shell = acme(alerts=1200, seed=5, **habits)
    assert_agreement(shell, [hash_in(shell, place) for place in ("sha256", "entities.sha256", "ioc_value", "several")])


@pytest.mark.slow
@pytest.mark.parametrize(
    "habit",
    [
        *({"errors_when_none": shown} for shown in ("null", "empty", "absent")),
        *({"last_after": shown} for shown in ("empty", "absent")),
        *({"window_error": status} for status in (500, 400)),
        *({"queries_max_limit": most} for most in (10_000, 1_000)),
        *({"nested_hash_fields": known} for known in (False, True)),
        *({"bare_mix": reading} for reading in ("and_first", "left_to_right", "refuse")),
        *({"time_precision": kept} for kept in ("ms", "ns")),
        *({"unknown_entity": told} for told in ("silent", "errors")),
        *({"aggregates_mode": mode} for mode in ("correct", "refuse_500", "refuse_403", "undercount", "empty")),
        *({"aggregate_entities": known} for known in (False, True)),
    ],
    ids=lambda habit: "=".join(map(str, *habit.items())),
)
def test_commands_agree_under_each_answer_to_what_is_not_known(acme: Any, habit: dict[str, Any]) -> None:
    shell = acme(alerts=1200, seed=11, **habit)
    assert_agreement(shell, [hash_in(shell, place) for place in ("entities.sha256", "several")])
