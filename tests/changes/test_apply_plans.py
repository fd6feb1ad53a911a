"""A saved plan at `apply`: what is shown, bounded and sent are its rows, judged as they are read now."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import CommandResult, CommandRunner, serve_customers, without_styling

EASY = ("--filter", "status:'new'+type:'ldt'")
Lines = list[dict[str, Any]]


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[CommandRunner]:
    with serve_customers(tmp_path, alerts=300) as shell:
        yield shell


def saved(shell: CommandRunner, *select: str, name: str = "acme.plan") -> Path:
    """Save a plan, and return its file."""
    done = shell("bulk-close", *(select or EASY), "--dry-run", "--plan", name)
    assert done.code == 0, done
    return shell.folder / name


def apply(shell: CommandRunner, *more: str) -> CommandResult:
    return shell("apply", "acme.plan", "--yes", "--format", "json", *more)


def lines_of(path: Path) -> Lines:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def forge(path: Path, edit: Callable[[Lines], object]) -> Lines:
    """Edit a plan, and give it the digest of what was edited."""
    *lines, _ = lines_of(path)
    edit(lines)
    data = [json.dumps(line).encode() + b"\n" for line in lines]
    end = {"line": "end", "sha256": hashlib.sha256(b"".join(data)).hexdigest()}
    path.write_bytes(b"".join([*data, json.dumps(end).encode() + b"\n"]))
    return lines


def say_one(lines: Lines) -> None:
    lines[-1]["preview"] |= {"planned": 1, "selected": 1, "skipped": {}, "held": {}}


def hide(lines: Lines) -> None:
    lines[1]["actions"].insert(0, ["show_in_ui", "false"])


def be_of_tomorrow(lines: Lines) -> None:
    lines[0]["plan"]["created"] = "2199-01-01T00:00:00Z"


def have_no_such_actions(lines: Lines) -> None:
    lines[-2]["alert"][2] = 99


def repeat_an_alert(lines: Lines) -> None:
    lines.insert(-1, lines[-2])


def be_an_undo(lines: Lines) -> None:
    lines[0]["plan"] |= {"undoes": "251124aaaaaa", "command": "undo"}


def be_somebody_elses(lines: Lines) -> None:
    lines[0]["plan"]["customer"] = "globex"


def lead_out_of_the_folder(lines: Lines) -> None:
    lines[0]["plan"]["run_id"] = "../../../acme"


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (say_one, "says 1 alerts and holds"),
        (hide, "'show_in_ui' is no action"),
        (be_of_tomorrow, "a plan from the future"),
        (have_no_such_actions, "no action set 99"),
        (repeat_an_alert, "is there twice"),
        (be_an_undo, "an undo is made from the journal"),
        (be_somebody_elses, "for the customer globex"),
        (lead_out_of_the_folder, "is no run id"),
    ],
)
def test_a_forged_plan_is_refused_before_anything_is_written_or_sent(
    shell: CommandRunner, edit: Callable[[Lines], object], said: str
) -> None:
    forge(saved(shell), edit)
    for more in ((), ("--dry-run",)):
        refused = apply(shell, *more)
        assert refused.code == 7, refused
        assert said in refused.document["error"]["message"]
    assert not shell.patches()
    assert not list(shell.state.glob("*.sqlite3"))


def test_the_bounds_hold_the_alerts_that_would_be_changed_now(shell: CommandRunner) -> None:
    planned = lines_of(saved(shell))[-2:][0]["preview"]["planned"]
    for bound in (("--max", str(planned - 1)), ("--expect", str(planned + 1))):
        refused = apply(shell, *bound)
        assert refused.code == 7, refused
        assert f"{planned} alerts would be changed" in refused.err
    assert not shell.patches()
    done = apply(shell, "--max", str(planned), "--expect", str(planned))
    assert (done.code, done.document["changed"]) == (0, planned)


def test_an_override_counts_only_if_apply_repeats_it(shell: CommandRunner) -> None:
    path = saved(shell, "--status", "in_progress", "--override", "in-progress,assigned,no-severity")
    planned = lines_of(path)[-2]["preview"]["planned"]
    with shell.terminal("apply", "acme.plan", "--dry-run") as terminal:
        shown = without_styling(terminal.finish().out)
    assert "saved with --override no-severity,assigned,in-progress" in " ".join(shown.split())
    held = apply(shell)
    assert (held.code, held.document["planned"], held.document["overridden"]) == (0, 0, [])
    assert sum(held.document["held"].values()) == held.document["selected"] == planned
    assert not shell.patches()

    refused = apply(shell, "--override", "critical")
    assert refused.code == 7, refused
    assert "saved without --override critical" in refused.err
    assert apply(shell, "--override", "nonsense").code == 2

    done = apply(shell, "--override", "in-progress", "--override", "assigned,no-severity")
    assert (done.code, done.document["changed"]) == (0, planned)
    assert done.document["overridden"] == ["no-severity", "assigned", "in-progress"]


@pytest.mark.slow
def test_all_repeats_what_the_plan_was_saved_with_and_no_more(shell: CommandRunner) -> None:
    path = saved(shell, "--status", "in_progress", "--override", "in-progress,assigned,no-severity")
    turned, *others = [line["alert"][0] for line in lines_of(path) if line["line"] == "alert"]

    def turn_critical() -> None:
        alert = shell.tenant.store.by_id[turned]
        worse = {"severity": 95, "severity_name": "Critical"}
        alert.parts = tuple(
            type(part)(part.fields | {name: worse[name] for name in worse if name in part.fields})
            for part in alert.parts
        )

    shell.server.call(turn_critical)
    done = apply(shell, "--override", "all")
    assert (done.code, done.document["held"], done.document["changed"]) == (0, {"critical": 1}, len(others))
    assert done.document["overridden"] == ["no-severity", "assigned", "in-progress"]


def test_a_dry_run_shows_what_the_plan_would_do_now_and_leaves_nothing(shell: CommandRunner) -> None:
    path = saved(shell)
    ids = [line["alert"][0] for line in lines_of(path) if line["line"] == "alert"]
    shell.edit(ids[:3], status="in_progress", assign="bo.birch")
    before = path.read_bytes()
    shown = shell("apply", "acme.plan", "--dry-run")
    assert shown.code == 0, shown
    text = " ".join(shown.text.split())
    assert "3 of these alerts were changed by someone since the plan" in text
    assert lines_of(path)[0]["plan"]["operator"] in text
    assert "planned 20" in text
    document = shell.json("apply", "acme.plan", "--dry-run")
    assert (document["status"], document["planned"], document["not_sent"]) == ("dry_run", len(ids), len(ids))
    assert not shell.patches()
    assert path.read_bytes() == before
    assert not list(shell.state.glob("*.sqlite3"))

    done = apply(shell)
    assert (done.code, done.document["drifted"], done.document["changed"]) == (6, 3, len(ids) - 3)
    again = shell("apply", "acme.plan", "--dry-run")
    assert "carried out already" in " ".join(again.text.split())


def test_a_plan_carried_out_already_is_said_before_the_question(shell: CommandRunner) -> None:
    saved(shell)
    assert apply(shell).code == 0
    with shell.terminal("apply", "acme.plan") as terminal:
        done = terminal.finish()
    assert done.code == 7
    assert "was already carried out" in done.err
    assert "Type " not in done.err


@pytest.mark.slow
def test_a_plan_of_a_run_id_that_another_plan_had_does_not_replace_it(shell: CommandRunner) -> None:
    path = saved(shell)
    shell.order("status", status=403, endpoint="patch", times=None)
    failed = apply(shell)
    assert failed.code == 4, failed
    shell.server.call(shell.tenant.faults.clear)

    def be_later(lines: Lines) -> None:
        lines[0]["plan"]["selection"] = "something else"

    forge(path, be_later)
    refused = apply(shell)
    assert refused.code == 7, refused
    assert "had another plan" in refused.err
    assert shell.newest_run().selection != "something else"


# A folder of plans


@pytest.fixture
def two(tmp_path: Path) -> Iterator[CommandRunner]:
    with serve_customers(tmp_path, "acme", "globex", alerts=300) as shell:
        made = shell.bare("bulk-close", "--all-customers", *EASY, "--dry-run", "--plan", "plans")
        assert made.code == 0, made
        yield shell


def test_a_dry_run_of_a_folder_shows_each_plan_as_its_preview_does(two: CommandRunner) -> None:
    shown = two.bare("apply", "plans", "--dry-run")
    assert shown.code == 0, shown
    for name in ("acme", "globex"):
        assert f"{name}: CLOSE" in shown.text
        plan = lines_of(two.folder / "plans" / f"{name}.plan")[0]["plan"]
        assert f"{plan['run_id']}, planned" in shown.text
    assert "2 of 2 customers done" in shown.text
    assert not two.patches("acme")
    assert not two.patches("globex")
    document = two.bare("apply", "plans", "--dry-run", "--format", "json").document
    assert [part["result"]["status"] for part in document["customers"]] == ["dry_run", "dry_run"]


@pytest.mark.slow
def test_plans_of_a_folder_that_were_carried_out_are_said_before_the_question(two: CommandRunner) -> None:
    done = two("apply", "plans/acme.plan", "--yes", "--format", "json")
    assert done.code == 0, done
    planned = lines_of(two.folder / "plans" / "globex.plan")[-2]["preview"]["planned"]
    with two.terminal("apply", "plans", customer=None) as terminal:
        terminal.wait_for(f'Type "all {planned}"')
        shown = " ".join(without_styling(terminal.shown).split())
        assert f"The plan {done.document['run_id']} was already carried out." in shown
        assert "of 1 customer:" in shown
        terminal.type(f"all {planned}\n")
        assert terminal.finish().code == 6
    assert len(two.patches("acme")) == 1
    assert two.patches("globex")


@pytest.mark.slow
def test_a_forged_plan_in_a_folder_is_refused_with_all_of_them(two: CommandRunner) -> None:
    forge(two.folder / "plans" / "acme.plan", say_one)
    refused = two.bare("apply", "plans", "--yes", "--max", "900")
    assert refused.code == 7, refused
    assert not two.patches("acme")
    assert not two.patches("globex")
