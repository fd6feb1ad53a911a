"""`overview` and `report` know the closing rules: what waits for a person, and what a rule closed and why."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.command import CommandRunner, serve_customers
from tests.support.json_schemas import assert_valid
from tests.support.rule_builders import add_group, rule, rule_file, today, updater_group, write_rules

pytestmark = pytest.mark.slow


@pytest.fixture
def two(tmp_path: Path) -> Iterator[CommandRunner]:
    with serve_customers(tmp_path, "acme", "globex", alerts=40) as shell:
        yield shell


def rules_of(shell: CommandRunner) -> dict[str, object]:
    done = shell.bare("overview", "--all-customers", "--format", "json")
    assert done.code == 0, done
    return {entry["customer"]: entry["rules"] for entry in assert_valid(done.document)["customers"]}


def test_rules_that_end_soon_and_rules_that_a_true_positive_contradicts_are_counted(two: CommandRunner) -> None:
    builder = updater_group()
    ids = add_group(two, builder.ordinary(6).group())
    due = rule("soon", expires=today() + timedelta(days=5), customers=["globex"], match={"sha256": ["ab" * 32]})
    every = rule("updater", match={"sha256": [builder.sha256]})
    write_rules(two, rule_file(due, every))
    assert rules_of(two) == {"acme": {"due": 0, "suspended": 0}, "globex": {"due": 1, "suspended": 0}}
    two.edit(ids[:1], status="closed", tags=["true_positive"])
    two.bare("rules", "run", "--all-customers", "--dry-run")
    assert rules_of(two) == {"acme": {"due": 0, "suspended": 1}, "globex": {"due": 1, "suspended": 1}}
    row = next(line for line in two.bare("overview", "--all-customers").text.splitlines() if line.startswith("globex"))
    assert row.split()[-2:] == ["1", "1"]


def test_rules_that_cannot_be_read_are_told_and_not_counted_as_none(two: CommandRunner) -> None:
    write_rules(two, rule_file()).chmod(0o666)
    done = two.bare("overview", "--all-customers", "--quiet", "--format", "json")
    assert done.code == 0, done
    assert {entry["rules"] for entry in assert_valid(done.document)["customers"]} == {None}
    assert "Closing rules are left out; they cannot be read" in done.err


def test_a_report_has_what_a_rule_closed_with_its_reason_and_its_end(two: CommandRunner) -> None:
    builder = updater_group()
    add_group(two, builder.ordinary(6).outlier("elsewhere", cmdline="updater.exe /elsewhere").group())
    expect = {"cmdline": ["updater.exe /silent"]}
    write_rules(two, rule_file(rule("updater", match={"sha256": [builder.sha256]}, expect=expect)))
    done = two("rules", "run", "--yes", "--max", "10", "--batch-delay", "0", "--format", "json")
    assert done.code == 0, done
    later = str(today() + timedelta(days=1))
    document = assert_valid(two.json("report", "--since", "40d", "--until", later))
    assert document["by_rule"] == [
        {
            "rule": "updater",
            "closed": 6,
            "reason": "Signed updater, vetted with the vendor",
            "expires": str(today() + timedelta(days=60)),
        }
    ]
    assert document["held"] == {"differs": 1}
    assert document["ours"]["closed"] == 6
    text = two("report", "--since", "40d", "--until", later, "--format", "markdown").text
    assert "other circumstances than the closing rule expects" in text
    assert "| updater | 6 | Signed updater, vetted with the vendor |" in text
