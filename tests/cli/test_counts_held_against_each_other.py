"""What Falcon counts and what was read need not be the same; if they are not, it is said."""

from typing import Any

import pytest

from falcon_emulator import Fault
from tests.support.sampling import quick_first


@pytest.mark.parametrize(
    "reading",
    quick_first(
        "hash-summary",
        "query --all --format jsonl",
        "query --all --sort severity.asc --format jsonl",
        "summary --by name",
        "bulk-close --since 5000d --dry-run",
    ),
)
def test_a_difference_between_what_falcon_counts_and_what_was_read_is_said(acme: Any, reading: str) -> None:
    shell = acme(alerts=60)
    agreed = shell(*reading.split())
    assert "were read" not in agreed.err
    wrong = [Fault(kind="wrong_total", endpoint=endpoint, count=7, times=None) for endpoint in ("queries", "combined")]
    shell.server.call(lambda: shell.tenant.faults.add(*wrong))
    done = shell(*reading.split())
    assert done.code == 0, done
    assert "Falcon counted 67 alerts, 60 were read" in done.err


@pytest.mark.parametrize("limit", quick_first(100, 60, 30))
def test_an_alert_that_is_listed_and_not_given_is_missed(acme: Any, limit: int) -> None:
    shell = acme(alerts=60)
    newest = [alert["composite_id"] for alert in shell.alerts()]
    shell.server.call(lambda: [shell.tenant.store.by_id.pop(newest[number]) for number in (3, 17)])
    done = shell("query", "--limit", str(limit), "--format", "jsonl")
    listed = min(limit, 60)
    assert (done.code, len(done.lines)) == (0, listed - 2), done
    assert f"Incomplete: Falcon found {listed} alerts but returned {listed - 2};" in done.err
    assert (f"{listed - 2} of 60 alerts are shown" in done.err) == (limit < 60)
