"""`rules run` for several customers: all are read before anything is sent, and one that fails stops no other."""

from typing import Any

import pytest

from tests.rules.conftest import Acme
from tests.rules.test_rules_run import ELSEWHERE, updater_rule
from tests.support.alert_groups import AlertGroupBuilder
from tests.support.command import CommandResult, CommandRunner
from tests.support.json_schemas import assert_valid
from tests.support.rule_builders import add_group, rule_file, statuses, updater_group, with_hash_of, write_rules

pytestmark = pytest.mark.slow

NAMES = ("acme", "globex", "initech")


def everywhere(acme: Acme, count: int = 3) -> tuple[CommandRunner, AlertGroupBuilder, dict[str, list[str]]]:
    """Three customers that have the updater's alerts, and a rule for all."""
    shell = acme(*NAMES)
    first = updater_group().ordinary(1)
    ids = {
        name: add_group(shell, with_hash_of(updater_group(name).ordinary(count), first).group(), name) for name in NAMES
    }
    write_rules(shell, rule_file(updater_rule(first)))
    return shell, first, ids


def run_all(shell: CommandRunner, *more: str) -> CommandResult:
    done = shell.bare("rules", "run", "--all-customers", "--yes", "--max", "100", "--format", "json", *more)
    assert_valid(done.document)
    return done


def results(done: CommandResult) -> dict[str, Any]:
    return {customer["customer"]: customer["result"] for customer in done.document["customers"]}


def test_each_customer_is_closed_and_the_second_run_does_nothing(acme: Acme) -> None:
    shell, _, ids = everywhere(acme)
    done = run_all(shell)
    assert done.code == 0, done
    assert {name: one["changed"] for name, one in results(done).items()} == dict.fromkeys(NAMES, 3)
    assert all(set(statuses(shell, ids[name], name)) == {"closed"} for name in NAMES)
    again = run_all(shell)
    assert (again.code, {result["planned"] for result in results(again).values()}) == (0, {0})
    assert [len(shell.patches(name)) for name in NAMES] == [1, 1, 1]


def test_a_true_positive_at_one_customer_suspends_the_rule_at_all_before_anything_is_sent(acme: Acme) -> None:
    shell, first, _ = everywhere(acme)
    bad = with_hash_of(updater_group("bad").near_miss("bad", path=ELSEWHERE, tags=["true_positive"]), first)
    add_group(shell, bad.group(), "initech")
    done = run_all(shell)
    assert done.code == 6
    assert {name: one["held"]["suspended"] for name, one in results(done).items()} == {
        "acme": 3,
        "globex": 3,
        "initech": 3,
    }
    assert not any(shell.patches(name) for name in NAMES)
    alone = shell("rules", "run", "--yes", "--max", "9", "--format", "json")
    assert (alone.code, alone.document["held"]) == (6, {"suspended": 3}), "a run for another customer knows of it"
    (shell.folder / "customers" / "initech.env").unlink()
    assert shell("rules", "run", "--dry-run").code == 6, "and still where that one cannot be reached"


def test_a_customer_that_is_down_stops_no_other(acme: Acme) -> None:
    shell, _, ids = everywhere(acme)
    shell.write_customer("globex", FALCON_CLIENT_SECRET="wrong")
    done = run_all(shell)
    assert done.code == 6
    assert {name: one and one["changed"] for name, one in results(done).items()} == {
        "acme": 3,
        "globex": None,
        "initech": 3,
    }
    (failed,) = [customer for customer in done.document["customers"] if customer["error"]]
    assert (failed["customer"], failed["exit_code"]) == ("globex", 4)
    assert set(statuses(shell, ids["globex"], "globex")) == {"new"}


def test_the_bound_is_for_each_customer(acme: Acme) -> None:
    shell, first, ids = everywhere(acme)
    add_group(shell, with_hash_of(updater_group("more").ordinary(3), first).group(), "globex")
    done = shell.bare("rules", "run", "--all-customers", "--yes", "--max", "4", "--format", "json")
    assert done.code == 6
    changed = {
        customer["customer"]: customer["result"] and customer["result"]["changed"]
        for customer in done.document["customers"]
    }
    assert changed == {"acme": 3, "globex": None, "initech": 3}
    assert set(statuses(shell, ids["globex"], "globex")) == {"new"}
    assert shell("rules", "run", "--yes", "--max", "9", customer="globex").code == 0, "nothing is left behind"
    unbound = shell.bare("rules", "run", "--all-customers", "--yes")
    assert (unbound.code, "--yes needs a bound" in unbound.err) == (2, True)


@pytest.mark.parametrize(("answer", "code", "status"), [("all 9", 0, "closed"), ("no", 3, "new")])
def test_one_question_for_all_customers(acme: Acme, answer: str, code: int, status: str) -> None:
    shell, _, ids = everywhere(acme)
    with shell.terminal("rules", "run", "--all-customers", customer=None) as terminal:
        terminal.answer('Type "all 9" to CLOSE 9 alerts of 3 customers as false_positive:', answer)
        done = terminal.finish()
    assert done.code == code, done
    assert all(set(statuses(shell, ids[name], name)) == {status} for name in NAMES)
    if code:
        after = run_all(shell)
        assert {result["changed"] for result in results(after).values()} == {3}, "a declined run leaves nothing behind"


def test_plans_of_all_customers_are_saved_and_applied(acme: Acme) -> None:
    shell, _, ids = everywhere(acme)
    dry = shell.bare("rules", "run", "--all-customers", "--dry-run", "--plan", "plans", "--format", "json")
    assert dry.code == 0, dry
    assert {path.name for path in (shell.folder / "plans").iterdir()} == {f"{name}.plan" for name in NAMES}
    assert "Apply them:  falcon-bulk apply plans" in dry.err
    done = shell.bare("apply", "plans", "--yes", "--max", "3", "--format", "json")
    assert done.code == 0, done
    assert all(set(statuses(shell, ids[name], name)) == {"closed"} for name in NAMES)
    run_all(shell)
    assert {result["planned"] for result in results(run_all(shell)).values()} == {0}


def test_a_run_over_several_is_recorded_for_each_with_what_was_held(acme: Acme) -> None:
    shell, first, _ = everywhere(acme)
    odd = with_hash_of(updater_group("odd").near_miss("odd", path=ELSEWHERE), first)
    add_group(shell, odd.group(), "globex")
    done = run_all(shell)
    shown = shell.json("runs", "show", results(done)["globex"]["run_id"], customer="globex")
    assert shown["held"] == {"differs": 1}
    assert shown["rules"][0]["held"] == {"differs": 1}
