"""Every command of the tree says in its help what it does, with examples that call it."""

import shlex

import click
import pytest
from test_did_you_mean import TREE

from falcon_bulk.operations.changes.guardrails import GUARDRAILS
from tests.support.command import CommandRunner

COMMANDS = {path: command for path, command in TREE.items() if path != "falcon-bulk"}


def examples(command: click.Command) -> list[str]:
    text = command.epilog or ""
    return [line.strip() for line in text.splitlines() if line.startswith("  falcon-bulk ")]


@pytest.mark.parametrize("path", COMMANDS)
def test_a_help_has_examples_of_that_command(path: str) -> None:
    command = COMMANDS[path]
    assert command.help
    called = [line for line in examples(command) if f"{line} ".startswith(f"{path} ")]
    assert called, f"{path} --help has no example of itself"


@pytest.mark.parametrize("path", TREE)
def test_each_option_says_what_it_is_for(path: str) -> None:
    silent = [param.opts for param in TREE[path].params if isinstance(param, click.Option) and not param.help]
    assert not silent


@pytest.mark.parametrize("path", COMMANDS)
def test_an_example_is_a_command_line_that_click_understands(path: str) -> None:
    """Each option exists in the command that is called; values are checked when it runs."""
    for line in examples(COMMANDS[path]):
        words = shlex.split(line.partition(" > ")[0])
        words = words[: words.index("--")] if "--" in words else words
        called = max((known for known in TREE if f"{line} ".startswith(f"{known} ")), key=len)
        options = {name for param in TREE[called].params for name in param.opts}
        unknown = [word for word in words if word.startswith("-") and word.partition("=")[0] not in options | {"-"}]
        assert not unknown, line


@pytest.mark.parametrize("path", ["falcon-bulk close-hash", "falcon-bulk bulk-close"])
def test_the_guard_rails_are_named_in_the_order_in_which_they_hold(path: str) -> None:
    (lift,) = (param for param in TREE[path].params if isinstance(param, click.Option) and "--override" in param.opts)
    assert f": {', '.join(GUARDRAILS)}; or all." in (lift.help or "")


def test_the_overview_has_examples(readable: CommandRunner) -> None:
    assert "Examples:" in readable.bare("--help").text
