"""An alert that Falcon sends twice counts once in every command, whatever Falcon says of its time."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest

from falcon_emulator import Server, Tenant
from falcon_emulator.timestamps import MINUTE
from tests.support.command import CommandRunner
from tests.support.json_schemas import assert_counts_add_up, assert_valid
from tests.support.rule_builders import add_group, rule, rule_file, updater_group, write_rules

ALERTS = 3


class Repeating:
    """A tenant of a few alerts of one hash. Falcon finds the first of them twice, a minute apart."""

    def __init__(self, shell: CommandRunner) -> None:
        self.shell = shell
        builder = updater_group().ordinary(ALERTS)
        self.sha256 = builder.sha256
        self.ids = add_group(shell, builder.group())
        write_rules(shell, rule_file(rule(match={"sha256": [self.sha256]})))
        shell.server.call(self._repeat)

    def _repeat(self) -> None:
        store = self.shell.tenant.store
        alert = store.by_id[self.ids[0]]
        store.add([msgspec.structs.replace(alert, created=alert.created - MINUTE)])


@pytest.fixture
def repeating(tmp_path: Path) -> Iterator[Repeating]:
    with Server(Tenant(alerts=1, customer="acme")) as server:
        yield Repeating(CommandRunner(tmp_path, server))


@pytest.mark.parametrize(
    "argv",
    [
        ("rules", "run"),
        ("bulk-close", "--filter", "filename:'updater.exe'", "--resolution", "ignored"),
    ],
    ids=lambda argv: " ".join(argv[:2]),
)
def test_a_change_plans_and_sends_it_once(repeating: Repeating, argv: Sequence[str]) -> None:
    shell = repeating.shell
    done = shell(*argv, "--yes", "--max", str(ALERTS), "--format", "json")
    assert done.code == 0, done
    assert_valid(done.document)
    assert_counts_add_up(done.document)
    assert (done.document["selected"], done.document["changed"]) == (ALERTS, ALERTS)
    assert Counter(change.composite_id for change in shell.changes()) == Counter(repeating.ids)


def test_it_is_counted_once(repeating: Repeating) -> None:
    shell, sha256 = repeating.shell, repeating.sha256
    summary = shell.json("hash-summary")
    assert {entry["sha256"]: entry["alerts"] for entry in summary["hashes"]}[sha256] == ALERTS
    assert len(shell("query", "--hash", sha256, "--all", "--format", "jsonl").documents) == ALERTS
    assert shell.json("close-hash", "--hash", sha256, "--resolution", "ignored", "--dry-run")["selected"] == ALERTS
    tested = shell.json("rules", "test")
    assert [rule["fits"] for rule in tested["rules"]] == [ALERTS]
