"""`rules report` over several runs at two customers: sums that equal the journal, and an unused list that is exact."""

import csv
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from tests.rules.conftest import Acme
from tests.support.command import CommandRunner
from tests.support.json_schemas import assert_valid
from tests.support.rule_builders import (
    UPDATER,
    add_group,
    rule,
    rule_file,
    today,
    updater_group,
    with_hash_of,
    write_rules,
)

pytestmark = pytest.mark.slow

ELSEWHERE = r"\Device\HarddiskVolume3\Temp\updater.exe"
RULE_PATH = UPDATER.removeprefix(r"\Device\HarddiskVolume3")
UPDATERS, TOOLS, MINERS, OLD = (str(updater_group(story).sha256) for story in ("updater", "tool", "miner", "old"))


def rules_of_two_customers() -> str:
    """Return the rules that the tests report on, each with a part of its own."""
    return rule_file(
        rule(
            "updater",
            match={"sha256": [UPDATERS, "a" * 64]},
            expect={"path": [RULE_PATH, r"\Program Files\Never\*"]},
        ),
        rule("forestalled", match={"sha256": [UPDATERS]}, expect={"path": [r"\Program Files\*\updater.exe"]}),
        rule("tool", customers=["acme", "globex"], match={"sha256": [TOOLS]}),
        rule("never", match={"sha256": ["b" * 64]}),
        rule("miner", match={"sha256": [MINERS]}),
        rule(
            "old", match={"sha256": [OLD]}, reviewed=today() - timedelta(days=90), expires=today() - timedelta(days=9)
        ),
        rule("later", match={"sha256": ["c" * 64]}, starts=today() + timedelta(days=20)),
        rule("ending", match={"sha256": ["d" * 64]}, expires=today() + timedelta(days=3)),
    )


def run(shell: CommandRunner, days_ago: int = 0) -> None:
    env = {"TEST_DAYS_LATER": str(-days_ago)}
    done = shell.bare("rules", "run", "--all-customers", "--yes", "--max", "100", "--batch-delay", "0", env=env)
    assert done.code in (0, 6), done


@pytest.fixture
def two(acme: Acme) -> CommandRunner:
    """Serve two customers at whom the rules were run on three nights of a week."""
    shell = acme("acme", "globex")
    write_rules(shell, rules_of_two_customers())
    add_group(shell, updater_group().ordinary(7).near_miss("in Temp", path=ELSEWHERE).group(), "acme")
    add_group(shell, updater_group("old").ordinary(3).group(), "acme")
    add_group(shell, updater_group("miner").ordinary(2, status="closed", tags=["true_positive"]).group(), "globex")
    run(shell, days_ago=7)
    add_group(shell, with_hash_of(updater_group("second night"), updater_group()).ordinary(4).group(), "globex")
    add_group(shell, updater_group("tool").ordinary(5).group(), "acme")
    run(shell, days_ago=1)
    add_group(shell, with_hash_of(updater_group("third night"), updater_group("miner")).ordinary(6).group(), "acme")
    run(shell)
    return shell


def report(shell: CommandRunner, *more: str, code: int = 0) -> dict[str, Any]:
    done = shell.bare("rules", "report", "--all-customers", "--format", "json", *more)
    assert done.code == code, done
    assert done.requests == []
    return assert_valid(done.document)


def by_id(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in document["rules"]}


def recorded(shell: CommandRunner, customer: str, state: str) -> Counter[tuple[str, str]]:
    """Count the alerts in a customer's journal by rule and reason."""
    path = shell.state / f"{shell.tenants[customer].cid}.sqlite3"
    with closing(sqlite3.connect(path)) as db:
        query = "SELECT DISTINCT rule, reason, item_id FROM items WHERE rule != '' AND state = ?"
        return Counter((rule, reason) for rule, reason, _ in db.execute(query, (state,)))


def test_the_sums_are_those_of_the_journal_and_count_alerts_not_nights(two: CommandRunner) -> None:
    rules = by_id(report(two))
    for customer in two.tenants:
        closed, held = recorded(two, customer, "changed"), recorded(two, customer, "held")
        for rule_id, one in rules.items():
            there = next((entry for entry in one["customers"] if entry["customer"] == customer), None)
            assert (there["closed"] if there else 0) == sum(n for (name, _), n in closed.items() if name == rule_id)
            expected = {reason: n for (name, reason), n in held.items() if name == rule_id}
            assert (there["held"] if there else {}) == expected
    assert {name: one["closed"] for name, one in rules.items() if one["closed"]} == {"updater": 11, "tool": 5}
    assert rules["updater"]["held"] == {"differs": 1}
    assert rules["miner"]["held"] == {"suspended": 6}


def test_alerts_that_differ_are_named_and_what_has_ended_would_have_closed(two: CommandRunner) -> None:
    rules = by_id(report(two))
    (acme,) = [customer for customer in rules["updater"]["customers"] if customer["customer"] == "acme"]
    (differing,) = acme["differing"]
    assert next(alert for alert in two.alerts() if alert["composite_id"] == differing)["status"] == "new"
    assert (rules["old"]["state"], rules["old"]["would_have_closed"], rules["old"]["closed"]) == ("expired", 3, 0)
    assert rules["ending"]["state"] == "due"
    assert len(rules["miner"]["suspended_by"]) == 2
    (overlapping,) = [
        customer["overlaps"] for customer in rules["forestalled"]["customers"] if customer["customer"] == "acme"
    ]
    assert overlapping == {"updater": 7}


