"""`rules run` for one customer, on the installed command: what it closes, what it holds, and what it tells."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from falcon_bulk.model.clock import rfc3339
from tests.rules.conftest import Acme
from tests.support.alert_groups import AlertGroupBuilder
from tests.support.command import CommandResult, CommandRunner
from tests.support.json_schemas import assert_counts_add_up, assert_valid
from tests.support.rule_builders import (
    add_group,
    rule,
    rule_file,
    statuses,
    today,
    updater_group,
    with_hash_of,
    write_rules,
)
from tests.support.waiting import wait_until

EXPECT: dict[str, Any] = {
    "path": ["\\Program Files\\Vendor\\*"],
    "parent": ["services.exe"],
    "max-severity": "medium",
}
ELSEWHERE = "\\Device\\HarddiskVolume3\\Users\\eve\\Temp\\updater.exe"


def updater_rule(builder: AlertGroupBuilder, rule_id: str = "acme-updater", **changed: Any) -> str:
    return rule(rule_id, **{"match": {"sha256": [builder.sha256]}, "expect": EXPECT} | changed)


def run(shell: CommandRunner, *more: str, **options: Any) -> CommandResult:
    """Run the rules without a question, and check what holds of every result."""
    done = shell("rules", "run", "--yes", "--max", "1000", "--format", "json", *more, **options)
    if done.code in (0, 6):
        assert_valid(done.document)
        assert_counts_add_up(done.document)
        assert done.document["exit_code"] == done.code
    return done


def rules_of(done: CommandResult) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in done.document["rules"]}


def test_what_fits_is_closed_once_with_the_rules_comment_and_the_rest_is_held(acme: Acme) -> None:
    shell = acme()
    builder = updater_group().ordinary(3)
    for changed in (
        {"path": ELSEWHERE},
        {"parent": "winword.exe"},
        {"severity": 90, "severity_name": "Medium"},
        {"severity": ..., "severity_name": ...},
        {"severity": 90, "severity_name": "Critical"},
    ):
        builder.near_miss("differs", **changed)
    group = builder.group()
    ids = add_group(shell, group)
    held = [
        one for one, document in zip(ids, group.documents, strict=True) if document["composite_id"] in group.near_misses
    ]
    write_rules(shell, rule_file(updater_rule(builder)))
    done = run(shell)
    assert done.code == 0, done
    result, one = done.document, rules_of(done)["acme-updater"]
    assert (result["selected"], result["changed"], result["verified"]) == (8, 3, 3)
    assert result["held"] == {"differs": 2, "critical": 2, "no-severity": 1}
    assert (one["fits"], one["closes"], one["closed"], one["differs"], one["state"]) == (8, 3, 3, 2, "live")
    assert one["held"] == result["held"]
    assert set(statuses(shell, held)) == {"new"}
    closed = [alert for alert in shell.alerts() if alert["status"] == "closed" and builder.sha256 in alert["hashes"]]
    assert len(closed) == 3
    comments = {comment for alert in closed for comment in alert["comments"]}
    run_id = result["run_id"]
    wanted = f"Signed updater, vetted with the vendor (CHG-4711, rule acme-updater; by root, falcon-bulk {run_id})"
    assert comments == {wanted.replace("root", result["operator"])}
    again = run(shell)
    assert (again.code, again.document["planned"], again.document["status"]) == (0, 0, "nothing_to_do")
    assert shell.patch_count() == 1, "the second run sends nothing"
    rows = shell.json("runs", "list")["runs"]
    assert [row["command"] for row in rows] == ["rules run", "rules run"]
    assert [row["rule"] for row in rows] == ["", "acme-updater"]


@pytest.mark.slow
def test_outliers_are_held_compared_with_what_was_closed_and_stay_held(acme: Acme) -> None:
    shell = acme()
    first = updater_group().ordinary(25)
    add_group(shell, first.group())
    write_rules(shell, rule_file(updater_rule(first)))
    assert run(shell).document["changed"] == 25
    later = with_hash_of(updater_group("night two").ordinary(4).outlier("another user", user_name="eve"), first).group()
    ids = add_group(shell, later)
    odd = ids[[document["user_name"] for document in later.documents].index("eve")]
    done = run(shell)
    assert (done.document["changed"], done.document["held"]) == (4, {"outlier": 1}), "alone it could not be judged"
    assert rules_of(done)["acme-updater"]["outliers"] == 1
    add_group(shell, with_hash_of(updater_group("night three").ordinary(25, user_name="eve"), first).group())
    done = run(shell)
    assert done.document["held"]["outlier"] >= 1
    assert statuses(shell, [odd]) == ["new"], "an outlier stays held, whatever comes"


def test_a_group_too_small_to_judge_is_closed_and_that_is_told(acme: Acme) -> None:
    shell = acme()
    builder = updater_group().ordinary(2).ordinary(1, cmdline="updater.exe /verbose")
    add_group(shell, builder.group())
    write_rules(shell, rule_file(updater_rule(builder)))
    done = shell("rules", "run", "--dry-run")
    assert "acme-updater closes without an outlier check: too few alerts to compare." in done.text


@pytest.mark.slow
@pytest.mark.parametrize("name", ["critical", "overwatch", "falcon-complete", "true-positive", "case", "reopened"])
def test_no_rule_overrides_the_guardrails_that_matter(acme: Acme, name: str) -> None:
    changed: dict[str, Any] = {
        "critical": {"severity": 95, "severity_name": "Critical"},
        "overwatch": {"tactic": "Falcon Overwatch"},
        "falcon-complete": {"tags": ["fc/offering/falcon_complete"]},
        "true-positive": {"tags": ["true_positive"]},
        "case": {"case_id": "case-1"},
        "reopened": {"status": "reopened"},
    }[name]
    shell = acme()
    builder = updater_group().ordinary(1, **changed)
    add_group(shell, builder.group())
    expect = {"path": EXPECT["path"]}
    text = updater_rule(builder, expect=expect, close={"override": ["assigned", "in-progress", "no-severity"]})
    write_rules(shell, rule_file(text))
    done = run(shell, "--status", "new,reopened")
    assert done.document["held"] == {name: 1}
    assert not shell.patches()


@pytest.mark.slow
def test_a_rule_may_override_what_is_only_about_work_in_progress(acme: Acme) -> None:
    shell = acme()
    builder = updater_group().ordinary(2, assigned_to_name="Ann").ordinary(2, severity=..., severity_name=...)
    add_group(shell, builder.group())
    expect = {"path": EXPECT["path"]}
    write_rules(shell, rule_file(updater_rule(builder, expect=expect)))
    assert run(shell).document["held"] == {"assigned": 2, "no-severity": 2}
    close = {"resolution": "ignored", "override": ["assigned", "no-severity"]}
    write_rules(shell, rule_file(updater_rule(builder, expect=expect, close=close)))
    assert run(shell).document["changed"] == 4
    assert {tag for alert in shell.alerts() if alert["status"] == "closed" for tag in alert["tags"] or ()} >= {
        "ignored"
    }


@pytest.mark.slow
def test_another_own_hash_holds_where_the_rule_has_hashes(acme: Acme) -> None:
    shell = acme()
    builder = updater_group().ordinary(2, entities={"sha256": ["cd" * 32]})
    add_group(shell, builder.group())
    write_rules(shell, rule_file(updater_rule(builder)))
    assert run(shell).document["held"] == {"other-hashes": 2}


@pytest.mark.slow
def test_a_true_positive_suspends_the_rule_until_it_is_named_as_reviewed(acme: Acme) -> None:
    shell = acme()
    builder = updater_group().ordinary(3)
    builder.near_miss("an intrusion of last month", path=ELSEWHERE, status="closed", tags=["true_positive"])
    group = builder.group()
    ids = add_group(shell, group)
    (bad,) = [one for one, document in zip(ids, group.documents, strict=True) if document.get("tags")]
    write_rules(shell, rule_file(updater_rule(builder)))
    done = run(shell)
    assert (done.code, done.document["held"], done.document["planned"]) == (6, {"suspended": 3}, 0)
    assert rules_of(done)["acme-updater"]["suspended_by"] == [bad]
    assert rules_of(done)["acme-updater"]["state"] == "suspended"
    assert "The rule acme-updater is suspended" in shell("rules", "run", "--dry-run").text
    assert shell.bare("rules", "list", "--format", "json").document["rules"][0]["state"] == "suspended"
    write_rules(shell, rule_file(updater_rule(builder, reviewed_alerts=[bad])))
    assert run(shell).document["changed"] == 3


@pytest.mark.slow
def test_a_rule_without_hashes_is_contradicted_only_by_what_it_fits_wholly(acme: Acme) -> None:
    shell = acme()
    builder = updater_group().ordinary(2)
    builder.near_miss("elsewhere", path=ELSEWHERE, status="closed", tags=["true_positive"])
    add_group(shell, builder.group())
    by_name = rule("by-name", match={"name": ["MLSensor-*"], "product": ["epp"]}, expect=EXPECT)
    write_rules(shell, rule_file(by_name))
    assert run(shell).document["changed"] == 2
    later = updater_group("inside").ordinary(1)
    later.near_miss("inside", status="closed", tags=["true_positive"])
    add_group(shell, later.group())
    assert run(shell).document["held"]["suspended"] >= 1


@pytest.mark.slow
def test_what_is_not_marked_any_more_does_not_suspend(acme: Acme) -> None:
    shell = acme()
    builder = updater_group().ordinary(2).near_miss("wrongly marked", status="closed", tags=["true_positive"])
    group = builder.group()
    ids = add_group(shell, group)
    (bad,) = [one for one, document in zip(ids, group.documents, strict=True) if document.get("tags")]
    write_rules(shell, rule_file(updater_rule(builder)))
    assert run(shell).code == 6
    shell.edit([bad], tags=["false_positive"])
    assert run(shell).document["changed"] == 2


@pytest.mark.slow
@pytest.mark.parametrize("content", [b"", b"{", b'{"schema":"falcon-bulk/true-positives/9","alerts":[]}', b"\xff\xfe"])
def test_without_the_known_true_positives_nothing_is_closed(acme: Acme, content: bytes) -> None:
    shell = acme()
    builder = updater_group().ordinary(2)
    add_group(shell, builder.group())
    write_rules(shell, rule_file(updater_rule(builder)))
    assert shell("rules", "run", "--dry-run").code == 0
    (shell.state / "true-positives.json").write_bytes(content)
    done = shell("rules", "run", "--yes", "--max", "9")
    assert done.code == 7
    assert "Without them no rule closes anything." in done.err
    assert not shell.patches()


@pytest.mark.slow
def test_more_than_a_rule_may_close_is_a_surge_and_closes_nothing_of_it(acme: Acme) -> None:
    shell = acme()
    builder, other = updater_group().ordinary(6), updater_group("other").ordinary(2)
    for one in (builder, other):
        add_group(shell, one.group())
    write_rules(shell, rule_file(updater_rule(builder, close={"max-per-run": 5}), updater_rule(other, "other-updater")))
    done = run(shell)
    assert (done.code, done.document["held"], done.document["changed"]) == (6, {"surge": 6}, 2)
    assert rules_of(done)["acme-updater"]["surge"] is True
    refused = shell("rules", "run", "--yes", "--max", "9", "--allow-surge", "acme-updater")
    assert (refused.code, "confirmed by typing" in refused.err) == (2, True)
    assert shell("rules", "run", "--dry-run", "--allow-surge", "nobody").code == 2
    with shell.terminal("rules", "run", "--allow-surge", "acme-updater") as terminal:
        terminal.answer('Type "acme 6"', "acme 6")
        assert terminal.finish().code == 0
    assert run(shell).document["selected"] == 0


@pytest.mark.slow
def test_five_times_the_usual_is_a_surge_after_five_runs(acme: Acme) -> None:
    shell = acme()
    first = updater_group()
    write_rules(shell, rule_file(updater_rule(first)))
    for night in range(5):
        add_group(shell, with_hash_of(updater_group(f"night {night}").ordinary(3), first).group())
        assert run(shell).document["changed"] == 3
    for count, changed in ((20, 20), (21, 0)):
        add_group(shell, with_hash_of(updater_group(f"many {count}").ordinary(count), first).group())
        done = run(shell)
        assert done.document["changed"] == changed, done.document["held"]


def prune(shell: CommandRunner) -> None:
    """Delete all runs that may be deleted, once the newest is a second old: times are kept to the second."""
    newest = shell.json("runs", "list")["runs"][0]["started"]
    wait_until(lambda: rfc3339(datetime.now(UTC)) > newest, why="time stands still")
    assert shell("runs", "prune", "--older-than", "0d").code == 0


@pytest.mark.slow
def test_what_any_run_closed_is_not_closed_again_also_after_its_run_was_pruned(acme: Acme) -> None:
    shell = acme()
    builder = updater_group().ordinary(4)
    ids = add_group(shell, builder.group())
    write_rules(shell, rule_file(updater_rule(builder)))
    assert shell(*shell.close_command(ids[:2])).code == 0
    shell.edit(ids[:2], status="new", assign="")
    done = run(shell)
    assert (done.document["changed"], done.document["held"]) == (2, {"closed-before": 2})
    undone = shell("undo", done.document["run_id"], "--yes", "--max", "9")
    assert undone.code == 0, undone
    assert run(shell).document["held"] == {"closed-before": 4}
    write_rules(shell, rule_file(updater_rule(builder, "another")))
    prune(shell)
    assert shell.json("runs", "list")["runs"] == []
    write_rules(shell, rule_file(updater_rule(builder)))
    assert run(shell).document["held"] == {"closed-before": 4}


@pytest.mark.slow
def test_pruning_keeps_the_runs_of_live_rules(acme: Acme) -> None:
    shell = acme()
    builder = updater_group().ordinary(2)
    add_group(shell, builder.group())
    path = write_rules(shell, rule_file(updater_rule(builder)))
    run(shell)
    run(shell)
    prune(shell)
    assert len(shell.json("runs", "list")["runs"]) == 1, "the run that closed something stays"
    path.write_text(path.read_text().replace("expires = ", f"revoked = {today()}\nexpires = "))
    prune(shell)
    assert shell.json("runs", "list")["runs"] == []


@pytest.mark.slow
@pytest.mark.parametrize("state", ["expired", "revoked", "starts"])
def test_a_rule_that_has_ended_or_not_begun_closes_nothing_and_counts(acme: Acme, state: str) -> None:
    shell = acme()
    builder = updater_group().ordinary(2).near_miss("differs", path=ELSEWHERE)
    builder.near_miss("critical", severity=90, severity_name="Critical")
    add_group(shell, builder.group())
    day = timedelta(days=1)
    changed = {
        "expired": {"reviewed": today() - 30 * day, "expires": today() - day},
        "revoked": {"revoked": today()},
        "starts": {"starts": today() + day},
    }[state]
    write_rules(shell, rule_file(updater_rule(builder, **changed)))
    done = run(shell)
    one = rules_of(done)["acme-updater"]
    assert (done.code, done.document["selected"], one["state"], one["fits"]) == (0, 0, state, 0)
    assert one["would_have_closed"] == 2
    assert f"acme-updater is {state}: it would have closed 2." in shell("rules", "run", "--dry-run").text
    assert not shell.patches()


@pytest.mark.slow
def test_the_last_day_of_a_rule_still_counts_and_it_is_due(acme: Acme) -> None:
    shell = acme()
    builder = updater_group().ordinary(2)
    add_group(shell, builder.group())
    write_rules(shell, rule_file(updater_rule(builder, expires=today())))
    done = run(shell)
    assert (done.document["changed"], rules_of(done)["acme-updater"]["state"]) == (2, "due")


@pytest.mark.slow
def test_the_first_rule_in_the_files_order_closes_and_overlaps_are_told(acme: Acme) -> None:
    shell = acme()
    builder = updater_group().ordinary(3)
    add_group(shell, builder.group())
    by_name = rule("by-name", why="Named so", match={"name": ["MLSensor-*"]}, expect=EXPECT)
    write_rules(shell, rule_file(updater_rule(builder), by_name))
    dry = shell("rules", "run", "--dry-run")
    assert "3 alerts of by-name fit acme-updater too, which comes first." in dry.text
    done = run(shell)
    assert {name: one["closed"] for name, one in rules_of(done).items()} == {"acme-updater": 3, "by-name": 0}


@pytest.mark.slow
def test_what_a_suspended_or_surging_rule_fits_no_other_rule_closes(acme: Acme) -> None:
    shell = acme()
    builder = updater_group().ordinary(4)
    add_group(shell, builder.group())
    by_name = rule("by-name", match={"name": ["MLSensor-*"]}, expect=EXPECT)
    surging = updater_rule(builder, close={"max-per-run": 3})
    write_rules(shell, rule_file(surging, by_name))
    assert run(shell).document["held"] == {"surge": 4}
    later = updater_group("bad").near_miss("bad", path=ELSEWHERE, status="closed", tags=["true_positive"])
    with_hash_of(later, builder)
    add_group(shell, later.group())
    write_rules(shell, rule_file(by_name, updater_rule(builder)))
    assert run(shell).document["held"] == {"suspended": 4}


def test_a_wrong_rule_is_left_out_named_and_stops_no_other(acme: Acme) -> None:
    shell = acme()
    builder = updater_group().ordinary(2)
    add_group(shell, builder.group())
    write_rules(shell, rule_file(updater_rule(builder, owner=None)), "bad.toml")
    write_rules(shell, "[[rule", "worse.toml")
    write_rules(shell, rule_file(updater_rule(builder, "good-updater")), "good.toml")
    done = run(shell, "--quiet")
    assert (done.code, done.document["changed"]) == (6, 2)
    states = {name: one["state"] for name, one in rules_of(done).items()}
    assert states == {"acme-updater": "invalid", "good-updater": "live"}
    assert "rules/bad.toml:4: rule acme-updater: owner is missing." in done.err
    assert "rules/worse.toml:1: this is no TOML" in done.err


@pytest.mark.slow
def test_rules_are_for_the_customers_that_they_name(acme: Acme) -> None:
    shell = acme()
    shell.write_customer("acme", FALCON_TAGS="retail")
    builder = updater_group().ordinary(1)
    add_group(shell, builder.group())
    for customers, selected in ((["tag:retail"], 1), (["*", "!acme"], 0), (["*", "!tag:retail"], 0), (["ACME"], 1)):
        write_rules(shell, rule_file(updater_rule(builder, customers=customers)))
        done = shell("rules", "run", "--dry-run", "--format", "json")
        assert done.document["selected"] == selected, customers


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.mark.slow
def test_with_clean_git_a_run_takes_a_file_only_as_committed(acme: Acme) -> None:
    shell = acme()
    builder = updater_group().ordinary(2)
    add_group(shell, builder.group())
    path = write_rules(shell, rule_file(updater_rule(builder), policy="[policy]\nclean-git = true\n"))
    done = run(shell)
    assert (done.code, done.document["selected"]) == (6, 0)
    assert "clean-git, and git knows no commit of it: its rules are inactive" in done.err
    git(shell.folder, "init", "-q")
    git(shell.folder, "commit", "-q", "--allow-empty", "-m", "none")
    assert "and it is not committed: its rules are inactive" in run(shell).err
    git(shell.folder, "add", "rules")
    git(shell.folder, "commit", "-q", "-m", "rules")
    path.write_text(path.read_text() + "# changed\n")
    assert "and it differs from what is committed at HEAD" in run(shell).err
    assert shell.bare("rules", "lint").code == shell("rules", "run", "--dry-run").code == 0, "these do not ask"
    (shell.folder / "other.txt").write_text("not committed, and no matter")
    git(shell.folder, "checkout", "-q", "--", "rules")
    assert run(shell).document["changed"] == 2


@pytest.mark.slow
def test_a_long_reason_is_shortened_until_the_comment_fits(acme: Acme) -> None:
    shell = acme()
    builder = updater_group().ordinary(1)
    add_group(shell, builder.group())
    write_rules(shell, rule_file(updater_rule(builder, why="ü" * 500)))
    done = run(shell)
    assert done.document["changed"] == 1
    (comment,) = [comment for alert in shell.alerts() for comment in alert["comments"] if "rule acme" in comment]
    assert len(comment.encode()) < 1024
    assert f"ü… (CHG-4711, rule acme-updater; by {done.document['operator']}, falcon-bulk " in comment


def test_a_run_says_no_more_than_was_confirmed(acme: Acme) -> None:
    shell = acme()
    builder = updater_group().ordinary(3)
    add_group(shell, builder.group())
    write_rules(shell, rule_file(updater_rule(builder)))
    done = shell("rules", "run", "--yes", "--max", "2")
    assert (done.code, "3 alerts would be changed, at most 2 are allowed" in done.err) == (7, True)
    assert "Hint: Nothing was changed. Look with --dry-run" in done.err
    assert shell("rules", "run").code == 2, "no terminal and no --yes"
    with shell.terminal("rules", "run", columns=80, lines=24) as terminal:
        terminal.answer('Type "acme 3" to CLOSE 3 alerts as false_positive:', "acme 3")
        done = terminal.finish()
    assert done.code == 0
    assert "acme-updater 3" in done.text
    assert shell("runs", "show", "latest").text.count("changed  ") >= 3


def test_runs_show_has_what_each_rule_did(acme: Acme) -> None:
    shell = acme()
    builder = updater_group().ordinary(2).near_miss("differs", path=ELSEWHERE)
    add_group(shell, builder.group())
    write_rules(shell, rule_file(updater_rule(builder)))
    result = run(shell).document
    shown = shell.json("runs", "show", result["run_id"])
    assert shown["rules"] == result["rules"]
    assert {alert["rule"] for alert in shown["alerts"]} == {"acme-updater"}
