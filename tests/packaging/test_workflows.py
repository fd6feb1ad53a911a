"""The workflows: every action is pinned, and none uses a secret."""

import re
from pathlib import Path

import pytest

WORKFLOWS = sorted((Path(__file__).parents[2] / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_to_a_commit(workflow: Path) -> None:
    used = re.findall(r"uses: (.+)", workflow.read_text())
    assert used
    assert [action for action in used if not PINNED.fullmatch(action)] == []


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_no_workflow_uses_a_secret_or_may_write_to_the_repository(workflow: Path) -> None:
    text = workflow.read_text()
    assert "secrets." not in text
    assert "permissions:\n  contents: read\n" in text
    assert "contents: write" not in text


def test_a_release_is_checked_and_is_off_until_a_person_switches_it_on() -> None:
    (release,) = [path.read_text() for path in WORKFLOWS if path.name == "release.yml"]
    build, publish = release.split("\n  publish:\n")
    steps = re.findall(r"- run: (.+)", build)
    assert steps == [".ci/run", "make oldest", "make audit", "make build"]
    assert "if: vars.RELEASES == 'on'" in build
    assert "needs: build" in publish
    assert "id-token: write" in publish
