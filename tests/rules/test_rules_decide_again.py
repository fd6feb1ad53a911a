"""Before each batch, in `apply` and `resume`, the rules of that moment decide again."""

from pathlib import Path
from typing import Any

import pytest

from tests.rules.conftest import Acme
from tests.rules.test_rules_run import ELSEWHERE, run, updater_rule
from tests.support.command import CommandRunner
from tests.support.rule_builders import (
    add_group,
    edit,
    rule_file,
    statuses,
    today,
    updater_group,
    with_hash_of,
    write_rules,
)
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow


def saved(acme: Acme, count: int = 3) -> tuple[CommandRunner, Any, list[str], Path]:
    """A tenant, a rule, the alerts that it fits, and the plan that a dry run saved."""
    shell = acme()
    builder = updater_group().ordinary(count)
    ids = add_group(shell, builder.group())
    write_rules(shell, rule_file(updater_rule(builder)))
    plan = shell.folder / "acme.plan"
    done = shell("rules", "run", "--dry-run", "--plan", str(plan), "--format", "json")
    assert (done.code, done.document["planned"]) == (0, count)
    return shell, builder, ids, plan


def test_the_plan_goes_into_a_folder_under_the_customers_name(acme: Acme) -> None:
    shell, *_ = saved(acme)
    assert shell("rules", "run", "--dry-run", "--plan", "plans").code == 0
    assert [path.name for path in (shell.folder / "plans").iterdir()] == ["acme.plan"]


def apply(shell: CommandRunner, plan: Path, *more: str) -> dict[str, Any]:
    done = shell("apply", str(plan), "--yes", "--format", "json", *more)
    assert done.code in (0, 6), done
    return done.document


def test_a_saved_plan_closes_what_the_rules_still_close(acme: Acme) -> None:
    shell, _, ids, plan = saved(acme)
    result = apply(shell, plan)
    assert (result["changed"], result["verified"], result["command"]) == (3, 3, "rules run")
    assert set(statuses(shell, ids)) == {"closed"}
    assert run(shell).document["selected"] == 0


CHANGES = {
    "revoked": ({"revoked": today()}, "the rule acme-updater is revoked now"),
    "narrowed": ({"expect": {"parent": ["winlogon.exe"]}}, "the rule acme-updater does not fit it any more"),
    "gone": ({"rule_id": "another"}, "there is no valid rule acme-updater"),
    "invalid": ({"owner": None}, "there is no valid rule acme-updater"),
    "elsewhere": ({"customers": ["globex"]}, "there is no valid rule acme-updater for this customer"),
    "otherwise": ({"close": {"resolution": "ignored"}}, "the rule acme-updater closes otherwise now"),
    "reworded": ({"why": "For another reason"}, "the rule acme-updater closes otherwise now"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_saved_plan_closes_nothing_that_the_rules_of_today_do_not(acme: Acme, change: str) -> None:
    shell, builder, ids, plan = saved(acme)
    changed, reason = CHANGES[change]
    write_rules(shell, rule_file(updater_rule(builder, **changed)))
    result = apply(shell, plan)
    assert (result["changed"], result["drifted"]) == (0, 3)
    assert set(statuses(shell, ids)) == {"new"}
    shown = shell.json("runs", "show", result["run_id"]) if result["status"] != "failed" else result
    assert result["drifted"] == 3, (reason, shown)


def test_a_true_positive_found_since_stops_a_saved_plan(acme: Acme) -> None:
    shell, builder, ids, plan = saved(acme)
    bad = with_hash_of(updater_group("bad").near_miss("bad", path=ELSEWHERE, tags=["true_positive"]), builder)
    add_group(shell, bad.group())
    assert shell("rules", "run", "--dry-run").code == 6
    assert apply(shell, plan)["drifted"] == 3
    assert set(statuses(shell, ids)) == {"new"}


def test_what_was_closed_meanwhile_and_came_back_is_left_alone(acme: Acme) -> None:
    shell, _, ids, plan = saved(acme)
    assert shell(*shell.close_command(ids[:1])).code == 0
    edit(shell, ids[:1], status="new")
    before = shell.alerts()
    result = apply(shell, plan)
    assert (result["changed"], result["drifted"]) == (2, 1), before


def test_a_plan_of_rules_needs_the_rules(acme: Acme) -> None:
    shell, _, ids, plan = saved(acme)
    (shell.folder / "rules").rename(shell.folder / "elsewhere")
    done = shell("apply", str(plan), "--yes")
    assert done.code == 2
    assert "There is no file or folder of closing rules at rules." in done.err
    assert apply(shell, plan, "--rules", "elsewhere")["changed"] == 3
    assert set(statuses(shell, ids)) == {"closed"}


def test_a_rule_that_is_revoked_while_its_run_works_closes_no_further_batch(acme: Acme) -> None:
    shell = acme()
    builder = updater_group().ordinary(30)
    ids = add_group(shell, builder.group())
    write_rules(shell, rule_file(updater_rule(builder)))
    command = ["rules", "run", "--yes", "--max", "99", "--batch-size", "5", "--workers", "1", "--format", "json"]
    with shell.running(*command) as running:
        wait_until(lambda: shell.patch_count() >= 1 or running.is_over, why="no batch was sent")
        assert shell.bare("rules", "revoke", "acme-updater").code == 0
        done = running.finish()
    result = done.document
    assert done.code == 6
    assert 0 < result["changed"] < 30
    assert result["changed"] + result["drifted"] == 30
    assert statuses(shell, ids).count("closed") == result["changed"]


def test_an_unfinished_run_closes_no_more_once_its_rule_is_revoked(acme: Acme) -> None:
    shell = acme()
    builder = updater_group().ordinary(20)
    ids = add_group(shell, builder.group())
    write_rules(shell, rule_file(updater_rule(builder)))
    command = ["rules", "run", "--yes", "--max", "99", "--batch-size", "5", "--workers", "1"]
    with shell.running(*command) as running:
        shell.wait_for_recorded_changes(5, running)
        running.process.kill()
        running.process.wait()
    closed = statuses(shell, ids).count("closed")
    revoked = shell("rules", "revoke", "acme-updater", "--reopen", "--yes", "--max", "99")
    assert revoked.code == 8, "the date is written, and the unfinished run comes first"
    assert "revoked = " in (shell.folder / "rules" / "soc.toml").read_text()
    done = shell("resume", "--format", "json")
    assert (done.code, done.document["changed"]) == (6, closed)
    assert done.document["drifted"] == 20 - closed
    assert statuses(shell, ids).count("closed") == closed
    assert set(shell.comment_counts(ids, "rule acme-updater")) == {0, 1}
    reopened = shell("rules", "revoke", "acme-updater", "--reopen", "--yes", "--max", "99", "--format", "json")
    assert (reopened.code, reopened.document["changed"]) == (0, closed)
    assert set(statuses(shell, ids)) == {"new"}


def test_a_forged_plan_of_rules_closes_only_what_the_rules_do(acme: Acme) -> None:
    shell, _, ids, plan = saved(acme)
    other = shell.untouched_ids(1)[0]
    text = plan.read_text().replace(ids[0], other)
    plan.write_text(text)
    done = shell("apply", str(plan), "--yes")
    assert done.code == 7, "the digest tells"
    import hashlib

    *lines, _ = text.splitlines(keepends=True)
    digest = hashlib.sha256("".join(lines).encode()).hexdigest()
    plan.write_text("".join(lines) + f'{{"line":"end","sha256":"{digest}"}}\n')
    result = apply(shell, plan)
    assert (result["changed"], result["drifted"]) == (2, 1)
    assert statuses(shell, [other]) == ["new"]
