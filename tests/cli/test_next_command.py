"""After a result, the next useful command on stderr, such that it can be pasted."""

import shlex
from typing import Any

import pytest

from falcon_emulator import Fault
from tests.support.command import CommandResult, CommandRunner

TAKEN_BACK, BEING_TAKEN_BACK = "Undone by:", "Being undone by:"
LABELS = (
    *("Next:", "Count all alerts:", "Apply it:", "Apply them:", "Undo it:", "Resume it:", "Show it:"),
    *(TAKEN_BACK, BEING_TAKEN_BACK),
)


def suggested(done: CommandResult) -> list[str]:
    """The words behind `falcon-bulk` in the one suggestion; none where there is none."""
    lines = [line.partition("  ")[2] for line in done.err.splitlines() if line.startswith(LABELS)]
    assert len(lines) <= 1, lines
    words = shlex.split(lines[0]) if lines else ["falcon-bulk"]
    assert words[0] == "falcon-bulk"
    return words[1:]


def test_from_counting_to_closing_and_back_each_step_names_the_next(acme: Any) -> None:
    shell: CommandRunner = acme(alerts=200)
    first = suggested(shell("hash-summary"))
    assert first[:2] == ["close-hash", "--hash"]
    assert first[3:] == ["--dry-run", "--customer", "acme"]
    dry = shell.bare(*first, "--override", "all")
    assert not dry.to("patch")
    second = suggested(dry)
    assert "--dry-run" not in second
    done = shell.bare(*second, "--yes", "--max", "200")
    assert done.code == 0, done
    assert done.to("patch")
    third = suggested(done)
    assert third[0] == "undo"
    undone = shell.bare(*third, "--yes", "--max", "200")
    assert undone.code == 0, undone
    newest = suggested(shell("runs"))
    assert newest[:2] == ["runs", "show"]
    assert suggested(shell.bare(*newest))[0] == "undo"
    taken_back = shell("runs", "show", third[1])
    assert f"\n{TAKEN_BACK}" in f"\n{taken_back.err}"
    assert suggested(taken_back) == newest


@pytest.mark.slow
def test_a_run_can_be_undone_unless_another_run_did_it_or_is_about_to(acme: Any) -> None:
    shell: CommandRunner = acme(alerts=60)
    run = shell.json("bulk-close", "--severity", "low", "--override", "all", "--yes", "--max", "60")["run_id"]
    show = ("runs", "show", run)
    assert suggested(shell(*show))[:2] == ["undo", run]
    refused = [Fault(kind="status", status=403, endpoint="patch", times=None, skip=passed) for passed in (0, 1)]
    one_by_one = ("--batch-size", "1", "--batch-delay", "0", "--workers", "1", "--format", "json")

    shell.server.call(lambda: shell.tenant.faults.add(refused[0]))
    in_vain = shell("undo", run, "--yes", "--max", "60", *one_by_one).document
    assert in_vain["not_sent"] == in_vain["planned"] > 1
    assert suggested(shell(*show))[:2] == ["undo", run], "nothing was undone"

    shell.server.call(shell.tenant.faults.clear)
    shell.server.call(lambda: shell.tenant.faults.add(refused[1]))
    begun = shell("undo", run, "--yes", "--max", "60", *one_by_one).document
    assert begun["changed"] == 1
    shown = shell(*show)
    assert BEING_TAKEN_BACK in shown.err
    assert suggested(shown) == ["runs", "show", begun["run_id"], "--customer", "acme"]

    shell.server.call(shell.tenant.faults.clear)
    assert shell("resume").code == 0
    shown = shell(*show)
    assert BEING_TAKEN_BACK not in shown.err
    assert suggested(shown) == ["runs", "show", begun["run_id"], "--customer", "acme"]
    abandoned = shell("runs", "abandon", run)
    assert suggested(abandoned) == suggested(shown)
    assert f"The run {run} had ended before: there was nothing to abandon.\n" in abandoned.err


@pytest.mark.slow
def test_a_saved_plan_is_carried_out_by_the_command_that_is_named(acme: Any) -> None:
    shell: CommandRunner = acme(alerts=60)
    done = shell("bulk-close", "--since", "5000d", "--override", "all", "--dry-run", "--plan", "the plan.json")
    words = suggested(done)
    assert words == ["apply", "the plan.json", "--customer", "acme"]
    assert shell.bare(*words, "--yes").code == 0


@pytest.mark.slow
def test_plans_of_a_multi_customer_run_are_carried_out_by_the_command_that_is_named(acme: Any) -> None:
    shell: CommandRunner = acme(alerts=60)
    argv = ("bulk-close", "--severity", "low", "--override", "all", "--dry-run", "--plan", "plans")
    words = suggested(shell.bare(*argv, "--all-customers"))
    assert words == ["apply", "plans"]
    assert shell.bare(*words, "--yes", "--max", "60").code == 0


@pytest.mark.slow
def test_the_selection_is_kept_and_quoted(readable: CommandRunner) -> None:
    argv = ("--filter", "name:!'it`s $HOME'", "--severity", "high,low", "--visible-only")
    words = suggested(readable.bare("query", *argv, "--limit", "1", "--env-file", "customers/acme.env"))
    assert words == ["hash-summary", *argv, "--env-file", "customers/acme.env"]
    assert readable.bare(*words).code == 0


@pytest.mark.slow
def test_closing_a_hash_that_was_counted_keeps_to_what_was_counted(readable: CommandRunner) -> None:
    argv = ("--severity", "high,medium", "--since", "5000d", "--visible-only")
    counted = readable("hash-summary", *argv, "--status", "new,reopened", "--format", "json")
    words = suggested(counted)
    number = {entry["sha256"]: entry["alerts"] for entry in counted.document["hashes"]}[words[2]]
    assert readable.bare(*words, "--format", "json").document["selected"] == number


@pytest.mark.slow
def test_what_was_given_by_standard_input_leads_nowhere(readable: CommandRunner) -> None:
    given = suggested(readable("hash-summary"))[2].encode()
    for argv in (("--hash-file", "-"), ("--hash-file=-",)):
        dry = readable("close-hash", *argv, "--override", "all", "--dry-run", "--format", "json", given=given)
        assert dry.document["planned"]
        assert suggested(dry) == []


def test_nothing_found_leads_to_what_is_there(readable: CommandRunner) -> None:
    words = suggested(readable("query", "--name", "Nothing is called that"))
    assert words == ["summary", "--customer", "acme"]


@pytest.mark.slow
def test_an_address_of_notify_is_not_repeated(readable: CommandRunner) -> None:
    argv = ("bulk-close", "--severity", "low", "--dry-run")
    for notify in (["--notify=json://user:hunter22@127.0.0.1:9/"], ["--notify", "json://user:hunter22@127.0.0.1:9/"]):
        done = readable(*argv, *notify)
        assert "hunter22" not in done.err
        assert suggested(done)[:3] == ["bulk-close", "--severity", "low"]


@pytest.mark.slow
def test_quiet_names_nothing_and_an_empty_plan_neither(readable: CommandRunner) -> None:
    assert readable("hash-summary", "--quiet").err == ""
    assert suggested(readable("bulk-close", "--name", "Nothing is called that", "--dry-run")) == []
