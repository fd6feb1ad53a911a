"""A customer with 37,000 alerts, 12,000 of them created at one instant: beyond every window of the API."""

from collections import Counter
from collections.abc import Iterator

import pytest

from falcon_emulator import Server, Tenant
from tests.support.command import CommandResult, CommandRunner

pytestmark = pytest.mark.slow

ALERTS, BURST = 25_000, 12_000
PATIENCE = 180.0
STALL = 4.0
"""Seconds that a busy machine may hold up a request on its way: far less than what the changes take at their pace."""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandRunner]:
    with Server(Tenant(alerts=ALERTS, burst=BURST, seed=21)) as server:
        yield CommandRunner(tmp_path_factory.mktemp("large"), server)


def assert_within_limits(done: CommandResult) -> None:
    """No request that the real API would refuse, and none that was."""
    assert {request.status for request in done.requests} <= {200, 201, 500}
    for request in done.requests:
        assert request.ids <= 1_000
        if request.endpoint == "queries":
            assert int(request.query.get("offset", 0)) + int(request.query.get("limit", 100)) <= 10_000


def test_every_command_sees_every_alert_once(large: CommandRunner) -> None:
    truth = large.hashes()
    everything = {alert["composite_id"] for alert in large.alerts()}
    assert len(everything) == ALERTS + BURST

    counted = large("query", "--count", patience=PATIENCE)
    assert counted.out == f"{len(everything)}\n".encode()

    listed = large("query", "--all", "--fields", "composite_id", "--format", "csv", patience=PATIENCE)
    assert_within_limits(listed)
    ids = listed.text.splitlines()[1:]
    assert len(ids) == len(everything)
    assert set(ids) == everything

    summary = large("hash-summary", "--format", "json", patience=PATIENCE)
    assert_within_limits(summary)
    assert {row["sha256"]: row["alerts"] for row in summary.document["hashes"]} == {
        digest: len(having) for digest, having in truth.items()
    }

    digest, having = max(sorted(truth.items()), key=lambda item: len(item[1]))
    found = large("query", "--hash", digest, "--all", "--format", "jsonl", patience=PATIENCE)
    assert_within_limits(found)
    assert Counter(document["composite_id"] for document in found.documents) == Counter(dict.fromkeys(having, 1))
    plan = large("close-hash", "--hash", digest, "--dry-run", "--format", "json", patience=PATIENCE)
    assert plan.document["selected"] == len(having)


def test_sorted_reading_goes_beyond_the_window_too(large: CommandRunner) -> None:
    done = large(
        *("query", "--all", "--sort", "severity.desc", "--fields", "composite_id,severity", "--format", "csv"),
        patience=PATIENCE,
    )
    assert done.code == 0, done
    rows = [line.rsplit(",", 1) for line in done.text.splitlines()[1:]]
    severities = [float(severity) for _, severity in rows if severity]
    assert severities == sorted(severities, reverse=True)
    assert len({composite_id for composite_id, _ in rows}) == len(rows) == ALERTS + BURST


def test_what_a_limit_beyond_the_window_leaves_out_is_told(large: CommandRunner) -> None:
    done = large("query", "--limit", "11000", "--fields", "composite_id", "--format", "csv", patience=PATIENCE)
    assert (done.code, len(set(done.text.splitlines()[1:]))) == (0, 11_000)
    assert f"11,000 of {ALERTS + BURST:,} alerts are shown" in done.err


def test_bulk_close_leaves_no_new_alert(large: CommandRunner) -> None:
    before = {alert["composite_id"]: alert for alert in large.alerts()}
    new = {composite_id for composite_id, alert in before.items() if alert["status"] == "new"}
    done = large(
        *("bulk-close", "--filter", "status:'new'", "--yes", "--max", "40000", "--override", "all"),
        *("--format", "json"),
        patience=PATIENCE,
    )
    assert done.code == 0, done
    assert_within_limits(done)
    assert done.document["changed"] == done.document["verified"] == len(new) > 20_000
    assert Counter(change.composite_id for change in large.changes()) == Counter(dict.fromkeys(new, 1))
    after = {alert["composite_id"]: alert for alert in large.alerts()}
    assert not [alert for alert in after.values() if alert["status"] == "new"]
    for composite_id, alert in after.items():
        added = len(alert["comments"]) - len(before[composite_id]["comments"])
        assert added == (composite_id in new)

    sent = [request for request in done.requests if request.endpoint == "patch"]
    starts = sorted(request.at / 1e9 for request in sent)
    assert len(sent) == -(-len(new) // 1_000) > 2 * STALL / 0.5
    # The tenant notes when a request arrives. A stall of either process delays one of them, and so brings it nearer to
    # the next, but those after it keep their distance from the first.
    assert [number for number, start in enumerate(starts) if start - starts[0] < 0.5 * number - STALL] == []
