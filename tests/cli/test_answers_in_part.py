"""A tenant that answers as public reports have it: what a command says is what the tenant holds, or it is an error.

Where less is read than there is, a line that --quiet does not hide says so, and `incomplete` in JSON.
"""

import random
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import CommandResult, CommandRunner, serve_customers
from tests.support.sampling import quick_first

ALERTS = 1_300
UNASKED = ("--yes", "--max", "5000", "--batch-delay", "0", "--quiet", "--format", "json")
EXIT_CODES_OF_ERRORS = (2, 4, 5, 6)

SWITCHES: dict[str, dict[str, Any]] = {
    "a 500 beside half, once": {"partial_pages": "once"},
    "a 429 beside half, once": {"partial_pages": "once", "partial_code": 429},
    "a 500 beside half, always": {"partial_pages": "always"},
    "a 403 beside half, always": {"partial_pages": "always", "partial_code": 403},
    "a 404 beside half, always": {"partial_pages": "always", "partial_code": 404},
    "a 400 beside half, once": {"partial_pages": "once", "partial_code": 400},
    "an empty last page": {"empty_page": "last"},
    "an empty page, once": {"empty_page": "once"},
    "empty pages, always": {"empty_page": "always"},
    "after expires, 404": {"after_seconds": 1e-6},
    "after expires, 200": {"after_seconds": 1e-6, "after_expired": "200"},
    "504 on a page of over 300": {"slow_page": 300},
    "413 on over 100 ids": {"entities_max_ids": 100},
    "no combined search": {"combined_mode": "missing_404"},
    "combined is forbidden": {"combined_mode": "refuse_403"},
    "combined leaves hidden out": {"combined_hidden": "omitted"},
    "entities.sha256 fails": {"failing_fields": "entities.sha256"},
    "show_in_ui fails": {"failing_fields": "show_in_ui"},
    "created_timestamp fails": {"failing_fields": "created_timestamp"},
    "unknown ids are named": {"unknown_entity": "errors"},
    "an unknown field empties a clause": {"entities_sha256": "unknown_field", "unknown_field": "empty_clause"},
}
HABITS: dict[str, dict[str, Any]] = {  # with these too
    "`!` needs the field": {"negation": "needs_field"},
    "entities.sha256 finds nothing": {"entities_sha256": "no_match"},
    "entities.sha256 is unknown": {"entities_sha256": "unknown_field"},
    "aggregates are a 500": {"aggregates_mode": "refuse_500"},
    "aggregates are a 403": {"aggregates_mode": "refuse_403"},
    "aggregates count too few": {"aggregates_mode": "undercount"},
    "aggregates in lower case": {"aggregates_mode": "lower_case"},
    "aggregates are empty": {"aggregates_mode": "empty"},
    "no sum of others": {"sum_other": "absent"},
    "few ids a page": {"queries_max_limit": 1_000},
    "times by the nanosecond": {"time_precision": "ns"},
    "no key for errors": {"errors_when_none": "absent"},
    "no key for resources": {"resources_when_none": "absent"},
    "null for resources": {"resources_when_none": "null"},
    "no after on the last page": {"last_after": "absent"},
    "no rate headers": {"rate_headers": "absent"},
    "a window of 400": {"window_error": 400},
}
SWITCHES |= HABITS
WHOLE = {  # with these the answer is whole in the end
    "a 500 beside half, once",
    "a 429 beside half, once",
    "an empty last page",
    "an empty page, once",
    "empty pages, always",
    "after expires, 404",
    "after expires, 200",
    "504 on a page of over 300",
    "413 on over 100 ids",
    "no combined search",
    "combined leaves hidden out",
    "entities.sha256 fails",
    "show_in_ui fails",
    "created_timestamp fails",
    "unknown ids are named",
    "an unknown field empties a clause",
    *HABITS,
}


def check_query(shell: CommandRunner) -> bool:
    done = shell("query", "--all", "--fields", "composite_id", "--format", "jsonl", "--quiet")
    found = Counter(document["composite_id"] for document in done.documents if "composite_id" in document)
    wanted = Counter(alert["composite_id"] for alert in shell.alerts())
    assert found <= wanted, done
    return is_whole(done, whole=found == wanted)


