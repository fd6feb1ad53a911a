"""The numbers that a reader of a guide sees are about the same alerts from its first command to its last."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.docs.test_docs_examples import ROOT, PageRunner, commands, serve_page
from tests.support.alert_groups import night
from tests.support.planted_tenant import plant
from tests.support.rule_builders import morning_noise

GUIDES = ROOT / "docs" / "guides"


class Guide:
    """The commands of a guide, run in their order; each is found by how it begins."""

    def __init__(self, page: Path, runner: PageRunner) -> None:
        self.runner = runner
        self._left = commands(page)

    def run(self, beginning: str, *more: str, code: int = 0, program: str = "falcon-bulk ") -> str:
        """Run the guide's next command that begins so, as it stands but for `more`, and return its stdout."""
        command = next(line for line in self._left if line.startswith(f"{program}{beginning}"))
        self._left = self._left[self._left.index(command) + 1 :]
        self.runner.look_up(command)
        done = self.runner.run(" ".join([command, *more]))
        assert done.returncode == code, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def json(self, beginning: str, *more: str) -> dict[str, Any]:
        """Run the guide's next command that begins so with --format json."""
        document: dict[str, Any] = json.loads(self.run(beginning, "--format", "json", *more))
        return document

    @property
    def sha256(self) -> str:
        """The hash that the reader picked."""
        return self.runner.variables["SHA256"]


@pytest.fixture
def guide(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Guide]:
    page = GUIDES / str(request.param)
    with serve_page(tmp_path, page) as runner:
        runner.fill_in()
        yield Guide(page, runner)


