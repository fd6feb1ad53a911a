"""A saved plan: exactly its alerts and actions are sent, once, to the tenant it was made for."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from falcon_bulk.model.vocabulary import Resolution, Status
from falcon_bulk.operations.changes.request import ChangeRequest
from tests.support.command import CommandRunner, serve_customers
from tests.support.run_harness import ALL_GUARDRAILS, RunHarness, serve_run_harness

Actions = dict[str, list[tuple[str, str]]]


def planned_actions(content: bytes, run_id: str) -> Actions:
    """What a plan file says each alert gets, the run id masked."""
    action_sets: dict[int, list[tuple[str, str]]] = {}
    actions: Actions = {}
    for line in map(json.loads, content.splitlines()):
        if line["line"] == "action_set":
            action_sets[line["number"]] = [(name, value.replace(run_id, "RUN")) for name, value in line["actions"]]
        elif line["line"] == "alert":
            composite_id, _before, action_set, *_ = line["alert"]
            assert composite_id not in actions, "an alert stands in a plan once"
            actions[composite_id] = action_sets[action_set]
    return actions


def sent_actions(changes: Any, run_id: str) -> Actions:
    """What each alert got, the run id masked."""
    return {
        change.composite_id: [(name, value.replace(run_id, "RUN")) for name, value in change.actions]
        for change in changes
    }


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunHarness]:
    with serve_run_harness(tmp_path_factory.mktemp("plans"), alerts=3000) as harness:
        yield harness


CHANGES = st.builds(
    ChangeRequest,
    status=st.sampled_from(Status),
    operator=st.just("ann"),
    comment=st.sampled_from(["", "Approved tool", "naïve – 見た"]),
    resolution=st.sampled_from([None, *Resolution]),
    tags=st.lists(st.sampled_from(["triage", "acme/2", "x y"]), max_size=2, unique=True).map(tuple),
    assign_to=st.sampled_from(["", "bo@example.com", "Bo Birch", "2ad9a8b6-2da9-9a76-b896-05b29ef48a1d"]),
    overrides=st.sampled_from([frozenset(), frozenset({"assigned", "in-progress"}), ALL_GUARDRAILS]),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(change=CHANGES, start=st.integers(0, 2900), size=st.integers(1, 60))
def test_the_plan_of_a_dry_run_is_what_the_real_run_sends(
    harness: RunHarness, change: ChangeRequest, start: int, size: int
) -> None:
    ids = tuple(alert.composite_id for alert in harness.tenant.store.newest_first[start : start + size])
    sent, path = len(harness.patches), harness.folder / "dry-run.plan"
    dry = harness.save_plan(ids, change, path)
    assert len(harness.patches) == sent, "a dry run sends no change"

    done = len(harness.tenant.request_log.changes)
    real = harness.run(ids, change, batch_size=1000)
    result = real.result
    assert (result.planned, result.changed) == (dry.result.planned, dry.result.planned)
    assert (result.skipped, result.held) == (dry.result.skipped, dry.result.held)
    assert (result.actions, result.overridden) == (
        tuple(line.replace(dry.plan.run_id, real.plan.run_id) for line in dry.result.actions),
        dry.result.overridden,
    )
    sent_now = sent_actions(harness.tenant.request_log.changes[done:], real.plan.run_id)
    assert sent_now == planned_actions(path.read_bytes(), dry.plan.run_id)


def a_plan(shell: CommandRunner, *more: str) -> Path:
    """A saved plan that closes what is new, of the easy kind."""
    path = shell.folder / "acme.plan"
    done = shell(
        "bulk-close", "--filter", "status:'new'+type:'ldt'", "--dry-run", "--plan", str(path), "--format", "json", *more
    )
    assert done.code == 0, done
    assert done.document["plan_file"] == str(path)
    assert shell.patch_count() == 0
    return path


def apply(shell: CommandRunner, path: Path, *more: str, customer: str = "acme") -> Any:
    return shell("apply", str(path), "--yes", "--format", "json", *more, customer=customer)


def test_a_saved_plan_sends_exactly_its_alerts_and_actions_and_only_once(tmp_path: Path) -> None:
    with serve_customers(tmp_path, alerts=400) as shell:
        path = a_plan(shell)
        content = path.read_bytes()
        wanted = planned_actions(content, json.loads(content.splitlines()[0])["plan"]["run_id"])
        assert len(wanted) > 50
        arrived = shell.server.call(lambda: [alert.composite_id for alert in shell.tenant.arrive(40)])
        done = apply(shell, path)
        assert (done.code, done.document["changed"], done.document["planned"]) == (0, len(wanted), len(wanted))
        changes = shell.tenant.request_log.changes
        assert sent_actions(changes, done.document["run_id"]) == wanted
        assert not {change.composite_id for change in changes} & set(arrived), "later arrivals are not touched"

        again = apply(shell, path)
        assert again.code == 7, again
        assert done.document["run_id"] in again.err
        assert len(shell.tenant.request_log.changes) == len(changes) == len(wanted)


@pytest.mark.slow
def test_a_plan_that_could_not_be_sent_at_all_can_be_applied_again(tmp_path: Path) -> None:
    with serve_customers(tmp_path, alerts=400) as shell:
        path = a_plan(shell)
        shell.order("status", status=403, endpoint="patch", times=None)
        failed = apply(shell, path)
        assert (failed.code, failed.document["status"], failed.document["changed"]) == (4, "failed", 0)
        shown = shell("runs", "show", failed.document["run_id"])
        assert "resume" not in shown.text, "there is nothing to resume: the same command helps"
        shell.server.call(shell.tenant.faults.clear)
        done = apply(shell, path)
        assert (done.code, done.document["status"]) == (0, "success")
        ids = [change.composite_id for change in shell.tenant.request_log.changes]
        assert len(ids) == len(set(ids)) == done.document["planned"]
        assert [row["status"] for row in shell("runs", "--format", "json").document["runs"]] == ["success"]


@pytest.mark.slow
def test_a_plan_that_is_damaged_foreign_or_too_old_is_refused_before_any_change(tmp_path: Path) -> None:
    with serve_customers(tmp_path, "acme", "globex", alerts=400) as shell:
        path = a_plan(shell)
        content = path.read_bytes()
        damaged = shell.folder / "damaged.plan"
        damaged.write_bytes(content.replace(b'"closed"', b'"reopen"', 1))
        cut = shell.folder / "cut.plan"
        cut.write_bytes(content[: len(content) // 2])
        no_plan = shell.folder / "ids.plan"
        no_plan.write_text("\n".join(shell.untouched_ids(3)))
        for refused in (
            apply(shell, damaged),
            apply(shell, cut),
            apply(shell, no_plan),
            apply(shell, path, customer="globex"),
            apply(shell, path, "--plan-ttl", "0h"),
        ):
            assert refused.code == 7, refused
            assert refused.document["error"]["message"]
        assert not any(tenant.request_log.changes for tenant in shell.server.tenants)
        assert apply(shell, path).code == 0


@pytest.mark.slow
def test_an_hour_late_what_an_analyst_took_is_left_alone_and_the_rest_is_closed(tmp_path: Path) -> None:
    """The crawler touched every alert meanwhile; the analyst took 50."""
    with serve_customers(tmp_path, alerts=1500) as shell:
        path = a_plan(shell)
        content = path.read_bytes()
        ids = sorted(planned_actions(content, "none"))
        shell.server.call(lambda: shell.tenant.crawl(61))
        taken, rest = ids[:50], ids[50:]
        shell.edit(taken, status="in_progress", assign="bo.birch")
        before = {composite_id: shell.tenant.store.by_id[composite_id].state for composite_id in taken}
        done = apply(shell, path, "--batch-size", "100", "--batch-delay", "0")
        assert done.code == 6
        result = done.document
        assert (result["status"], result["drifted"], result["changed"]) == ("partial", 50, len(rest))
        assert (result["failed"], result["unknown"], result["not_sent"]) == (0, 0, 0)
        assert {composite_id: shell.tenant.store.by_id[composite_id].state for composite_id in taken} == before
        assert shell.closed_count(rest) == len(rest)
        assert shell.comment_counts(rest, result["run_id"]) == [1]
        shown = shell("runs", "show", result["run_id"], "--format", "json").document
        listed = {alert["composite_id"]: alert["reason"] for alert in shown["alerts"] if alert["outcome"] == "drifted"}
        assert listed.keys() == set(taken)
        assert all("assignee none → bo.birch" in reason for reason in listed.values())
        assert shell("resume").code == 0, "drift leaves nothing to resume"