def test_the_unused_list_is_exact(two: CommandRunner) -> None:
    unused = report(two)["unused"]
    assert unused["rules"] == ["never", "ending"]
    assert {(value["rule"], value["field"], value["value"]) for value in unused["values"]} == {
        ("updater", "sha256", "a" * 64),
        ("updater", "path", r"\Program Files\Never\*"),
        ("tool", "customers", "globex"),
    }
    assert unused["not_judged"] == []


def test_what_could_not_be_seen_is_not_called_unused(two: CommandRunner) -> None:
    """A customer without a run, and one that the report leaves out, say nothing about a rule."""
    two.write_customer("initech", "acme", FALCON_CID="e" * 32)
    document = report(two)
    assert document["unused"]["rules"] == []
    reasons = {entry["rule"]: entry["reason"] for entry in document["unused"]["not_judged"]}
    assert reasons["never"] == "no whole run with it was recorded for initech"
    assert "tool" not in reasons
    assert ("tool", "globex") in {(value["rule"], value["value"]) for value in document["unused"]["values"]}
    alone = two("rules", "report", "--format", "json").document
    assert alone["unused"]["rules"] == []
    assert {entry["rule"] for entry in alone["unused"]["not_judged"]} >= {"never", "updater", "tool"}
    assert [customer["customer"] for customer in alone["customers"]] == ["acme"]


def test_a_rule_that_ran_for_less_than_a_week_is_not_called_unused(two: CommandRunner) -> None:
    """A rule is added on the last day; of a report on six days, nothing is judged."""
    write_rules(
        two, rule_file(rule("never", match={"sha256": ["b" * 64]}), rule("added", match={"sha256": ["e" * 64]}))
    )
    run(two)
    unused = report(two)["unused"]
    assert (unused["rules"], unused["values"]) == (["never"], [])
    assert unused["not_judged"] == [{"rule": "added", "reason": "its runs cover less than 7 days at acme, globex"}]
    of_six_days = report(two, "--since", "6d")["unused"]
    assert (of_six_days["rules"], {entry["rule"] for entry in of_six_days["not_judged"]}) == ([], {"never", "added"})
    assert "added is not judged" in two.bare("rules", "report", "--all-customers").text


def test_a_customer_that_cannot_be_read_is_named_and_stops_no_other(two: CommandRunner) -> None:
    (two.state / f"{two.tenants['globex'].cid}.sqlite3").write_bytes(b"no database")
    document = report(two, code=6)
    errors = {customer["customer"]: customer["error"] for customer in document["customers"]}
    assert errors["acme"] is None
    assert errors["globex"]["code"] == "journal"
    assert by_id(document)["updater"]["closed"] == 7
    assert document["unused"]["rules"] == []


def test_what_was_undone_is_counted_and_a_rule_that_is_gone_too(two: CommandRunner) -> None:
    newest = next(row for row in two.json("runs", "list")["runs"] if row["changed"])
    assert two("undo", newest["run_id"], "--yes", "--max", "100", "--batch-delay", "0").code == 0
    write_rules(two, rule_file(rule("never", match={"sha256": ["b" * 64]})))
    rules = by_id(report(two))
    assert (rules["tool"]["state"], rules["tool"]["closed"], rules["tool"]["undone"]) == ("removed", 5, 5)
    assert (rules["updater"]["closed"], rules["updater"]["undone"]) == (11, 0)


def test_every_format_tells_it(two: CommandRunner) -> None:
    table = two.bare("rules", "report", "--all-customers").text
    for told in (
        "8 closing rules at 2 customers",
        "16 alerts closed",
        "ended on",
        "it would have closed at least 3 alerts",
        "suspended by the true positive",
        "Alerts that match a rule and differ from what it expects",
        "Rules that overlap",
        "Unused",
        r"\Program Files\Never\*",
    ):
        assert told in table, table
    assert "| updater |" in two.bare("rules", "report", "--all-customers", "--format", "markdown").text
    rows = list(csv.DictReader(two.bare("rules", "report", "--all-customers", "--format", "csv").text.splitlines()))
    assert sum(int(row["closed"]) for row in rows) == 16
    assert {row["customer"] for row in rows if row["rule"] == "updater"} == {"acme", "globex"}
    page = two.folder / "rules.html"
    assert two.bare("rules", "report", "--all-customers", "-o", str(page)).code == 0
    assert "what it expects" in page.read_text()


def test_runs_before_the_period_do_not_count(two: CommandRunner) -> None:
    document = report(two, "--since", f"{today() + timedelta(days=1)}")
    assert {customer["runs"] for customer in document["customers"]} == {0}
    assert not any(one["closed"] for one in document["rules"])
    assert document["unused"]["rules"] == []