def check_hash_summary(shell: CommandRunner) -> bool:
    done = shell("hash-summary", "--format", "json", "--quiet")
    if done.code:
        return is_whole(done, whole=False)
    counts = {entry["sha256"]: entry["alerts"] for entry in done.document["hashes"]}
    wanted = {sha256: len(ids) for sha256, ids in shell.hashes().items()}
    whole = counts == wanted and done.document["alerts_read"] == ALERTS
    assert whole or done.document["incomplete"], done
    return is_whole(done, whole=whole)


def check_close_and_undo(shell: CommandRunner) -> bool:
    """Close the alerts of the most frequent hash, and undo it."""
    sha256, ids = max(shell.hashes().items(), key=lambda pair: (len(pair[1]), pair[0]))
    before = {alert["composite_id"]: alert["status"] for alert in shell.alerts()}
    done = shell(
        *("close-hash", "--hash", sha256, "--status", "new,in_progress,reopened,closed", "--override", "all"),
        *("--override", "closed", "--comment", "Approved tool"),
        *UNASKED,
    )
    after = {alert["composite_id"]: alert["status"] for alert in shell.alerts()}
    changed = {composite_id for composite_id in after if after[composite_id] != before[composite_id]}
    assert changed <= ids, done
    if not is_whole(done, whole=all(after[composite_id] == "closed" for composite_id in ids)):
        return False
    undone = shell("undo", done.document["run_id"], *UNASKED)
    restored = {alert["composite_id"]: alert["status"] for alert in shell.alerts()} == before
    return is_whole(undone, whole=restored)


def is_whole(done: CommandResult, *, whole: bool) -> bool:
    """Return `whole`; what is not whole must be an error, or be said although --quiet is set."""
    assert done.code == 0 or done.code in EXIT_CODES_OF_ERRORS, done
    assert "Traceback" not in done.err, done
    if done.code == 0 and not whole:
        assert "Incomplete: " in done.err, done
    return whole and done.code == 0


CHECKS = (check_query, check_hash_summary, check_close_and_undo)


@pytest.mark.parametrize("name", quick_first(*SWITCHES, quick=5))
def test_every_command_gives_what_the_tenant_holds_or_an_error(name: str, tmp_path: Path) -> None:
    for check in CHECKS:
        folder = tmp_path / check.__name__
        folder.mkdir()
        with serve_customers(folder, alerts=ALERTS, **SWITCHES[name]) as shell:
            whole = check(shell)
            assert whole or name not in WHOLE, check.__name__


CORE = (
    "a 500 beside half, once",
    "a 400 beside half, once",
    "an empty last page",
    "empty pages, always",
    "after expires, 404",
    "after expires, 200",
    "504 on a page of over 300",
    "413 on over 100 ids",
    "no combined search",
    "combined leaves hidden out",
    "entities.sha256 fails",
    "unknown ids are named",
)
ALL_PAIRS = [pair for pair in combinations(SWITCHES, 2) if not SWITCHES[pair[0]].keys() & SWITCHES[pair[1]].keys()]
PAIRS = [pair for pair in ALL_PAIRS if {*CORE}.issuperset(pair)]
OTHERS = [pair for pair in ALL_PAIRS if not {*CORE}.issuperset(pair)]
DRAWN = random.Random(5).sample(OTHERS, 60)


@pytest.mark.slow
@pytest.mark.parametrize("pair", [*PAIRS, *DRAWN], ids=" + ".join)
def test_pairs_of_switches_do_too(pair: tuple[str, str], tmp_path: Path) -> None:
    one, other = pair
    for check in CHECKS:
        folder = tmp_path / check.__name__
        folder.mkdir()
        with serve_customers(folder, alerts=ALERTS, **SWITCHES[one], **SWITCHES[other]) as shell:
            whole = check(shell)
            assert whole or not WHOLE.issuperset(pair), check.__name__


@pytest.mark.slow
@pytest.mark.parametrize("name", CORE)
def test_time_slices_read_in_parallel_do_too(name: str, tmp_path: Path) -> None:
    with serve_customers(tmp_path, alerts=3_600, **SWITCHES[name]) as shell:
        assert check_query(shell) or name not in WHOLE
