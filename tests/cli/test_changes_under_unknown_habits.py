"""Closing must be right under either answer to each question about Falcon that no public source settles."""

from collections import Counter
from typing import Any

import pytest

from falcon_emulator import Fault
from tests.support.command import CommandRunner
from tests.support.sampling import quick_first

FREELY = ("--yes", "--max", "10000", "--override", "all", "--batch-delay", "0", "--batch-size", "100")

HABITS: list[dict[str, Any]] = [
    *({"errors_when_none": shown} for shown in ("null", "empty", "absent")),
    *({"last_after": shown} for shown in ("empty", "absent")),
    *({"combined_hidden": kept} for kept in ("included", "omitted")),
    *({"unknown_field": empties} for empties in ("empty_filter", "empty_clause")),
    *({"entities_sha256": answer} for answer in ("matches", "no_match", "unknown_field")),
    *({"bare_mix": reading} for reading in ("and_first", "left_to_right", "refuse")),
    *({"time_precision": kept} for kept in ("ms", "ns")),
    *({"index_lag": seconds} for seconds in (0.0, 5.0)),
    *({"unknown_id": fate} for fate in ("only_itself", "ignored", "batch_400", "batch_404")),
    *({"unknown_entity": told} for told in ("silent", "errors")),
    *({"count_no_ops": counted} for counted in (False, True)),
    *({"no_op_moves_updated": moves} for moves in (False, True)),
    *({"closing_hides": hides} for hides in (False, True)),
    *({"resources_when_none": shown} for shown in ("empty", "null", "absent")),
    *({"negation": finds} for finds in ("finds_missing", "needs_field")),
    *({"rate_headers": sent} for sent in ("shown", "absent")),
    *({"third_party_patch": answer} for answer in ("alone_500", "any_500", "works")),
    *({"action_value": counted} for counted in ("bytes", "characters")),
    *({"region": named} for named in ("us-1", "us-gov-1", "none")),
    {"deprecation": "this version will go"},
]


def is_named(habit: dict[str, Any]) -> str:
    return ",".join(f"{name}={value}" for name, value in habit.items())


def assert_bulk_close_is_exact(shell: CommandRunner) -> None:
    before = {alert["composite_id"]: alert for alert in shell.alerts()}
    wanted = {composite_id for composite_id, alert in before.items() if alert["status"] != "closed"}
    done = shell("bulk-close", "--since", "5000d", *FREELY, "--format", "json")
    assert done.code == 0, done
    document = done.document
    assert document["status"] == "success"
    assert document["selected"] == len(before)
    assert document["changed"] == document["verified"] == len(wanted)
    commented = [change for change in shell.changes() if len(change.after.comments) > len(change.before.comments)]
    assert Counter(change.composite_id for change in commented) == Counter(dict.fromkeys(wanted, 1))
    assert all(alert["status"] == "closed" for alert in shell.alerts())


@pytest.mark.parametrize(
    "habits",
    quick_first(
        {"errors_when_none": "absent", "last_after": "absent", "combined_hidden": "omitted", "index_lag": 5.0},
        {"count_no_ops": True, "closing_hides": True, "time_precision": "ns", "unknown_entity": "errors"},
    ),
    ids=is_named,
)
def test_bulk_close_is_exact_under_several_habits_at_once(acme: Any, habits: dict[str, Any]) -> None:
    assert_bulk_close_is_exact(acme(alerts=400, **habits))


@pytest.mark.slow
@pytest.mark.parametrize("habit", HABITS, ids=is_named)
def test_bulk_close_is_exact_under_every_habit(acme: Any, habit: dict[str, Any]) -> None:
    assert_bulk_close_is_exact(acme(alerts=400, **habit))


@pytest.mark.parametrize("fate", quick_first("batch_404", "only_itself", "ignored", "batch_400"))
def test_an_alert_that_is_gone_takes_no_other_with_it(acme: Any, fate: str) -> None:
    """It is planned, and gone from the tenant when the plan is carried out."""
    shell = acme(alerts=150, unknown_id=fate)
    plan = shell.json("bulk-close", "--status", "new", "--override", "all", "--dry-run", "--plan", "acme.plan")

    def remove() -> str:
        gone = next(alert for alert in shell.tenant.store.newest_first if alert.state.status == "new")
        shell.tenant.store.newest_first.remove(gone)
        del shell.tenant.store.by_id[gone.composite_id]
        shell.tenant.store.version += 1
        return str(gone.composite_id)

    gone = shell.server.call(remove)
    options = ("--override", "all", "--batch-delay", "0", "--format", "json")
    done = shell("apply", "acme.plan", "--yes", *options)
    assert done.code == 6, done
    assert (done.document["failed"], done.document["changed"]) == (1, plan["planned"] - 1)
    counts = Counter(change.composite_id for change in shell.changes())
    assert len(counts) == plan["planned"] - 1
    assert set(counts.values()) == {1}
    assert gone not in counts


@pytest.mark.slow
@pytest.mark.parametrize("status", [500, 400])
@pytest.mark.parametrize("most", [10_000, 1_000])
def test_the_largest_selection_never_asks_beyond_the_window(acme: Any, status: int, most: int) -> None:
    shell = acme(alerts=11_500, window_error=status, queries_max_limit=most, combined_hidden="omitted")
    done = shell("query", "--all", "--format", "jsonl")
    assert done.code == 0, done
    assert len({document["composite_id"] for document in done.documents}) == len(done.lines) == 11_500
    for request in done.to("queries"):
        assert request.status == 200
        assert int(request.query.get("offset", 0)) + int(request.query.get("limit", 100)) <= 10_000


@pytest.mark.slow
@pytest.mark.parametrize("style", ["milliseconds", "seconds", "missing", "nonsense", "past"])
def test_a_rate_limit_is_waited_out_however_it_is_told(acme: Any, style: str) -> None:
    shell = acme(alerts=150)
    fault = Fault(kind="rate_limit", endpoint="patch", header=style, seconds=2.0, times=1)
    shell.server.call(lambda: shell.tenant.faults.add(fault))
    assert_bulk_close_is_exact(shell)
    sent = [request for request in shell.requests() if request.endpoint == "patch"]
    throttled = next(request for request in sent if request.status == 429)
    again = next(r for r in sent if r.body_bytes == throttled.body_bytes and r.number > throttled.number)
    assert (again.at - throttled.at) / 1e9 >= (0.9 if style in ("milliseconds", "seconds") else 0.2)