@pytest.mark.slow
@pytest.mark.parametrize("guide", ["closing-by-hash.md"], indirect=True)
def test_closing_by_hash_is_about_the_same_alerts_to_its_end(guide: Guide) -> None:
    counted = {row["sha256"]: row["alerts"] for row in guide.json("hash-summary")["hashes"]}
    shown = json.loads(guide.run("query", "--format", "json"))
    dry = guide.json("close-hash")
    number = counted[guide.sha256]
    assert number == len(shown) == dry["selected"] > 0
    closed = guide.json("close-hash", "--yes", "--expect", str(dry["planned"]))
    assert (closed["selected"], closed["planned"], closed["verified"]) == (number, dry["planned"], dry["planned"])
    left = int(guide.run("query"))
    assert left == number - closed["changed"] == sum(closed["held"].values())
    assert guide.json("runs show")["run_id"] == closed["run_id"]
    candidates = guide.run("hash-summary")
    assert "candidates.csv" not in candidates
    assert guide.json("close-hash")["selected"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("guide", ["daily-triage.md"], indirect=True)
def test_daily_triage_closes_what_it_showed(guide: Guide) -> None:
    guide.run("summary")
    guide.run("query --customer acme --since 24h --status new")
    guide.run("query")
    guide.run("bulk-close")
    guide.run("hash-summary")
    dry = guide.json("bulk-close")
    closed = guide.json("bulk-close", "--yes", "--expect", str(dry["planned"]))
    assert closed["selected"] == dry["selected"]
    assert closed["changed"] == dry["planned"]


@pytest.mark.slow
@pytest.mark.parametrize("guide", ["monthly-review.md"], indirect=True)
def test_the_monthly_review_closes_the_alerts_that_it_looked_at(guide: Guide) -> None:
    guide.run("customers check")
    looked_at = guide.json("hash-summary")
    read = {part["customer"]: part["result"]["alerts_read"] for part in looked_at["customers"]}
    counted = {part["customer"]: part["result"]["alerts_read"] for part in guide.json("summary")["customers"]}
    planned = {part["customer"]: part["result"] for part in guide.json("bulk-close")["customers"]}
    applied = {part["customer"]: part["result"] for part in guide.json("apply", "--yes", "--max", "9999")["customers"]}
    assert len(read) == 3
    for name, number in read.items():
        assert number == counted[name] == planned[name]["selected"]
        assert applied[name]["selected"] == applied[name]["changed"] == planned[name]["planned"]


@pytest.mark.slow
@pytest.mark.parametrize("guide", ["undoing-a-mistake.md"], indirect=True)
def test_undoing_a_mistake_undoes_what_the_run_changed(guide: Guide) -> None:
    guide.run("runs --customer acme")
    run = guide.json("runs show")
    dry = guide.json("undo")
    undone = guide.json("undo", "--yes", "--max", "9999")
    assert run["changed"] == dry["planned"] == undone["changed"] > 0
    guide.run("runs")
    again = guide.json("undo", "--yes", "--max", "9999")
    assert again["changed"] == undone["changed"]


@pytest.mark.slow
@pytest.mark.parametrize("guide", ["from-alert-to-rule.md"], indirect=True)
def test_the_way_to_two_rules_is_about_the_same_alerts_to_its_end(guide: Guide) -> None:
    runner = guide.runner
    updaters, scripts = (len(group.documents) for group in morning_noise())
    first, *_ = guide.json("hash-summary")["hashes"]
    assert first["alerts"] == updaters
    groups = guide.json("summary")["outliers"]["groups"]
    assert not [group for group in groups if group["sha256"] == first["sha256"] and group["outliers"]]
    assert guide.json("close-hash")["planned"] == updaters
    closed = guide.json("close-hash", "--yes", "--expect", str(updaters))
    assert (guide.sha256, closed["changed"]) == (first["sha256"], updaters)
    assert guide.run("mkdir", program="") == ""

    guide.run("rules draft")
    file = runner.folder / "rules" / "soc.toml"
    (drafted,) = tomllib.loads(file.read_text())["rule"]
    assert drafted["match"] == {"sha256": [first["sha256"]]}
    assert drafted["expect"]["path"] == [r"\Users\*\AppData\Local\Globex\Update\*\GlobexUpdate.exe"]
    assert f"it would have closed {updaters} alerts" in file.read_text()
    assert f"which changed {updaters} alerts" in file.read_text()
    guide.run("$EDITOR", program="")
    guide.run("rules lint")
    (tested,) = guide.json("rules test")["rules"]
    assert (tested["fits"], tested["would_close"], tested["differs"]) == (updaters, updaters, 0)

    guide.run("rules draft")
    guide.run("$EDITOR", program="")
    assert "2 rules in 1 file: nothing is wrong." in guide.run("rules lint")
    by_name = tomllib.loads(file.read_text())["rule"][1]
    assert by_name["match"] == {"name": ["NightlyBackupCheck"], "product": ["epp"]}
    dry = {rule["id"]: rule for rule in guide.json("rules run")["rules"]}
    assert {rule["closes"] for rule in dry.values()} == {0, scripts}

    with night(1):
        arriving = morning_noise(1)
    runner.server.call(lambda: plant(runner.tenant, arriving))
    run = guide.json("rules run")
    assert run["changed"] == run["verified"] == updaters + 2 * scripts
    reported = {rule["id"]: rule for rule in guide.json("rules report")["rules"]}
    assert {name: rule["closed"] for name, rule in reported.items()} == {
        drafted["id"]: updaters,
        by_name["id"]: 2 * scripts,
    }
    listed = guide.json("rules list")["rules"]
    assert [(rule["id"], rule["state"]) for rule in listed] == [(drafted["id"], "live"), (by_name["id"], "live")]
    assert " run --customer acme --yes --max 500 " in guide.run("schedule")


def test_every_guide_has_a_test_of_its_numbers_or_no_numbers_to_follow() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    changing = [
        page.name
        for page in GUIDES.glob("*.md")
        if any(re.match(r"falcon-bulk (close-hash|bulk-close|apply|undo)", line) for line in commands(page))
    ]
    assert changing
    assert all(f'"{name}"' in text for name in changing)
